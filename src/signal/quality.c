/* How good the client's connection is, by what was measured of its voices, and what it is told of
 * that: its own and those of all whom it hears. */
#include "signal/session.h"

enum {
	FIRST_MS = QUALITY_WINDOW_MS, /* LiveKit measures for so long before it says anything */
	PROTOCOL_LEAST = 5, /* older clients do not know the message */
};

/* ---- telling ---- */

struct telling {
	struct info_arena arena;
	Livekit__ConnectionQualityUpdate update;
};

static void add(struct telling *t, const struct participant *of)
{
	Livekit__ConnectionQualityInfo *info = info_alloc(&t->arena, sizeof *info);
	struct connection_quality q = participant_quality(of);

	if (!info)
		return;
	livekit__connection_quality_info__init(info);
	info->participant_sid = (char *)participant_sid(of);
	info->quality = q.quality;
	info->score = q.score;
	t->update.updates[t->update.n_updates++] = info;
}

static bool begin(struct telling *t, size_t count)
{
	*t = (struct telling){.update = LIVEKIT__CONNECTION_QUALITY_UPDATE__INIT};
	t->update.updates = info_alloc(&t->arena, count * sizeof *t->update.updates);
	return t->update.updates;
}

static void finish(struct session *s, struct telling *t)
{
	Livekit__SignalResponse m = LIVEKIT__SIGNAL_RESPONSE__INIT;

	m.message_case = LIVEKIT__SIGNAL_RESPONSE__MESSAGE_CONNECTION_QUALITY;
	m.connection_quality = &t->update;
	if (t->update.n_updates && s->join->protocol >= PROTOCOL_LEAST)
		session_send(s, &m);
	info_arena_fini(&t->arena);
}

static void on_first(void *owner)
{
	struct session *s = owner;
	struct telling t;
	size_t count = 1;

	list_each(it, &s->hearings)
		++count;
	if (begin(&t, count)) {
		add(&t, s->participant);
		list_each(it, &s->hearings) {
			struct hearing *h = container_of(it, struct hearing, link);
			add(&t, track_owner(h->subscription->track));
		}
	}
	finish(s, &t);
}

void quality_tell(struct session *s, struct participant *of)
{
	struct telling t;

	if (begin(&t, 1))
		add(&t, of);
	finish(s, &t);
}

int quality_init(struct session *s)
{
	return timer_init(&s->quality, s->door->loop, on_first, s);
}

void quality_fini(struct session *s)
{
	timer_fini(&s->quality);
}

void quality_tell_later(struct session *s)
{
	if (!timer_running(&s->quality))
		timer_start(&s->quality, FIRST_MS, 0);
}

/* ---- measuring ---- */

static bool is_red(const struct track *t)
{
	const char *mime = t ? track_facts(t)->mime_type : NULL;
	return mime && strcasecmp(mime, "audio/red") == 0;
}

static struct quality_window window_of(struct session *s, const struct media_voice_stats *v)
{
	return (struct quality_window){.now_ms = loop_now_ms(s->door->loop),
		.up = !v->sink,
		.expected = v->expected,
		.lost = v->lost,
		.sent = v->sink ? v->packets : 0,
		.jitter_us = v->jitter_us,
		.rtt_us = v->rtt_us ? v->rtt_us : s->rtt_us,
		.silent_ms = v->silent_ms};
}

static void put_up(struct session *s, const struct media_voice_stats *v)
{
	struct pub *p = map_entry(map_get_id(&s->door->sources, v->id), struct pub, by_source);
	if (!p || p->session != s)
		return;
	struct quality_window w = window_of(s, v);
	w.muted = p->muted || !p->track;
	w.red = is_red(p->track);
	quality_put(&p->quality, &w);
}

static void put_down(
	struct session *s, struct hearing *h, const struct media_voice_stats *v)
{
	const struct track *t = h->subscription->track;
	struct quality_window w = window_of(s, v);
	w.muted = h->subscription->disabled || track_muted(t);
	w.red = is_red(t);
	quality_put(&h->quality, &w);
}

static bool is_of(const struct media_voice_stats *v, const struct hearing *h)
{
	return v->sink && v->id == h->sink;
}

/* Both lists are in the order in which sinks were opened, nearly: each search begins where the last
 * one ended. */
static void put_all_down(struct session *s, const struct media_voice_stats *stats, size_t count)
{
	size_t at = 0;

	list_each(it, &s->hearings) {
		struct hearing *h = container_of(it, struct hearing, link);
		for (size_t n = 0; h->sink && n < count; ++n, at = (at + 1) % count)
			if (is_of(&stats[at], h)) {
				put_down(s, h, &stats[at]);
				break;
			}
	}
}

void quality_measured(struct session *s, const struct media_voice_stats *stats, size_t count)
{
	struct connection_quality worst = quality_best();

	for (size_t i = 0; i < count; ++i) {
		if (stats[i].rtt_us)
			s->rtt_us = stats[i].rtt_us;
		if (!stats[i].sink)
			put_up(s, &stats[i]);
	}
	put_all_down(s, stats, count);
	list_each(it, &s->pubs)
		quality_add(&worst, &container_of(it, struct pub, link)->quality);
	list_each(it, &s->hearings)
		quality_add(&worst, &container_of(it, struct hearing, link)->quality);
	participant_set_quality(s->participant, &worst);
}

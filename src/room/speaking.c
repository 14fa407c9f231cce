/* Who speaks, told in deltas to those whom it concerns. How loud a window was: room/speakers.h. */
#include "room/inside.h"

enum {
	SPEAKING_COUNT = 64
};

static float level_of(struct participant *p, uint64_t now_ms)
{
	float most = 0;
	list_each(it, &p->tracks) {
		const struct track *t = container_of(it, struct track, link);
		if (t->config.source != LIVEKIT__TRACK_SOURCE__MICROPHONE || t->config.muted)
			continue;
		float level = loudness_level(&t->loudness, &p->room->rooms->config.speakers, now_ms);
		if (level > most)
			most = level;
	}
	return most;
}

static struct speaker speaker_of(struct participant *p)
{
	return (struct speaker){.participant = p, .level = p->spoken, .active = p->spoken > 0};
}

/* Notes the new levels; whether there is anything to tell. */
static bool measure(struct room *r, uint64_t now_ms)
{
	bool any = false;
	list_each(it, &r->participants) {
		struct participant *p = container_of(it, struct participant, link);
		float level = level_of(p, now_ms);
		p->speaking_changed = level != p->spoken;
		p->spoken = level;
		any |= p->speaking_changed;
	}
	return any;
}

static void add(struct speaker *list, size_t *count, struct participant *p)
{
	for (size_t i = 0; i < *count; ++i)
		if (list[i].participant == p)
			return;
	if (p->speaking_changed && *count < SPEAKING_COUNT)
		list[(*count)++] = speaker_of(p);
}

/* Itself, and those it hears. */
static void tell(struct participant *to)
{
	struct speaker list[SPEAKING_COUNT];
	size_t count = 0;
	add(list, &count, to);
	list_each(it, &to->subscriptions)
		add(list, &count,
			container_of(it, struct subscription, listener_link)->track->owner);
	if (count)
		TELL(to, speakers, list, count);
}

void speaking_tick(struct room *r, uint64_t now_ms)
{
	r->levels_came = false;
	if (!measure(r, now_ms))
		return;
	for (struct participant *to = room_next(r, NULL); to; to = room_next(r, to))
		if (to->state == LIVEKIT__PARTICIPANT_INFO__STATE__ACTIVE)
			tell(to);
}

void speaking_began(struct participant *listener, struct participant *p)
{
	struct speaker s = speaker_of(p);
	if (s.active)
		TELL(listener, speakers, &s, 1);
}

void speaking_catch_up(struct participant *listener)
{
	for (struct participant *p = room_next(listener->room, NULL); p;
		p = room_next(listener->room, p))
		if (subscriptions_reach(listener, p))
			speaking_began(listener, p);
}

void speaking_ended(struct participant *listener, struct participant *p)
{
	struct speaker s = {.participant = p};
	if (p->spoken > 0)
		TELL(listener, speakers, &s, 1);
}

void participant_pretend_speaking(struct participant *p, float level)
{
	struct speaker s = {.participant = p, .level = level, .active = level > 0};
	struct participant *to = room_next(p->room, NULL);
	for (; to && participant_hears_events(p); to = room_next(p->room, to))
		if (to->state == LIVEKIT__PARTICIPANT_INFO__STATE__ACTIVE &&
			(to == p || subscriptions_reach(to, p)))
			TELL(to, speakers, &s, 1);
}

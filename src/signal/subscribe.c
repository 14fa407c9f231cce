#include "signal/session.h"

#include "base/mem.h"
#include "signal/codecs.h"

#include <stdio.h>

static bool is_free(const struct session *s, const struct section *c)
{
	if (c->kind != SECTION_AUDIO || c->hearing || c->pub)
		return false;
	/* On the connection that we offer, every audio section is ours. */
	return !s->single || (c->client_receives && !c->client_sends);
}

static struct section *free_section(struct session *s)
{
	list_each(it, &session_hearing_peer(s)->sections) {
		struct section *c = container_of(it, struct section, link);
		if (is_free(s, c))
			return c;
	}
	return NULL;
}

/* On the connection that we offer there is always room for one more. */
static struct section *new_section(struct session *s)
{
	struct peer *p = &s->subscriber;
	struct section *c = NULL;
	char mid[SECTION_MID_MAX + 1];

	if (p->section_count >= LIMIT_SDP_MEDIA)
		return NULL;
	snprintf(mid, sizeof mid, "%zu", p->section_count);
	return peer_add_section(&c, p, span_text(mid), SECTION_AUDIO) ? NULL : c;
}

size_t subscribe_assign(struct session *s)
{
	size_t waiting = 0;
	list_each(it, &s->hearings) {
		struct hearing *h = container_of(it, struct hearing, link);
		if (h->section)
			continue;
		struct section *c = free_section(s);
		if (!c && !s->single)
			c = new_section(s);
		if (!c) {
			++waiting;
			continue;
		}
		h->section = c;
		h->ssrc = rng_u32() | 1; /* a new one each time: receivers keep state by it */
		c->hearing = h;
		c->was_used = true;
		c->offered = false;
	}
	return waiting;
}

size_t subscribe_missing(struct session *s)
{
	size_t waiting = 0, free_sections = 0;
	list_each(it, &s->hearings)
		waiting += !container_of(it, struct hearing, link)->section;
	list_each(it, &session_hearing_peer(s)->sections)
		free_sections += is_free(s, container_of(it, struct section, link));
	return waiting > free_sections ? waiting - free_sections : 0;
}

void subscribe_start(struct hearing *h, const struct codec_choice *choice)
{
	struct session *s = h->session;
	const struct track *t = h->subscription->track;
	struct media_sink_config c = {.source = track_media_source(t),
		.transport = session_hearing_peer(s)->transport,
		.ssrc = h->ssrc,
		.pt = choice->pt,
		.opus_pt = choice->opus_pt,
		.codec = choice->codec,
		.nack = choice->nack};

	snprintf(c.cname, sizeof c.cname, "%s", participant_sid(track_owner(t)));
	if (media_sink_open(&h->sink, s->door->media, &c))
		return;
	if (h->subscription->disabled)
		media_sink_pause(s->door->media, h->sink, true);
}

void subscribe_failed(struct session *s, const char *track_sid, Livekit__SubscriptionError why)
{
	Livekit__SubscriptionResponse failed = LIVEKIT__SUBSCRIPTION_RESPONSE__INIT;
	Livekit__SignalResponse m = LIVEKIT__SIGNAL_RESPONSE__INIT;

	failed.track_sid = (char *)track_sid;
	failed.err = why;
	m.message_case = LIVEKIT__SIGNAL_RESPONSE__MESSAGE_SUBSCRIPTION_RESPONSE;
	m.subscription_response = &failed;
	session_send(s, &m);
}

void subscribe_begin(struct session *s, struct subscription *sub)
{
	struct hearing *h = mem_zalloc(sizeof *h);
	if (!h) {
		(void)err_new(-ENOMEM);
		return;
	}
	h->session = s;
	h->subscription = sub;
	sub->user = h;
	list_add(&s->hearings, &h->link);
	quality_tell_later(s);
	offer_wanted(s);
}

static void hearing_free(struct hearing *h)
{
	if (h->sink)
		media_sink_close(h->session->door->media, h->sink);
	if (h->section)
		h->section->hearing = NULL;
	h->subscription->user = NULL;
	list_remove(&h->link);
	mem_free(h);
}

void subscribe_end(struct session *s, struct subscription *sub)
{
	struct hearing *h = sub->user;
	if (!h)
		return;
	bool negotiated = h->section != NULL;
	hearing_free(h);
	if (negotiated)
		offer_wanted(s);
}

void subscribe_free_all(struct session *s)
{
	while (!list_empty(&s->hearings))
		hearing_free(list_first(&s->hearings, struct hearing, link));
}

/* ---- what the client asks ---- */

void subscribe_request(struct session *s, Livekit__UpdateSubscription *m)
{
	for (size_t i = 0; i < m->n_track_sids; ++i)
		participant_subscribe(s->participant, m->track_sids[i], m->subscribe);
	for (size_t i = 0; i < m->n_participant_tracks; ++i) {
		const Livekit__ParticipantTracks *of = m->participant_tracks[i];
		for (size_t k = 0; k < of->n_track_sids; ++k)
			participant_subscribe(s->participant, of->track_sids[k], m->subscribe);
	}
}

void subscribe_disable(struct session *s, const char *sid, bool disabled)
{
	list_each(it, &s->hearings) {
		struct hearing *h = container_of(it, struct hearing, link);
		if (strcmp(track_sid(h->subscription->track), sid) != 0)
			continue;
		h->subscription->disabled = disabled;
		if (h->sink)
			media_sink_pause(s->door->media, h->sink, disabled);
	}
}

void subscribe_settings(struct session *s, Livekit__UpdateTrackSettings *m)
{
	for (size_t i = 0; i < m->n_track_sids; ++i)
		subscribe_disable(s, m->track_sids[i], m->disabled);
}

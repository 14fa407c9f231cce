#include "signal/session.h"

#include "signal/codecs.h"
#include "signal/describe.h"

#include <stdio.h>

enum {
	/* LiveKit's rhythm: changes within these are one negotiation. */
	DEBOUNCE_FIRST_MS = 10,
	DEBOUNCE_MS = 150,
	PATIENCE_MS = 15000, /* for an answer, while media is connected */
};

/* ---- two connections: we offer ---- */

static void describe_ours(struct describe_section *d, struct section *c, struct info_arena *a)
{
	*d = (struct describe_section){.mid = span_text(c->mid)};
	if (c->kind == SECTION_DATA) {
		d->what = DESCRIBE_DATA;
		return;
	}
	/* As the reference server says it: clients answer both without sending. */
	d->what = DESCRIBE_AUDIO;
	d->direction = c->hearing ? SDP_SENDRECV : SDP_RECVONLY;
	codecs_offer(d, c->hearing ? c->hearing->subscription->track : NULL);
	codecs_add_nack(d, NULL);
	if (c->hearing)
		negotiate_describe_sender(d, c->hearing, a);
	c->offered = c->hearing != NULL;
}

static void send_offer(struct session *s)
{
	struct peer *p = &s->subscriber;
	struct negotiation *n = &s->negotiation;
	struct info_arena arena = {0};
	struct describe d = {.setup = "actpass", .sections = s->door->descriptions};

	list_each(it, &p->sections) {
		struct section *c = container_of(it, struct section, link);
		describe_ours(&d.sections[d.section_count++], c, &arena);
	}
	n->again = false;
	n->last_ms = loop_now_ms(s->door->loop);
	if (negotiate_send(s, p, &d, &arena, "offer", n->id + 1) == 0) {
		++n->id;
		n->outstanding = true;
		timer_start(&n->patience, PATIENCE_MS, 0);
	}
	info_arena_fini(&arena);
}

/* Opens the connection on which we offer, data channels first (they must be in its first offer). */
static int open_subscriber(struct session *s)
{
	struct section *data;
	int r = peer_open(&s->subscriber, s);
	return r ? r : peer_add_section(&data, &s->subscriber, span_text("0"), SECTION_DATA);
}

void offer_first(struct session *s)
{
	if (open_subscriber(s) == 0)
		send_offer(s);
	/* It has nothing to hear yet: what there is follows at once, and then the rhythm counts. */
	s->negotiation.last_ms = 0;
}

static void start_hearing(struct hearing *h, const struct sdp_media *m)
{
	const struct track *t = h->subscription->track;
	struct codec_choice c = codecs_first(t, m);

	if (c.codec != CODEC_NONE)
		subscribe_start(h, &c);
	else if (!h->refused)
		subscribe_failed(h->session, track_sid(t),
			LIVEKIT__SUBSCRIPTION_ERROR__SE_CODEC_UNSUPPORTED);
	h->refused = c.codec == CODEC_NONE;
}

static void take_answer(struct session *s, const struct sdp *answer)
{
	for (size_t i = 0; i < answer->media_count; ++i) {
		const struct sdp_media *m = &answer->media[i];
		struct section *c = peer_find(&s->subscriber, m->mid);
		bool receives = m->direction == SDP_RECVONLY || m->direction == SDP_SENDRECV;
		if (c && c->hearing && c->offered && !c->hearing->sink && receives && m->port)
			start_hearing(c->hearing, m);
	}
}

void offer_answered(struct session *s, const Livekit__SessionDescription *m)
{
	struct negotiation *n = &s->negotiation;
	struct sdp answer;

	if (s->single || !n->outstanding) {
		session_start_over(s);
		return;
	}
	/* The native SDK answers every offer as number 0. */
	if (m->id && m->id != n->id)
		return;
	if (sdp_parse(&answer, s->door->media_scratch, LIMIT_SDP_MEDIA, span_text(m->sdp)) ||
		peer_set_remote(&s->subscriber, &answer, false)) {
		session_start_over(s);
		return;
	}
	n->outstanding = false;
	timer_stop(&n->patience);
	take_answer(s, &answer);
	if (n->again)
		offer_wanted(s);
}

/* RFC 8829, 5.2.3.1: a restart is new credentials in the offer; the answer brings the client's. An
 * offer that nobody answered is said again. */
void offer_restart(struct session *s)
{
	struct peer *p = &s->subscriber;
	s->negotiation.outstanding = false;
	if (s->single) {
		if (s->negotiation.again || subscribe_missing(s))
			offer_wanted(s);
		return;
	}
	if (!p->transport)
		return;
	if (p->has_remote)
		peer_make_ice(p);
	subscribe_assign(s);
	send_offer(s);
}

/* ---- one connection: we ask the client to offer ---- */

static void send_requirement(struct session *s)
{
	struct negotiation *n = &s->negotiation;
	Livekit__MediaSectionsRequirement need = LIVEKIT__MEDIA_SECTIONS_REQUIREMENT__INIT;
	Livekit__SignalResponse m = LIVEKIT__SIGNAL_RESPONSE__INIT;

	need.num_audios = (uint32_t)subscribe_missing(s);
	m.message_case = LIVEKIT__SIGNAL_RESPONSE__MESSAGE_MEDIA_SECTIONS_REQUIREMENT;
	m.media_sections_requirement = &need;
	session_send(s, &m);
	n->again = false;
	n->outstanding = true;
	n->last_ms = loop_now_ms(s->door->loop);
	timer_start(&n->patience, PATIENCE_MS, 0);
}

void offer_fulfilled(struct session *s)
{
	struct negotiation *n = &s->negotiation;
	n->outstanding = n->again = false;
	timer_stop(&n->patience);
	timer_stop(&n->debounce);
	if (subscribe_missing(s))
		offer_wanted(s);
}

/* ---- when ---- */

void offer_wanted(struct session *s)
{
	struct negotiation *n = &s->negotiation;
	uint64_t since = loop_now_ms(s->door->loop) - n->last_ms;

	n->again = true;
	if (s->state != SESSION_OPEN)
		return; /* a resume looks again */
	if (!n->outstanding && !timer_running(&n->debounce))
		timer_start(&n->debounce, since < DEBOUNCE_MS ? DEBOUNCE_MS : DEBOUNCE_FIRST_MS, 0);
}

static void on_debounce(void *owner)
{
	struct session *s = owner;
	struct negotiation *n = &s->negotiation;

	if (n->outstanding || !n->again || s->state != SESSION_OPEN)
		return;
	if (s->single) {
		send_requirement(s);
	} else if (s->subscriber.transport || open_subscriber(s) == 0) {
		subscribe_assign(s);
		send_offer(s);
	}
}

/* Nobody answered. With media up that is a client that lost its way; without, the deadline of
 * joining will deal with it. */
static void on_patience(void *owner)
{
	struct session *s = owner;
	struct negotiation *n = &s->negotiation;

	n->outstanding = false;
	if (s->single) {
		if (n->again || subscribe_missing(s))
			offer_wanted(s);
	} else if (s->subscriber.state == MEDIA_TRANSPORT_CONNECTED && s->state == SESSION_OPEN) {
		session_start_over(s);
	}
}

int offer_init(struct session *s)
{
	struct negotiation *n = &s->negotiation;
	n->id = rng_u32() % 256; /* LiveKit begins anywhere in 1..256 */
	int r = timer_init(&n->debounce, s->door->loop, on_debounce, s);
	return r ? r : timer_init(&n->patience, s->door->loop, on_patience, s);
}

void offer_fini(struct session *s)
{
	timer_fini(&s->negotiation.debounce);
	timer_fini(&s->negotiation.patience);
}

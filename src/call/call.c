/* call/call.c - one call's life: its state, its timers, and the one way to end. */
#include "call/call_private.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

static const struct {
	const char *name;
	unsigned next;
} states[CALL__COUNT] = {
	[CALL_DIALING] = {"dialing", BIT(CALL_RINGING) | BIT(CALL_ACTIVE) | BIT(CALL_ENDED)},
	[CALL_RINGING] = {"ringing", BIT(CALL_ACTIVE) | BIT(CALL_ENDED)},
	[CALL_ACTIVE] = {"active", BIT(CALL_ENDED)},
	[CALL_ENDED] = {"ended", 0},
};

void call_move(struct call *c, enum call_state next)
{
	assert(states[c->state].next & BIT(next));
	log_info(c->id, "%s -> %s", states[c->state].name, states[next].name);
	c->state = next;
	if (next == CALL_ACTIVE)
		record_time(c, RECORD_FIRST_RTP_SENT);
}

static void settle_now(struct deferred *d)
{
	struct call *c = container_of(d, struct call, settle_later);
	while (!list_empty(&c->watches)) {
		struct call_watch *w = list_first(&c->watches, struct call_watch, link);
		list_remove(&w->link);
		w->settled(w, c, c->answered);
	}
}

/* Watchers answer HTTP requests: that may run a long way, so never from inside a SIP event. */
void call_settle(struct call *c, bool answered)
{
	if (c->settled)
		return;
	c->settled = true;
	c->answered = answered;
	loop_defer(c->calls->loop, &c->settle_later, settle_now);
}

void call_watch(struct call *c, struct call_watch *w)
{
	list_add(&c->watches, &w->link);
	if (c->settled)
		loop_defer(c->calls->loop, &c->settle_later, settle_now);
}

void call_unwatch(struct call_watch *w)
{
	list_remove(&w->link);
}

void call_drop_media(struct call *c)
{
	if (!c->leg)
		return;
	map_remove(&c->calls->by_leg, &c->leg_node);
	media_leg_close(c->calls->config.media, c->leg);
	c->leg = 0;
}

/* What the room sees last: why it ended, in words and as a code; then the phone leaves. */
static void show_end(struct call *c)
{
	if (!c->seat)
		return;

	char code[8];
	snprintf(code, sizeof code, "%d", c->sip_status);
	const struct attribute last[] = {
		{"sip.callStatus", "hangup"},
		{"ringdown.endedReason", c->explanation.sentence},
		{"ringdown.endedCode", c->explanation.code},
		{"ringdown.sipStatusCode", c->sip_status ? code : ""},
	};
	seat_set_attributes(c->seat, last, COUNT_OF(last));
}

void call_leave_room(struct call *c)
{
	struct seat *seat = c->seat;

	c->seat = NULL;
	if (seat)
		seat_leave(seat, c->explanation.reason);
}

static void log_end(const struct call *c, int sip_status)
{
	char sentence[sizeof c->explanation.sentence];
	call_hide_numbers(sentence, sizeof sentence, c, c->explanation.sentence);
	log_info(c->id, "ended after %" PRIu64 " ms: %s (SIP %d): %s", clock_ms() - c->asked_ms, c->explanation.code,
		sip_status, sentence);
}

void call_finish(struct call *c, const struct call_explanation *why, int sip_status, const char *sip_reason)
{
	enum call_state from = c->state;

	if (from == CALL_ENDED)
		return;
	call_move(c, CALL_ENDED);
	c->explanation = *why;
	c->sip_status = sip_status;
	snprintf(c->sip_reason, sizeof c->sip_reason, "%s", sip_reason ? sip_reason : "");
	record_end(c);
	log_end(c, sip_status);

	timer_stop(&c->ringing);
	timer_stop(&c->longest);
	call_queue_leave(c);
	policy_end(&c->allowed, clock_ms());
	call_transfer_over(c, why->code && !strcmp(why->code, "transferred"));
	if (c->seat)
		call_give_headers(c);
	show_end(c);
	call_settle(c, false);
	call_end_line(c, from);
}

void call_hang_up(struct call *c)
{
	call_end_as(c, CALL_END_HUNG_UP, NULL);
}

static void free_now(struct deferred *d)
{
	call_free(container_of(d, struct call, free_later));
}

void call_free_soon(struct call *c)
{
	loop_defer(c->calls->loop, &c->free_later, free_now);
}

void call_free(struct call *c)
{
	struct calls *cs = c->calls;
	if (c->seat)
		seat_leave(c->seat, LIVEKIT__DISCONNECT_REASON__SERVER_SHUTDOWN);
	if (c->leg)
		call_drop_media(c);
	settle_now(&c->settle_later);
	list_remove(&c->settle_later.link);
	list_remove(&c->free_later.link);
	list_remove(&c->end_later.link);
	record_fini(c);
	call_transfer_over(c, false);
	timer_fini(&c->ringing);
	timer_fini(&c->longest);
	call_ending_fini(c);
	call_queue_leave(c);
	policy_end(&c->allowed, clock_ms());
	list_remove(&c->link);
	if (map_get(&cs->by_id, c->id) == &c->id_node)
		map_remove(&cs->by_id, &c->id_node);
	mem_free(c->room);
	mem_free(c->number);
	mem_free(c->shown_number);
	mem_free(c->identity);
	mem_free(c->dtmf);
	mem_free(c->trunk_id);
	mem_free(c->address);
	offer_security_fini(&c->security);
	explicit_bzero(&c->talk, sizeof c->talk);
	explicit_bzero(&c->connected_to, sizeof c->connected_to);
	mem_free(c->trunk_name);
	mem_free(c->caller);
	proto_arena_fini(&c->kept);
	mem_free(c);
	/* We are being closed, and this was the last one: say so in a turn of its own. */
	if (cs->closed && list_empty(&cs->all))
		timer_start(&cs->close_timer, 0, 0);
}

const char *call_id(const struct call *c)
{
	return c->id;
}

const char *call_room(const struct call *c)
{
	return c->room;
}

const char *call_participant_sid(const struct call *c)
{
	return c->participant_sid;
}

const char *call_participant_identity(const struct call *c)
{
	return c->identity;
}

const char *call_trunk_id(const struct call *c)
{
	return c->trunk_id;
}

const char *call_address(const struct call *c)
{
	return c->address;
}

bool call_settled(const struct call *c, bool *answered)
{
	*answered = c->answered;
	return c->settled;
}

const struct call_explanation *call_explanation(const struct call *c)
{
	return &c->explanation;
}

int call_sip_status(const struct call *c)
{
	return c->sip_status;
}

const char *call_sip_reason(const struct call *c)
{
	return c->sip_reason;
}

const struct call_quality *call_quality(const struct call *c)
{
	return c->meter.seconds ? &c->meter.quality : NULL;
}

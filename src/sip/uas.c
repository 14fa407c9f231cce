#include "sip/uas.h"

#include "base/err.h"
#include "base/mem.h"
#include "sip/session.h"

#include <assert.h>
#include <errno.h>

/*
 *  RINGING -> ESTABLISHED -> ENDING -> OVER
 *     |            |   (BYE sent, or waiting for the ACK to send it)
 *     +-> REFUSED -+--------------> OVER
 */
enum incoming_state {
	INCOMING_RINGING, /* no final response yet */
	INCOMING_REFUSED, /* 300-699 sent; its ACK is still to come */
	INCOMING_ESTABLISHED,
	INCOMING_ENDING,
	INCOMING_OVER,
	INCOMING_STATE__COUNT,
};

struct sip_incoming {
	struct sip_session s;
	const struct sip_incoming_events *events; /* NULL until accepted */
	void *owner;
	enum incoming_state state;
	const char *why; /* of the end that is under way */

	struct sip_server *invite; /* until the final response */
	struct sip_path source;
	bool bye_waits; /* for the ACK: RFC 3261 section 15 */
	char *bye_reason;
	struct timer timer;
	struct deferred reap;
};

static struct sip_incoming *incoming_of(struct sip_session *s)
{
	return container_of(s, struct sip_incoming, s);
}

static void move(struct sip_incoming *in, enum incoming_state to)
{
	static const uint8_t allowed[INCOMING_STATE__COUNT] = {
		[INCOMING_RINGING] = BIT(INCOMING_REFUSED) | BIT(INCOMING_ESTABLISHED) |
			BIT(INCOMING_OVER),
		[INCOMING_REFUSED] = BIT(INCOMING_OVER),
		[INCOMING_ESTABLISHED] = BIT(INCOMING_ENDING) | BIT(INCOMING_OVER),
		[INCOMING_ENDING] = BIT(INCOMING_OVER),
	};
	assert(allowed[in->state] & BIT(to));
	in->state = to;
}

static void incoming_free(struct sip_incoming *in)
{
	if (in->invite)
		sip_server_owner(in->invite, NULL, NULL);
	timer_fini(&in->timer);
	if (in->reap.link.next)
		list_remove(&in->reap.link);
	sip_session_fini(&in->s);
	mem_free(in->bye_reason);
	mem_free(in);
}

static void on_reap(struct deferred *d)
{
	incoming_free(container_of(d, struct sip_incoming, reap));
}

static void settle(struct sip_incoming *in)
{
	if (in->state == INCOMING_OVER && list_empty(&in->s.clients))
		loop_defer(in->s.usage.agent->loop, &in->reap, on_reap);
}

static void end(struct sip_incoming *in, struct sip_end *e)
{
	const struct sip_incoming_events *events = in->events;

	move(in, INCOMING_OVER);
	timer_stop(&in->timer);
	if (in->invite)
		sip_server_owner(in->invite, NULL, NULL);
	in->invite = NULL;
	sip_session_over(&in->s);
	settle(in);
	if (events)
		events->ended(in->owner, e);
}

static void end_because(struct sip_incoming *in, const char *why)
{
	struct sip_end e = {.why = why};
	end(in, &e);
}

/* --- the INVITE's transaction ------------------------------------------------------------- */

static void on_cancelled(void *owner, struct sip_server *server, const struct sip_message *m)
{
	struct sip_incoming *in = owner;
	struct sip_end e = {.by_far_end = true, .request = m, .why = "cancel"};

	if (in->state != INCOMING_RINGING)
		return;
	if (sip_reason_parse(&e.reason, sip_message_value(m, SIP_H_REASON)))
		e.reason = (struct sip_reason){0};
	in->invite = NULL;
	sip_server_owner(server, NULL, NULL);
	sip_server_reply(server, 487);
	end(in, &e);
}

static void on_refusal_acked(void *owner, struct sip_server *server)
{
	struct sip_incoming *in = owner;

	if (in->state == INCOMING_REFUSED)
		end_because(in, in->why);
}

/* Timer H, when no ACK came. */
static void on_invite_ended(void *owner, struct sip_server *server)
{
	struct sip_incoming *in = owner;

	in->invite = NULL;
	if (in->state == INCOMING_REFUSED)
		end_because(in, in->why);
}

static const struct sip_server_events invite_events = {
	.cancelled = on_cancelled,
	.acked = on_refusal_acked,
	.ended = on_invite_ended,
};

/* --- the session's events ----------------------------------------------------------------- */

static void on_bye(struct sip_session *s, const struct sip_message *m)
{
	struct sip_incoming *in = incoming_of(s);
	struct sip_end e = {.by_far_end = true, .request = m, .why = "bye"};

	if (sip_reason_parse(&e.reason, sip_message_value(m, SIP_H_REASON)))
		e.reason = (struct sip_reason){0};
	if (in->state == INCOMING_RINGING) {
		/* RFC 3261 section 15.1.2: what waits is answered 487. */
		struct sip_server *invite = in->invite;
		in->invite = NULL;
		sip_server_owner(invite, NULL, NULL);
		sip_server_reply(invite, 487);
	}
	if (in->state != INCOMING_REFUSED)
		end(in, &e);
}

static bool on_offer(struct sip_session *s, const struct sip_message *m)
{
	struct sip_incoming *in = incoming_of(s);

	if (!in->events || !in->events->offer)
		return false;
	in->events->offer(in->owner, m);
	return true;
}

static void send_bye(struct sip_incoming *in)
{
	in->bye_waits = false;
	timer_start(&in->timer, sip_session_bye_wait_ms(&in->s), 0);
	sip_session_bye(&in->s, in->bye_reason);
}

static void on_acked(struct sip_session *s, const struct sip_message *m)
{
	struct sip_incoming *in = incoming_of(s);

	if (in->bye_waits)
		send_bye(in);
	else if (in->events && in->events->acked)
		in->events->acked(in->owner, m);
}

static void on_info(struct sip_session *s, const struct sip_message *m)
{
	struct sip_incoming *in = incoming_of(s);
	if (in->events && in->events->info)
		in->events->info(in->owner, m);
}

static void on_bye_done(struct sip_session *s)
{
	struct sip_incoming *in = incoming_of(s);
	if (in->state == INCOMING_ENDING)
		end_because(in, "hangup");
}

static void on_lost(struct sip_session *s, const char *why)
{
	struct sip_incoming *in = incoming_of(s);

	if (in->state != INCOMING_ESTABLISHED)
		return;
	sip_session_bye(s, NULL);
	end_because(in, why);
}

static void on_no_ack(struct sip_session *s)
{
	struct sip_incoming *in = incoming_of(s);

	if (in->bye_waits)
		send_bye(in);
	else
		on_lost(s, "no ack");
}

static void on_reanswered(struct sip_session *s, const struct sip_message *m)
{
	struct sip_incoming *in = incoming_of(s);
	if (in->events && in->events->reanswered)
		in->events->reanswered(in->owner, m);
}

static void on_idle(struct sip_session *s)
{
	settle(incoming_of(s));
}

static void on_free_now(struct sip_session *s)
{
	incoming_free(incoming_of(s));
}

static const struct sip_session_ops session_ops = {
	.bye = on_bye,
	.offer = on_offer,
	.acked = on_acked,
	.info = on_info,
	.bye_done = on_bye_done,
	.no_ack = on_no_ack,
	.reanswered = on_reanswered,
	.lost = on_lost,
	.idle = on_idle,
	.free_now = on_free_now,
};

static void on_timer(void *owner)
{
	struct sip_incoming *in = owner;
	if (in->state == INCOMING_ENDING)
		end_because(in, "hangup");
}

/* --- beginning ---------------------------------------------------------------------------- */

static int build(struct sip_incoming *in, struct sip_server *server, const struct sip_message *m)
{
	struct sip_session *s = &in->s;
	struct sip_uri uri;
	char user[128] = "";

	in->source = server->from;
	s->path = server->from;
	s->usage.remote = server->from.remote;
	memcpy(s->dialog.local_tag, server->to_tag, sizeof s->dialog.local_tag);
	if (!sip_uri_parse(&uri, m->uri) && uri.user.size < sizeof user && uri.user.size)
		memcpy(user, uri.user.data, uri.user.size);
	int r = sip_dialog_from_request(&s->dialog, m);
	s->confirmed = r >= 0;
	if (r >= 0)
		r = sip_agent_contact(s->usage.agent, &s->path, user, &s->contact);
	if (r >= 0)
		r = timer_init(&in->timer, s->usage.agent->loop, on_timer, in);
	if (r >= 0)
		r = sip_usage_publish(&s->usage, s->dialog.call_id, s->dialog.local_tag);
	return r;
}

void sip_incoming_begin(
	struct sip_agent *a, struct sip_server *server, const struct sip_message *m)
{
	struct sip_incoming *in = sip_usage_room(a) ? mem_zalloc(sizeof *in) : NULL;

	if (!in) {
		sip_server_reply(server, 503);
		return;
	}
	if (sip_session_init(&in->s, a, &session_ops) < 0 || build(in, server, m) < 0) {
		incoming_free(in);
		sip_server_reply(server, 500);
		return;
	}
	in->invite = server;
	sip_server_owner(server, &invite_events, in);
	a->events->incoming(a->owner, in, m);
	if (!in->events && in->state == INCOMING_RINGING) {
		struct sip_response r = {.status = 480};
		(void)!sip_incoming_respond(in, &r);
	}
}

void sip_incoming_accept(
	struct sip_incoming *in, const struct sip_incoming_events *events, void *owner)
{
	assert(events->ended);
	in->events = events;
	in->owner = owner;
}

void sip_incoming_drop(struct sip_incoming *in)
{
	struct sip_server *server = in->invite;

	assert(server && !in->events);
	server->silent = true;
	/* It absorbs the repetitions for as long as a caller may send them. */
	struct sip_response r = {.status = 480};
	in->invite = NULL;
	sip_server_owner(server, NULL, NULL);
	(void)!sip_server_respond(server, &r, NULL);
	end_because(in, "dropped");
}

/* --- responses ---------------------------------------------------------------------------- */

static int accept_call(struct sip_incoming *in, const struct sip_response *r)
{
	struct sip_server *server = in->invite;

	if (r->body.size) {
		int set = sip_session_set_body(&in->s, r->body);
		if (set < 0)
			return set;
	}
	int sent = sip_server_respond(server, r, in->s.contact);
	if (sent < 0)
		return sent;
	in->invite = NULL;
	move(in, INCOMING_ESTABLISHED);
	sip_session_await_ack(&in->s, server);
	sip_session_route(&in->s);
	return 0;
}

static int refuse_call(struct sip_incoming *in, const struct sip_response *r, const char *why)
{
	int sent = sip_server_respond(in->invite, r, NULL);
	if (sent < 0)
		return sent;
	in->why = why;
	move(in, INCOMING_REFUSED);
	return 0;
}

int sip_incoming_respond(struct sip_incoming *in, const struct sip_response *r)
{
	if (in->state != INCOMING_RINGING || !in->invite)
		return -EINVAL;
	if (r->status >= 300)
		return refuse_call(in, r, "refused");
	if (!in->events)
		return -EINVAL; /* nobody would hear of its end */
	if (r->status >= 200)
		return accept_call(in, r);
	return sip_server_respond(in->invite, r, r->status > 100 ? in->s.contact : NULL);
}

int sip_incoming_answer(struct sip_incoming *in, unsigned status, struct span body)
{
	return sip_session_answer(&in->s, status, body);
}

int sip_incoming_reinvite(struct sip_incoming *in, struct span body)
{
	if (in->state != INCOMING_ESTABLISHED)
		return -EINVAL;
	return sip_session_reinvite(&in->s, body);
}

void sip_incoming_hangup(struct sip_incoming *in, const char *reason)
{
	struct sip_response unavailable = {.status = 480};

	if (in->state == INCOMING_RINGING)
		(void)!refuse_call(in, &unavailable, "hangup");
	if (in->state != INCOMING_ESTABLISHED)
		return;
	in->bye_reason = reason ? mem_strdup(reason) : NULL;
	move(in, INCOMING_ENDING);
	if (in->s.unacked)
		in->bye_waits = true;
	else
		send_bye(in);
}

const struct sockaddr *sip_incoming_source(const struct sip_incoming *in)
{
	return (const struct sockaddr *)&in->source.remote;
}

bool sip_incoming_is_tcp(const struct sip_incoming *in)
{
	return sip_is_stream(in->source.protocol);
}

const char *sip_incoming_call_id(const struct sip_incoming *in)
{
	return in->s.dialog.call_id;
}

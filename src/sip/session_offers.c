/* sip/session_offers.c - re-INVITE and UPDATE of the far end: one at a time (RFC 3261 section 14.2, RFC
 * 3311), answered by the owner, and the ACK that a 2xx waits for. */
#include "sip/session.h"

#include <errno.h>

static void on_offer_cancelled(void *owner, struct sip_server *server, const struct sip_message *m)
{
	struct sip_session *s = owner;

	if (s->pending == server)
		s->pending = NULL;
	sip_server_owner(server, NULL, NULL);
	sip_server_reply(server, 487);
}

static void on_no_ack(void *owner, struct sip_server *server)
{
	struct sip_session *s = owner;

	if (s->unacked != server)
		return;
	s->unacked = NULL;
	sip_server_owner(server, NULL, NULL);
	if (!s->over)
		s->ops->no_ack(s);
}

static void on_server_ended(void *owner, struct sip_server *server)
{
	struct sip_session *s = owner;

	if (s->pending == server)
		s->pending = NULL;
	if (s->unacked == server)
		s->unacked = NULL;
}

static const struct sip_server_events server_events = {
	.cancelled = on_offer_cancelled,
	.no_ack = on_no_ack,
	.ended = on_server_ended,
};

void sip_session_await_ack(struct sip_session *s, struct sip_server *server)
{
	struct sip_message m;

	sip_server_request(server, &m);
	s->unacked = server;
	s->unacked_cseq = m.cseq.number;
	s->owed_answer = !m.body.size;
	sip_server_owner(server, &server_events, s);
}

/* A description may have the keys of SRTP in it. */
static void wipe(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->size);
	buf_fini(b);
}

void sip_session_drop_body(struct sip_session *s)
{
	wipe(&s->body);
	wipe(&s->agreed);
}

void sip_session_offer_over(struct sip_session *s, bool accepted)
{
	if (!accepted && s->agreed.size) {
		wipe(&s->body);
		s->body = s->agreed;
		s->agreed = (struct buf){0};
	}
	wipe(&s->agreed);
}

int sip_session_set_body(struct sip_session *s, struct span body)
{
	struct buf copy = {0};

	int r = buf_add(&copy, body.data, body.size);
	if (r < 0)
		return r;
	wipe(&s->body);
	s->body = copy;
	return 0;
}

/* A 2xx to their INVITE or UPDATE, with the session timer as it is from now on. */
static int agree_to(struct sip_session *s, struct sip_server *server, unsigned status, struct span body)
{
	struct sip_extra headers[1 + SIP_TIMER_EXTRAS_MAX] = {{"Supported", sip_supported}};
	char text[SIP_TIMER_TEXT_SIZE];
	struct sip_response r = {.status = status, .headers = headers, .body = body};
	struct sip_message m;

	sip_server_request(server, &m);
	r.header_count = 1 + sip_session_timer_answer(&s->expiry, &m, headers + 1, text);
	sip_session_alive(s);
	return sip_server_respond(server, &r, s->contact);
}

int sip_session_answer(struct sip_session *s, unsigned status, struct span body)
{
	struct sip_server *server = s->pending;
	bool success = status / 100 == 2;

	if (!server)
		return -EINVAL;
	if (success && body.data != s->body.data) {
		int r = sip_session_set_body(s, body);
		if (r < 0)
			return r;
	}
	if (success)
		sip_session_offer_over(s, true);
	s->pending = NULL;
	sip_server_owner(server, NULL, NULL);
	if (!success) {
		sip_server_reply(server, status);
		return 0;
	}
	if (server->method == SIP_INVITE)
		sip_session_await_ack(s, server);
	return agree_to(s, server, status, body);
}

int sip_session_refuse(struct sip_session *s, unsigned status, const char *warning)
{
	struct sip_server *server = s->pending;
	struct sip_extra header = {.name = "Warning", .value = warning};
	struct sip_response r = {.status = status, .headers = &header, .header_count = warning ? 1 : 0};

	if (!server)
		return -EINVAL;
	s->pending = NULL;
	sip_server_owner(server, NULL, NULL);
	return sip_server_respond(server, &r, NULL);
}

static void refuse_for_now(struct sip_session *s, struct sip_server *server)
{
	/* RFC 3261 section 14.2: 491 in a glare, and while an offer of ours waits for the ACK that
	 * answers it (RFC 5407 section 3.1.5); 500 while their own last one waits. */
	struct sip_extra retry = {.name = "Retry-After", .value = "2"};
	struct sip_response r = {.status = s->pending ? 500 : 491, .headers = &retry,
		.header_count = s->pending ? 1 : 0};
	(void)!sip_server_respond(server, &r, NULL);
}

static void refuse_interval(struct sip_server *server)
{
	struct sip_extra min = {"Min-SE", "90"};
	struct sip_response r = {.status = 422, .headers = &min, .header_count = 1};
	(void)!sip_server_respond(server, &r, NULL);
}

/* They ask for more, so they have our 200: its ACK was lost. */
static void assume_acked(struct sip_session *s)
{
	if (!s->unacked)
		return;
	sip_server_ok_acked(s->unacked);
	sip_server_owner(s->unacked, NULL, NULL);
	s->unacked = NULL;
}

void sip_session_offered(struct sip_session *s, struct sip_server *server, const struct sip_message *m,
	struct sip_dialog *d)
{
	bool refresh = m->method == SIP_UPDATE && !m->body.size;

	if (!refresh && (s->pending || s->reinvite || (s->unacked && s->owed_answer))) {
		refuse_for_now(s, server);
		return;
	}
	if (sip_session_timer_request(&s->expiry, m)) {
		refuse_interval(server);
		return;
	}
	if (m->method == SIP_INVITE)
		assume_acked(s);
	if (d && sip_session_retarget(s, d, m) < 0) {
		sip_server_reply(server, 500);
		return;
	}
	sip_session_note_peer(s, m);
	if (refresh) {
		(void)!agree_to(s, server, 200, (struct span){0});
		return;
	}
	s->pending = server;
	sip_server_owner(server, &server_events, s);
	if (!s->ops->offer(s, m))
		(void)!sip_session_answer(s, 200, buf_span(&s->body));
}

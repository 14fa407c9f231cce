/* sip/session.c - a dialog's life, and the requests of the far end within it. */
#include "sip/session.h"

#include "base/err.h"
#include "base/mem.h"

#include <errno.h>

/* --- the far end's requests --------------------------------------------------------------- */

static struct sip_session *session_of(struct sip_usage *u)
{
	return container_of(u, struct sip_session, usage);
}

static bool is_confirmed(const struct sip_session *s)
{
	return s->dialog.remote_tag && *s->dialog.remote_tag;
}

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
	sip_server_owner(server, &server_events, s);
}

/* A description has the keys of SRTP in it. */
static void drop_body(struct sip_session *s)
{
	if (s->body.data)
		explicit_bzero(s->body.data, s->body.size);
	buf_fini(&s->body);
}

int sip_session_set_body(struct sip_session *s, struct span body)
{
	struct buf copy = {0};

	int r = buf_add(&copy, body.data, body.size);
	if (r < 0)
		return r;
	drop_body(s);
	s->body = copy;
	return 0;
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
	struct sip_response response = {.status = status};
	if (success)
		response.body = body;
	s->pending = NULL;
	sip_server_owner(server, NULL, NULL);
	if (success && server->method == SIP_INVITE)
		sip_session_await_ack(s, server);
	return sip_server_respond(server, &response, s->contact);
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
	/* RFC 3261 section 14.2: 491 in a glare, 500 while their own last one waits. */
	struct sip_extra retry = {.name = "Retry-After", .value = "2"};
	struct sip_response r = {.status = s->reinvite ? 491 : 500, .headers = &retry,
		.header_count = s->reinvite ? 0 : 1};
	(void)!sip_server_respond(server, &r, NULL);
}

static void on_offer(struct sip_session *s, struct sip_server *server, const struct sip_message *m)
{
	struct sip_response ok = {.status = 200};

	if (s->pending || s->reinvite) {
		refuse_for_now(s, server);
		return;
	}
	if (s->unacked && m->method == SIP_INVITE) {
		/* They ask for more, so they have our 200: its ACK was lost. */
		sip_server_ok_acked(s->unacked);
		sip_server_owner(s->unacked, NULL, NULL);
		s->unacked = NULL;
	}
	if (is_confirmed(s) && sip_dialog_refresh(&s->dialog, m) < 0) {
		sip_server_reply(server, 500);
		return;
	}
	if (m->method == SIP_UPDATE && !m->body.size) {
		(void)!sip_server_respond(server, &ok, s->contact);
		return;
	}
	s->pending = server;
	sip_server_owner(server, &server_events, s);
	if (!s->ops->offer(s, m))
		(void)!sip_session_answer(s, 200, buf_span(&s->body));
}

static void on_bye(struct sip_session *s, struct sip_server *server, const struct sip_message *m)
{
	sip_server_reply(server, 200);
	if (!s->over)
		s->ops->bye(s, m);
}

/* Refused before anyone looks at what it asks for. An early dialog of ours is many: each phone
 * that rings has a tag and a count of its own, so nothing is held against them. */
static unsigned refusal(struct sip_session *s, const struct sip_message *m)
{
	if (!is_confirmed(s))
		return 0;
	if (!span_is(m->from.tag, s->dialog.remote_tag))
		return 481; /* another fork's, or nobody's */
	return sip_dialog_sequence(&s->dialog, m) == SIP_DIALOG_E_OLD ? 500 : 0;
}

static void on_request(struct sip_usage *u, struct sip_server *server, const struct sip_message *m)
{
	struct sip_session *s = session_of(u);
	unsigned status = refusal(s, m);

	if (status) {
		sip_server_reply(server, status);
		return;
	}
	switch (m->method) {
	case SIP_BYE:
		on_bye(s, server, m);
		return;
	case SIP_INVITE:
	case SIP_UPDATE:
		if (s->over)
			sip_server_reply(server, 481);
		else
			on_offer(s, server, m);
		return;
	case SIP_INFO:
		sip_server_reply(server, 200);
		if (!s->over)
			s->ops->info(s, m);
		return;
	case SIP_OPTIONS:
		sip_server_reply(server, 200);
		return;
	case SIP_NOTIFY:
		sip_session_notified(s, server, m);
		return;
	case SIP_PRACK: /* we send no reliable provisional response, so it matches none */
		sip_server_reply(server, 481);
		return;
	default:
		sip_server_reply(server, 405);
	}
}

static void on_ack(struct sip_usage *u, const struct sip_message *m)
{
	struct sip_session *s = session_of(u);
	struct sip_server *server = s->unacked;

	if (!server || m->cseq.number != s->unacked_cseq)
		return;
	s->unacked = NULL;
	sip_server_owner(server, NULL, NULL);
	sip_server_ok_acked(server);
	if (!s->over)
		s->ops->acked(s, m);
}

static void on_free_now(struct sip_usage *u)
{
	struct sip_session *s = session_of(u);
	s->ops->free_now(s);
}

static uint64_t on_connection(const struct sip_usage *u)
{
	return container_of((struct sip_usage *)u, struct sip_session, usage)->path.connection;
}

static const struct sip_usage_ops usage_ops = {
	.connection = on_connection,
	.request = on_request,
	.ack = on_ack,
	.free_now = on_free_now,
};
/* --- life --------------------------------------------------------------------------------- */

static void release_server(struct sip_server **at)
{
	if (*at)
		sip_server_owner(*at, NULL, NULL);
	*at = NULL;
}

void sip_session_over(struct sip_session *s)
{
	struct sip_server *pending = s->pending;

	s->over = true;
	release_server(&s->pending);
	if (pending)
		sip_server_reply(pending, 487);
	if (s->unacked)
		sip_server_ok_acked(s->unacked); /* nobody needs it any more */
	release_server(&s->unacked);
}

void sip_session_init(
	struct sip_session *s, struct sip_agent *a, const struct sip_session_ops *ops)
{
	s->ops = ops;
	list_init(&s->clients);
	sip_usage_init(&s->usage, a, &usage_ops);
}

void sip_session_fini(struct sip_session *s)
{
	dns_cancel(s->query);
	release_server(&s->pending);
	release_server(&s->unacked);
	while (!list_empty(&s->clients))
		sip_client_abandon(list_first(&s->clients, struct sip_client, owner_link));
	sip_usage_fini(&s->usage);
	sip_dialog_fini(&s->dialog);
	drop_body(s);
	buf_fini(&s->held);
	mem_free(s->host);
	mem_free(s->contact);
	mem_free(s->bye_reason);
	mem_free(s->bye_extra);
	sip_session_refer_fini(s);
	mem_free(s->auth);
	mem_free(s->username);
	mem_free(s->password);
}

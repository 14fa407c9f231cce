#include "sip/session.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "net/address.h"

#include <errno.h>
#include <stdio.h>

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

int sip_session_set_body(struct sip_session *s, struct span body)
{
	struct buf copy = {0};

	int r = buf_add(&copy, body.data, body.size);
	if (r < 0)
		return r;
	buf_fini(&s->body);
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

static const struct sip_usage_ops usage_ops = {
	.request = on_request,
	.ack = on_ack,
	.free_now = on_free_now,
};

/* --- the way ------------------------------------------------------------------------------ */

static void send_held(struct sip_session *s)
{
	if (s->held.size)
		(void)sip_agent_send(s->usage.agent, &s->path, buf_span(&s->held));
	buf_fini(&s->held);
}

struct hop {
	char host[256];
	uint16_t port;
	enum sip_protocol protocol;
};

static bool hop_of(const struct sip_dialog *d, struct hop *ret)
{
	struct sip_uri uri;
	struct span transport;

	if (sip_dialog_next_hop(d, &uri) || uri.scheme == SIP_SCHEME_TEL ||
		uri.host.size >= sizeof ret->host)
		return false;
	memcpy(ret->host, uri.host.data, uri.host.size);
	ret->host[uri.host.size] = 0;
	ret->port = uri.port ? uri.port : 5060;
	bool tcp = sip_param_get(uri.params, "transport", &transport) &&
		span_is_nocase(transport, "tcp");
	ret->protocol = tcp ? SIP_TCP : SIP_UDP;
	return true;
}

/* A connection that leads there already is kept: behind an edge the name or address in its
 * Record-Route may be reachable by no other. */
static struct sip_path path_to(const struct sip_session *s, const struct sip_dialog *d,
	enum sip_protocol protocol, const struct sockaddr_storage *to)
{
	bool same_host = address_same_ip(
		(const struct sockaddr *)&s->path.remote, (const struct sockaddr *)to);

	if (s->path.protocol == SIP_TCP && (d->route_count || same_host))
		return s->path;
	return (struct sip_path){.protocol = protocol, .remote = *to};
}

struct sip_path sip_session_hop(const struct sip_session *s, const struct sip_dialog *d)
{
	struct sockaddr_storage literal;
	struct hop hop;

	if (!hop_of(d, &hop) || address_parse(&literal, hop.host, hop.port) < 0)
		return s->path;
	return path_to(s, d, hop.protocol, &literal);
}

static void take_path(struct sip_session *s, struct sip_path path)
{
	s->path = path;
	s->usage.remote = path.remote;
}

static void on_hop(void *owner, const struct sockaddr_storage *addresses, size_t count,
	const char *why)
{
	struct sip_session *s = owner;

	s->query = NULL;
	if (count)
		take_path(s, path_to(s, &s->dialog, s->hop_protocol, &addresses[0]));
	send_held(s);
}

void sip_session_route(struct sip_session *s)
{
	struct sockaddr_storage literal;
	struct hop hop;

	take_path(s, sip_session_hop(s, &s->dialog));
	if (!hop_of(&s->dialog, &hop) || address_parse(&literal, hop.host, hop.port) == 0)
		return;
	bool same_name = s->host && strcasecmp(s->host, hop.host) == 0;
	if (same_name || s->query || s->path.protocol == SIP_TCP)
		return;
	s->hop_protocol = hop.protocol;
	/* Without an answer the way of the INVITE stays. */
	if (dns_resolve(&s->query, s->usage.agent->dns, hop.host, hop.port, on_hop, s) < 0)
		s->query = NULL;
}

/* --- our requests ------------------------------------------------------------------------- */

void sip_session_write(struct sip_session *s, struct writer *w, const struct sip_dialog *d,
	enum sip_method method, uint32_t cseq, const char *branch)
{
	struct sip_agent *a = s->usage.agent;

	sip_write_request(w, span_text(sip_method_text(method)), sip_dialog_request_uri(d));
	sip_agent_write_via(a, w, &s->path, branch);
	sip_dialog_write_headers(w, d, method, cseq);
	if (a->user_agent)
		sip_write_header(w, "User-Agent", span_text(a->user_agent));
}

struct sip_client *sip_session_start(struct sip_session *s, enum sip_method method,
	const char *branch, struct span bytes, const struct sip_client_events *events)
{
	struct sip_client *c;

	if (!bytes.size || sip_client_start(&c, s->usage.agent, method, &s->path, branch, bytes,
				   events, s) < 0)
		return NULL;
	list_add(&s->clients, &c->owner_link);
	if (s->path.protocol == SIP_TCP)
		s->path.connection = c->path.connection;
	return c;
}

static void write_credentials(struct writer *w, const struct sip_client *c)
{
	struct sip_message m;

	if (sip_message_parse(&m, span_of(c->bytes, c->size)) != SIP_OK)
		return;
	sip_write_copies(w, &m, SIP_H_AUTHORIZATION);
	sip_write_copies(w, &m, SIP_H_PROXY_AUTHORIZATION);
}

void sip_session_ack(struct sip_session *s, const struct sip_dialog *d, const struct sip_client *c,
	uint32_t cseq)
{
	struct writer w = writer_of(s->usage.agent->scratch, SIP_SCRATCH);
	char branch[SIP_BRANCH_SIZE];

	sip_branch(branch);
	sip_session_write(s, &w, d, SIP_ACK, cseq, branch);
	if (c)
		write_credentials(&w, c);
	sip_write_end(&w, NULL, (struct span){0});
	struct span ack = writer_span(&w);
	if (s->query && d == &s->dialog) {
		/* The 200 comes again if there is no memory to hold it. */
		s->held.size = 0;
		(void)!buf_add(&s->held, ack.data, ack.size);
		return;
	}
	if (ack.size)
		(void)sip_agent_send(s->usage.agent, &s->path, ack);
}

/* Takes in a challenge of the BYE or re-INVITE. False: there is nothing to answer it with. */
static bool challenged(struct sip_session *s, const struct sip_message *m)
{
	if ((m->status != 401 && m->status != 407) || !s->username)
		return false;
	if (!s->auth)
		s->auth = mem_zalloc(sizeof *s->auth);
	return s->auth && sip_authorizer_challenged(s->auth, m) == 0;
}

static int write_auth(struct sip_session *s, struct writer *w, enum sip_method method)
{
	char cnonce[SIP_CNONCE_SIZE];

	if (!s->auth)
		return 0;
	rng_token(cnonce, sizeof cnonce);
	return sip_authorizer_write(w, s->auth, s->username, s->password,
		span_text(sip_method_text(method)), sip_dialog_request_uri(&s->dialog), cnonce);
}

static void drop_auth(struct sip_session *s)
{
	mem_free(s->auth);
	s->auth = NULL;
}

static bool send_bye(struct sip_session *s);

static void on_bye_response(void *owner, struct sip_client *c, const struct sip_message *m)
{
	struct sip_session *s = owner;

	if (c != s->bye || m->status < 200)
		return;
	if (challenged(s, m) && send_bye(s))
		return;
	s->bye = NULL;
	s->ops->bye_done(s);
}

static void on_bye_failed(void *owner, struct sip_client *c, bool timeout)
{
	struct sip_session *s = owner;

	if (c != s->bye)
		return;
	s->bye = NULL;
	s->ops->bye_done(s);
}

static void on_client_ended(void *owner, struct sip_client *c)
{
	struct sip_session *s = owner;

	if (c == s->reinvite)
		s->reinvite = NULL;
	if (list_empty(&s->clients))
		s->ops->idle(s);
}

static const struct sip_client_events bye_events = {
	.response = on_bye_response,
	.failed = on_bye_failed,
	.ended = on_client_ended,
};

static bool send_bye(struct sip_session *s)
{
	struct writer w = writer_of(s->usage.agent->scratch, SIP_SCRATCH);
	char branch[SIP_BRANCH_SIZE];

	sip_branch(branch);
	sip_session_write(s, &w, &s->dialog, SIP_BYE, ++s->dialog.local_cseq, branch);
	if (s->bye_reason)
		sip_write_header(&w, "Reason", span_text(s->bye_reason));
	if (write_auth(s, &w, SIP_BYE) < 0)
		return false;
	sip_write_end(&w, NULL, (struct span){0});
	struct sip_client *c = sip_session_start(s, SIP_BYE, branch, writer_span(&w), &bye_events);
	if (c)
		s->bye = c;
	return c;
}

void sip_session_bye(struct sip_session *s, const char *reason)
{
	drop_auth(s);
	mem_free(s->bye_reason);
	/* A reason with a line end is none. */
	s->bye_reason = reason && !strpbrk(reason, "\r\n") ? mem_strdup(reason) : NULL;
	(void)!send_bye(s);
}

uint32_t sip_session_bye_wait_ms(const struct sip_session *s)
{
	return 4 * (sip_timers_64t1_ms(&s->usage.agent->timers) / 64);
}

static bool send_reinvite(struct sip_session *s);

static void on_reinvite_response(void *owner, struct sip_client *c, const struct sip_message *m)
{
	struct sip_session *s = owner;

	if (m->status < 200)
		return;
	if (m->status < 300) {
		if (sip_dialog_refresh(&s->dialog, m) == 0)
			sip_session_ack(s, &s->dialog, c, m->cseq.number);
	} else if (c == s->reinvite && challenged(s, m) && send_reinvite(s)) {
		return;
	}
	if (c != s->reinvite)
		return;
	s->reinvite = NULL;
	if (!s->over)
		s->ops->reanswered(s, m);
}

static void on_reinvite_failed(void *owner, struct sip_client *c, bool timeout)
{
	struct sip_session *s = owner;
	if (c == s->reinvite)
		s->reinvite = NULL;
}

static const struct sip_client_events reinvite_events = {
	.response = on_reinvite_response,
	.failed = on_reinvite_failed,
	.ended = on_client_ended,
};

static bool send_reinvite(struct sip_session *s)
{
	struct writer w = writer_of(s->usage.agent->scratch, SIP_SCRATCH);
	char branch[SIP_BRANCH_SIZE];

	sip_branch(branch);
	sip_session_write(s, &w, &s->dialog, SIP_INVITE, ++s->dialog.local_cseq, branch);
	sip_write_header(&w, "Contact", span_text(s->contact));
	sip_write_header(&w, "Allow", span_text(sip_allow));
	if (write_auth(s, &w, SIP_INVITE) < 0)
		return false;
	sip_write_end(&w, "application/sdp", buf_span(&s->body));
	struct sip_client *c =
		sip_session_start(s, SIP_INVITE, branch, writer_span(&w), &reinvite_events);
	if (c)
		s->reinvite = c;
	return c;
}

int sip_session_reinvite(struct sip_session *s, struct span body)
{
	if (s->over || s->reinvite || s->pending || s->unacked)
		return -EINVAL;
	int r = sip_session_set_body(s, body);
	if (r < 0)
		return r;
	drop_auth(s);
	return send_reinvite(s) ? 0 : err_new(-ENOMEM);
}

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
	buf_fini(&s->body);
	buf_fini(&s->held);
	mem_free(s->host);
	mem_free(s->contact);
	mem_free(s->bye_reason);
	mem_free(s->auth);
	mem_free(s->username);
	mem_free(s->password);
}

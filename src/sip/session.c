/* sip/session.c - a dialog's life, and the requests of the far end within it. */
#include "sip/session.h"

#include "base/mem.h"
#include "wire/sip_multipart.h"

/* --- the far end's requests --------------------------------------------------------------- */

static struct sip_session *session_of(struct sip_usage *u)
{
	return container_of(u, struct sip_session, usage);
}

static void on_bye(struct sip_session *s, struct sip_server *server, const struct sip_message *m)
{
	sip_server_reply(server, 200);
	if (!s->over)
		s->ops->bye(s, m);
}

/* Before the answer there may be many: each phone that rings has a tag and a count of its own. NULL:
 * we have not heard of that one yet, its 18x is late. */
static struct sip_dialog *dialog_of(struct sip_session *s, const struct sip_message *m)
{
	if (s->confirmed)
		return &s->dialog;
	return s->ops->early ? s->ops->early(s, m->from.tag) : NULL;
}

/* Refused before anyone looks at what it asks for. RFC 5407 section 3.2: once a BYE has gone either
 * way there is no session to ask anything of; only a transfer may outlive it. */
static unsigned refusal(struct sip_session *s, struct sip_dialog *d, const struct sip_message *m)
{
	if ((s->over || s->bye) && m->method != SIP_BYE && m->method != SIP_NOTIFY)
		return 481;
	if (s->confirmed && !span_is(m->from.tag, s->dialog.remote_tag))
		return 481; /* another fork's, or nobody's */
	return d && sip_dialog_sequence(d, m) == SIP_DIALOG_E_OLD ? 500 : 0;
}

/* Digits, whole or as a part of a body of several. False: it is something else. */
static bool find_digits(const struct sip_message *m, struct span *ret)
{
	static const char *const types[] = {"application/dtmf-relay", "application/dtmf"};
	struct span type = sip_message_value(m, SIP_H_CONTENT_TYPE);

	*ret = m->content;
	for (size_t i = 0; i < COUNT_OF(types); ++i)
		if (sip_is_type(type, types[i]) || sip_multipart_find(ret, type, types[i]))
			return true;
	return false;
}

/* RFC 6086 section 4.2.2: no package is ours. What came before packages is told by its type: digits,
 * or nothing at all, which asks whether we are still there. */
static void on_info(struct sip_session *s, struct sip_server *server, const struct sip_message *m)
{
	struct sip_extra none = {"Recv-Info", ""}, types = {"Accept", "application/dtmf-relay, application/dtmf"};
	struct sip_response unknown = {.status = 469, .headers = &none, .header_count = 1};
	struct sip_response unreadable = {.status = 415, .headers = &types, .header_count = 1};
	struct sip_message digits = *m;

	if (sip_message_header_named(m, "Info-Package")) {
		(void)!sip_server_respond(server, &unknown, NULL);
		return;
	}
	if (!find_digits(m, &digits.body) && m->content.size && sip_message_header(m, SIP_H_CONTENT_TYPE)) {
		(void)!sip_server_respond(server, &unreadable, NULL);
		return;
	}
	sip_server_reply(server, 200);
	s->ops->info(s, &digits);
}

static void on_request(struct sip_usage *u, struct sip_server *server, const struct sip_message *m)
{
	struct sip_session *s = session_of(u);
	struct sip_dialog *d = dialog_of(s, m);
	unsigned status = refusal(s, d, m);

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
		sip_session_offered(s, server, m, d);
		return;
	case SIP_INFO:
		on_info(s, server, m);
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

static const struct sip_path *on_path(const struct sip_usage *u)
{
	return &container_of((struct sip_usage *)u, struct sip_session, usage)->path;
}

static const struct sip_usage_ops usage_ops = {
	.path = on_path,
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
	sip_usage_over(&s->usage);
	timer_stop(&s->expires);
	timer_stop(&s->again);
	timer_stop(&s->patience);
	/* One that got a 1xx has no timer of its own: its answer may never come. */
	if (s->reinvite)
		sip_client_hush(s->reinvite);
	release_server(&s->pending);
	if (pending)
		sip_server_reply(pending, 487);
	if (s->unacked)
		sip_server_ok_acked(s->unacked); /* nobody needs it any more */
	release_server(&s->unacked);
}

int sip_session_init(struct sip_session *s, struct sip_agent *a, const struct sip_session_ops *ops)
{
	s->ops = ops;
	list_init(&s->clients);
	sip_session_info_init(s);
	sip_usage_init(&s->usage, a, &usage_ops);
	int r = timer_init(&s->expires, a->loop, sip_session_on_expiry, s);
	if (r >= 0)
		r = timer_init(&s->again, a->loop, sip_session_on_again, s);
	return r < 0 ? r : timer_init(&s->patience, a->loop, sip_session_on_impatience, s);
}

void sip_session_fini(struct sip_session *s)
{
	sip_locate_cancel(s->location);
	timer_fini(&s->expires);
	timer_fini(&s->again);
	timer_fini(&s->patience);
	release_server(&s->pending);
	release_server(&s->unacked);
	while (!list_empty(&s->clients))
		sip_client_abandon(list_first(&s->clients, struct sip_client, owner_link));
	sip_usage_fini(&s->usage);
	sip_dialog_fini(&s->dialog);
	sip_session_drop_body(s);
	buf_fini(&s->held);
	mem_free(s->host);
	mem_free(s->contact);
	mem_free(s->bye_reason);
	mem_free(s->bye_extra);
	sip_session_refer_fini(s);
	sip_session_info_fini(s);
	mem_free(s->auth);
	mem_free(s->username);
	mem_free_wiped(s->password, s->password ? strlen(s->password) : 0);
}

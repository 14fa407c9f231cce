/* sip/session_requests.c - what we ask for within a dialog: ACK, BYE, re-INVITE; and again with
 * credentials when they are challenged. */
#include "sip/session.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"

#include <errno.h>

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
	if (sip_is_stream(s->path.protocol))
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
	if (s->location && d == &s->dialog) {
		/* The 200 comes again if there is no memory to hold it. */
		s->held.size = 0;
		(void)!buf_add(&s->held, ack.data, ack.size);
		return;
	}
	if (ack.size)
		(void)sip_agent_send(s->usage.agent, &s->path, ack);
}

bool sip_session_challenged(struct sip_session *s, const struct sip_message *m)
{
	if ((m->status != 401 && m->status != 407) || !s->username)
		return false;
	if (!s->auth)
		s->auth = mem_zalloc(sizeof *s->auth);
	return s->auth && sip_authorizer_challenged(s->auth, m) == 0;
}

void sip_session_authorized(struct sip_session *s, const struct sip_message *m)
{
	if (s->auth && m->status / 100 == 2)
		sip_authorizer_renew(s->auth, m);
}

int sip_session_write_auth(
	struct sip_session *s, struct writer *w, const struct sip_dialog *d, enum sip_method method,
	struct span body)
{
	char cnonce[SIP_CNONCE_SIZE];

	if (!s->auth)
		return 0;
	rng_token(cnonce, sizeof cnonce);
	return sip_authorizer_write(w, s->auth, s->username, s->password,
		span_text(sip_method_text(method)), sip_dialog_request_uri(d), body, cnonce);
}

void sip_session_begin_auth(struct sip_session *s)
{
	if (s->auth)
		sip_authorizer_begin(s->auth);
}

static bool send_bye(struct sip_session *s);

static void on_bye_response(void *owner, struct sip_client *c, const struct sip_message *m)
{
	struct sip_session *s = owner;

	if (c != s->bye || m->status < 200)
		return;
	if (sip_session_challenged(s, m) && send_bye(s))
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

void sip_session_client_ended(void *owner, struct sip_client *c)
{
	struct sip_session *s = owner;

	if (c == s->reinvite)
		s->reinvite = NULL;
	if (c == s->update)
		s->update = NULL;
	if (c == s->refer.client)
		s->refer.client = NULL;
	if (c == s->info.client)
		s->info.client = NULL;
	if (list_empty(&s->clients))
		s->ops->idle(s);
}

static const struct sip_client_events bye_events = {
	.response = on_bye_response,
	.failed = on_bye_failed,
	.ended = sip_session_client_ended,
};

static bool send_bye(struct sip_session *s)
{
	struct writer w = writer_of(s->usage.agent->scratch, SIP_SCRATCH);
	char branch[SIP_BRANCH_SIZE];

	sip_branch(branch);
	sip_session_write(s, &w, &s->dialog, SIP_BYE, ++s->dialog.local_cseq, branch);
	if (s->bye_reason)
		sip_write_header(&w, "Reason", span_text(s->bye_reason));
	if (s->bye_extra)
		write_text(&w, s->bye_extra);
	if (sip_session_write_auth(s, &w, &s->dialog, SIP_BYE, (struct span){0}) < 0)
		return false;
	sip_write_end(&w, NULL, (struct span){0});
	struct sip_client *c = sip_session_start(s, SIP_BYE, branch, writer_span(&w), &bye_events);
	if (c)
		s->bye = c;
	return c;
}

void sip_session_bye(struct sip_session *s, const char *reason)
{
	sip_session_info_hurry(s);
	sip_session_begin_auth(s);
	mem_free(s->bye_reason);
	/* A reason with a line end is none. */
	s->bye_reason = reason && !strpbrk(reason, "\r\n") ? mem_strdup(reason) : NULL;
	(void)!send_bye(s);
}

uint32_t sip_session_bye_wait_ms(const struct sip_session *s)
{
	return 4 * (sip_timers_64t1_ms(&s->usage.agent->timers) / 64);
}

/* True: it goes on, sent again now or later. */
static bool reinvite_again(struct sip_session *s, const struct sip_message *m)
{
	if (sip_session_challenged(s, m))
		return sip_session_send_reinvite(s);
	if (m->status == 422)
		return sip_session_timer_too_small(&s->expiry, m) && sip_session_send_reinvite(s);
	return m->status == 491 && sip_session_send_later(s, false);
}

static void on_reinvite_response(void *owner, struct sip_client *c, const struct sip_message *m)
{
	struct sip_session *s = owner;
	bool success = m->status / 100 == 2;

	if (m->status < 200) {
		if (c == s->reinvite && !s->over && !timer_running(&s->patience))
			timer_start(&s->patience, sip_timers_64t1_ms(&s->usage.agent->timers), 0);
		return;
	}
	if (success && sip_session_retarget(s, &s->dialog, m) == 0)
		sip_session_ack(s, &s->dialog, c, m->cseq.number);
	if (c != s->reinvite)
		return;
	s->reinvite = NULL;
	timer_stop(&s->patience);
	if (s->over || (!success && reinvite_again(s, m)))
		return;
	s->glares = 0;
	sip_session_offer_over(s, success);
	if (success) {
		sip_session_authorized(s, m);
		sip_session_note_peer(s, m);
		sip_session_timer_response(&s->expiry, m);
		sip_session_alive(s);
	} else {
		sip_session_refused(s, m);
	}
	if (m->status == 408 || m->status == 481)
		sip_session_lost(s, "lost");
	else
		s->ops->reanswered(s, m);
}

/* Nothing that we offer within a call needs anybody's consent. */
void sip_session_on_impatience(void *owner)
{
	struct sip_session *s = owner;

	if (s->reinvite)
		sip_client_cancel(s->reinvite, NULL);
}

static void on_reinvite_failed(void *owner, struct sip_client *c, bool timeout)
{
	struct sip_session *s = owner;

	if (c != s->reinvite)
		return;
	s->reinvite = NULL;
	timer_stop(&s->patience);
	sip_session_offer_over(s, false);
	if (timeout)
		sip_session_lost(s, "lost");
	else
		sip_session_refused(s, NULL);
}

static const struct sip_client_events reinvite_events = {
	.response = on_reinvite_response,
	.failed = on_reinvite_failed,
	.ended = sip_session_client_ended,
};

bool sip_session_send_reinvite(struct sip_session *s)
{
	struct writer w = writer_of(s->usage.agent->scratch, SIP_SCRATCH);
	char branch[SIP_BRANCH_SIZE];

	sip_branch(branch);
	sip_session_write(s, &w, &s->dialog, SIP_INVITE, ++s->dialog.local_cseq, branch);
	sip_write_header(&w, "Contact", span_text(s->contact));
	sip_write_header(&w, "Allow", span_text(sip_allow));
	sip_write_header(&w, "Supported", span_text(sip_supported));
	sip_session_timer_write(&s->expiry, &w);
	if (sip_session_write_auth(s, &w, &s->dialog, SIP_INVITE, buf_span(&s->body)) < 0)
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
	if (!s->agreed.size) { /* else this one takes the place of an offer that met theirs */
		s->agreed = s->body;
		s->body = (struct buf){0};
	}
	int r = sip_session_set_body(s, body);
	timer_stop(&s->again);
	if (r >= 0) {
		sip_session_begin_auth(s);
		r = sip_session_send_reinvite(s) ? 0 : err_new(-ENOMEM);
	}
	if (r < 0)
		sip_session_offer_over(s, false);
	return r;
}

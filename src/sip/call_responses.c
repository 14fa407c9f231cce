/* sip/call_responses.c - what comes back to the INVITE: provisional and reliable responses, forks,
 * 2xx, refusals (RFC 3261 sections 13.2.2 and 9.1, RFC 3262). */
#include "sip/call_inside.h"

static void on_provisional(struct sip_call *c, const struct sip_message *m)
{
	if (sip_call_hung_up(c)) {
		sip_call_move(c, CALL_CANCELLING);
		sip_client_cancel(c->invite, c->hangup_reason);
		return;
	}
	timer_stop(&c->timer);
	if (m->status == 100) {
		if (c->state != CALL_CALLING)
			return;
		sip_call_move(c, CALL_TRYING);
		if (c->events->trying)
			c->events->trying(c->owner, m);
		return;
	}
	if (!sip_call_fork_rings(c, m))
		return;
	sip_call_move(c, CALL_RINGING);
	if (c->events->progress)
		c->events->progress(c->owner, m);
}

static void establish(struct sip_call *c, struct sip_client *client, const struct sip_message *m)
{
	struct sip_session *s = &c->s;
	bool unwanted = sip_call_hung_up(c);

	timer_stop(&c->timer);
	s->path = client->path;
	if (sip_dialog_from_response(&s->dialog, m) < 0) {
		sip_call_fail(c, SIP_WHY_BROKEN, m);
		return;
	}
	s->confirmed = true;
	sip_call_fork_won(c, m);
	sip_session_route(s);
	sip_session_ack(s, &s->dialog, client, m->cseq.number);
	sip_session_authorized(s, m);
	sip_session_note_peer(s, m);
	sip_session_timer_response(&s->expiry, m);
	if (unwanted) {
		/* It crossed our CANCEL. */
		sip_session_bye(s, c->hangup_reason);
		sip_call_fail(c, SIP_WHY_CANCELLED, m);
		return;
	}
	sip_call_move(c, CALL_ESTABLISHED);
	sip_session_alive(s);
	if (c->events->answered)
		c->events->answered(c->owner, m);
}

static void on_success(struct sip_call *c, struct sip_client *client, const struct sip_message *m)
{
	struct sip_dialog *d = &c->s.dialog;

	if (c->s.confirmed) {
		if (span_is(m->to.tag, d->remote_tag))
			sip_session_ack(&c->s, d, client, m->cseq.number);
		else
			sip_call_fork_end(c, client, m);
	} else if (c->state == CALL_OVER || client != c->invite) {
		sip_call_fork_end(c, client, m);
	} else {
		establish(c, client, m);
	}
}

static void on_refusal(struct sip_call *c, const struct sip_message *m)
{
	if (sip_call_hung_up(c)) {
		sip_call_fail(c, SIP_WHY_CANCELLED, m);
		return;
	}
	if (m->status == 401 || m->status == 407) {
		sip_call_challenged(c, m);
		return;
	}
	if (m->status == 422 && sip_session_timer_too_small(&c->s.expiry, m)) {
		sip_call_again(c, m);
		return;
	}
	bool about_body = m->status == 415 || m->status == 488 || m->status == 606;
	if (about_body && c->events->refused && c->events->refused(c->owner, m)) {
		sip_call_again(c, m);
		return;
	}
	bool rang = c->state == CALL_RINGING;
	if (m->status == 503)
		sip_call_target_is_busy(c, sip_retry_after_s(sip_message_value(m, SIP_H_RETRY_AFTER)));
	if (m->status == 503 && !rang && sip_call_more_targets(c)) {
		c->grown = false;
		c->invite = NULL; /* answered: nothing to be given up */
		sip_call_move(c, CALL_CALLING);
		if (sip_call_try_next(c))
			return;
	}
	if (m->status >= 300 && m->status <= 302 && sip_call_redirected(c, m))
		return;
	sip_call_fail(c, SIP_WHY_RESPONSE, m);
}

/* Of an attempt that was given up for another address. */
static void on_stray(struct sip_call *c, struct sip_client *client, const struct sip_message *m)
{
	if (m->status < 200 && client->engine.quiet)
		sip_client_cancel(client, NULL);
	else if (m->status / 100 == 2)
		on_success(c, client, m);
}

static void on_response(void *owner, struct sip_client *client, const struct sip_message *m)
{
	struct sip_call *c = container_of((struct sip_session *)owner, struct sip_call, s);

	if (client == c->invite && m->status != 503)
		sip_call_target_lives(c);
	if (client != c->invite || c->state == CALL_OVER)
		on_stray(c, client, m);
	else if (m->status < 200)
		on_provisional(c, m);
	else if (m->status < 300)
		on_success(c, client, m);
	else if (c->state < CALL_ESTABLISHED)
		on_refusal(c, m);
}

static void on_failed(void *owner, struct sip_client *client, bool timeout)
{
	struct sip_call *c = container_of((struct sip_session *)owner, struct sip_call, s);

	if (client != c->invite || c->state >= CALL_ESTABLISHED)
		return;
	if (sip_call_hung_up(c)) {
		sip_call_fail(c, SIP_WHY_CANCELLED, NULL);
		return;
	}
	c->invite = NULL;
	if (timeout)
		c->grown = false;
	sip_call_target_failed(c);
	if (client->tls_why)
		snprintf(c->detail, sizeof c->detail, "%s", client->tls_why);
	if (!sip_call_try_next(c))
		sip_call_fail(c, timeout ? SIP_WHY_TIMEOUT : client->tls_why ? SIP_WHY_TLS : SIP_WHY_TRANSPORT,
			NULL);
}

static void on_ended(void *owner, struct sip_client *client)
{
	struct sip_call *c = container_of((struct sip_session *)owner, struct sip_call, s);

	if (c->invite == client)
		c->invite = NULL;
	sip_call_settle(c);
}

const struct sip_client_events sip_call_invite_events = {
	.response = on_response,
	.failed = on_failed,
	.ended = on_ended,
};

/* sip/call_responses.c - what comes back to the INVITE: provisional and reliable responses, forks,
 * 2xx, refusals (RFC 3261 sections 13.2.2 and 9.1, RFC 3262). */
#include "sip/call_inside.h"

#include <stdio.h>

static struct fork *fork_get(struct sip_call *c, struct span tag)
{
	for (size_t i = 0; i < c->fork_count; ++i)
		if (span_is(tag, c->forks[i].tag))
			return &c->forks[i];
	if (c->fork_count == FORKS_MAX || tag.size >= sizeof c->forks[0].tag)
		return NULL;
	struct fork *f = &c->forks[c->fork_count++];
	if (tag.size)
		memcpy(f->tag, tag.data, tag.size);
	f->tag[tag.size] = 0;
	return f;
}

static void send_prack(struct sip_call *c, struct sip_dialog *d, const struct sip_message *m,
	uint32_t rseq)
{
	struct sip_session *s = &c->s;
	struct writer w = writer_of(s->usage.agent->scratch, SIP_SCRATCH);
	struct sip_path way = s->path;
	char branch[SIP_BRANCH_SIZE];

	s->path = sip_session_hop(s, d);
	sip_branch(branch);
	sip_session_write(s, &w, d, SIP_PRACK, ++s->dialog.local_cseq, branch);
	sip_write_header_format(&w, "RAck", "%u %u INVITE", rseq, m->cseq.number);
	sip_write_end(&w, NULL, (struct span){0});
	struct sip_client *client;
	/* If it is lost for want of memory, they send their response again. */
	(void)!sip_client_start(&client, s->usage.agent, SIP_PRACK, &s->path, branch,
		writer_span(&w), NULL, NULL);
	s->path = way;
}

/* RFC 3262 section 4. False: a response to pass over, because it came before or too early. */
static bool acknowledge(struct sip_call *c, const struct sip_message *m)
{
	uint32_t rseq;
	struct sip_dialog d = {0};

	if (!sip_message_lists(m, SIP_H_REQUIRE, "100rel") ||
		!sip_number(sip_message_value(m, SIP_H_RSEQ), UINT32_MAX, &rseq))
		return true;
	struct fork *f = fork_get(c, m->to.tag);
	if (!f || (f->rseq && rseq != f->rseq + 1))
		return false;
	f->rseq = rseq;
	if (sip_dialog_fork(&d, &c->s.dialog) == 0 && sip_dialog_from_response(&d, m) == 0)
		send_prack(c, &d, m, rseq);
	sip_dialog_fini(&d);
	return true;
}

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
	if (!acknowledge(c, m))
		return;
	sip_call_move(c, CALL_RINGING);
	if (c->events->progress)
		c->events->progress(c->owner, m);
}

/* A 2xx that nobody waits for: of another fork, or of an address given up. It must be ACKed, and
 * then ended (RFC 3261 section 13.2.2.4). */
static void end_fork(struct sip_call *c, struct sip_client *client, const struct sip_message *m)
{
	struct sip_session *s = &c->s;
	struct sip_path way = s->path;
	struct sip_dialog d = {0};
	struct fork *f = fork_get(c, m->to.tag);

	s->path = client->path;
	if (sip_dialog_fork(&d, &s->dialog) == 0 && sip_dialog_from_response(&d, m) == 0) {
		s->path = sip_session_hop(s, &d);
		sip_session_ack(s, &d, client, m->cseq.number);
		if (f && !f->hung_up) {
			struct writer w = writer_of(s->usage.agent->scratch, SIP_SCRATCH);
			struct sip_client *bye;
			char branch[SIP_BRANCH_SIZE];

			f->hung_up = true;
			sip_branch(branch);
			sip_session_write(s, &w, &d, SIP_BYE, ++s->dialog.local_cseq, branch);
			sip_write_end(&w, NULL, (struct span){0});
			(void)!sip_client_start(&bye, s->usage.agent, SIP_BYE, &s->path, branch,
				writer_span(&w), NULL, NULL);
		}
	}
	sip_dialog_fini(&d);
	s->path = way;
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
	sip_session_route(s);
	sip_session_ack(s, &s->dialog, client, m->cseq.number);
	if (unwanted) {
		/* It crossed our CANCEL. */
		sip_session_bye(s, c->hangup_reason);
		sip_call_fail(c, SIP_WHY_CANCELLED, m);
		return;
	}
	sip_call_move(c, CALL_ESTABLISHED);
	if (c->events->answered)
		c->events->answered(c->owner, m);
}

static void on_success(struct sip_call *c, struct sip_client *client, const struct sip_message *m)
{
	struct sip_dialog *d = &c->s.dialog;

	if (d->remote_tag && *d->remote_tag) {
		if (span_is(m->to.tag, d->remote_tag))
			sip_session_ack(&c->s, d, client, m->cseq.number);
		else
			end_fork(c, client, m);
	} else if (c->state == CALL_OVER || client != c->invite) {
		end_fork(c, client, m);
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
	bool about_body = m->status == 415 || m->status == 488 || m->status == 606;
	if (about_body && c->events->refused && c->events->refused(c->owner, m)) {
		sip_call_again(c, m);
		return;
	}
	bool rang = c->state == CALL_RINGING;
	if (m->status == 503 && !rang && sip_call_more_targets(c)) {
		c->grown = false;
		c->invite = NULL; /* answered: nothing to be given up */
		sip_call_move(c, CALL_CALLING);
		if (sip_call_try_next(c))
			return;
	}
	/* 3xx too: a redirection chosen by a stranger would be dialled at our expense. */
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

/* sip/call_forks.c - the phones that ring: an early dialog for each To tag (RFC 3261 section 12.1.2),
 * its reliable responses (RFC 3262), and the end of those that answer when nobody waits any more. */
#include "sip/call_inside.h"

static struct fork *fork_find(struct sip_call *c, struct span tag)
{
	for (size_t i = 0; i < c->fork_count; ++i)
		if (span_is(tag, c->forks[i].dialog.remote_tag))
			return &c->forks[i];
	return NULL;
}

/* NULL: without memory, or more phones than we follow. */
static struct fork *fork_get(struct sip_call *c, const struct sip_message *m)
{
	struct fork *f = fork_find(c, m->to.tag);

	if (f || c->fork_count == FORKS_MAX)
		return f;
	f = &c->forks[c->fork_count];
	*f = (struct fork){0};
	if (sip_dialog_fork(&f->dialog, &c->s.dialog) < 0 ||
		sip_dialog_from_response(&f->dialog, m) < 0) {
		sip_dialog_fini(&f->dialog);
		return NULL;
	}
	++c->fork_count;
	return f;
}

void sip_call_forks_fini(struct sip_call *c)
{
	for (size_t i = 0; i < c->fork_count; ++i)
		sip_dialog_fini(&c->forks[i].dialog);
	c->fork_count = 0;
}

/* A request in the dialog of one fork, on its way. Lost for want of memory, whatever asked for it will
 * ask again. `name`: of a header of its own; NULL = none. `events` NULL: nobody waits about it. */
static void send_request(struct sip_call *c, struct sip_dialog *d, enum sip_method method,
	const char *name, const char *value, const struct sip_client_events *events)
{
	struct sip_session *s = &c->s;
	struct writer w = writer_of(s->usage.agent->scratch, SIP_SCRATCH);
	char branch[SIP_BRANCH_SIZE];
	struct sip_client *client;

	sip_branch(branch);
	sip_session_write(s, &w, d, method, ++s->dialog.local_cseq, branch);
	if (name)
		sip_write_header(&w, name, span_text(value));
	if (sip_session_write_auth(s, &w, d, method, (struct span){0}) < 0)
		return;
	sip_write_end(&w, NULL, (struct span){0});
	if (events)
		(void)!sip_session_start(s, method, branch, writer_span(&w), events);
	else
		(void)!sip_client_start(&client, s->usage.agent, method, &s->path, branch,
			writer_span(&w), NULL, NULL);
}

/* It goes with whatever was challenged already; a proxy may have another nonce by now. */
static void send_bye(struct sip_call *c, struct fork *f);

static void on_bye_response(void *owner, struct sip_client *client, const struct sip_message *m)
{
	struct sip_call *c = container_of((struct sip_session *)owner, struct sip_call, s);
	struct fork *f = fork_find(c, m->to.tag);

	if (f && sip_session_challenged(&c->s, m))
		send_bye(c, f);
}

static void on_bye_failed(void *owner, struct sip_client *client, bool timeout)
{
	/* Nobody is there to be hung up on. */
}

static const struct sip_client_events bye_events = {
	.response = on_bye_response,
	.failed = on_bye_failed,
	.ended = sip_session_client_ended,
};

static void send_bye(struct sip_call *c, struct fork *f)
{
	struct sip_session *s = &c->s;
	struct sip_path way = s->path;

	s->path = sip_session_hop(s, &f->dialog);
	send_request(c, &f->dialog, SIP_BYE, NULL, NULL, &bye_events);
	s->path = way;
}

static void hang_up(struct sip_call *c, struct fork *f)
{
	f->hung_up = true;
	sip_session_begin_auth(&c->s);
	send_bye(c, f);
}

static void send_prack(struct sip_call *c, struct fork *f);

static void on_prack_response(void *owner, struct sip_client *client, const struct sip_message *m)
{
	struct sip_call *c = container_of((struct sip_session *)owner, struct sip_call, s);
	struct fork *f = fork_find(c, m->to.tag);

	sip_session_authorized(&c->s, m);
	/* Whatever else it says: the call lives or ends by what the INVITE is answered. */
	if (f && !c->s.over && sip_session_challenged(&c->s, m))
		send_prack(c, f);
}

static void on_prack_failed(void *owner, struct sip_client *client, bool timeout)
{
	/* The response that it was for comes again. */
}

static const struct sip_client_events prack_events = {
	.response = on_prack_response,
	.failed = on_prack_failed,
	.ended = sip_session_client_ended,
};

static void send_prack(struct sip_call *c, struct fork *f)
{
	struct sip_session *s = &c->s;
	struct sip_path way = s->path;
	char rack[48];

	snprintf(rack, sizeof rack, "%u %u INVITE", f->rseq, f->invite_cseq);
	s->path = sip_session_hop(s, &f->dialog);
	send_request(c, &f->dialog, SIP_PRACK, "RAck", rack, &prack_events);
	s->path = way;
}

/* RFC 3262 section 4. False: a response to pass over, because it came before or too early. */
static bool acknowledge(struct sip_call *c, struct fork *f, const struct sip_message *m)
{
	uint32_t rseq;

	if (!sip_message_lists(m, SIP_H_REQUIRE, "100rel") ||
		!sip_number(sip_message_value(m, SIP_H_RSEQ), UINT32_MAX, &rseq) || !rseq)
		return true;
	if (!f || (f->rseq && rseq != f->rseq + 1))
		return false;
	f->rseq = rseq;
	f->invite_cseq = m->cseq.number;
	sip_session_begin_auth(&c->s);
	send_prack(c, f);
	return true;
}

bool sip_call_fork_rings(struct sip_call *c, const struct sip_message *m)
{
	struct fork *f = fork_get(c, m);

	if (!acknowledge(c, f, m))
		return false;
	if (f && m->body.size)
		f->answered = true;
	return true;
}

struct sip_dialog *sip_call_fork_dialog(struct sip_call *c, struct span tag)
{
	struct fork *f = fork_find(c, tag);
	return f ? &f->dialog : NULL;
}

bool sip_call_fork_may_offer(struct sip_call *c, struct span tag)
{
	const struct fork *f = fork_find(c, tag);
	return f && f->answered;
}

void sip_call_fork_won(struct sip_call *c, const struct sip_message *m)
{
	struct sip_dialog *d = &c->s.dialog;
	struct fork *f = fork_find(c, m->to.tag);

	if (f && !sip_message_header(m, SIP_H_CONTACT)) {
		/* A 2xx owes one; that of the 18x will do. */
		char *target = d->target;
		d->target = f->dialog.target;
		f->dialog.target = target;
	}
	if (!f || !f->dialog.has_remote_cseq)
		return;
	d->remote_cseq = f->dialog.remote_cseq;
	d->has_remote_cseq = true;
}

void sip_call_fork_end(struct sip_call *c, struct sip_client *client, const struct sip_message *m)
{
	struct sip_session *s = &c->s;
	struct sip_path way = s->path;
	struct sip_dialog d = {0};
	struct fork *f = fork_get(c, m);

	s->path = client->path;
	if (sip_dialog_fork(&d, &s->dialog) == 0 && sip_dialog_from_response(&d, m) == 0) {
		s->path = sip_session_hop(s, &d);
		sip_session_ack(s, &d, client, m->cseq.number);
		if (!f)
			send_request(c, &d, SIP_BYE, NULL, NULL, NULL);
		else if (!f->hung_up && sip_dialog_from_response(&f->dialog, m) == 0)
			hang_up(c, f);
	}
	sip_dialog_fini(&d);
	s->path = way;
}

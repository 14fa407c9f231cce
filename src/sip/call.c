#include "sip/call.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "net/address.h"
#include "sip/call_inside.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

static struct sip_call *call_of(struct sip_session *s)
{
	return container_of(s, struct sip_call, s);
}

static void move(struct sip_call *c, enum call_state to)
{
	static const uint16_t allowed[CALL_STATE__COUNT] = {
		[CALL_RESOLVING] = BIT(CALL_CALLING) | BIT(CALL_OVER),
		[CALL_CALLING] = BIT(CALL_CALLING) | BIT(CALL_TRYING) | BIT(CALL_RINGING) |
			BIT(CALL_LEAVING) | BIT(CALL_ESTABLISHED) | BIT(CALL_OVER),
		[CALL_TRYING] = BIT(CALL_CALLING) | BIT(CALL_RINGING) | BIT(CALL_CANCELLING) |
			BIT(CALL_ESTABLISHED) | BIT(CALL_OVER),
		[CALL_RINGING] = BIT(CALL_CALLING) | BIT(CALL_CANCELLING) |
			BIT(CALL_ESTABLISHED) | BIT(CALL_OVER),
		[CALL_LEAVING] = BIT(CALL_CANCELLING) | BIT(CALL_OVER),
		[CALL_CANCELLING] = BIT(CALL_OVER),
		[CALL_ESTABLISHED] = BIT(CALL_ENDING) | BIT(CALL_OVER),
		[CALL_ENDING] = BIT(CALL_OVER),
	};
	assert(c->state == to || allowed[c->state] & BIT(to));
	c->state = to;
}

static bool hung_up(const struct sip_call *c)
{
	return c->state == CALL_LEAVING || c->state == CALL_CANCELLING;
}

const char *sip_why_text(enum sip_why why)
{
	static const char *const texts[SIP_WHY__COUNT] = {
		"response", "timeout", "transport", "dns", "auth", "cancelled", "broken"};
	return texts[why];
}

/* --- the end ------------------------------------------------------------------------------ */

static void call_free(struct sip_call *c)
{
	dns_cancel(c->query);
	timer_fini(&c->timer);
	if (c->reap.link.next)
		list_remove(&c->reap.link);
	sip_session_fini(&c->s);
	mem_free(c->invite_auth);
	mem_free(c->extra);
	mem_free(c->content_type);
	mem_free(c->contact_user);
	mem_free(c->hangup_reason);
	mem_free(c);
}

static void on_reap(struct deferred *d)
{
	call_free(container_of(d, struct sip_call, reap));
}

/* Gone when it is over and the last transaction, which re-ACKs and waits for stragglers, is. */
static void settle(struct sip_call *c)
{
	if (c->state == CALL_OVER && list_empty(&c->s.clients))
		loop_defer(c->s.usage.agent->loop, &c->reap, on_reap);
}

static void describe(struct sip_call *c, struct sip_failure *f)
{
	char where[ADDRESS_TEXT_SIZE] = "";
	char *out = f->sentence;
	size_t size = sizeof f->sentence;
	const struct sockaddr *remote = (const struct sockaddr *)&c->s.path.remote;

	if (remote->sa_family)
		address_text(where, remote);
	switch (f->why) {
	case SIP_WHY_RESPONSE:
		snprintf(out, size, "The far end answered %u %.*s.", f->status,
			(int)(f->reason.size < 120 ? f->reason.size : 120),
			(const char *)f->reason.data);
		break;
	case SIP_WHY_TIMEOUT:
		snprintf(out, size, "No answer from %s: is the address right, and can it reach us?",
			where);
		break;
	case SIP_WHY_TRANSPORT:
		snprintf(out, size, "%s refuses %s connections or cannot be reached.", where,
			c->s.path.protocol == SIP_TCP ? "TCP" : "UDP");
		break;
	case SIP_WHY_DNS:
		snprintf(out, size, "%s has no address: %s.", c->s.host, c->dns_why);
		break;
	case SIP_WHY_AUTH:
		snprintf(out, size, "The far end asks for a user name and password (%u)%s.",
			f->status,
			!c->s.username     ? " and none is configured"
			: !c->invite_auth->count ? " in a way that we do not know"
						 : " and does not accept the configured ones");
		break;
	case SIP_WHY_CANCELLED:
		snprintf(out, size, "The call was ended before it was answered.");
		break;
	default:
		snprintf(out, size, "The call could not be placed: an error of our own.");
	}
}

static void fail(struct sip_call *c, enum sip_why why, const struct sip_message *m)
{
	struct sip_failure f = {.why = why, .status = m ? m->status : 0, .response = m};

	if (m)
		f.reason = m->reason;
	move(c, CALL_OVER);
	timer_stop(&c->timer);
	sip_session_over(&c->s);
	describe(c, &f);
	settle(c);
	c->events->failed(c->owner, &f);
}

static void end(struct sip_call *c, struct sip_end *e)
{
	move(c, CALL_OVER);
	timer_stop(&c->timer);
	sip_session_over(&c->s);
	settle(c);
	c->events->ended(c->owner, e);
}

/* Not inside sip_invite(): in the next turn. */
static void fail_soon(struct sip_call *c, enum sip_why why)
{
	c->soon = why;
	timer_start(&c->timer, 0, 0);
}

/* --- the INVITE --------------------------------------------------------------------------- */

static int write_auth(struct sip_call *c, struct writer *w)
{
	char cnonce[SIP_CNONCE_SIZE];

	if (!c->invite_auth)
		return 0;
	rng_token(cnonce, sizeof cnonce);
	return sip_authorizer_write(w, c->invite_auth, c->s.username, c->s.password,
		span_text("INVITE"), span_text(c->s.dialog.target), cnonce);
}

static struct span write_invite(struct sip_call *c, uint32_t cseq, const char *branch)
{
	struct writer w = writer_of(c->s.usage.agent->scratch, SIP_SCRATCH);

	if (sip_agent_contact(c->s.usage.agent, &c->s.path, c->contact_user, &c->s.contact) < 0)
		return (struct span){0};
	sip_session_write(&c->s, &w, &c->s.dialog, SIP_INVITE, cseq, branch);
	sip_write_header(&w, "Contact", span_text(c->s.contact));
	sip_write_header(&w, "Allow", span_text(sip_allow));
	sip_write_header(&w, "Supported", span_text("100rel"));
	if (write_auth(c, &w) < 0)
		return (struct span){0};
	write_text(&w, c->extra);
	sip_write_end(&w, c->content_type, buf_span(&c->s.body));
	return writer_span(&w);
}

static const struct sip_client_events invite_events;

static bool more_targets(const struct sip_call *c)
{
	return c->target + 1 < c->target_count;
}

/* To the present target. False: out of memory, or more than fits. */
static bool send_invite(struct sip_call *c, uint32_t cseq)
{
	struct sip_session *s = &c->s;
	char branch[SIP_BRANCH_SIZE];

	sip_branch(branch);
	struct span bytes = write_invite(c, cseq, branch);
	if (bytes.size > SIP_UDP_MAX && c->may_grow && s->path.protocol == SIP_UDP) {
		c->grown = true;
		s->path.protocol = SIP_TCP;
		bytes = write_invite(c, cseq, branch);
	}
	struct sip_client *client = sip_session_start(s, SIP_INVITE, branch, bytes, &invite_events);
	if (!client)
		return false;
	c->invite = client;
	s->dialog.local_cseq = cseq;
	return true;
}

/* A first sending to a target, with the clock that decides whether to try the next. */
static bool try_target(struct sip_call *c)
{
	struct sip_session *s = &c->s;

	s->path = (struct sip_path){.protocol = c->protocol, .remote = c->targets[c->target]};
	s->usage.remote = s->path.remote;
	c->grown = false;
	if (!send_invite(c, s->dialog.local_cseq))
		return false;
	move(c, CALL_CALLING);
	timer_stop(&c->timer);
	if (more_targets(c) || c->grown)
		timer_start(&c->timer, c->failover_ms, 0);
	return true;
}

/* The attempt that is given up may still be answered: then it is cancelled or ended
 * (on_stray()), so that nobody's phone rings twice. */
static void leave_attempt(struct sip_call *c)
{
	if (c->invite)
		sip_client_hush(c->invite);
	c->invite = NULL;
}

/* RFC 3263 section 4.3: the same request to the next address; or by UDP after all, when only its
 * size made it go by TCP (RFC 3261 section 18.1.1). False: there is nothing left to try. */
static bool try_next(struct sip_call *c)
{
	if (c->grown)
		c->may_grow = false;
	else if (more_targets(c))
		++c->target;
	else
		return false;
	leave_attempt(c);
	if (!try_target(c))
		fail(c, SIP_WHY_BROKEN, NULL);
	return true;
}

static void on_timer(void *owner)
{
	struct sip_call *c = owner;
	struct sip_end hangup = {.why = "hangup"};

	switch (c->state) {
	case CALL_RESOLVING:
		fail(c, c->soon, NULL);
		return;
	case CALL_CALLING:
		(void)!try_next(c);
		return;
	case CALL_ENDING:
		end(c, &hangup);
		return;
	default:
		return;
	}
}

/* --- responses ---------------------------------------------------------------------------- */

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
	if (hung_up(c)) {
		move(c, CALL_CANCELLING);
		sip_client_cancel(c->invite, c->hangup_reason);
		return;
	}
	timer_stop(&c->timer);
	if (m->status == 100) {
		if (c->state != CALL_CALLING)
			return;
		move(c, CALL_TRYING);
		if (c->events->trying)
			c->events->trying(c->owner, m);
		return;
	}
	if (!acknowledge(c, m))
		return;
	move(c, CALL_RINGING);
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
	bool unwanted = hung_up(c);

	timer_stop(&c->timer);
	s->path = client->path;
	if (sip_dialog_from_response(&s->dialog, m) < 0) {
		fail(c, SIP_WHY_BROKEN, m);
		return;
	}
	sip_session_route(s);
	sip_session_ack(s, &s->dialog, client, m->cseq.number);
	if (unwanted) {
		/* It crossed our CANCEL. */
		sip_session_bye(s, c->hangup_reason);
		fail(c, SIP_WHY_CANCELLED, m);
		return;
	}
	move(c, CALL_ESTABLISHED);
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

static void on_challenge(struct sip_call *c, const struct sip_message *m)
{
	if (!c->invite_auth)
		c->invite_auth = mem_zalloc(sizeof *c->invite_auth);
	if (!c->invite_auth) {
		fail(c, SIP_WHY_BROKEN, m);
		return;
	}
	if (!c->s.username || sip_authorizer_challenged(c->invite_auth, m)) {
		fail(c, SIP_WHY_AUTH, m);
		return;
	}
	/* RFC 3261 section 22.2: a new transaction, same Call-ID and From, the next CSeq; to whom
	 * has just answered. */
	c->s.path = c->invite->path;
	timer_stop(&c->timer);
	move(c, CALL_CALLING);
	if (!send_invite(c, c->s.dialog.local_cseq + 1))
		fail(c, SIP_WHY_BROKEN, m);
}

static void on_refusal(struct sip_call *c, const struct sip_message *m)
{
	if (hung_up(c)) {
		fail(c, SIP_WHY_CANCELLED, m);
		return;
	}
	if (m->status == 401 || m->status == 407) {
		on_challenge(c, m);
		return;
	}
	bool rang = c->state == CALL_RINGING;
	if (m->status == 503 && !rang && more_targets(c)) {
		c->grown = false;
		c->invite = NULL; /* answered: nothing to be given up */
		move(c, CALL_CALLING);
		if (try_next(c))
			return;
	}
	/* 3xx too: a redirection chosen by a stranger would be dialled at our expense. */
	fail(c, SIP_WHY_RESPONSE, m);
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
	if (hung_up(c)) {
		fail(c, SIP_WHY_CANCELLED, NULL);
		return;
	}
	c->invite = NULL;
	if (timeout)
		c->grown = false;
	if (!try_next(c))
		fail(c, timeout ? SIP_WHY_TIMEOUT : SIP_WHY_TRANSPORT, NULL);
}

static void on_ended(void *owner, struct sip_client *client)
{
	struct sip_call *c = container_of((struct sip_session *)owner, struct sip_call, s);

	if (c->invite == client)
		c->invite = NULL;
	settle(c);
}

static const struct sip_client_events invite_events = {
	.response = on_response,
	.failed = on_failed,
	.ended = on_ended,
};

/* --- the session's events ----------------------------------------------------------------- */

static void on_bye(struct sip_session *s, const struct sip_message *m)
{
	struct sip_call *c = call_of(s);
	struct sip_end e = {.by_far_end = true, .request = m, .why = "bye"};

	/* Before the answer a BYE ends only an early dialog (RFC 3261 section 15); the INVITE's own
	 * final response is still to come. */
	if (c->state != CALL_ESTABLISHED && c->state != CALL_ENDING)
		return;
	if (sip_reason_parse(&e.reason, sip_message_value(m, SIP_H_REASON)))
		e.reason = (struct sip_reason){0};
	end(c, &e);
}

static bool on_offer(struct sip_session *s, const struct sip_message *m)
{
	struct sip_call *c = call_of(s);

	if (!c->events->offer)
		return false;
	c->events->offer(c->owner, m);
	return true;
}

static void on_acked(struct sip_session *s, const struct sip_message *m)
{
	struct sip_call *c = call_of(s);
	if (c->events->acked)
		c->events->acked(c->owner, m);
}

static void on_info(struct sip_session *s, const struct sip_message *m)
{
	struct sip_call *c = call_of(s);
	if (c->events->info)
		c->events->info(c->owner, m);
}

static void on_bye_done(struct sip_session *s)
{
	struct sip_call *c = call_of(s);
	struct sip_end e = {.why = "hangup"};

	if (c->state == CALL_ENDING)
		end(c, &e);
}

static void on_no_ack(struct sip_session *s)
{
	struct sip_call *c = call_of(s);
	struct sip_end e = {.why = "no ack"};

	if (c->state != CALL_ESTABLISHED)
		return;
	sip_session_bye(s, NULL);
	end(c, &e);
}

static void on_reanswered(struct sip_session *s, const struct sip_message *m)
{
	struct sip_call *c = call_of(s);
	if (c->events->reanswered)
		c->events->reanswered(c->owner, m);
}

static void on_idle(struct sip_session *s)
{
	settle(call_of(s));
}

static void on_free_now(struct sip_session *s)
{
	call_free(call_of(s));
}

static const struct sip_session_ops session_ops = {
	.bye = on_bye,
	.offer = on_offer,
	.acked = on_acked,
	.info = on_info,
	.bye_done = on_bye_done,
	.no_ack = on_no_ack,
	.reanswered = on_reanswered,
	.idle = on_idle,
	.free_now = on_free_now,
};

/* --- making one --------------------------------------------------------------------------- */

static void on_addresses(void *owner, const struct sockaddr_storage *addresses, size_t count,
	const char *why)
{
	struct sip_call *c = owner;

	c->query = NULL;
	if (c->state != CALL_RESOLVING)
		return;
	c->target_count = count < DNS_ADDRESSES_MAX ? count : DNS_ADDRESSES_MAX;
	memcpy(c->targets, addresses, c->target_count * sizeof *addresses);
	snprintf(c->dns_why, sizeof c->dns_why, "%s", why ? why : "not found");
	if (!count)
		fail_soon(c, SIP_WHY_DNS);
	else if (!try_target(c))
		fail_soon(c, SIP_WHY_BROKEN);
}

static int start(struct sip_call *c, const struct sip_invite_config *config)
{
	struct sip_uri target;
	char proxy[300];

	int r = sip_invite_target(
		config, &target, proxy, sizeof proxy, &c->protocol, &c->may_grow);
	if (r >= 0)
		r = sip_call_set_texts(c, config);
	if (r >= 0)
		r = timer_init(&c->timer, c->s.usage.agent->loop, on_timer, c);
	if (r < 0)
		return r;
	c->s.host = mem_strndup((const char *)target.host.data, target.host.size);
	if (!c->s.host)
		return err_new(-ENOMEM);
	return dns_resolve(&c->query, c->s.usage.agent->dns, c->s.host,
		target.port ? target.port : 5060, on_addresses, c);
}

int sip_invite(struct sip_call **ret, struct sip_agent *a, const struct sip_invite_config *config,
	const struct sip_call_events *events, void *owner)
{
	assert(events->failed && events->ended && config->request_uri && config->from_uri);

	if (!sip_invite_is_sound(config))
		return -EINVAL;
	if (a->usage_count >= LIMIT_CALLS)
		return err_new(-EMFILE);
	struct sip_call *c = mem_zalloc(sizeof *c);
	if (!c)
		return err_new(-ENOMEM);
	c->events = events;
	c->owner = owner;
	c->failover_ms = config->failover_ms ? config->failover_ms : a->failover_ms;
	sip_session_init(&c->s, a, &session_ops);
	int r = start(c, config);
	if (r < 0) {
		call_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

/* --- the owner's wishes ------------------------------------------------------------------- */

void sip_call_hangup(struct sip_call *c, const char *reason)
{
	if (c->state >= CALL_LEAVING && c->state != CALL_ESTABLISHED)
		return;
	mem_free(c->hangup_reason);
	c->hangup_reason = reason && sip_is_line(reason) ? mem_strdup(reason) : NULL;
	switch (c->state) {
	case CALL_RESOLVING:
		dns_cancel(c->query);
		c->query = NULL;
		fail_soon(c, SIP_WHY_CANCELLED);
		return;
	case CALL_CALLING:
		timer_stop(&c->timer);
		move(c, CALL_LEAVING);
		sip_client_hush(c->invite);
		return;
	case CALL_TRYING:
	case CALL_RINGING:
		move(c, CALL_CANCELLING);
		sip_client_cancel(c->invite, c->hangup_reason);
		return;
	default:
		move(c, CALL_ENDING);
		timer_start(&c->timer, sip_session_bye_wait_ms(&c->s), 0);
		sip_session_bye(&c->s, c->hangup_reason);
	}
}

int sip_call_set_body(struct sip_call *c, struct span body)
{
	return sip_session_set_body(&c->s, body);
}

int sip_call_answer(struct sip_call *c, unsigned status, struct span body)
{
	return sip_session_answer(&c->s, status, body);
}

int sip_call_reinvite(struct sip_call *c, struct span body)
{
	return c->state == CALL_ESTABLISHED ? sip_session_reinvite(&c->s, body) : -EINVAL;
}

const char *sip_call_id(const struct sip_call *c)
{
	return c->s.dialog.call_id;
}

void sip_call_remote(const struct sip_call *c, struct sockaddr_storage *ret)
{
	*ret = c->s.path.remote;
}

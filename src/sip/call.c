/* sip/call.c - one outgoing call: its life and end, its session's events, its owner's wishes. */
#include "sip/call.h"

#include "base/err.h"
#include "base/mem.h"
#include "net/address.h"
#include "sip/call_inside.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

static struct sip_call *call_of(struct sip_session *s)
{
	return container_of(s, struct sip_call, s);
}

void sip_call_move(struct sip_call *c, enum call_state to)
{
	static const uint16_t allowed[CALL_STATE__COUNT] = {
		[CALL_RESOLVING] = BIT(CALL_CALLING) | BIT(CALL_OVER),
		[CALL_CALLING] = BIT(CALL_CALLING) | BIT(CALL_TRYING) | BIT(CALL_RINGING) | BIT(CALL_RESOLVING) |
			BIT(CALL_LEAVING) | BIT(CALL_ESTABLISHED) | BIT(CALL_OVER),
		[CALL_TRYING] = BIT(CALL_RESOLVING) | BIT(CALL_CALLING) | BIT(CALL_RINGING) | BIT(CALL_CANCELLING) |
			BIT(CALL_ESTABLISHED) | BIT(CALL_OVER),
		[CALL_RINGING] = BIT(CALL_RESOLVING) | BIT(CALL_CALLING) | BIT(CALL_CANCELLING) |
			BIT(CALL_ESTABLISHED) | BIT(CALL_OVER),
		[CALL_LEAVING] = BIT(CALL_CANCELLING) | BIT(CALL_OVER),
		[CALL_CANCELLING] = BIT(CALL_OVER),
		[CALL_ESTABLISHED] = BIT(CALL_ENDING) | BIT(CALL_OVER),
		[CALL_ENDING] = BIT(CALL_OVER),
	};
	assert(c->state == to || allowed[c->state] & BIT(to));
	c->state = to;
}

bool sip_call_hung_up(const struct sip_call *c)
{
	return c->state == CALL_LEAVING || c->state == CALL_CANCELLING;
}

const char *sip_why_text(enum sip_why why)
{
	static const char *const texts[SIP_WHY__COUNT] = {
		"response", "timeout", "transport", "tls", "dns", "auth", "cancelled", "broken"};
	return texts[why];
}

/* --- the end ------------------------------------------------------------------------------ */

static void call_free(struct sip_call *c)
{
	sip_locate_cancel(c->location);
	timer_fini(&c->timer);
	if (c->reap.link.next)
		list_remove(&c->reap.link);
	sip_call_forks_fini(c);
	sip_session_fini(&c->s);
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
void sip_call_settle(struct sip_call *c)
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
			sip_protocol_text(c->s.path.protocol));
		break;
	case SIP_WHY_TLS:
		snprintf(out, size, "No TLS with %s at %s: %s.", c->s.host, where, c->detail);
		break;
	case SIP_WHY_DNS:
		snprintf(out, size, "%s %s.", c->s.host, c->detail);
		break;
	case SIP_WHY_AUTH:
		snprintf(out, size, "The far end asks for a user name and password (%u)%s.",
			f->status,
			!c->s.username     ? " and none is configured"
			: !c->s.auth || !c->s.auth->count ? " in a way that we do not know"
						 : " and does not accept the configured ones");
		break;
	case SIP_WHY_CANCELLED:
		snprintf(out, size, "The call was ended before it was answered.");
		break;
	default:
		snprintf(out, size, "The call could not be placed: an error of our own.");
	}
}

void sip_call_fail(struct sip_call *c, enum sip_why why, const struct sip_message *m)
{
	struct sip_failure f = {.why = why, .status = m ? m->status : 0, .response = m, .detail = c->detail};

	if (m)
		f.reason = m->reason;
	f.authorized = c->s.auth && c->s.auth->count;
	sip_call_move(c, CALL_OVER);
	timer_stop(&c->timer);
	sip_session_over(&c->s);
	describe(c, &f);
	sip_call_settle(c);
	c->events->failed(c->owner, &f);
}

static void end(struct sip_call *c, struct sip_end *e)
{
	sip_call_move(c, CALL_OVER);
	timer_stop(&c->timer);
	sip_session_over(&c->s);
	sip_call_settle(c);
	c->events->ended(c->owner, e);
}

/* Not inside sip_invite(): in the next turn. */
void sip_call_fail_soon(struct sip_call *c, enum sip_why why)
{
	c->soon = why;
	timer_start(&c->timer, 0, 0);
}

static void on_timer(void *owner)
{
	struct sip_call *c = owner;
	struct sip_end hangup = {.why = "hangup"};

	switch (c->state) {
	case CALL_RESOLVING:
		sip_call_fail(c, c->soon, NULL);
		return;
	case CALL_CALLING:
		sip_call_target_failed(c); /* silent, which is as good as dead for those who come */
		(void)!sip_call_try_next(c);
		return;
	case CALL_ENDING:
		end(c, &hangup);
		return;
	default:
		return;
	}
}

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

/* RFC 3311 section 5.2: before a phone has answered our offer it cannot make its own; nor when we have
 * hung up. */
static unsigned offer_refusal(struct sip_call *c, const struct sip_message *m)
{
	if (sip_call_hung_up(c))
		return 481;
	return c->state < CALL_ESTABLISHED && !sip_call_fork_may_offer(c, m->from.tag) ? 491 : 0;
}

static bool on_offer(struct sip_session *s, const struct sip_message *m)
{
	struct sip_call *c = call_of(s);
	unsigned status = offer_refusal(c, m);

	if (status) {
		(void)!sip_session_refuse(s, status, NULL);
		return true;
	}
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

static void on_lost(struct sip_session *s, const char *why)
{
	struct sip_call *c = call_of(s);
	struct sip_end e = {.why = why};

	if (c->state != CALL_ESTABLISHED)
		return;
	sip_session_bye(s, NULL);
	end(c, &e);
}

static void on_no_ack(struct sip_session *s)
{
	on_lost(s, "no ack");
}

static bool on_glare(struct sip_session *s)
{
	struct sip_call *c = call_of(s);

	if (!c->events->glare)
		return false;
	c->events->glare(c->owner);
	return true;
}

static struct sip_dialog *on_early(struct sip_session *s, struct span tag)
{
	return sip_call_fork_dialog(call_of(s), tag);
}

static void on_reanswered(struct sip_session *s, const struct sip_message *m)
{
	struct sip_call *c = call_of(s);
	if (c->events->reanswered)
		c->events->reanswered(c->owner, m);
}

static void on_referred(struct sip_session *s, const struct sip_refer_result *r)
{
	struct sip_call *c = call_of(s);
	if (c->events->referred)
		c->events->referred(c->owner, r);
}

static void on_idle(struct sip_session *s)
{
	sip_call_settle(call_of(s));
}

static void on_free_now(struct sip_session *s)
{
	call_free(call_of(s));
}

static const struct sip_session_ops session_ops = {
	.bye = on_bye,
	.offer = on_offer,
	.early = on_early,
	.acked = on_acked,
	.info = on_info,
	.bye_done = on_bye_done,
	.no_ack = on_no_ack,
	.reanswered = on_reanswered,
	.glare = on_glare,
	.lost = on_lost,
	.referred = on_referred,
	.idle = on_idle,
	.free_now = on_free_now,
};

/* --- making one --------------------------------------------------------------------------- */

static int start(struct sip_call *c, const struct sip_invite_config *config)
{
	int r = sip_aim_read(&c->aim, config->request_uri, config->protocol, config->proxy,
		config->route_count ? config->routes[0] : NULL);
	c->may_grow = c->aim.any_protocol;
	if (r >= 0)
		r = sip_call_set_texts(c, config);
	if (r >= 0)
		r = timer_init(&c->timer, c->s.usage.agent->loop, on_timer, c);
	return r < 0 ? r : sip_call_resolve(c);
}

int sip_invite(struct sip_call **ret, struct sip_agent *a, const struct sip_invite_config *config,
	const struct sip_call_events *events, void *owner)
{
	assert(events->failed && events->ended && config->request_uri && config->from_uri);

	if (!sip_invite_is_sound(config))
		return -EINVAL;
	if (!sip_usage_room(a))
		return -EMFILE;
	struct sip_call *c = mem_zalloc(sizeof *c);
	if (!c)
		return err_new(-ENOMEM);
	c->events = events;
	c->owner = owner;
	c->failover_ms = config->failover_ms ? config->failover_ms : a->failover_ms;
	c->s.caller = true;
	int r = sip_session_init(&c->s, a, &session_ops);
	if (r >= 0)
		r = start(c, config);
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
		sip_locate_cancel(c->location);
		c->location = NULL;
		sip_call_fail_soon(c, SIP_WHY_CANCELLED);
		return;
	case CALL_CALLING:
		timer_stop(&c->timer);
		sip_call_move(c, CALL_LEAVING);
		sip_client_hush(c->invite);
		return;
	case CALL_TRYING:
	case CALL_RINGING:
		sip_call_move(c, CALL_CANCELLING);
		sip_client_cancel(c->invite, c->hangup_reason);
		return;
	default:
		sip_call_move(c, CALL_ENDING);
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

int sip_call_refuse(struct sip_call *c, unsigned status, const char *warning)
{
	return sip_session_refuse(&c->s, status, warning);
}

int sip_call_reinvite(struct sip_call *c, struct span body)
{
	return c->state == CALL_ESTABLISHED ? sip_session_reinvite(&c->s, body) : -EINVAL;
}

int sip_call_bye_headers(struct sip_call *c, const struct sip_extra *headers, size_t count)
{
	char *text = sip_extra_text(headers, count);
	if (!text)
		return -EINVAL;
	mem_free(c->s.bye_extra);
	c->s.bye_extra = text;
	return 0;
}

int sip_call_refer(struct sip_call *c, const struct sip_refer_request *request)
{
	return c->state == CALL_ESTABLISHED ? sip_session_refer(&c->s, request) : -EINVAL;
}

void sip_call_refer_forget(struct sip_call *c)
{
	sip_session_refer_forget(&c->s);
}

bool sip_call_refer_accepted(const struct sip_call *c)
{
	return sip_session_refer_accepted(&c->s);
}

int sip_call_info(struct sip_call *c, const char *content_type, struct span body)
{
	return c->state == CALL_ESTABLISHED ? sip_session_info(&c->s, content_type, body) : -EINVAL;
}

bool sip_call_has_answered_challenge(const struct sip_call *c)
{
	return c->s.auth && c->s.auth->count;
}

const char *sip_call_id(const struct sip_call *c)
{
	return c->s.dialog.call_id;
}

void sip_call_remote(const struct sip_call *c, struct sockaddr_storage *ret)
{
	*ret = c->s.path.remote;
}

/* sip/call_targets.c - where the INVITE goes: the host's addresses, one after the other
 * (RFC 3263 section 4.3). */
#include "sip/call_inside.h"

#include "base/err.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>

bool sip_call_more_targets(const struct sip_call *c)
{
	return c->target + 1 < c->target_count;
}

/* The body names an address of ours, which has to be of the far end's family. */
static bool fit_body(struct sip_call *c)
{
	if (!c->events->aimed)
		return true;
	struct span body = c->events->aimed(c->owner, c->s.path.remote.ss_family);
	return !body.size || sip_session_set_body(&c->s, body) == 0;
}

/* A first sending to a target, with the clock that decides whether to try the next. */
bool sip_call_try_target(struct sip_call *c)
{
	struct sip_session *s = &c->s;

	const struct sip_target *t = &c->targets[c->target];

	s->path = (struct sip_path){.protocol = t->protocol, .remote = t->address};
	snprintf(s->path.host, sizeof s->path.host, "%s", s->host);
	s->usage.remote = s->path.remote;
	c->grown = false;
	if (!fit_body(c) || !sip_call_send_invite(c, s->dialog.local_cseq))
		return false;
	sip_call_move(c, CALL_CALLING);
	timer_stop(&c->timer);
	if (sip_call_more_targets(c) || c->grown)
		timer_start(&c->timer, c->failover_ms, 0);
	return true;
}

/* --- which of them are dead --------------------------------------------------------------- */

static void note_dead(struct sip_call *c, uint32_t seconds)
{
	struct sip_agent *a = c->s.usage.agent;

	/* TCP that only the size asked for says nothing about the address. */
	if (c->target < c->target_count && !c->grown)
		sip_dead_note(&a->dead, &c->targets[c->target], loop_now_ms(a->loop), seconds * 1000ull);
}

void sip_call_target_failed(struct sip_call *c)
{
	note_dead(c, LIMIT_SIP_DEAD_S);
}

void sip_call_target_is_busy(struct sip_call *c, uint32_t retry_after_s)
{
	uint32_t seconds = retry_after_s ? retry_after_s : LIMIT_SIP_DEAD_S / 2;
	note_dead(c, seconds < LIMIT_SIP_DEAD_MAX_S ? seconds : LIMIT_SIP_DEAD_MAX_S);
}

void sip_call_target_lives(struct sip_call *c)
{
	if (c->target < c->target_count)
		sip_dead_forget(&c->s.usage.agent->dead, &c->targets[c->target]);
}

/* --- one after the other ------------------------------------------------------------------ */

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
bool sip_call_try_next(struct sip_call *c)
{
	if (c->grown)
		c->may_grow = false;
	else if (sip_call_more_targets(c))
		++c->target;
	else
		return false;
	leave_attempt(c);
	if (!sip_call_try_target(c))
		sip_call_fail(c, SIP_WHY_BROKEN, NULL);
	return true;
}

static void on_located(void *owner, const struct sip_target *targets, size_t count, const char *why)
{
	struct sip_call *c = owner;
	struct sip_agent *a = c->s.usage.agent;

	c->location = NULL;
	if (c->state != CALL_RESOLVING)
		return;
	c->target_count = count;
	memcpy(c->targets, targets, count * sizeof *targets);
	sip_dead_last(&a->dead, c->targets, count, loop_now_ms(a->loop));
	snprintf(c->detail, sizeof c->detail, "%s", why ? why : "");
	if (!count)
		sip_call_fail_soon(c, SIP_WHY_DNS);
	else if (!sip_call_try_target(c))
		sip_call_fail_soon(c, SIP_WHY_BROKEN);
}

int sip_call_resolve(struct sip_call *c)
{
	c->s.host = mem_strdup(c->aim.host);
	if (!c->s.host)
		return err_new(-ENOMEM);
	return sip_aim_locate(&c->location, c->s.usage.agent, &c->aim, on_located, c);
}

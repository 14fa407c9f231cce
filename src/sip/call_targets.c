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

/* A first sending to a target, with the clock that decides whether to try the next. */
bool sip_call_try_target(struct sip_call *c)
{
	struct sip_session *s = &c->s;

	s->path = (struct sip_path){.protocol = c->protocol, .remote = c->targets[c->target]};
	snprintf(s->path.host, sizeof s->path.host, "%s", s->host);
	s->usage.remote = s->path.remote;
	c->grown = false;
	if (!sip_call_send_invite(c, s->dialog.local_cseq))
		return false;
	sip_call_move(c, CALL_CALLING);
	timer_stop(&c->timer);
	if (sip_call_more_targets(c) || c->grown)
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

static void on_addresses(void *owner, const struct sockaddr_storage *addresses, size_t count,
	const char *why)
{
	struct sip_call *c = owner;

	c->query = NULL;
	if (c->state != CALL_RESOLVING)
		return;
	c->target_count = count < DNS_ADDRESSES_MAX ? count : DNS_ADDRESSES_MAX;
	memcpy(c->targets, addresses, c->target_count * sizeof *addresses);
	snprintf(c->detail, sizeof c->detail, "%s", why ? why : "not found");
	if (!count)
		sip_call_fail_soon(c, SIP_WHY_DNS);
	else if (!sip_call_try_target(c))
		sip_call_fail_soon(c, SIP_WHY_BROKEN);
}

int sip_call_resolve(struct sip_call *c, const struct sip_uri *target)
{
	c->s.host = mem_strndup((const char *)target->host.data, target->host.size);
	if (!c->s.host)
		return err_new(-ENOMEM);
	return dns_resolve(&c->query, c->s.usage.agent->dns, c->s.host,
		target->port ? target->port : sip_protocol_port(c->protocol), on_addresses, c);
}

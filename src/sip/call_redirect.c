/* sip/call_redirect.c - 3xx: the call goes where the Contact says, if its owner allows it (RFC 3261
 * section 8.1.3.4). Nobody else may: a stranger's choice would be dialled at our expense. */
#include "sip/call_inside.h"

#include "base/mem.h"

enum { REDIRECTS_MAX = 5 };

/* Thousandths; 1000 when it is not said (section 20.10). */
static uint32_t weight_of(const struct sip_name_addr *a)
{
	static const uint32_t place[] = {100, 10, 1};
	struct span q;

	if (!sip_param_get(a->params, "q", &q) || !q.size || q.data[0] == '1')
		return 1000;
	uint32_t weight = 0;
	for (size_t i = 2; i < q.size && i < 5 && q.data[i] >= '0' && q.data[i] <= '9'; ++i)
		weight += (uint32_t)(q.data[i] - '0') * place[i - 2];
	return weight;
}

/* The allowed one of the most weight. */
static bool choose(struct sip_call *c, const struct sip_message *m, struct span *ret)
{
	struct sip_items it = {.m = m, .id = SIP_H_CONTACT};
	struct span item;
	uint32_t best = 0;

	while (sip_items_next(&it, &item)) {
		struct sip_name_addr a;
		struct sip_uri uri;
		if (sip_name_addr_parse(&a, item) || a.wildcard || sip_uri_parse(&uri, a.uri) ||
			uri.scheme != SIP_SCHEME_SIP || uri.headers.size)
			continue;
		uint32_t weight = weight_of(&a) + 1;
		if (weight <= best || !c->events->redirect(c->owner, &uri))
			continue;
		best = weight;
		*ret = a.uri;
	}
	return best;
}

static enum sip_protocol_choice protocol_of(const struct sip_call *c)
{
	return c->aim.any_protocol ? SIP_PROTOCOL_AUTO : sip_protocol_choice_of(c->aim.protocol);
}

/* By the outbound proxy, if there is one, as before; else straight there. */
static void go(struct sip_call *c, const struct sip_message *m)
{
	struct sip_session *s = &c->s;
	struct sip_aim aim;

	if (s->dialog.route_count) {
		sip_call_again(c, m);
		return;
	}
	if (sip_aim_read(&aim, s->dialog.target, protocol_of(c), NULL, NULL) < 0) {
		sip_call_fail(c, SIP_WHY_RESPONSE, m);
		return;
	}
	c->aim = aim;
	c->may_grow = aim.any_protocol;
	c->invite = NULL; /* answered: nothing to be given up */
	c->target = c->target_count = 0;
	++s->dialog.local_cseq;
	mem_free(s->host);
	s->host = NULL;
	timer_stop(&c->timer);
	sip_call_move(c, CALL_RESOLVING);
	if (sip_call_resolve(c) < 0)
		sip_call_fail(c, SIP_WHY_BROKEN, m);
}

bool sip_call_redirected(struct sip_call *c, const struct sip_message *m)
{
	struct span to;

	if (!c->events->redirect || c->redirects == REDIRECTS_MAX || !choose(c, m, &to))
		return false;
	char *target = mem_strndup((const char *)to.data, to.size);
	if (!target)
		return false;
	++c->redirects;
	mem_free(c->s.dialog.target);
	c->s.dialog.target = target;
	sip_call_forks_fini(c);
	sip_session_begin_auth(&c->s);
	go(c, m);
	return true;
}

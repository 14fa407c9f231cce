/* cli/server_address.c - which of our addresses others are told, and where we listen for it.
 *
 *   rtc.node_ip, or else the machine's addresses by rtc.interfaces and rtc.ips, of which
 *   rtc.use_external_ip makes those that the world sees.
 */
#include "cli/server.h"

#include "base/log.h"
#include "base/rng.h"
#include "net/address.h"
#include "net/local_addresses.h"
#include "net/stun_probe.h"

#include <stdio.h>

struct locals {
	struct sockaddr_storage all[SIGNAL_IPS_MAX];
	size_t count;
};

/* ---- what we have ---- */

static bool all_loopback(const struct config_texts *binds)
{
	for (size_t i = 0; i < binds->count; ++i) {
		struct sockaddr_storage a;
		if (address_parse(&a, binds->items[i], 0) < 0 || !address_is_loopback((struct sockaddr *)&a))
			return false;
	}
	return binds->count > 0;
}

static void add_local(struct locals *l, const char *ip)
{
	struct sockaddr_storage a;
	if (l->count < COUNT_OF(l->all) && address_parse(&a, ip, 0) == 0)
		l->all[l->count++] = a;
}

static struct local_names names_of(const struct config_texts *t)
{
	return (struct local_names){(const char *const *)t->items, t->count};
}

/* From the last to the first, so that the first is kept. */
static void note_ipv6(struct server *s, const struct sockaddr_storage *at)
{
	const struct sockaddr *a = (const struct sockaddr *)at;

	if (a->sa_family != AF_INET6)
		return;
	s->has_ipv6 = true;
	if (!*s->own_ipv6 || !address_is_loopback(a))
		address_ip_text(s->own_ipv6, a);
}

static void find_locals(struct server *s, struct locals *l)
{
	const struct config *c = &s->config;
	const struct local_filter filter = {
		.interfaces = names_of(&c->rtc.interfaces.includes),
		.interfaces_not = names_of(&c->rtc.interfaces.excludes),
		.nets = names_of(&c->rtc.ips.includes),
		.nets_not = names_of(&c->rtc.ips.excludes),
		.loopback = c->rtc.enable_loopback_candidate,
	};
	struct sockaddr_storage any;

	s->has_ipv6 = false;
	*s->own_ipv6 = 0;
	for (int i = local_addresses(l->all, COUNT_OF(l->all), &(struct local_filter){.loopback = true}); i > 0; --i)
		note_ipv6(s, &l->all[i - 1]);
	if (s->loopback) {
		for (size_t i = 0; i < c->bind_addresses.count; ++i)
			add_local(l, c->bind_addresses.items[i]);
		return;
	}
	int count = local_addresses(l->all, COUNT_OF(l->all), &filter);
	l->count = count > 0 ? (size_t)count : 0;
	if (l->count == 0 && local_addresses(&any, 1, &(struct local_filter){0}) > 0)
		log_warn("serve", "rtc.interfaces and rtc.ips leave none of this machine's addresses");
	if (l->count == 0) /* a machine without any talks to itself */
		add_local(l, "127.0.0.1");
}

/* ---- what others are told ---- */

static void tell(struct server *s, const char *ip)
{
	for (size_t i = 0; i < s->node_ip_count; ++i)
		if (!strcmp(s->node_ips[i], ip))
			return;
	if (s->node_ip_count < COUNT_OF(s->node_ips))
		snprintf(s->node_ips[s->node_ip_count++], sizeof s->node_ips[0], "%s", ip);
}

static void tell_local(struct server *s, const struct sockaddr_storage *a)
{
	char ip[ADDRESS_TEXT_SIZE];
	tell(s, address_ip_text(ip, (const struct sockaddr *)a));
}

/* ---- by which the world sees them ---- */

struct question {
	struct server *server;
	const struct sockaddr_storage *local;
	struct stun_probe *probe;
	unsigned *waiting;
	bool answered;
};

static void on_answer(void *owner, const struct sockaddr_storage *mapped)
{
	struct question *q = owner;
	char ip[ADDRESS_TEXT_SIZE], local[ADDRESS_TEXT_SIZE];

	--*q->waiting;
	address_ip_text(local, (const struct sockaddr *)q->local);
	if (!mapped) {
		log_warn("serve", "no STUN server answered %s, so clients are told it as it is. Set rtc.node_ip to the public "
			"address, or rtc.stun_servers to servers that can be reached.", local);
		return;
	}
	q->answered = true;
	log_info("serve", "%s is seen as %s from outside", local,
		address_ip_text(ip, (const struct sockaddr *)mapped));
	tell(q->server, ip);
}

static void ask(struct question *q, struct server *s)
{
	const struct config_texts *servers = &s->config.rtc.stun_servers;
	const struct stun_probe_config config = {
		.loop = &s->loop,
		.dns = s->dns,
		.local = q->local,
		.servers = (const char *const *)servers->items,
		.server_count = servers->count,
		.done = on_answer,
		.owner = q,
	};
	++*q->waiting;
	if (stun_probe_start(&q->probe, &config) < 0)
		on_answer(q, NULL);
}

/* Nothing else runs yet, so the loop may turn until all have an answer or have given up. IPv6 is not
 * translated on the way: it is told as it is. */
static void tell_external(struct server *s, const struct locals *l)
{
	struct question questions[SIGNAL_IPS_MAX] = {0};
	unsigned waiting = 0;

	for (size_t i = 0; i < l->count; ++i) {
		questions[i] = (struct question){.server = s, .local = &l->all[i], .waiting = &waiting};
		if (l->all[i].ss_family == AF_INET)
			ask(&questions[i], s);
	}
	while (waiting)
		uv_run(&s->loop.uv, UV_RUN_ONCE);
	for (size_t i = 0; i < l->count; ++i) {
		questions[i].probe = stun_probe_free(questions[i].probe);
		bool seen = questions[i].answered;
		if (seen ? s->config.rtc.advertise_internal_ip : !s->config.rtc.external_ip_only)
			tell_local(s, &l->all[i]);
	}
}

static void tell_addresses(struct server *s, const struct locals *l)
{
	const struct config *c = &s->config;

	for (size_t i = 0; i < c->rtc.node_ip.count; ++i)
		tell(s, c->rtc.node_ip.items[i]);
	if (s->node_ip_count == 0 && c->rtc.use_external_ip)
		tell_external(s, l);
	else if (s->node_ip_count == 0)
		for (size_t i = 0; i < l->count; ++i)
			tell_local(s, &l->all[i]);
	if (c->rtc.enable_loopback_candidate)
		tell(s, "127.0.0.1");
	if (s->node_ip_count == 0) /* rtc.external_ip_only, and none was seen */
		tell_local(s, &l->all[0]);
}

/* ---- where we listen ---- */

static const char *first_of(const struct server *s, int family)
{
	struct sockaddr_storage a;
	for (size_t i = 0; i < s->node_ip_count; ++i)
		if (address_parse(&a, s->node_ips[i], 0) == 0 && a.ss_family == family)
			return s->node_ips[i];
	return NULL;
}

/* One socket for each family that is told. */
static void choose_binds(struct server *s)
{
	static const struct {
		int family;
		const char *loopback, *every;
	} choices[] = {{AF_INET, "127.0.0.1", "0.0.0.0"}, {AF_INET6, "::1", "::"}};

	for (size_t i = 0; i < COUNT_OF(choices); ++i)
		if (first_of(s, choices[i].family) &&
			address_parse(&s->rtc_binds[s->rtc_bind_count],
				s->loopback ? choices[i].loopback : choices[i].every, 0) == 0)
			++s->rtc_bind_count;
}

/* Trunks are told IPv4: SIP listens there, unless sip.listen_ip says otherwise. */
static const char *sip_address(const struct server *s)
{
	const struct config *c = &s->config;
	const char *v4 = first_of(s, AF_INET);
	if (c->sip.nat_1_to_1_ip)
		return c->sip.nat_1_to_1_ip;
	if (c->sip.listen_ip && strcmp(c->sip.listen_ip, "0.0.0.0"))
		return c->sip.listen_ip;
	return v4 ? v4 : "127.0.0.1";
}

/* Those reached by IPv6 are told an address of that family, where we listen on both. */
static const char *sip_address6(const struct server *s)
{
	const struct config *c = &s->config;
	const char *v6 = first_of(s, AF_INET6);
	if (c->sip.listen_ip || !s->has_ipv6)
		return "";
	if (c->sip.nat_1_to_1_ipv6)
		return c->sip.nat_1_to_1_ipv6;
	if (s->loopback)
		return "::1";
	return v6 ? v6 : s->own_ipv6;
}

int server_find_addresses(struct server *s)
{
	struct locals locals = {0};

	s->loopback = all_loopback(&s->config.bind_addresses);
	find_locals(s, &locals);
	tell_addresses(s, &locals);
	choose_binds(s);
	snprintf(s->media_ip, sizeof s->media_ip, "%s", sip_address(s));
	snprintf(s->media_ip6, sizeof s->media_ip6, "%s", sip_address6(s));
	snprintf(s->sip_host, sizeof s->sip_host, "%s", s->config.sip.sip_hostname ? s->config.sip.sip_hostname : s->media_ip);
	rng_id(s->node_id, "ND_");
	return 0;
}

/* cli/server_address.c - which of our addresses others are told. */
#include "cli/server.h"

#include "base/log.h"
#include "base/rng.h"
#include "net/address.h"

#include <stdio.h>

static bool all_loopback(const struct config_texts *binds)
{
	for (size_t i = 0; i < binds->count; ++i) {
		struct sockaddr_storage a;
		if (address_parse(&a, binds->items[i], 0) < 0 || !address_is_loopback((struct sockaddr *)&a))
			return false;
	}
	return binds->count > 0;
}

/* The first IPv4 address that is not the loopback's; a machine without one talks to itself. */
static void first_address(char out[64])
{
	uv_interface_address_t *list;
	int count;
	snprintf(out, 64, "127.0.0.1");
	if (uv_interface_addresses(&list, &count) < 0)
		return;
	for (int i = 0; i < count; ++i) {
		if (list[i].is_internal || list[i].address.address4.sin_family != AF_INET)
			continue;
		uv_ip4_name(&list[i].address.address4, out, 64);
		break;
	}
	uv_free_interface_addresses(list, count);
}

int server_find_addresses(struct server *s)
{
	const struct config *c = &s->config;
	s->loopback = all_loopback(&c->bind_addresses);
	if (c->rtc.node_ip)
		snprintf(s->node_ip, sizeof s->node_ip, "%s", c->rtc.node_ip);
	else if (s->loopback)
		snprintf(s->node_ip, sizeof s->node_ip, "127.0.0.1");
	else
		first_address(s->node_ip);

	const char *local = c->sip.listen_ip && strcmp(c->sip.listen_ip, "0.0.0.0") ? c->sip.listen_ip : s->node_ip;
	snprintf(s->media_ip, sizeof s->media_ip, "%s", c->sip.nat_1_to_1_ip ? c->sip.nat_1_to_1_ip : local);
	snprintf(s->sip_host, sizeof s->sip_host, "%s", c->sip.sip_hostname ? c->sip.sip_hostname : s->media_ip);
	rng_id(s->node_id, "ND_");
	return 0;
}

/* cli/server_peers.c - who may send SIP requests outside a call: the hosts of our trunks. They are
 * looked up again when trunks change, and from time to time, as carriers move their addresses. */
#include "cli/server.h"

#include "base/clock.h"
#include "base/log.h"
#include "net/address.h"
#include "trunk/options.h"

#include <stdio.h>

enum { AGAIN_MS = 10 * 60 * 1000 }; /* Twilio's names live for ten minutes */

static void on_addresses(
	void *owner, const struct sockaddr_storage *addresses, size_t count, const char *why)
{
	struct server *s = owner;
	char ip[ADDRESS_TEXT_SIZE];
	for (size_t i = 0; i < count && s->sip; ++i) {
		const struct sockaddr *a = (const struct sockaddr *)&addresses[i];
		if (sip_agent_add_peer(s->sip, address_ip_text(ip, a), a->sa_family == AF_INET6 ? 128 : 32) < 0)
			log_warn("sip", "%s cannot be remembered as a trunk's address", ip);
	}
}

/* The host of "host", "host:port", "[ip6]" or "[ip6]:port". */
static void host_of(char *out, size_t size, const char *address)
{
	if (*address == '[') {
		snprintf(out, size, "%.*s", (int)strcspn(address + 1, "]"), address + 1);
		return;
	}
	const char *colon = strchr(address, ':');
	bool is_ipv6 = colon && strchr(colon + 1, ':');
	snprintf(out, size, "%.*s", (int)(is_ipv6 ? strlen(address) : strcspn(address, ":")), address);
}

static void learn(struct server *s, const char *address)
{
	char host[256];
	struct dns_query *q;
	host_of(host, sizeof host, address);
	if (*host && dns_resolve(&q, s->dns, host, 0, on_addresses, s) < 0)
		log_warn("sip", "%s cannot be looked up now", host);
}

/* Its registrar and its proxy send us requests as well. */
static void learn_trunk(struct server *s, const Livekit__SIPOutboundTrunkInfo *trunk)
{
	struct trunk_options options;
	char why[TRUNK_WHY_SIZE];
	learn(s, trunk->address);
	if (trunk_options_read(&options, trunk->metadata, why) == 0) {
		learn(s, options.outbound_proxy);
		learn(s, options.reg.host);
	}
}

void server_learn_peers(struct server *s)
{
	uint64_t now = clock_ms(), version = trunks_version(s->trunks);
	if (s->peers_learned_ms && version == s->peers_version && now - s->peers_learned_ms < AGAIN_MS)
		return;
	s->peers_version = version;
	s->peers_learned_ms = now;
	sip_agent_clear_peers(s->sip);
	for (size_t i = 0; i < trunks_count(s->trunks); ++i)
		learn_trunk(s, trunks_at(s->trunks, i));
}

/* cli/server_peers.c - who may send SIP requests outside a call: the hosts of our trunks. They are
 * looked up again when trunks change, and from time to time, as carriers move their addresses. */
#include "cli/server.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "call/identity.h"
#include "net/address.h"
#include "trunk/options.h"

#include <stdio.h>

enum { AGAIN_MS = 10 * 60 * 1000 }; /* Twilio's names live for ten minutes */

/* One host that is being looked up. */
struct learning {
	struct list link;
	struct server *server;
	struct sip_location *location;
};

static void learning_free(struct learning *l)
{
	sip_locate_cancel(l->location);
	list_remove(&l->link);
	mem_free(l);
}

static void on_located(void *owner, const struct sip_target *targets, size_t count, const char *why)
{
	struct learning *l = owner;
	char ip[ADDRESS_TEXT_SIZE];
	for (size_t i = 0; i < count; ++i) {
		const struct sockaddr *a = (const struct sockaddr *)&targets[i].address;
		if (sip_agent_add_peer(l->server->sip, address_ip_text(ip, a), a->sa_family == AF_INET6 ? 128 : 32) < 0)
			log_warn("sip", "%s cannot be remembered as a trunk's address", ip);
	}
	l->location = NULL;
	learning_free(l);
}

/* Every address that "host[:port]" may stand for. */
static void learn(struct server *s, const char *address, enum sip_protocol_choice protocol)
{
	char uri[OPTION_TEXT_SIZE + 8];
	struct sip_aim aim;
	struct sip_location *location = NULL;
	if (!*address)
		return;
	snprintf(uri, sizeof uri, "sip:%s", address);
	int r = sip_aim_read(&aim, uri, protocol, NULL, NULL);
	struct learning *l = r < 0 ? NULL : mem_zalloc(sizeof *l);
	if (l) {
		l->server = s;
		list_add(&s->peers_learning, &l->link);
		r = sip_aim_locate(&location, s->sip, &aim, on_located, l);
		if (r < 0)
			learning_free(l);
		else if (location)
			l->location = location; /* a literal is learned, and `l` gone, already */
	}
	if (!l || r < 0)
		log_warn("sip", "%s cannot be looked up now", address);
}

/* Its registrar and its proxy send us requests as well. */
static void learn_trunk(struct server *s, const Livekit__SIPOutboundTrunkInfo *trunk)
{
	struct trunk_options options;
	char why[TRUNK_WHY_SIZE];
	learn(s, trunk->address, identity_protocol(trunk));
	if (trunk_options_read(&options, trunk->metadata, why) == 0) {
		learn(s, options.outbound_proxy, identity_protocol(trunk));
		learn(s, options.reg.host, identity_protocol(trunk));
	}
}

void server_stop_learning(struct server *s)
{
	while (s->peers_learning.next && !list_empty(&s->peers_learning))
		learning_free(list_first(&s->peers_learning, struct learning, link));
}

void server_learn_peers(struct server *s)
{
	uint64_t now = clock_ms(), version = trunks_version(s->trunks);
	if (s->peers_learned_ms && version == s->peers_version && now - s->peers_learned_ms < AGAIN_MS)
		return;
	s->peers_version = version;
	s->peers_learned_ms = now;
	server_stop_learning(s);
	list_init(&s->peers_learning);
	sip_agent_clear_peers(s->sip);
	for (size_t i = 0; i < trunks_count(s->trunks); ++i)
		learn_trunk(s, trunks_at(s->trunks, i));
}

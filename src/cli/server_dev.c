/* cli/server_dev.c - the embedded default: the simulator as a trunk, and the words at the start. */
#include "cli/server.h"

#include "base/log.h"

#include <stdio.h>

/* A trunk named "simulator" that leads to our own far end; made again when its port or its password has changed. */
int server_offer_simulator(struct server *s)
{
	char address[64], why[TRUNK_WHY_SIZE];
	snprintf(address, sizeof address, "127.0.0.1:%u", simulator_port(s->simulator));

	char *numbers[] = {"+12025550199"};
	Livekit__SIPOutboundTrunkInfo wanted = LIVEKIT__SIPOUTBOUND_TRUNK_INFO__INIT;
	wanted.name = "simulator";
	wanted.address = address;
	wanted.numbers = numbers;
	wanted.n_numbers = 1;
	wanted.auth_username = s->config.simulator.username;
	wanted.auth_password = s->config.simulator.password;

	const Livekit__SIPOutboundTrunkInfo *trunk = NULL;
	for (size_t i = 0; i < trunks_count(s->trunks) && !trunk; ++i)
		if (!strcmp(trunks_at(s->trunks, i)->name, "simulator"))
			trunk = trunks_at(s->trunks, i);
	if (trunk && !strcmp(trunk->address, address) && !strcmp(trunk->auth_username, wanted.auth_username) &&
		!strcmp(trunk->auth_password, wanted.auth_password))
		return 0;
	int r = trunk ? trunks_replace_outbound(&trunk, s->trunks, trunk->sip_trunk_id, &wanted, why)
		      : trunks_create_outbound(&trunk, s->trunks, &wanted, why);
	if (r > 0)
		log_warn("serve", "the simulator's trunk was not made: %s", why);
	return r < 0 ? r : 0;
}

static void announce_dev(const struct server *s)
{
	const char *http = s->tls ? "https" : "http";
	const struct config_key *key = &s->config.keys.items[0]; /* of its secret only what everybody knows is shown */
	printf("\n"
	       "  Ringdown is up. Open this page:\n\n"
	       "      %s://127.0.0.1:%u\n\n"
	       "  or call the simulated bank into a room from a shell:\n\n"
	       "      curl -X POST %s://127.0.0.1:%u/livekit/sip/outbound -H \"Content-Type: application/json\" "
	       "-d '{\"room\": \"your-room-name\", \"phone_number\": \"+1234567890\"}'\n\n"
	       "  LiveKit apps:  LIVEKIT_URL=ws%s://127.0.0.1:%u  LIVEKIT_API_KEY=%s  LIVEKIT_API_SECRET=%s\n"
	       "  Development mode: loopback only, no token needed for the backend. Stop with Ctrl-C.\n\n",
		http, http_server_port(s->backend), http, http_server_port(s->backend), s->tls ? "s" : "",
		http_server_port(s->http),
		key->name, !strcmp(key->secret, "secret") ? "secret" : "(as you set it)");
	fflush(stdout);
}

static void announce_media(const struct server *s)
{
	char ips[SIGNAL_IPS_MAX * 66] = "";
	unsigned first = media_rtc_port(s->media, 0), last = media_rtc_port(s->media, media_worker_count(s->media) - 1);
	unsigned tcp = media_rtc_tcp_port(s->media);

	for (size_t i = 0, used = 0; i < s->node_ip_count; ++i)
		used += (size_t)snprintf(ips + used, sizeof ips - used, "%s%s", i ? ", " : "", s->node_ips[i]);
	log_info("serve", "media on %s: UDP ports %u to %u, TCP port %u%s", ips, first, last, tcp, tcp ? "" : " (none)");
}

void server_announce(struct server *s)
{
	for (size_t i = 0; i < s->config.notes.count; ++i)
		log_warn("config", "%s", s->config.notes.items[i]);
	announce_media(s);
	log_info("serve", "ready: LiveKit API and rooms on port %u%s, backend on port %u, SIP on port %u",
		http_server_port(s->http), s->tls ? " (TLS)" : "", http_server_port(s->backend), sip_agent_port(s->sip));
	if (s->config.dev)
		announce_dev(s);
}

/* cli/server.h - one whole server: what `ringdown serve` builds and runs.
 *
 * Owner:   cli_serve(), on its stack or static.
 * Owns:    everything that a server is made of, in the order of building.
 * Thread:  the control thread.
 */
#pragma once

#include "agent/agents.h"
#include "api/api.h"
#include "base/limits.h"
#include "call/call.h"
#include "call/lines.h"
#include "config/config.h"
#include "media/media.h"
#include "metrics/metrics.h"
#include "net/dns.h"
#include "net/http_server.h"
#include "net/tls.h"
#include "room/room.h"
#include "signal/door.h"
#include "simulator/simulator.h"
#include "sip/agent.h"
#include "store/records.h"
#include "store/store.h"
#include "trunk/policy.h"
#include "trunk/trunk.h"
#include "webhook/events.h"

#define RINGDOWN_VERSION "0.1.0"
/* What clients are told: some choose features by the version of LiveKit that they know. */
#define RINGDOWN_LIVEKIT_VERSION "1.13.5"

struct server {
	struct config config;
	struct env env;
	struct loop loop;
	struct dns *dns;
	struct media *media;
	struct rooms *rooms;
	struct agents *agents;
	struct webhooks *webhooks; /* NULL: nobody is told */
	struct webhook_events webhook_events;
	struct metrics *metrics; /* NULL: no prometheus.port */
	struct store *store;
	struct records *records; /* NULL: nothing is kept of calls */
	struct trunks *trunks;
	struct policy *policy;
	struct sip_agent *sip;
	struct lines *lines;
	struct calls *calls;
	struct signal_door *signal;
	struct api *api;
	struct simulator *simulator;
	struct http_server *http, *backend, *prometheus;
	struct timer tick;
	uv_signal_t on_term, on_int, on_hup;
	struct tls_context *tls; /* or NULL */
	struct tls_context *sip_tls_server, *sip_tls_client; /* the first or NULL; outlive the loop */
	struct file_stamp { /* how a file looked when it was read last */
		uint64_t size, inode, changed_ns;
	} cert_stamp, key_stamp, sip_cert_stamp, sip_key_stamp, sip_ca_stamp, api_keys_stamp;
	uint64_t files_looked_ms;
	char sign_key[256]; /* our own tokens are signed with this API key */
	bool loopback; /* everything on 127.0.0.1: --dev, or bind_addresses says so */
	bool stopping;
	uint64_t peers_version, peers_learned_ms;
	struct list peers_learning; /* hosts that are being looked up */
	unsigned doors_open;
	void (*doors_closed)(struct server *s);

	struct {
		uint64_t bytes, since_ms;
	} traffic; /* of the media, when it was weighed last */

	char node_ips[SIGNAL_IPS_MAX][64]; /* our ICE candidates, best first */
	size_t node_ip_count;
	struct sockaddr_storage rtc_binds[MEDIA_RTC_BINDS_MAX];
	size_t rtc_bind_count;
	bool has_ipv6; /* this machine */
	char own_ipv6[64]; /* its first such address, ::1 if there is no other */
	struct signal_turn_server turns[LIMIT_TURN_SERVERS];
	char media_ip[64];  /* in the SDP of trunks */
	char media_ip6[64]; /* of those reached by IPv6; "" = none */
	char sip_host[256]; /* Via, Contact and From */
	char node_id[32];
	char web_dir[600];
	struct api_bank banks[64];
	struct room_preset presets[LIMIT_ROOM_PRESETS];
};

/* cli/server_life.c: runs until SIGTERM or SIGINT. 0, or a negative error that was already explained. */
MUST_USE int server_run(struct server *s);

/* cli/server_address.c: may take a few seconds, when STUN servers are asked */
MUST_USE int server_find_addresses(struct server *s);
/* cli/server_doors.c */
MUST_USE int server_open_doors(struct server *s);
void server_close_doors(struct server *s, void (*closed)(struct server *s));
void server_free_api(struct server *s);
/* cli/server_build.c */
const char *server_secret(void *owner, const char *key);
/* cli/server_files.c: certificates and API keys, read again when their files change or on SIGHUP. */
MUST_USE int server_read_files(struct server *s);
/* After the loop: the last streams are gone. */
void server_close_files(struct server *s);
void server_look_at_files(struct server *s); /* every few seconds; cheap */
void server_watch_hangup(struct server *s);
/* cli/server_traffic.c: LiveKit's limit.bytes_per_sec */
void server_weigh_traffic(struct server *s);
/* cli/server_peers.c; cheap when nothing has changed. */
void server_learn_peers(struct server *s);
void server_stop_learning(struct server *s);
/* cli/server_trunks.c */
MUST_USE int server_build_lines(struct server *s);
void server_write_trunks(void *owner, struct exposition *e); /* for struct metrics_config */
/* cli/server_dev.c: what --dev adds. */
MUST_USE int server_offer_simulator(struct server *s);
void server_announce(struct server *s);

/* cli/server_phone.c: what the configuration says of who may be called; its texts are borrowed, the store is
 * to be added. */
struct policy_config server_policy_config(const struct config *c);

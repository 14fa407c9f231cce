/* signal/door.h - door 1: LiveKit sessions over WebSocket, at /rtc and /rtc/v1.
 *
 * Owner:    the server (cli/serve.c), which routes HTTP requests and media events here.
 * Owns:     every session; their participants leave with it.
 * Thread:   the control thread.
 * Words:    as in signal/session.h.
 */
#pragma once

#include "media/media.h"
#include "net/http_server.h"
#include "room/room.h"

struct signal_door;

enum { SIGNAL_IPS_MAX = 16 };

/* Either a secret that the server shares with us, or a name and a credential that are good for all. */
struct signal_turn_server {
	const char *host, *protocol; /* "udp", "tcp", "tls" */
	uint16_t port;
	const char *username, *credential;
	const char *secret;
	uint32_t ttl_s; /* of what is made of the secret */
};

struct signal_config {
	struct loop *loop;
	struct rooms *rooms;
	struct media *media;
	/* The secret of an API key, or NULL. */
	const char *(*secret)(void *owner, const char *api_key);
	void *secret_owner;
	const char *sign_key;          /* refresh tokens are signed with this one */
	const char *const *node_ips;   /* IP literals for our host candidates, best first; copied */
	size_t node_ip_count;          /* at most SIGNAL_IPS_MAX */
	const struct signal_turn_server *turn_servers; /* the caller's, as all below */
	size_t turn_server_count;
	const char *const *stun_servers; /* "host:port" */
	size_t stun_server_count;
	bool force_tcp;                /* no UDP candidates */
	bool tcp_fallback;             /* a client may be moved to TCP */
	const char *version;           /* what clients are told; not empty */
	const char *node_id, *region;
	uint32_t max_sessions;         /* 0 = as many as LIMIT_TRANSPORTS allows */
};

MUST_USE int signal_new(struct signal_door **ret, const struct signal_config *config);
/* Everybody is sent away with SERVER_SHUTDOWN. Call before rooms_free() and media_free(). */
struct signal_door *signal_free(struct signal_door *d);

/* A WebSocket upgrade: true when the path is ours (then it is accepted or refused). */
bool signal_upgrade(struct signal_door *d, struct http_exchange *x);
/* Any other request: true when the path is ours (then it is answered). */
bool signal_request(struct signal_door *d, struct http_exchange *x);

/* From struct media_events; ids that are not ours are ignored. */
void signal_transport_state(
	struct signal_door *d, media_id transport, enum media_transport_state state);
void signal_transport_sctp(struct signal_door *d, media_id transport, struct span packet);
void signal_transport_stats(struct signal_door *d, media_id transport,
	const struct media_voice_stats *stats, size_t count);
/* Loudness of the tracks that clients publish, for track_level(). */
void signal_levels(struct signal_door *d, const struct media_level *levels, size_t count);

size_t signal_session_count(const struct signal_door *d);

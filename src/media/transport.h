/* media/transport.h - one WebRTC peer connection: ICE, DTLS and SRTP over the worker's edge,
 * the sources that come in by it and the sinks that leave by it.
 *
 * Owner:   its worker (worker->transports).
 * Owns:    its DTLS and SRTP state, sources, sinks.
 * Thread:  the worker's.
 *
 *      a good check             DTLS done, fingerprint right
 * NEW -------------> handshake ------------------------------> CONNECTED <--> DISCONNECTED
 *                                                                  |   10 s silent   |
 *                  (60 s, DTLS failed, goodbye, 15 s silent) ----> FAILED <----------+
 */
#pragma once

#include "base/limits.h"
#include "media/ice.h"
#include "media/rtp_source.h"
#include "media/sender_clock.h"
#include "media/sink.h"
#include "media/srtp.h"
#include "media/worker.h"

enum {
	/* Each track that may be published, and those who pass by. */
	TRANSPORT_SSRCS_MAX = LIMIT_TRACKS_PER_PARTICIPANT + 16,
};

/* Which source an incoming SSRC belongs to; NULL = heard, but nobody's. */
struct ssrc_entry {
	uint32_t ssrc;
	bool used;
	struct rtp_source *source;
};

struct transport {
	struct map_node by_id; /* worker->transports */
	media_id id;
	struct worker *worker;
	enum media_transport_state state;

	struct ice ice;
	struct ufrag_node by_ufrag, by_old_ufrag;
	struct path_node paths[ICE_PATHS_MAX]; /* same index as ice.paths */

	struct media_remote remote;
	bool has_remote;
	struct dtls *dtls;
	struct srtp_pair *srtp; /* not NULL = the peer is who the signalling said */
	bool failed;
	uint64_t handshake_by_ms; /* 0 = no check yet */

	struct list sources, sinks;
	struct ssrc_entry ssrcs[TRANSPORT_SSRCS_MAX];
	unsigned next_eviction;
	uint32_t own_ssrc; /* of our receiver reports */
	uint64_t report_due_ms, stats_due_ms;
	struct sender_clock clock; /* of the peer, by its sender reports */
};

MUST_USE int transport_new(
	struct transport **ret, struct worker *w, media_id id, const struct media_ice *ice);
struct transport *transport_free(struct transport *t);
/* `ice` not NULL: a restart. */
void transport_remote(
	struct transport *t, const struct media_remote *remote, const struct media_ice *ice);

/* ---- datagrams in ---- */
void transport_check(struct transport *t, const struct stun_view *v, struct span packet,
	const struct peer_address *from, uint64_t now_us);
/* Anything else from an address that passed a check. Works in place. */
void transport_input(struct transport *t, uint8_t *packet, size_t size,
	const struct peer_address *from, uint64_t now_us);
/* A connection that was one of its paths has ended. */
void transport_path_gone(struct transport *t, const struct peer_address *path);
void transport_tick(struct transport *t, uint64_t now_us); /* every 50 ms */

/* ---- out ---- */
void transport_send_sctp(struct transport *t, struct span packet);
/* False: not connected yet, or the packet does not fit. */
MUST_USE bool transport_send_rtp(struct transport *t, const struct rtp_view *v);
/* The same packet as before, to the bit: a listener missed it. */
MUST_USE bool transport_resend_rtp(struct transport *t, const struct rtp_view *v);
void transport_send_rtcp(struct transport *t, struct span compound);
void transport_end_ssrc(struct transport *t, uint32_t ssrc); /* BYE, and its keys go */

/* How its voices fare, told upwards (media/transport_stats.c). */
void transport_post_stats(struct transport *t, uint64_t now_us);
/* Round trip to the peer by its reports about our voices, 0 = not known. */
uint32_t transport_rtt_us(const struct transport *t);

void transport_forget_source(struct transport *t, struct rtp_source *s);

/* media/worker.h - inside one media worker: what transports, sources, sinks and legs share.
 *
 * Owner:   struct media. Owns: one loop, the edge to WebRTC, the 20 ms beat, all objects below.
 * Thread:  the worker's (or the control thread with workers = 0). No locks.
 *
 * The packet path: edge -> transport (SRTP off) or leg -> source_push() -> for each sink in
 * source.sinks: sink->write() -> header rewritten, SRTP on, queued -> sent at the end of the turn.
 * Nothing on it allocates, locks, logs or formats.
 */
#pragma once

#include "base/list.h"
#include "base/map.h"
#include "media/codec.h"
#include "media/dtls.h"
#include "media/media.h"
#include "media/peer_address.h"
#include "media/red_primary.h"
#include "wire/rtp.h"

struct history;
struct payloads;
struct mailbox;
struct transport;
struct worker;

/* One packet in the clear, as a source hands it to its sinks. Valid during the call. */
struct media_packet {
	const struct rtp_view *rtp; /* payload type is the sender's: go by `codec` */
	enum codec codec;
	uint8_t level;         /* RFC 6464, 127 when unknown */
	uint64_t arrived_us;
};

/* What a sender's reports say: at `ntp` by our clock its timestamps were at `timestamp`. */
struct source_clock {
	bool known;
	uint32_t ssrc, timestamp;
	uint64_t ntp; /* 32.32 s, the same shift for all voices of one transport */
};

/* One incoming voice. Embedded in its maker (transport's source or leg). */
struct source {
	struct map_node by_id; /* worker->sources */
	media_id id;
	struct list sinks;     /* struct source_sink.link */
	unsigned wants[CODEC__COUNT]; /* how many sinks take each codec: a leg encodes only what is wanted */
	bool muted;
	bool opus_only; /* a phone that speaks no G.711: who takes that gets its Opus, if possible */
	unsigned epoch; /* counts unmutings: a sink begins anew when it changed */
	struct red_primary red; /* of a sender of RED, for the sinks that take Opus */
	struct {
		bool known;
		uint32_t ssrc, timestamp;
		uint16_t seq;
	} newest; /* of its Opus and RED packets */
	char sif_trailer[MEDIA_TRAILER_SIZE]; /* see struct media_source_config */
	struct history *history[CODEC__COUNT]; /* of what sinks get in a codec; NULL = nobody may ask */
	struct source_clock clock;
	/* What worker_note_level() heard in this window. */
	struct list noted; /* worker->noted */
	uint8_t loudest;
	uint16_t active_ms, observed_ms;
};

/* One listener of a source. Embedded in its maker (a transport's sink, or a leg that mixes). */
struct source_sink {
	struct list link; /* source.sinks; an empty list of its own when the source is gone */
	struct source *source;
	/* Takes only this (RED: also plain Opus); CODEC_NONE = takes everything as it came. */
	enum codec codec;
	bool paused;
	void (*write)(struct source_sink *s, const struct media_packet *p);
	void (*source_gone)(struct source_sink *s); /* after it left the list; may free itself */
};

void source_init(struct source *s, media_id id);
void source_fini(struct source *s); /* tells every sink source_gone() */
void source_add_sink(struct source *s, struct source_sink *sink);
void source_remove_sink(struct source_sink *sink); /* twice is fine */
/* From now on the last packets in this codec are kept, see media/history.h. */
MUST_USE int source_remember(struct source *s, enum codec codec);
/* To every sink that takes it. Of a RED packet, those that take Opus get the packets that are new
 * in it, see media/red_primary.h. */
void source_push(struct source *s, const struct media_packet *p);
/* Those who hear Opus get a moment of silence first, or their decoders would go on with the last sound. */
void source_mute(struct source *s, bool muted);

/* ---- the worker itself, for media.c ---- */
struct worker_config {
	unsigned index;
	uint8_t active_level; /* -dBov */
	uint32_t levels_every_ms, stats_every_ms;
	struct loop *loop; /* the control loop, or NULL: a thread and a loop of its own */
	const struct sockaddr_storage *binds; /* with media/rtc_edge.h's meaning; not kept */
	size_t bind_count;
	uint16_t port;
	struct tcp_places *places;
	const struct dtls_identity *identity;
	struct mailbox *reports; /* struct report, media/order.h */
	struct payloads *payloads;
};
MUST_USE int worker_new(struct worker **ret, const struct worker_config *c);
/* On the control thread: everything in it goes, the thread is joined. */
struct worker *worker_free(struct worker *w);
uint16_t worker_port(const struct worker *w);
struct mailbox *worker_orders(struct worker *w);

void worker_count_drop(struct worker *w, enum media_drop why);
uint64_t worker_drops(const struct worker *w, enum media_drop why); /* from any thread */
struct media_traffic worker_traffic(const struct worker *w);        /* the same */

/* ---- services used by transports ---- */
const struct dtls_identity *worker_identity(const struct worker *w);
/* Where the next packet to there is to be written: LIMIT_PACKET_BYTES + SRTP_TRAILER_BYTES. */
uint8_t *worker_out(struct worker *w, const struct peer_address *to);
/* Queues what was written there; it leaves at the end of the turn. */
void worker_send(struct worker *w, size_t size, const struct peer_address *to);
/* Checks for this name are `t`'s. */
struct ufrag_node {
	struct map_node by_ufrag;
	struct transport *transport; /* NULL = not in the map */
};
MUST_USE int worker_add_ufrag(
	struct worker *w, struct ufrag_node *n, struct transport *t, const char *ufrag);
void worker_remove_ufrag(struct worker *w, struct ufrag_node *n); /* twice is fine */
/* Packets from this address are `t`'s from now on; a former owner of the address loses it. */
struct path_node {
	struct map_node by_address;
	struct peer_address address;
	struct transport *transport; /* NULL = not in the map */
};
MUST_USE int worker_claim_path(
	struct worker *w, struct path_node *n, struct transport *t, const struct peer_address *address);
/* A connection ends with it. Twice is fine. */
void worker_release_path(struct worker *w, struct path_node *n);
struct map *worker_sinks(struct worker *w); /* struct sink.by_id */
void worker_post_transport_state(struct worker *w, media_id t, enum media_transport_state state);
void worker_post_stats(
	struct worker *w, media_id t, const struct media_voice_stats *stats, size_t count);
void worker_post_sctp(struct worker *w, media_id t, struct span packet);

/* ---- services used by legs and transports ---- */
struct loop *worker_loop(struct worker *w);
unsigned worker_index(const struct worker *w);
uint32_t worker_stats_every_ms(const struct worker *w);
struct source *worker_source(struct worker *w, media_id id);
MUST_USE int worker_add_source(struct worker *w, struct source *s);
void worker_remove_source(struct worker *w, struct source *s);
/* Level of one heard packet, for the windows of struct media_level. `duration_ms` of sound. */
void worker_note_level(struct worker *w, struct source *s, uint8_t level, unsigned duration_ms);

/* Called every 20 ms for each registered beat, on an absolute grid without drift. */
struct beat {
	struct list link;
	void (*tick)(struct beat *b, uint64_t now_us);
};
void worker_add_beat(struct worker *w, struct beat *b);
void worker_remove_beat(struct beat *b); /* twice is fine; also from inside tick */

/* Events up, posted to the control thread. */
void worker_post_leg_event(struct worker *w, media_id leg, enum media_leg_event e);
void worker_post_leg_digit(struct worker *w, media_id leg, char digit);
void worker_post_leg_digits_done(struct worker *w, media_id leg);
void worker_post_leg_key(struct worker *w, media_id leg, char digit);
void worker_post_leg_stats(struct worker *w, media_id leg, const struct media_leg_stats *s);

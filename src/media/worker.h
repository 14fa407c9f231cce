/* media/worker.h - inside one media worker: what transports, sources, sinks and legs share.
 *
 * Owner:   struct media. Owns: one loop, one UDP socket for WebRTC, the 20 ms beat, all objects below.
 * Thread:  the worker's (or the control thread with workers = 0). No locks.
 *
 * The packet path: socket -> transport (SRTP off) or leg -> source_push() -> for each sink in
 * source.sinks: sink->write() -> header rewritten, SRTP on, queued -> one sendmmsg at the end of
 * the turn. Nothing on it allocates, locks, logs or formats.
 */
#pragma once

#include "base/list.h"
#include "base/map.h"
#include "media/codec.h"
#include "media/media.h"
#include "wire/rtp.h"

struct worker;

/* One packet in the clear, as a source hands it to its sinks. Valid during the call. */
struct media_packet {
	const struct rtp_view *rtp; /* payload type is the sender's: go by `codec` */
	enum codec codec;
	uint8_t level;         /* RFC 6464, 127 when unknown */
	uint64_t arrived_us;
};

/* One incoming voice. Embedded in its maker (transport's source or leg). */
struct source {
	struct map_node by_id; /* worker->sources */
	media_id id;
	struct list sinks;     /* struct source_sink.link */
	unsigned wants[CODEC__COUNT]; /* how many sinks take each codec: a leg encodes only what is wanted */
	bool muted;
};

/* One listener of a source. Embedded in its maker (a transport's sink, or a leg that mixes). */
struct source_sink {
	struct list link; /* source.sinks; an empty list of its own when the source is gone */
	struct source *source;
	enum codec codec; /* takes only this; CODEC_NONE = takes everything */
	bool paused;
	void (*write)(struct source_sink *s, const struct media_packet *p);
	void (*source_gone)(struct source_sink *s); /* after it left the list */
};

void source_init(struct source *s, media_id id);
void source_fini(struct source *s); /* tells every sink source_gone() */
void source_add_sink(struct source *s, struct source_sink *sink);
void source_remove_sink(struct source_sink *sink); /* twice is fine */
void source_push(struct source *s, const struct media_packet *p);

/* Worker services used by legs and transports. */
struct loop *worker_loop(struct worker *w);
unsigned worker_index(const struct worker *w);
struct source *worker_source(struct worker *w, media_id id);
MUST_USE int worker_add_source(struct worker *w, struct source *s);
void worker_remove_source(struct worker *w, struct source *s);
/* Level of one heard packet, for the 400 ms windows. `duration_ms` of sound. */
void worker_note_level(struct worker *w, media_id source, uint8_t level, unsigned duration_ms);

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
void worker_post_leg_stats(struct worker *w, media_id leg, const struct media_leg_stats *s);

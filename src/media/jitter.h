/* media/jitter.h - an adaptive jitter buffer: packets in as the network brings them, packets out in
 * order, and the word when one is lost.
 *
 * Owner:   whoever embeds it.
 * Owns:    copies of at most JITTER_SLOTS packets, JITTER_ARENA_BYTES together.
 * Thread:  its owner's. Pure: the time is given, nothing is allocated.
 * Words:   depth  = how much sound is held;
 *          target = the delay that covers 97 of 100 packets, measured from the spread of their
 *                   transit times; 0 when there is no jitter.
 *
 * Two ways to use it:
 *   JITTER_ORDER  hands out at once what is in order and waits (up to the target) only when one is
 *                 missing. For a stream that goes on to somebody who has a jitter buffer.
 *   JITTER_PLAY   for a listener of an even beat: starts playing when the target is reached. When
 *                 it runs empty the listener makes up sound, which deepens the buffer by as much;
 *                 when it stays deeper than needed, jitter_may_cut() says so.
 */
#pragma once

#include "base/base.h"

enum {
	JITTER_SLOTS = 64,
	JITTER_ARENA_BYTES = 8192,
	JITTER_BUCKETS = 32,
	JITTER_BUCKET_US = 10000,
	JITTER_TARGET_MAX_US = 200000,
	JITTER_ORDER_WAIT_US = 20000, /* the least time to wait for one that is missing */
	JITTER_LOST_MAX = 10,         /* more in a row are stepped over, not concealed */
};

enum jitter_mode {
	JITTER_ORDER,
	JITTER_PLAY,
};

struct jitter_packet {
	uint16_t seq;
	uint32_t timestamp, ssrc;
	uint32_t duration; /* RTP clock ticks */
	bool silent;       /* known to hold nothing audible */
	bool noise;        /* no sound: the payload is a level of comfort noise */
	bool copy;         /* redundancy: came with a later packet, so it says nothing of delays */
	struct span payload;
};

enum jitter_slot_state {
	JITTER_SLOT_EMPTY,
	JITTER_SLOT_HELD,
	JITTER_SLOT_TAKEN,
	JITTER_SLOT_LOST,
};

struct jitter_slot {
	uint64_t arrived_us;
	uint32_t timestamp, duration, position;
	uint16_t seq, size;
	uint8_t state;
	bool silent, noise;
};

/* Spread of transit times. */
struct jitter_delay {
	bool started;
	uint32_t timestamp;
	int64_t ticks;                     /* unwrapped timestamp, from the first one */
	int64_t least_us, least_before_us; /* smallest transit of this window and the last */
	uint64_t window_us;                /* when this window began */
	unsigned packets;
	uint32_t share[JITTER_BUCKETS]; /* of packets that late, 1/65536 */
	uint32_t target_us;
};

struct jitter {
	enum jitter_mode mode;
	uint32_t clock_hz;
	bool started, playing;
	uint32_t ssrc;
	uint16_t next_seq;       /* to hand out */
	uint32_t next_timestamp; /* what it should carry when nothing was left out */
	uint32_t last_duration;
	bool odd; /* the last packet was far off; `odd_seq` would confirm that the stream jumped */
	uint16_t odd_seq;
	unsigned held;
	uint32_t held_ticks;
	uint64_t waiting_us; /* when the first packet came that is held before playing */
	unsigned late_lately;
	uint32_t least_depth, beats; /* of the window of jitter_may_cut() */
	struct jitter_delay delay;
	struct {
		uint64_t put, late, duplicate, odd, lost, jumps;
	} stats;
	uint32_t arena_head;
	struct jitter_slot slots[JITTER_SLOTS];
	uint8_t arena[JITTER_ARENA_BYTES];
};

void jitter_init(struct jitter *j, enum jitter_mode mode, uint32_t clock_hz);

/* Outcomes of jitter_put(). */
enum jitter_put {
	JITTER_OK,
	JITTER_E_DUPLICATE,
	JITTER_E_LATE, /* its turn is over */
	JITTER_E_ODD,  /* far off; if its successor follows, that is where the stream goes on */
	JITTER_E_SIZE,
};
enum jitter_put jitter_put(struct jitter *j, const struct jitter_packet *p, uint64_t now_us);

/* Whether a copy of this packet would help: it did not come, and its turn is not over. */
bool jitter_lacks(const struct jitter *j, uint32_t ssrc, uint16_t seq);

enum jitter_take {
	JITTER_NOTHING, /* empty, or not yet */
	JITTER_PACKET,  /* valid until the next put */
	JITTER_LOST,    /* `duration` is missing; `payload` is the packet after it, or empty */
};
struct jitter_out {
	uint32_t duration;
	uint32_t gap; /* ticks that the sender left out before this packet (silence), or 0 */
	bool silent, noise;
	struct span payload;
};
/* The next piece. In JITTER_PLAY: call while the listener's beat needs sound. */
enum jitter_take jitter_take(struct jitter *j, struct jitter_out *ret, uint64_t now_us);

/* The listener stopped making sound up: the next packet begins a new talk spurt. */
void jitter_rest(struct jitter *j);
/* Once for each beat in JITTER_PLAY, after what was taken; `pending` ticks are still with the
 * listener. True when 10 to 20 ms may be cut out of the sound. */
MUST_USE bool jitter_may_cut(struct jitter *j, uint32_t pending);

static inline uint32_t jitter_us(const struct jitter *j, uint32_t ticks)
{
	return (uint32_t)((uint64_t)ticks * 1000000 / j->clock_hz);
}
static inline uint32_t jitter_depth_us(const struct jitter *j)
{
	return jitter_us(j, j->held_ticks);
}
static inline uint32_t jitter_target_us(const struct jitter *j)
{
	return j->delay.target_us;
}

/* simulator/voice_line.h - a bad line: what is sent is lost, late, doubled or comes out of order, by dice
 * that are thrown anew with the same seed.
 *
 * Owner:   a voice embeds it. Owns: packets that are late. Thread: its owner's. Pure but for the dice: the time
 *          is given.
 */
#pragma once

#include "simulator/carrier_random.h"

enum { LINE_PACKET_MAX = 640, LINE_WAITING_MAX = 64 };

struct line_faults {
	long loss, reorder, duplicate; /* percent */
	long jitter_ms;                /* as late as this at most */
};

struct voice_line {
	struct line_faults faults;
	struct carrier_random random;
	struct line_packet {
		uint64_t due_us;
		size_t size; /* 0 = a free place */
		uint8_t bytes[LINE_PACKET_MAX];
	} waiting[LINE_WAITING_MAX];
};

/* False: it is to be sent at once. True: it was lost, or kept for voice_line_take(). */
bool voice_line_keeps(struct voice_line *l, struct span packet, uint64_t now_us);
/* The next packet whose time has come, copied out; empty = none. */
struct span voice_line_take(struct voice_line *l, uint64_t now_us, uint8_t out[LINE_PACKET_MAX]);
/* Whether the dice say that this packet comes twice. */
bool voice_line_doubles(struct voice_line *l);
/* When the next one is due; UINT64_MAX = none waits. */
uint64_t voice_line_due(const struct voice_line *l);

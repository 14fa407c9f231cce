/* media/resend.h - what one listener got, and what it may be sent again when it asks: each packet
 * a few times, not twice within a round trip, and no more than its share each second. However often
 * it asks, a listener gets at most about half of the stream on top.
 *
 * Owner:   a sink; zeroed memory is a valid start.
 * Owns:    nothing. Thread: its owner's. Pure.
 */
#pragma once

#include "base/base.h"

enum {
	RESEND_WINDOW = 64,      /* packets back */
	RESEND_TIMES_MAX = 3,    /* of each */
	RESEND_BURST = 64,       /* at once, after a while without */
	RESEND_PER_SECOND = 25,
	RESEND_PAUSE_MS_MIN = 20, /* between two of the same, or the round trip if that is longer */
	RESEND_PAUSE_MS_MAX = 500,
};

/* Which packets have left. */
struct sent_window {
	bool started;
	uint16_t highest;
	uint64_t sent; /* bit n: `highest` - n has left */
};
/* Packet `seq` has left already, or so long ago that nobody knows any more. */
MUST_USE bool sent_before(const struct sent_window *w, uint16_t seq);
void sent_note(struct sent_window *w, uint16_t seq); /* it leaves now */

/* What was asked for. */
struct resend {
	struct resend_turn {
		uint16_t seq;
		uint8_t times;
		uint32_t last_ms;
	} turns[RESEND_WINDOW]; /* by sequence number */
	uint32_t credit_x1000;
	uint64_t credit_ms;
};
/* The listener asks for `seq`: may it have it? Then that counts. `rtt_ms` 0 = not known. */
MUST_USE bool resend_allow(struct resend *r, const struct sent_window *w, uint16_t seq,
	uint64_t now_ms, uint32_t rtt_ms);

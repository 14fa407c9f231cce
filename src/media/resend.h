/* media/resend.h - which packets one listener got, and which it may be sent again when it asks: each packet
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

struct resend {
	bool started;
	uint16_t highest;
	uint64_t sent; /* bit n: `highest` - n has left */
	struct resend_turn {
		uint16_t seq;
		uint8_t times;
		uint32_t last_ms;
	} turns[RESEND_WINDOW]; /* by sequence number */
	uint32_t credit_x1000;
	uint64_t credit_ms;
};

void resend_note(struct resend *r, uint16_t seq); /* packet `seq` has left */
/* The listener asks for `seq`: may it have it? Then that counts. `rtt_ms` 0 = not known. */
MUST_USE bool resend_allow(struct resend *r, uint16_t seq, uint64_t now_ms, uint32_t rtt_ms);

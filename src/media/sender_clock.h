/* media/sender_clock.h - a peer's wall clock by ours, from its sender reports: the least delayed of
 * them says how far the two are apart. One for all voices of a peer, so that what was in step when
 * it left is in step for the listener (RFC 3550, 6.4.1).
 *
 * Owner:   the transport that embeds it; zeroed memory is a valid start.
 * Owns:    nothing. Thread: its owner's. Pure.
 */
#pragma once

#include "base/base.h"

struct sender_clock {
	bool known;
	int64_t apart; /* ours minus theirs, 32.32 s */
};

/* A report that names `theirs` came at `ours`, both NTP 32.32. Returns `theirs` by our clock. */
uint64_t sender_clock_put(struct sender_clock *c, uint64_t theirs, uint64_t ours);

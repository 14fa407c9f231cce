/* media/replay.h - which packets of one SSRC were there already (RFC 3711, 3.3.2), and the long
 * number that a packet's 16 bits of sequence stand for (3.3.1). Pure. Thread: its owner's. */
#pragma once

#include "base/base.h"

enum { REPLAY_WINDOW = 512 }; /* packets behind the newest that may still come: 10 s of voice */

struct replay {
	bool started;
	uint64_t newest;
	uint64_t seen[REPLAY_WINDOW / 64]; /* bit n: the newest number that is n modulo the window */
};

/* The number nearest to the newest one that ends in `seq`. */
uint64_t replay_index(const struct replay *r, uint16_t seq);
/* It lies before number 0. Receivers that know only what came take it for the end of the first turn
 * of the circle (so does replay_index()), and all that follows for the second: do not send it. */
bool replay_is_before_all(const struct replay *r, uint16_t seq);
/* Not seen, and not so old that nobody knows. */
bool replay_is_fresh(const struct replay *r, uint64_t index);
/* Seen, for sure. */
bool replay_is_seen(const struct replay *r, uint64_t index);
/* It is genuine: from now on it is seen. */
void replay_note(struct replay *r, uint64_t index);

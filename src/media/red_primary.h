/* media/red_primary.h - the Opus packets inside a stream of RED packets (RFC 2198): each one once,
 * in order, and those that were lost on the way taken from the copies that later packets carry.
 *
 * Owner:   the source that embeds it; zeroed memory is a valid start.
 * Owns:    nothing; what it returns points into the packet that was given.
 * Thread:  its owner's. Pure: no allocation, no clock.
 */
#pragma once

#include "wire/red.h"
#include "wire/rtp.h"

struct red_primary {
	bool started;
	uint32_t ssrc;
	uint16_t highest; /* sequence number, of what came or was made up for */
	uint64_t seen;    /* bit n: `highest` - n is done with */
};

/* The Opus packets that `red` brings and that were not there yet, the oldest first: none when all
 * were, or when it cannot be read. */
MUST_USE size_t red_primary_take(
	struct red_primary *r, struct rtp_view ret[RED_BLOCKS_MAX], const struct rtp_view *red);
/* A plain Opus packet among them (RFC 2198 leaves that to the sender). False: it is there already. */
MUST_USE bool red_primary_note(struct red_primary *r, const struct rtp_view *plain);
/* What comes next has nothing to do with what was: no copy of what was is taken. */
void red_primary_restart(struct red_primary *r);

/* RTP ticks of a block that lies `back` packets before the primary; 0 when its number cannot be
 * known, because something was left out in between, or when it is no Opus. */
MUST_USE uint32_t red_block_ticks(const struct red_block *block, unsigned back);

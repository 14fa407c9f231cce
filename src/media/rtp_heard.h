/* media/rtp_heard.h - what the receiver of a stream of ours reports of it (RFC 3550, 6.4.1): counts
 * that only grow, and the round trip.
 *
 * Owner:   the sink or leg that embeds it; zeroed memory is a valid start.
 * Owns:    nothing.
 * Thread:  its owner's. Pure: the wall clock is given.
 */
#pragma once

#include "wire/rtcp.h"

struct rtp_heard {
	uint64_t at_us; /* of the last report, 0 = nothing yet */
	uint32_t highest_seq;
	int32_t lost_seq; /* as in the report */
	uint64_t expected, lost;
	uint32_t jitter; /* ticks */
	uint32_t rtt_us; /* 0 = not known */
};

/* `sent`: packets so far. `ntp`: now, as in our sender reports. */
void rtp_heard_put(struct rtp_heard *h, const struct rtcp_report *r, uint32_t sent, uint64_t ntp,
	uint64_t now_us);

/* media/rtp_count.h - what a receiver knows about a stream: received, lost, jitter (RFC 3550,
 * section 6.4.1 and appendices A.3, A.8).
 *
 * Owner:   the leg or source that embeds it; zeroed memory is a valid start.
 * Owns:    nothing.
 * Thread:  its owner's. Pure.
 */
#pragma once

#include "wire/rtcp.h"

struct rtp_count {
	bool started;
	uint32_t ssrc;
	uint16_t first_seq, highest_seq;
	uint32_t cycles;   /* 65536 for each turn of the sequence numbers */
	uint32_t received; /* of this stream */
	uint32_t expected_reported, received_reported; /* at the last report */
	uint32_t jitter_16; /* media clock ticks x 16 */
	uint32_t transit;
	uint64_t received_before, lost_before; /* of the streams before this one */
	uint64_t holes; /* of all streams: how often one or more packets in a row were not there */
};

void rtp_count_put(struct rtp_count *c, uint32_t ssrc, uint16_t seq, uint32_t timestamp,
	uint32_t clock_hz, uint64_t now_us);
uint64_t rtp_count_received(const struct rtp_count *c); /* of all streams */
uint64_t rtp_count_lost(const struct rtp_count *c);     /* of all streams */
uint32_t rtp_count_jitter(const struct rtp_count *c);   /* ticks */

/* What a receiver report says of it (RFC 3550, 6.4.1); false when nothing was heard yet. Begins the
 * next interval. `last_sr`: the middle of the last sender report's NTP time, 0 = none; it came
 * `since_sr_us` ago. */
MUST_USE bool rtp_count_report(
	struct rtp_count *c, struct rtcp_report *ret, uint32_t last_sr, uint64_t since_sr_us);

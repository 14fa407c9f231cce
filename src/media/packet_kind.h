/* media/packet_kind.h - what came to a port where all of it comes: RFC 7983 has the first byte, and for RTCP
 * beside RTP RFC 5761 (section 4) the second. Pure. Thread: any. */
#pragma once

#include "base/base.h"

static inline bool packet_is_stun(struct span p)
{
	return p.size && p.data[0] <= 3;
}

static inline bool packet_is_dtls(struct span p)
{
	return p.size && p.data[0] >= 20 && p.data[0] <= 63;
}

/* Or RTCP, or either of them locked (SRTP). */
static inline bool packet_is_rtp(struct span p)
{
	return p.size && p.data[0] >= 128 && p.data[0] <= 191;
}

/* Of what packet_is_rtp(): no payload type may be one of these. */
static inline bool packet_is_rtcp(struct span p)
{
	return p.size >= 2 && p.data[1] >= 192 && p.data[1] <= 223;
}

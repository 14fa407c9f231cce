/* media/rtp_ports.h - pairs of UDP ports for phone legs: RTP even, RTCP the next one.
 *
 * Owner:   struct media; embedded. Owns: nothing; the caller gets the sockets.
 * Thread:  the control thread.
 */
#pragma once

#include "base/base.h"

struct rtp_ports {
	const char *ip;
	uint16_t min, max; /* of the range; odd ends are rounded inwards */
	uint16_t next;     /* where to look first, so that a port rests before it is used again */
};

/* Both sockets bound and non-blocking. Returns 0, or -EADDRINUSE when every pair is taken. */
MUST_USE int rtp_ports_open(struct rtp_ports *p, int *rtp_fd, int *rtcp_fd, uint16_t *rtp_port);

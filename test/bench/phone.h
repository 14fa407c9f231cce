/* test/bench/phone.h - a telephone's RTP from a plain socket. No loop: the bench calls in.
 *
 * Owner:  the bench. Owns: its socket. Thread: the load's.
 */
#pragma once

#include "base/base.h"

struct phone {
	int fd;
	uint16_t port; /* its own */
	uint16_t seq;
	uint32_t timestamp, ssrc;
};
/* Returns 0 or -errno. */
MUST_USE int phone_open(struct phone *p, uint16_t leg_port);
void phone_close(struct phone *p);
void phone_send(struct phone *p, struct span g711); /* PCMU, 20 ms */

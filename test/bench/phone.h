/* test/bench/phone.h - a telephone's RTP from a plain socket. No loop: the bench calls in.
 *
 * Owner:  the bench. Owns: its socket and its keys. Thread: the load's.
 */
#pragma once

#include "media/srtp.h"

struct phone {
	int fd;
	uint16_t port; /* its own */
	uint16_t seq;
	uint32_t timestamp, ssrc;
	struct srtp_pair *srtp; /* NULL = RTP in clear */
};
/* `keys` NULL = in clear; the phone is their "server". Returns 0 or -errno. */
MUST_USE int phone_open(struct phone *p, uint16_t leg_port, const struct srtp_keys *keys);
void phone_close(struct phone *p);
void phone_send(struct phone *p, struct span g711); /* PCMU, 20 ms */
/* Opens it in place. False: not of the leg. */
bool phone_input(struct phone *p, uint8_t *packet, size_t *size);

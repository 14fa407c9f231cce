/* media/leg_crypt.h - what protects a leg's packets: nothing, or SRTP whose keys the SDP carried and
 * may change during the call (RFC 4568, 7.1.4). After a change, packets of the former key that were
 * under way are still opened for a moment, so that nothing is heard of it.
 *
 * Owner:   a leg.
 * Owns:    the SRTP pairs and a copy of the keys, wiped in the end.
 * Thread:  the worker's. Packets allocate nothing, but the first of an SSRC.
 */
#pragma once

#include "media/srtp.h"

enum {
	LEG_CRYPT_LATE_MS = 2000, /* for how long the former key still opens */
	LEG_CRYPT_SSRCS = 4,      /* of the far end, remembered at a time */
};

struct leg_crypt {
	bool secure;
	struct srtp_keys keys;
	struct srtp_pair *now;    /* NULL when not secure; or there was no memory, and nothing passes */
	struct srtp_pair *before; /* NULL = no former key */
	uint64_t before_until_us;
	uint32_t ssrcs[LEG_CRYPT_SSRCS]; /* known to `now` */
	unsigned newest;
};

/* `keys` matter when `secure`; "client" are ours. The same keys again change nothing. Returns
 * whether packets go out under another key from now on. */
bool leg_crypt_set(
	struct leg_crypt *c, bool secure, const struct srtp_keys *keys, uint64_t now_us);
/* SRTP whose keys are still to come: nothing passes. */
void leg_crypt_wait(struct leg_crypt *c, uint64_t now_us);
void leg_crypt_fini(struct leg_crypt *c); /* zeroed memory is fine */

/* In place. False: drop it; when it came in, the key does not open it. Sealing needs
 * SRTP_TRAILER_BYTES of room behind. */
MUST_USE bool leg_crypt_open(
	struct leg_crypt *c, bool rtcp, uint8_t *packet, size_t *size, uint64_t now_us);
MUST_USE bool leg_crypt_seal(struct leg_crypt *c, bool rtcp, uint8_t *packet, size_t *size);

/* media/srtp.h - SRTP and SRTCP for one transport or phone leg (RFC 3711, RFC 6188, RFC 7714; keys
 * by RFC 5764 or RFC 4568).
 *
 * Owner:   a transport, or a leg.
 * Owns:    keyed ciphers for each direction, and what is known of each SSRC.
 * Thread:  its owner's; two pairs never share anything.
 * Words:   "protect" = clear to cipher, before sending; "unprotect" = the other way.
 */
#pragma once

#include "media/srtp_crypt.h"

enum {
	/* RFC 3711, 3.3.1: a stream that begins lower survives losing its first packets. */
	SRTP_FIRST_SEQ_MAX = 0x7fff,
	SRTP_TRAILER_BYTES = 32, /* the most that protecting adds: 16 of tag, 4 of index, 8 of MKI */
};

struct srtp_pair;
MUST_USE int srtp_pair_new(struct srtp_pair **ret, const struct srtp_keys *keys, bool we_are_client);
struct srtp_pair *srtp_pair_free(struct srtp_pair *p);

/* In place; *size changes. protect needs SRTP_TRAILER_BYTES of room behind. False: the packet
 * is not usable (replayed, forged, malformed); count it and drop it. A packet that was protected
 * already is refused too: its keystream is used up. Only the first of an SSRC allocates. */
MUST_USE bool srtp_pair_protect(struct srtp_pair *p, uint8_t *packet, size_t *size);
/* A packet that was protected lately, the same to the bit: under the same number once more. */
MUST_USE bool srtp_pair_protect_again(struct srtp_pair *p, uint8_t *packet, size_t *size);
MUST_USE bool srtp_pair_unprotect(struct srtp_pair *p, uint8_t *packet, size_t *size);
MUST_USE bool srtp_pair_protect_rtcp(struct srtp_pair *p, uint8_t *packet, size_t *size);
MUST_USE bool srtp_pair_unprotect_rtcp(struct srtp_pair *p, uint8_t *packet, size_t *size);

/* When keys change and one side's stays: what `p` sends (or receives) goes on as in `from`, numbers
 * and all, because a key's keystream must not begin anew. `from` is good for the rest only. */
void srtp_pair_keep_outgoing(struct srtp_pair *p, struct srtp_pair *from);
void srtp_pair_keep_incoming(struct srtp_pair *p, struct srtp_pair *from);

/* `p` has not heard this SSRC yet, and `from` has, beyond the first turn of its sequence: then `p`
 * expects its next packet there. False: nothing was changed. Undone by forgetting the SSRC. */
bool srtp_pair_expect_further(struct srtp_pair *p, const struct srtp_pair *from, uint32_t ssrc);

/* Each SSRC costs memory in the session until it is forgotten. */
void srtp_pair_forget_incoming(struct srtp_pair *p, uint32_t ssrc);
void srtp_pair_forget_outgoing(struct srtp_pair *p, uint32_t ssrc);

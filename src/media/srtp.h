/* media/srtp.h - SRTP and SRTCP for one transport (RFC 3711, RFC 7714, keys by RFC 5764). The
 * only file pair that knows libsrtp2.
 *
 * Owner:   a transport.
 * Owns:    one libsrtp session for each direction.
 * Thread:  its owner's; two pairs never share anything.
 * Words:   "protect" = clear to cipher, before sending; "unprotect" = the other way.
 */
#pragma once

#include "base/base.h"

enum srtp_profile {
	SRTP_PROFILE_AEAD_AES_128_GCM,
	SRTP_PROFILE_AES128_CM_SHA1_80,
};

enum {
	SRTP_KEY_BYTES_MAX = 30, /* master key 16, salt 12 or 14 */
	SRTP_TRAILER_BYTES = 32, /* the most that protecting adds: 16 of tag, 4 of index, spare */
	SRTP_REPLAY_WINDOW = 512,
};

struct srtp_keys {
	enum srtp_profile profile;
	uint8_t client[SRTP_KEY_BYTES_MAX]; /* key, then salt */
	uint8_t server[SRTP_KEY_BYTES_MAX];
};
size_t srtp_profile_key_bytes(enum srtp_profile p);  /* 16 */
size_t srtp_profile_salt_bytes(enum srtp_profile p);

/* Once in the process, before any thread; slow (NSS: some 20 ms). Further calls do nothing. */
MUST_USE int srtp_library_start(void);

struct srtp_pair;
MUST_USE int srtp_pair_new(struct srtp_pair **ret, const struct srtp_keys *keys, bool we_are_client);
struct srtp_pair *srtp_pair_free(struct srtp_pair *p);

/* In place; *size changes. protect needs SRTP_TRAILER_BYTES of room behind. False: the packet
 * is not usable (replayed, forged, malformed); count it and drop it. */
MUST_USE bool srtp_pair_protect(struct srtp_pair *p, uint8_t *packet, size_t *size);
/* A packet that was protected lately, the same to the bit: under the same number once more. */
MUST_USE bool srtp_pair_protect_again(struct srtp_pair *p, uint8_t *packet, size_t *size);
MUST_USE bool srtp_pair_unprotect(struct srtp_pair *p, uint8_t *packet, size_t *size);
MUST_USE bool srtp_pair_protect_rtcp(struct srtp_pair *p, uint8_t *packet, size_t *size);
MUST_USE bool srtp_pair_unprotect_rtcp(struct srtp_pair *p, uint8_t *packet, size_t *size);

/* Each SSRC costs memory in the session until it is forgotten. */
void srtp_pair_forget_incoming(struct srtp_pair *p, uint32_t ssrc);
void srtp_pair_forget_outgoing(struct srtp_pair *p, uint32_t ssrc);

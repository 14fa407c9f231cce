/* media/srtp_keys.h - what two ends must have agreed on before SRTP can begin: a profile, a master key
 * of each, and how packets name it.
 *
 * Owner:   whoever holds it, and wipes it (OPENSSL_cleanse) when the session has it.
 * Owns:    nothing. Thread: any.
 */
#pragma once

#include "base/base.h"

enum srtp_profile {
	SRTP_PROFILE_AEAD_AES_128_GCM,
	SRTP_PROFILE_AES128_CM_SHA1_80,
	SRTP_PROFILE_AES128_CM_SHA1_32, /* RTCP's tag has 80 bits all the same (RFC 4568, 6.2.2) */
	SRTP_PROFILE_AES256_CM_SHA1_80,
	SRTP_PROFILE_AES256_CM_SHA1_32,
	SRTP_PROFILE_AEAD_AES_256_GCM,
	SRTP_PROFILE__COUNT,
};

enum {
	SRTP_KEY_BYTES_MAX = 46, /* master key 16 or 32, salt 12 or 14 */
	SRTP_SALT_BYTES_MAX = 14,
	SRTP_MKI_BYTES_MAX = 8,
};

/* What a sender puts behind its packets to name the key (RFC 3711, 3.1); size 0 = nothing. */
struct srtp_mki {
	uint8_t size;
	uint8_t bytes[SRTP_MKI_BYTES_MAX];
};

static inline bool srtp_mki_equal(const struct srtp_mki *a, const struct srtp_mki *b)
{
	return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

struct srtp_keys {
	enum srtp_profile profile;
	uint8_t client[SRTP_KEY_BYTES_MAX]; /* what the client sends with: key, then salt */
	uint8_t server[SRTP_KEY_BYTES_MAX];
	struct srtp_mki client_mki, server_mki;
};

size_t srtp_profile_key_bytes(enum srtp_profile p); /* 16 or 32 */
size_t srtp_profile_salt_bytes(enum srtp_profile p);

/* wire/sdp_crypto.h - one a=crypto line of a session description (RFC 4568; suites of RFC 6188 and
 * RFC 7714): text <-> struct. Pure and bounded.
 *
 * Owner:   the caller, who wipes the struct when it is done with the key.
 * Owns:    nothing.
 * Thread:  any.
 */
#pragma once

#include "base/reader.h"
#include "base/writer.h"

enum sdp_crypto_suite {
	SDP_CRYPTO_AES_CM_128_HMAC_SHA1_80,
	SDP_CRYPTO_AES_CM_128_HMAC_SHA1_32,
	SDP_CRYPTO_AES_256_CM_HMAC_SHA1_80,
	SDP_CRYPTO_AES_256_CM_HMAC_SHA1_32,
	SDP_CRYPTO_AEAD_AES_128_GCM,
	SDP_CRYPTO_AEAD_AES_256_GCM,
	SDP_CRYPTO__SUITES,
};

enum {
	SDP_CRYPTO_KEY_BYTES_MAX = 46, /* master key 16 or 32, salt 12 or 14 */
	SDP_CRYPTO_MKI_BYTES_MAX = 8,  /* longer names of a key are refused */
	SDP_CRYPTO_TAG_MAX = 999999999,
};

struct sdp_crypto {
	uint32_t tag;
	enum sdp_crypto_suite suite;
	bool old_name; /* AES_CM_256_..., as drafts of RFC 6188 had it and some still write */
	uint8_t key[SDP_CRYPTO_KEY_BYTES_MAX]; /* master key, then salt: sdp_crypto_key_bytes() */
	uint64_t lifetime; /* packets; 0 = not said */
	uint8_t mki_bytes; /* 0 = no MKI */
	uint8_t mki[SDP_CRYPTO_MKI_BYTES_MAX]; /* as in the packets, big-endian */
};

/* Why a line cannot be used. All but the first two say that it is whole, but beyond us. */
enum sdp_crypto_error {
	SDP_CRYPTO_OK,
	SDP_CRYPTO_E_SYNTAX, /* not "tag suite inline:key..." */
	SDP_CRYPTO_E_KEY,    /* not base64, or not of the suite's size */
	SDP_CRYPTO_E_SUITE,  /* one that we do not know */
	SDP_CRYPTO_E_MKI,    /* a name longer than we keep */
	SDP_CRYPTO_E_KEYS,   /* several master keys */
	SDP_CRYPTO_E_PARAM,  /* a session parameter that weakens or changes SRTP (RFC 4568, 6.3) */
	SDP_CRYPTO__COUNT,
};
/* `value` is what follows "a=crypto:". On failure *ret holds no key. */
MUST_USE enum sdp_crypto_error sdp_crypto_parse(struct sdp_crypto *ret, struct span value);
const char *sdp_crypto_error_text(enum sdp_crypto_error e); /* "...: a sentence's end" */

/* "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:...|2^31|1:1" with its line end. */
void sdp_crypto_write(struct writer *w, const struct sdp_crypto *c);

const char *sdp_crypto_suite_name(enum sdp_crypto_suite s);
/* False when there is none of this name. */
MUST_USE bool sdp_crypto_suite_named(enum sdp_crypto_suite *ret, struct span name);
size_t sdp_crypto_key_bytes(enum sdp_crypto_suite s); /* 28, 30, 44 or 46 */

void sdp_crypto_wipe(struct sdp_crypto *c);

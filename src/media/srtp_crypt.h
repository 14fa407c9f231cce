/* media/srtp_crypt.h - what the SRTP profiles do to the bytes of one packet: AES-GCM (RFC 7714), or
 * AES-CM with HMAC-SHA1 (RFC 3711, RFC 6188), and the keys that they derive. Contexts of OpenSSL
 * are kept keyed, so that a packet costs only its own blocks.
 *
 * Owner:   media/srtp.c, one for each direction and kind.
 * Owns:    the keyed contexts and the session salt.
 * Thread:  its owner's.
 * Words:   "head" = authenticated and in the clear; "body" = enciphered in place.
 */
#pragma once

#include "media/srtp_keys.h"

#include <openssl/evp.h>

enum { SRTP_TAG_BYTES_MAX = 16 };

/* The first label of each kind; salt and authentication follow (RFC 3711, 4.3.1). */
enum srtp_kind {
	SRTP_KIND_RTP = 0,
	SRTP_KIND_RTCP = 3,
};

struct srtp_crypt {
	enum srtp_profile profile;
	enum srtp_kind kind;
	uint8_t salt[SRTP_SALT_BYTES_MAX];
	EVP_CIPHER_CTX *cipher;
	EVP_MAC_CTX *mac; /* NULL with AES-GCM, which needs none */
};

struct srtp_parts {
	const uint8_t *head;
	size_t head_size;
	uint8_t *body;
	size_t body_size;
	uint8_t *tag; /* srtp_crypt_tag_bytes() */
	uint32_t ssrc;
	uint64_t index; /* RTP: rollover counter and sequence, 48 bits; RTCP: 31 bits */
};

bool srtp_crypt_is_aead(const struct srtp_crypt *c); /* the tag belongs to the ciphertext */
size_t srtp_crypt_tag_bytes(const struct srtp_crypt *c);

/* `master`: key, then salt. `seals`: it enciphers; else it opens. A zeroed one may be ended. */
MUST_USE int srtp_crypt_init(struct srtp_crypt *c, enum srtp_profile profile, enum srtp_kind kind,
	const uint8_t *master, bool seals);
void srtp_crypt_fini(struct srtp_crypt *c);

/* Enciphers the body and writes the tag. False: OpenSSL would not, for reasons of its own. */
MUST_USE bool srtp_crypt_seal(struct srtp_crypt *c, const struct srtp_parts *p);
/* False: not what the holder of the key sent. The body is then of no use. */
MUST_USE bool srtp_crypt_open(struct srtp_crypt *c, const struct srtp_parts *p);
/* What the index looks like behind an RTCP packet: 31 bits and the mark of encryption. */
void srtp_rtcp_trailer(uint8_t ret[4], uint64_t index);

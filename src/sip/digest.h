/* sip/digest.h - digest access authentication (RFC 7616, RFC 2617, RFC 8760): what a client
 * answers to a challenge, and whether an answer is right.
 *
 * Owner:   struct sip_authorizer: one per request that may be challenged.
 * Owns:    nothing on the heap. Pure but for OpenSSL's hashes; randomness is given.
 * Thread:  its owner's.
 */
#pragma once

#include "base/writer.h"
#include "wire/sip_auth.h"
#include "wire/sip_message.h"

enum sip_digest_algorithm {
	SIP_DIGEST_UNKNOWN,
	SIP_DIGEST_MD5, /* weakest first: a larger one is taken when both are offered */
	SIP_DIGEST_MD5_SESS,
	SIP_DIGEST_SHA256,
	SIP_DIGEST_SHA256_SESS,
	SIP_DIGEST_SHA512_256,
	SIP_DIGEST_SHA512_256_SESS,
	SIP_DIGEST__COUNT,
};

enum { SIP_DIGEST_HEX_SIZE = 65, SIP_CNONCE_SIZE = 25 };

enum sip_qop {
	SIP_QOP_NONE, /* RFC 2069 form, without nc and cnonce */
	SIP_QOP_AUTH,
	SIP_QOP_AUTH_INT, /* the body is signed, too */
};

struct sip_digest_input {
	enum sip_digest_algorithm algorithm;
	struct span username, password, realm, nonce, cnonce;
	struct span nc; /* eight hex digits */
	enum sip_qop qop;
	struct span method, uri, body;
};

enum sip_digest_algorithm sip_digest_algorithm_of(struct span name); /* empty = MD5 */
const char *sip_digest_algorithm_text(enum sip_digest_algorithm a);
MUST_USE int sip_digest_response(char out[SIP_DIGEST_HEX_SIZE], const struct sip_digest_input *in);

/* What has been challenged so far. Several realms may ask at once (a proxy and the far end); each is
 * answered once for a request, and again when it says that its nonce is stale, or once with another nonce. The next request
 * comes with credentials by the same nonces, counted on, so that it need not be challenged (RFC 7616
 * section 3.4.4). */
enum { SIP_REALMS_MAX = 4, SIP_REALM_SIZE = 128, SIP_NONCE_SIZE = 1024, SIP_AUTH_TRIES_MAX = 5 };

struct sip_authorizer {
	unsigned tries;
	size_t count;
	struct sip_realm {
		bool proxy; /* 407: Proxy-Authorization */
		enum sip_digest_algorithm algorithm;
		bool names_algorithm; /* the challenge did, so the answer does */
		bool answered; /* for the present request */
		bool renewed;  /* ... and again, though nothing was said of "stale" */
		enum sip_qop qop;
		bool has_opaque;
		uint32_t nc;
		char realm[SIP_REALM_SIZE];
		char nonce[SIP_NONCE_SIZE];
		char opaque[SIP_NONCE_SIZE];
	} realms[SIP_REALMS_MAX];
};

/* Outcomes of sip_authorizer_challenged(). */
enum {
	SIP_AUTH_E_REFUSED = 1, /* it has seen our answer and did not like it */
	SIP_AUTH_E_UNKNOWN,     /* no challenge that we can answer */
};

/* Another request begins: whatever realm asks may be answered once more. */
void sip_authorizer_begin(struct sip_authorizer *a);
/* A 2xx may have another nonce for what follows (RFC 7616 section 3.5): which then need not be challenged. */
void sip_authorizer_renew(struct sip_authorizer *a, const struct sip_message *response);
/* Takes in a 401 or 407. Either may hold challenges of both kinds, which a proxy that forks has collected
 * (RFC 3261 section 22.3), and some far ends mix up which belongs to which status. 0 = send the request again with sip_authorizer_write(). */
MUST_USE int sip_authorizer_challenged(
	struct sip_authorizer *a, const struct sip_message *response);
/* Writes the header lines; nothing when there was no challenge. `cnonce` should be random.
 * Returns 0 or a negative error. */
MUST_USE int sip_authorizer_write(struct writer *w, struct sip_authorizer *a, const char *username,
	const char *password, struct span method, struct span uri, struct span body,
	const char *cnonce);

/* Server side: is `credentials` (of Authorization or Proxy-Authorization) right? */
enum {
	SIP_VERIFY_E_NONE = 1, /* no credentials for this realm */
	SIP_VERIFY_E_NONCE,    /* another nonce than ours: challenge again with stale=true */
	SIP_VERIFY_E_USER,     /* another user name */
	SIP_VERIFY_E_RESPONSE, /* wrong password, or another URI or method */
};
/* `header` is SIP_H_AUTHORIZATION or SIP_H_PROXY_AUTHORIZATION. `nonce` NULL = any: the caller
 * checks it. 0 = right, or an outcome above, or a negative error. */
MUST_USE int sip_digest_verify(const struct sip_message *request, enum sip_header_id header,
	const char *realm, const char *nonce, const char *username, const char *password);

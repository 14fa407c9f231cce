/* wire/sip_auth.h - challenges and credentials as text (RFC 7616 sections 3.3, 3.4; RFC 3261
 * section 22.4). What is computed from them is in sip/digest.h.
 *
 * Owner:   the caller; every span points into the caller's bytes.
 * Owns:    nothing. Pure. Fuzzed by test/fuzz/fuzz_sip_auth.c.
 * Thread:  any.
 */
#pragma once

#include "base/base.h"

/* Values are without their quotes, backslashes kept: they are hashed and echoed as they came. */
struct sip_auth {
	struct span scheme; /* "Digest" */
	struct span realm, nonce, opaque, algorithm, qop, domain;
	bool stale;
	struct span username, uri, response, nc, cnonce; /* credentials only */
};

/* Takes the next challenge off a header value: several may stand in one, separated by commas
 * like their parameters. False at the end and when the rest makes no sense. */
bool sip_auth_next(struct span *rest, struct sip_auth *ret);

/* Of Authentication-Info and Proxy-Authentication-Info (RFC 7616 section 3.5): the nonce to use from now on.
 * False: it says none. */
bool sip_auth_next_nonce(struct span value, struct span *ret);

/* Whether the qop list names it: "auth", "auth-int". */
bool sip_auth_offers(const struct sip_auth *a, const char *qop);

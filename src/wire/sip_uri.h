/* wire/sip_uri.h - SIP and tel URIs (RFC 3261 section 19.1, RFC 3966), and the ";name=value"
 * lists that URIs and headers share.
 *
 * Owner:   the caller; every span points into the caller's bytes.
 * Owns:    nothing. Pure: no allocation, no clock. Fuzzed by test/fuzz/fuzz_sip_uri.c.
 * Thread:  any.
 */
#pragma once

#include "base/base.h"
#include "base/writer.h"

enum sip_scheme {
	SIP_SCHEME_SIP,
	SIP_SCHEME_SIPS,
	SIP_SCHEME_TEL,
	SIP_SCHEME_OTHER,
};

struct sip_uri {
	enum sip_scheme scheme;
	struct span user; /* escapes kept as written; may hold ";npdi;rn=..." (tel parameters) */
	struct span password;
	struct span host; /* without the brackets of an IPv6 reference; the number of a tel URI */
	bool host_is_ipv6;
	uint16_t port;       /* 0 = not given */
	struct span params;  /* "transport=tcp;lr", without the leading ';' */
	struct span headers; /* after '?' */
};

/* Outcome of sip_uri_parse(). */
enum {
	SIP_URI_E_BAD = 1, /* *ret is untouched */
};

/* SIP_SCHEME_OTHER parses whatever follows the colon into `host`: the caller answers 416. */
MUST_USE int sip_uri_parse(struct sip_uri *ret, struct span text);
void sip_uri_write(struct writer *w, const struct sip_uri *uri);

/* Finds `name` in "a=1;b;c=\"x;y\"". `ret_value` may be NULL; it is empty for a bare name. Quotes
 * around a value are taken off. */
bool sip_param_get(struct span params, const char *name, struct span *ret_value);

/* Decimal number that must fill the span. False when it is none or passes `max`. */
bool sip_number(struct span text, uint32_t max, uint32_t *ret);

/* Without the blanks, tabs and folded line ends around it. */
struct span sip_trim(struct span s);

/* Takes the first `size` bytes off; there must be so many. */
struct span sip_take(struct span *s, size_t size);

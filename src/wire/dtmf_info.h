/* wire/dtmf_info.h - digits in the body of a SIP INFO, as gateways sent them before and beside
 * RFC 4733: application/dtmf-relay ("Signal=5", "Duration=160") and application/dtmf ("5").
 *
 * Pure: bytes in, struct out, and back. Fuzzed by test/fuzz/fuzz_dtmf_info.c.
 */
#pragma once

#include "base/base.h"
#include "base/writer.h"

enum { DTMF_INFO_SIZE = 64 /* of a body that is written */ };
enum { DTMF_INFO_DIGITS_MAX = 32, DTMF_INFO_MS_MAX = 5000 };

struct dtmf_info {
	char digits[DTMF_INFO_DIGITS_MAX + 1]; /* of "0123456789*#ABCD", ends with zero */
	uint32_t duration_ms;                  /* 0 = not said; at most DTMF_INFO_MS_MAX */
};

/* False when there is no digit in it that we know (a flash, for one). More than fit are left out. */
MUST_USE bool dtmf_info_parse(struct dtmf_info *ret, struct span body);
/* One key, as application/dtmf-relay. */
void dtmf_info_write(struct writer *w, char digit, unsigned duration_ms);

/* wire/dtmf_info.h - keys in the body of a SIP INFO, as PBXs send them: no RFC has it, these are what
 * is in use.
 *
 *   application/dtmf-relay   Signal=5\r\nDuration=160\r\n
 *   application/dtmf         5
 *
 * Pure. Fuzzed by test/fuzz/fuzz_dtmf_info.c.
 */
#pragma once

#include "base/base.h"
#include "base/writer.h"

enum {
	DTMF_INFO_USUAL_MS = 250, /* where none is said */
	DTMF_INFO_LEAST_MS = 40,  /* ITU-T Q.24; shorter ones are made as long */
	DTMF_INFO_MOST_MS = 6000,
	DTMF_INFO_SIZE = 64,      /* of a body that is written */
};

struct dtmf_info {
	char digit; /* "0-9*#A-D" */
	unsigned duration_ms;
};

/* False when it is another type, or no key. "10" and "11" are * and #, "12" to "15" A to D. */
MUST_USE bool dtmf_info_parse(struct dtmf_info *ret, struct span content_type, struct span body);
/* The body of application/dtmf-relay. */
void dtmf_info_write(struct writer *w, const struct dtmf_info *i);

/* wire/sip_frag.h - how far a transfer has come: the message/sipfrag of a NOTIFY (RFC 3420, RFC 3515).
 * Pure. Thread: any. Owner, owns: nothing; `reason` points into the body. Fuzzed with whole messages.
 */
#pragma once

#include "base/base.h"

/* Outcome of sip_frag_parse(). */
enum {
	SIP_FRAG_E_BAD = 1, /* no status line */
};
/* "SIP/2.0 200 OK", whatever follows it. */
MUST_USE int sip_frag_parse(struct span body, unsigned *ret_status, struct span *ret_reason);

/* wire/dns_ttl.h - for how long a DNS answer may be kept (RFC 1035 section 4.1).
 *
 * Owner, owns: nothing. Pure. Fuzzed by test/fuzz/fuzz_dns_ttl.c. Thread: any.
 */
#pragma once

#include "base/base.h"

/* The shortest TTL, in seconds, of the records in the answer section of a whole message. One with the top
 * bit set is 0 (RFC 2181 section 8). False when there are none, or it cannot be read. */
MUST_USE bool dns_ttl_read(struct span message, uint32_t *ret_s);

/* wire/sip_mask.h - takes the secrets out of a SIP message that is to be kept or shown. In place, each
 * byte of a secret a '*', so that lengths (Content-Length, a trace's) stay true.
 *
 * Masked: the digest's response (and whatever else of Authorization is no public parameter), other
 * schemes' credentials, headers whose name speaks of a token, password, secret, key or cookie, the
 * password of a SIP URI; in bodies the keys of a=crypto (RFC 4568), ice-pwd, k=, a=key-mgmt, and digits,
 * which may be a PIN: whatever an INFO carries, and bodies and parts whose type is one for digits.
 *
 * Owner, owns: nothing. Pure. Fuzzed by test/fuzz/fuzz_sip_mask.c. Thread: any.
 */
#pragma once

#include "base/base.h"

void sip_mask(uint8_t *bytes, size_t size);

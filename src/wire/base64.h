/* wire/base64.h - RFC 4648: both alphabets, written with or without padding, read as tolerantly as
 * people's clients need. Pure. Thread: any. */
#pragma once

#include "base/base.h"

/* Characters that `size` bytes need, padding and the final zero included. */
#define BASE64_TEXT_SIZE(size) (((size) + 2) / 3 * 4 + 1)

/* Both end `out` with a zero and return the length without it. The second has the alphabet that
 * URLs need, and no padding. */
size_t base64_encode(char *out, struct span in);
size_t base64_encode_url(char *out, struct span in);

/* Outcome of base64_decode(). */
enum {
	BASE64_E_BAD = 1, /* a character of neither alphabet, or an impossible length */
};
/* `out` holds at least in.size / 4 * 3 + 3 bytes; it may be the same memory as `in`. Either
 * alphabet, padding optional. */
MUST_USE int base64_decode(uint8_t *out, size_t *out_size, struct span in);

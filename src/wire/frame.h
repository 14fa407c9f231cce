/* wire/frame.h - RFC 4571: packets on a byte stream, each behind its length in two bytes.
 *
 * Pure. Fuzzed by test/fuzz/fuzz_frame.c.
 */
#pragma once

#include "base/base.h"

enum { FRAME_HEADER_BYTES = 2 };

enum frame_result {
	FRAME_OK,
	FRAME_MORE,     /* what is left of `in` is less than one frame */
	FRAME_TOO_LONG, /* the next one has more than `max` bytes */
};

/* Takes the next packet off the front of `in`. Empty ones, which the RFC allows, are passed over. */
MUST_USE enum frame_result frame_take(struct span *packet, struct span *in, size_t max);
/* What goes before a packet of `size` bytes, at most 65,535. */
void frame_header(uint8_t out[FRAME_HEADER_BYTES], size_t size);

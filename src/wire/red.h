/* wire/red.h - redundant audio (RFC 2198): several blocks in one payload, the newest last.
 *
 * Pure. Fuzzed by test/fuzz/fuzz_red.c.
 */
#pragma once

#include "base/base.h"

enum { RED_BLOCKS_MAX = 8 };

struct red_block {
	uint8_t payload_type;
	uint16_t timestamp_offset; /* how much older than the packet's timestamp; 0 = primary */
	struct span data;          /* may be empty; points into the payload */
};

/* Blocks from oldest to newest, at least one: the last is the primary. Returns how many, or 0
 * when the payload is malformed or has more than RED_BLOCKS_MAX. */
MUST_USE size_t red_parse(struct red_block ret[RED_BLOCKS_MAX], struct span payload);

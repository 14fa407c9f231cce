/* wire/red.h - redundant audio payloads (RFC 2198): find the block that is new.
 *
 * Pure. Fuzzed by test/fuzz/fuzz_red.c.
 */
#pragma once

#include "base/base.h"

struct red_block {
	uint8_t payload_type;
	struct span payload;
};

/* The primary block: the last one, the sound of the packet's own timestamp. False when the headers
 * or the redundant blocks do not fit into the payload. */
MUST_USE bool red_primary(struct red_block *ret, struct span payload);

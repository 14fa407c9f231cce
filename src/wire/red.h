/* wire/red.h - redundant audio payloads (RFC 2198): the sound of a packet and of some before it.
 *
 * Pure. Fuzzed by test/fuzz/fuzz_red.c.
 */
#pragma once

#include "base/writer.h"

enum { RED_BLOCKS_MAX = 8 }; /* more than that many packets back is of no use to anyone */

struct red_block {
	uint8_t payload_type;
	uint16_t offset; /* RTP clock ticks before the packet's timestamp; 0 for the primary */
	struct span payload;
};

/* Fills `ret` from the oldest block to the primary one, the packet's own sound, which is last.
 * Returns how many; 0 when the blocks do not fit into the payload or are too many. */
MUST_USE size_t red_parse(struct red_block ret[RED_BLOCKS_MAX], struct span payload);

/* Are all blocks of this payload type? */
MUST_USE bool red_is_of(struct span payload, uint8_t payload_type);
/* The payload with `payload_type` for every block, as the receiver calls the codec. `w->bad`
 * afterwards when it does not fit; written as it is when it cannot be parsed. */
void red_write_as(struct writer *w, struct span payload, uint8_t payload_type);

/* media/noise.h - comfort noise: made noise at the level that the sender named (RFC 3389, section 3).
 * Its spectrum is not followed: flat noise with the treble off, as a quiet line sounds.
 *
 * Owner:   whoever embeds it; zeroed memory is a valid start.
 * Owns:    nothing. Thread: its owner's. Pure.
 */
#pragma once

#include "base/base.h"

struct noise {
	uint32_t seed;
	int32_t last;
};

/* `level` in -dBov, 0 to 127: 127 is silence (RFC 3389, 3.1). */
void noise_make(struct noise *n, int16_t *out, size_t count, uint8_t level);

/* media/ring_tone.h - a telephone exchange's tone, frame by frame: up to two frequencies with a cadence
 * (ITU-T E.180). Pure: floats and the clock of its own frames. All zero: off.
 *
 * Owner:   whoever plays it: a leg towards the room, or towards the phone.
 * Owns:    nothing.
 * Thread:  the owner's.
 */
#pragma once

#include "media/media.h"

struct ring_tone {
	struct media_ringback tone;
	uint32_t cycle_ms; /* 0 = off */
	uint32_t at_ms;    /* within the cycle */
};

/* From the beginning of its cadence; a tone without a cadence is off. */
void ring_tone_start(struct ring_tone *r, const struct media_ringback *tone);
static inline bool ring_tone_is_on(const struct ring_tone *r)
{
	return r->cycle_ms;
}
/* The next `count` samples at `hz`, whole milliseconds of them. Only while it is on. */
void ring_tone_next(struct ring_tone *r, int16_t *out, size_t count, uint32_t hz);

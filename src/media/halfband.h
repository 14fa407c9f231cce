/* media/halfband.h - from 8 to 16 kHz and back: for G.711 heard by a wideband phone, and G.722 by one
 * that has G.711. A half-band filter of 47 taps: flat to 3400 Hz, 40 dB down at 4600 Hz, 1.5 ms late.
 *
 * Owner:   whoever embeds it; zeroed memory is a valid start. One direction for each.
 * Owns:    nothing. Thread: its owner's. Pure.
 */
#pragma once

#include "base/base.h"

enum { HALFBAND_REACH = 23, HALFBAND_SAMPLES_MAX = 1920 };

struct halfband {
	int16_t kept[2 * HALFBAND_REACH]; /* the latest input */
};

/* `count` samples become 2 * count, at most HALFBAND_SAMPLES_MAX. */
void halfband_up(struct halfband *h, int16_t *out, const int16_t *in, size_t count);
/* `count`, even and at most HALFBAND_SAMPLES_MAX, become count / 2. In place is fine. */
void halfband_down(struct halfband *h, int16_t *out, const int16_t *in, size_t count);

/* media/stretch.h - make a stretch of sound a little shorter without a click: takes out one or
 * more whole pitch periods where the waveform fits best onto itself.
 *
 * Pure. Thread: any. This is how a jitter buffer that has grown too deep, or whose sender's clock
 * is fast, gets rid of sound (about 10 us, once in a while).
 */
#pragma once

#include "base/base.h"

enum {
	/* Samples at 8 kHz; at 16 kHz twice as many. */
	STRETCH_MIN = 80,   /* 10 ms ... */
	STRETCH_MAX = 160,  /* ... to 20 ms are cut, whatever fits best */
	STRETCH_BLEND = 80, /* cross-fade */
	STRETCH_NEEDS = STRETCH_MAX + STRETCH_BLEND,
};

/* Shortens `count` samples in place (unchanged if fewer than STRETCH_NEEDS); returns how many
 * are left. `scale` 1 at 8 kHz, 2 at 16 kHz. */
size_t stretch_cut(int16_t *pcm, size_t count, unsigned scale);

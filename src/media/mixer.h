/* media/mixer.h - add voices up: frames of 20 ms, all at one rate, clipped at the ends of the range.
 *
 * Owner:   whoever embeds it; lives for one beat.
 * Owns:    nothing.
 * Thread:  its owner's. Pure.
 */
#pragma once

#include "base/base.h"

enum { MIXER_FRAME_MAX = 320 }; /* at 16 kHz */

struct mixer {
	unsigned voices; /* how many were added; 0 = silence */
	size_t count;    /* samples of a frame */
	int32_t sum[MIXER_FRAME_MAX];
};

static inline void mixer_init(struct mixer *m, size_t count)
{
	m->voices = 0;
	m->count = count;
}
/* Silent voices are simply not added. */
void mixer_add(struct mixer *m, const int16_t *pcm);
void mixer_take(const struct mixer *m, int16_t *out);

/* RFC 6464 level of a piece of sound: 0 = as loud as it gets (0 dBov), 127 = silence. */
uint8_t mixer_level(const int16_t *pcm, size_t count);

/* test/bench/sound.h - what the far ends say: one loop of 20 ms frames, made before the load
 * begins, so that making it costs nothing then. Thread: any. */
#pragma once

#include "base/base.h"

enum { SOUND_FRAMES = 25, SOUND_OPUS_MAX = 400, SOUND_PCMU_BYTES = 160, SOUND_HZ = 8000 };

enum sound_kind {
	SOUND_SPEECH, /* all frames are voiced: the dear case for every codec */
	SOUND_BURST,  /* faint noise, and in the first frame a loud tone */
};

struct sound {
	uint8_t opus[SOUND_FRAMES][SOUND_OPUS_MAX]; /* 48 kHz mono, 24 kbit/s, as browsers send */
	size_t opus_size[SOUND_FRAMES];
	uint8_t pcmu[SOUND_FRAMES][SOUND_PCMU_BYTES];
	uint8_t level[SOUND_FRAMES]; /* RFC 6464 */
	/* SOUND_BURST: how long after the first frame's beginning a plain decoder hears the burst. */
	uint32_t opus_onset_us, pcmu_onset_us;
};

/* Returns 0 or a negative error. */
MUST_USE int sound_make(struct sound *ret, enum sound_kind kind);
/* The first loud sample, or `count` when there is none. */
size_t sound_onset(const int16_t *pcm, size_t count);
static inline uint32_t sound_us(size_t samples)
{
	return (uint32_t)(samples * 1000000 / SOUND_HZ);
}

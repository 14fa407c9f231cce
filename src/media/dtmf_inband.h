/* media/dtmf_inband.h - keys heard in the sound itself (ITU-T Q.23, Q.24), for phones that send no
 * telephone-event. Blocks of 13 ms; a key is one whose two tones are all that there is in two blocks in
 * a row, and it is over after two without it.
 *
 * Against speech that sounds like keys (talk-off): both tones must stand out of their group, differ in
 * loudness by no more than exchanges allow, hold nearly all of the sound's power, and stay as loud as
 * they are.
 *
 * Owner:   the leg that embeds it.
 * Owns:    nothing. Thread: its owner's. Pure.
 */
#pragma once

#include "base/base.h"

enum { DTMF_INBAND_TONES = 8, DTMF_INBAND_BLOCK = 102 /* samples at 8 kHz */ };

struct dtmf_inband {
	uint32_t hz; /* 0 = off */
	float turn[DTMF_INBAND_TONES]; /* 2 cos of each tone's angle for a sample */
	float s1[DTMF_INBAND_TONES], s2[DTMF_INBAND_TONES];
	float power; /* of the block so far */
	unsigned count, block;
	char last;   /* of the last block, 0 = none */
	float low, high; /* power of its loudest tones */
	bool steady; /* as before */
	char key;    /* that is held down, 0 = none */
	unsigned missed; /* blocks without it */
};

void dtmf_inband_init(struct dtmf_inband *d, uint32_t hz); /* 8000 or 16000 */
/* Returns how many keys began in this sound, at most `max`, written to `keys`. */
size_t dtmf_inband_put(struct dtmf_inband *d, const int16_t *pcm, size_t count, char *keys, size_t max);

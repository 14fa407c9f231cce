/* media/plc.h - hide lost packets of a codec that has no concealment of its own (G.711, G.722): repeats
 * the last pitch period, fades to silence within 60 ms, and blends the real sound back in. The idea
 * of ITU-T G.711 appendix I, without its delay. (spandsp's is not used: it copies overlapping
 * memory with memcpy.)
 *
 * Owner:   whoever embeds it.
 * Owns:    nothing outside itself.
 * Thread:  its owner's. Pure.
 */
#pragma once

#include "base/base.h"

enum {
	/* Samples at 8 kHz; at 16 kHz twice as many. */
	PLC_PITCH_SHORTEST = 40, /* 200 Hz; a higher voice repeats several periods */
	PLC_PITCH_LONGEST = 120, /* 66 Hz */
	PLC_COMPARED = 160,
	PLC_KEPT = PLC_COMPARED + PLC_PITCH_LONGEST,
	PLC_STEADY = 80,   /* made-up sound keeps its level for 10 ms ... */
	PLC_FADED = 480,   /* ... and is gone after 60 ms */
	PLC_SCALE_MAX = 2,
};

struct plc {
	unsigned scale; /* 1 at 8 kHz, 2 at 16 kHz */
	int16_t kept[PLC_KEPT * PLC_SCALE_MAX];           /* the latest real or made-up sound */
	int16_t cycle[PLC_PITCH_LONGEST * PLC_SCALE_MAX]; /* what is repeated */
	unsigned pitch, at;
	unsigned missing; /* samples made up in a row; 0 = all is well */
};

void plc_init(struct plc *p, uint32_t hz); /* 8000 or 16000; also to begin anew */
/* Received sound; after a loss its first samples are blended with the made-up ones. */
void plc_received(struct plc *p, int16_t *pcm, size_t count);
void plc_missing(struct plc *p, int16_t *out, size_t count);

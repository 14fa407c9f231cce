/* room/quality.h - how good a voice's connection is, from what was measured of it: a simplified
 * E-model (ITU-T G.107) scored and smoothed as LiveKit does, since its clients show the result.
 *
 * Owner:   whoever embeds it (a track that comes in, one that goes out). Zeroed memory is excellent.
 * Thread:  its owner's. Pure: windows in, score out.
 *
 * Score: 100 - loss in % times its weight - delay in ms / 40 (past 160 ms, a step for every 10). It
 * falls fast and rises slowly. Loss weighs less while few packets flow (DTX), and less in RED, whose
 * packets carry copies.
 */
#pragma once

#include "base/base.h"

#include "livekit_models.pb-c.h"

enum {
	QUALITY_WINDOW_MS = 5000,
	QUALITY_SILENT_UP_MS = 5000,    /* a publisher of whom nothing came for so long is lost */
	QUALITY_SILENT_DOWN_MS = 15000, /* a listener that did not report for so long: some do it rarely */
};

struct quality {
	bool measured, was_muted;
	float score; /* 0..100 */
	float most_per_s; /* packets */
	uint64_t expected, lost, sent;
	uint64_t at_ms;
};

/* Counts since the voice began. */
struct quality_window {
	uint64_t now_ms;
	bool up;    /* from a publisher to us, or from us to a listener */
	bool muted; /* nobody expects anything */
	bool red;
	uint64_t expected, lost; /* packets: what should have come, as the receiver counts */
	uint64_t sent;           /* to a listener; 0 when `up` */
	uint32_t jitter_us, rtt_us;
	uint32_t silent_ms; /* since anything was heard of it */
};

void quality_put(struct quality *q, const struct quality_window *w);

/* Of a participant: its worst voice. */
struct connection_quality {
	Livekit__ConnectionQuality quality;
	float score; /* mean opinion score, 1..4.5 */
};
/* EXCELLENT with the best score: nothing was measured. */
struct connection_quality quality_best(void);
/* Of a mean opinion score by ITU-T G.107: its annex B calls 4.03 and more satisfying, and past 3.10
 * many are dissatisfied. */
struct connection_quality quality_of_mos(float mos);
/* `worst` becomes the worse of itself and `q`. */
void quality_add(struct connection_quality *worst, const struct quality *q);

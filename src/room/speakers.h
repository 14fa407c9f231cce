/* room/speakers.h - how loud somebody is, smoothed as LiveKit does it. Pure: windows in, level out.
 *
 * Owner:   whoever embeds it (a track). Zeroed memory is silence.
 * Thread:  its owner's.
 *
 * Media tells of windows of `interval_ms`: the loudest packet (RFC 6464: 0 loud ... 127 silent) and
 * for how long packets were loud enough to count. Clients compare our levels with their own
 * thresholds, so the defaults are LiveKit's.
 */
#pragma once

#include "base/base.h"

enum { SPEAKERS_STEPS = 8 }; /* levels that clients are told are eighths */

/* LiveKit's `audio`. */
struct speakers_config {
	uint8_t active_level;   /* -dBov: a packet this loud or louder counts as active */
	uint8_t min_percentile; /* of a window must be active, or it is silence */
	uint32_t interval_ms;   /* of windows and updates; 0 = all of this is the default */
	uint32_t smooth_intervals;
};
/* 35, 40 %, 400 ms, 2. */
struct speakers_config speakers_default(void);

struct loudness {
	float smoothed;    /* 0..1 */
	uint64_t heard_ms; /* when the last window came */
};

/* `level` is the loudest of the window in -dBov, `active_ms` how much of it was at least
 * `active_level`. Windows shorter than `interval_ms` count for what they are. */
void loudness_window(struct loudness *l, const struct speakers_config *c, uint64_t now_ms,
	uint8_t level, uint16_t active_ms, uint16_t observed_ms);
void loudness_silence(struct loudness *l); /* muted */

/* 0, or the level rounded up to the next eighth when it is loud enough to be called speaking. Two
 * intervals without a window are silence (DTX sends nothing). */
float loudness_level(const struct loudness *l, const struct speakers_config *c, uint64_t now_ms);

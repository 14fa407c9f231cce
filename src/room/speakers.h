/* room/speakers.h - how loud somebody is, smoothed as LiveKit does it. Pure: windows in, level out.
 *
 * Owner:   whoever embeds it (a track). Zeroed memory is silence.
 * Thread:  its owner's.
 *
 * Media tells of windows of about 400 ms: the loudest packet (RFC 6464: 0 loud ... 127 silent) and
 * for how long packets were loud enough to count. Clients compare our levels with their own
 * thresholds, so the numbers are LiveKit's, not ours to tune.
 */
#pragma once

#include "base/base.h"

enum {
	SPEAKERS_WINDOW_MS = 400,
	SPEAKERS_LEAST_ACTIVE_PERCENT = 40,
	SPEAKERS_STALE_MS = 800, /* after that without a window: silence (DTX sends nothing) */
	SPEAKERS_QUIETEST = 35,  /* -dBov: a packet louder than this counts as active */
	SPEAKERS_STEPS = 8,      /* levels that clients are told are eighths */
};

struct loudness {
	float smoothed;    /* 0..1 */
	uint64_t heard_ms; /* when the last window came */
};

/* `level` is the loudest of the window in -dBov, `active_ms` how much of it was at least
 * SPEAKERS_QUIETEST. Windows shorter than SPEAKERS_WINDOW_MS count for what they are. */
void loudness_window(struct loudness *l, uint64_t now_ms, uint8_t level, uint16_t active_ms,
	uint16_t observed_ms);
void loudness_silence(struct loudness *l); /* muted */

/* 0, or the level rounded up to the next eighth when it is loud enough to be called speaking. */
float loudness_level(const struct loudness *l, uint64_t now_ms);

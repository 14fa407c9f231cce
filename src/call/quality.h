/* call/quality.h - how good a call sounds: the leg's figures, and what the E-model makes of them
 * (media/mos.h). Each direction has its own score: the phone's voice as the room hears it, by what we
 * received; the room as the phone hears it, by what the phone reports (RTCP).
 *
 * Owner:   the call that embeds the meter; zeroed memory is a valid start.
 * Owns:    nothing.
 * Thread:  the control thread. Pure.
 */
#pragma once

#include "media/media.h"
#include "room/quality.h"

enum { CALL_METER_WINDOW = 5 /* figures: as many seconds */ };

struct call_quality {
	struct media_leg_stats stats; /* the last figures, up to a second old */
	float mos_in, mos_out;        /* of the whole call, 1 to 4.41; 0 = not known */
	float mos_in_worst, mos_out_worst; /* of any five seconds */
};

struct call_meter {
	unsigned seconds; /* that were measured; 0 = nothing is known */
	float delays_in, delays_out; /* sums over them, ms */
	unsigned count; /* of figures in this window */
	struct media_leg_stats before; /* at its beginning */
	struct call_quality quality;
	float mos_in_now, mos_out_now; /* of the last window; 0 = nothing came in it */
};

/* True when a window is full: the scores of now are new. */
bool call_meter_put(struct call_meter *m, const struct media_leg_stats *s);
/* Of the last window, the worse direction. False when neither is known. */
MUST_USE bool call_meter_now(const struct call_meter *m, struct connection_quality *ret);

/* media/plc.h - hide lost packets of a codec that has no concealment of its own (G.711): repeats
 * the last pitch period, fades to silence within 50 ms, and blends the real sound back in.
 *
 * Owner:   whoever embeds it.
 * Owns:    nothing outside itself.
 * Thread:  its owner's. No allocation.
 */
#pragma once

#include "base/base.h"

#include <spandsp/telephony.h>

#include <spandsp/plc.h>

struct plc {
	plc_state_t state;
};

void plc_reset(struct plc *p);
/* Received sound; after a loss its first samples are blended with the made-up ones. */
void plc_received(struct plc *p, int16_t *pcm, size_t count);
void plc_missing(struct plc *p, int16_t *out, size_t count);

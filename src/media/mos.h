/* media/mos.h - how good a phone line sounds, reckoned from what was measured of it: the E-model
 * (ITU-T G.107) with its default values, and the codecs' robustness (ITU-T G.113, appendix I).
 *
 *   R = 93.2 - Idd(delay) - Ie_eff,   Ie_eff = Ie + (95 - Ie) * Ppl / (Ppl / BurstR + Bpl)
 *
 * The narrow-band scale counts for all codecs, so that calls can be compared: a wide-band voice without
 * loss has as much as G.711, although it sounds better. G.113 has no values of packet loss for G.722
 * and Opus on this scale: those in the table are estimates.
 *
 * Pure. Thread: any.
 */
#pragma once

#include "media/codec.h"

struct mos_line {
	enum codec codec;
	float loss;     /* share of packets that were not there in time, 0 to 1 */
	float burst;    /* mean length of a loss against that of random loss; 0 = not known: 1 */
	float delay_ms; /* mouth to ear, one way */
};

float mos_rating(const struct mos_line *l);   /* R, 0 to 93.2 */
float mos_of_rating(float r);                 /* 1 to 4.41 (G.107, annex B) */
static inline float mos_of(const struct mos_line *l)
{
	return mos_of_rating(mos_rating(l));
}

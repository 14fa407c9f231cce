#include "media/ring_tone.h"

#include <math.h>
#include <string.h>

enum { HALVES = 4 }; /* on, off, on, off */

/* Each of two tones; together about -16 dBm0, as a telephone exchange does it. */
static const float amplitude = 3600;

void ring_tone_start(struct ring_tone *r, const struct media_ringback *tone)
{
	*r = (struct ring_tone){.tone = *tone};
	for (unsigned i = 0; i < HALVES && tone->cadence_ms[i]; ++i)
		r->cycle_ms += tone->cadence_ms[i];
}

static bool sounds(const struct ring_tone *r)
{
	uint32_t from = 0;
	for (unsigned i = 0; i < HALVES; ++i) {
		from += r->tone.cadence_ms[i];
		if (r->at_ms < from)
			return i % 2 == 0;
	}
	return false;
}

/* Whole frequencies come round each second, so the sum never outgrows what a float can count. */
void ring_tone_next(struct ring_tone *r, int16_t *out, size_t count, uint32_t hz)
{
	const float turn = 6.2831853f / (float)hz;
	uint32_t first = r->at_ms * (hz / 1000) % hz;

	memset(out, 0, count * sizeof *out);
	for (unsigned t = 0; t < 2 && sounds(r); ++t)
		for (unsigned i = 0; r->tone.hz[t] && i < count; ++i)
			out[i] = (int16_t)((float)out[i] +
				amplitude * sinf(turn * (float)r->tone.hz[t] * (float)(first + i)));
	r->at_ms = (r->at_ms + (uint32_t)(count * 1000 / hz)) % r->cycle_ms;
}

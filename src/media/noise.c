#include "media/noise.h"

#include <math.h>

enum { LEVEL_SILENT = 127 };

/* Samples of [-1, 1) have -4.77 dB, and the mean of two neighbours 3.01 dB less. */
static const float spread = 7.78f;

void noise_make(struct noise *n, int16_t *out, size_t count, uint8_t level)
{
	float amplitude = 32768 * powf(10, (spread - (float)level) / 20);
	if (level >= LEVEL_SILENT)
		amplitude = 0;
	for (size_t i = 0; i < count; ++i) {
		n->seed = n->seed * 1664525 + 1013904223;
		int32_t now = (int32_t)n->seed >> 16;
		float v = amplitude * (float)(now + n->last) / 65536;
		n->last = now;
		out[i] = (int16_t)(v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : v);
	}
}

#include "media/stretch.h"

/* How badly the sound `lag` samples later fits onto its beginning: less is better. */
static uint32_t misfit(const int16_t *pcm, size_t lag, unsigned scale)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < STRETCH_BLEND * scale; i += scale) {
		int32_t d = pcm[i] - pcm[lag + i];
		sum += (uint32_t)(d < 0 ? -d : d);
	}
	return sum;
}

static size_t best_lag(const int16_t *pcm, unsigned scale)
{
	size_t best = STRETCH_MAX * scale;
	uint32_t least = misfit(pcm, best, scale);
	for (size_t lag = best - scale; lag >= STRETCH_MIN * scale; lag -= scale) {
		uint32_t sum = misfit(pcm, lag, scale);
		if (sum < least) {
			least = sum;
			best = lag;
		}
	}
	return best;
}

size_t stretch_cut(int16_t *pcm, size_t count, unsigned scale)
{
	if (count < STRETCH_NEEDS * scale)
		return count;

	size_t lag = best_lag(pcm, scale);
	int blend = STRETCH_BLEND * (int)scale;
	for (int i = 0; i < blend; ++i) {
		int32_t blended = pcm[i] * (blend - i) + pcm[lag + (size_t)i] * i;
		pcm[i] = (int16_t)(blended / blend);
	}
	memmove(pcm + blend, pcm + lag + blend, (count - lag - (size_t)blend) * sizeof *pcm);
	return count - lag;
}

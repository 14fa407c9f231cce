#include "media/stretch.h"

/* How badly the sound `lag` samples later fits onto its beginning: less is better. */
static uint32_t misfit(const int16_t *pcm, size_t lag)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < STRETCH_BLEND; ++i) {
		int32_t d = pcm[i] - pcm[lag + i];
		sum += (uint32_t)(d < 0 ? -d : d);
	}
	return sum;
}

static size_t best_lag(const int16_t *pcm)
{
	size_t best = STRETCH_MAX;
	uint32_t least = misfit(pcm, best);
	for (size_t lag = STRETCH_MAX; lag-- > STRETCH_MIN;) {
		uint32_t sum = misfit(pcm, lag);
		if (sum < least) {
			least = sum;
			best = lag;
		}
	}
	return best;
}

size_t stretch_cut(int16_t *pcm, size_t count)
{
	if (count < STRETCH_NEEDS)
		return count;

	size_t lag = best_lag(pcm);
	for (int i = 0; i < STRETCH_BLEND; ++i) {
		int32_t blended = pcm[i] * (STRETCH_BLEND - i) + pcm[lag + (size_t)i] * i;
		pcm[i] = (int16_t)(blended / STRETCH_BLEND);
	}
	memmove(pcm + STRETCH_BLEND, pcm + lag + STRETCH_BLEND,
		(count - lag - STRETCH_BLEND) * sizeof *pcm);
	return count - lag;
}

#include "room/speakers.h"

#include <math.h>

void loudness_window(struct loudness *l, uint64_t now_ms, uint8_t level, uint16_t active_ms,
	uint16_t observed_ms)
{
	l->heard_ms = now_ms;
	if (observed_ms == 0)
		return;
	if (active_ms > observed_ms)
		active_ms = observed_ms;
	if (active_ms == 0 ||
		active_ms * 100u < observed_ms * (unsigned)SPEAKERS_LEAST_ACTIVE_PERCENT) {
		l->smoothed = 0;
		return;
	}
	/* Somebody loud for half of the window counts as somebody less loud for all of it. */
	float quieter = (float)level - 20 * log10f((float)active_ms / (float)observed_ms);
	float linear = powf(10, -quieter / 20);
	l->smoothed += (linear - l->smoothed) * 2 / 3;
}

void loudness_silence(struct loudness *l)
{
	l->smoothed = 0;
}

float loudness_level(const struct loudness *l, uint64_t now_ms)
{
	if (now_ms - l->heard_ms >= SPEAKERS_STALE_MS)
		return 0;
	if (l->smoothed < powf(10, -(float)SPEAKERS_QUIETEST / 20))
		return 0;
	float steps = ceilf(l->smoothed * SPEAKERS_STEPS);
	return (steps > SPEAKERS_STEPS ? SPEAKERS_STEPS : steps) / SPEAKERS_STEPS;
}

#include "room/speakers.h"

#include <math.h>

struct speakers_config speakers_default(void)
{
	return (struct speakers_config){
		.active_level = 35, .min_percentile = 40, .interval_ms = 400, .smooth_intervals = 2};
}

/* LiveKit's: 0 intervals do not smooth. */
static float smoothing(const struct speakers_config *c)
{
	return c->smooth_intervals ? 2 / (float)(c->smooth_intervals + 1) : 1;
}

void loudness_window(struct loudness *l, const struct speakers_config *c, uint64_t now_ms,
	uint8_t level, uint16_t active_ms, uint16_t observed_ms)
{
	l->heard_ms = now_ms;
	if (observed_ms == 0)
		return;
	if (active_ms > observed_ms)
		active_ms = observed_ms;
	if (active_ms == 0 ||
		active_ms * 100u < observed_ms * (unsigned)c->min_percentile) {
		l->smoothed = 0;
		return;
	}
	/* Somebody loud for half of the window counts as somebody less loud for all of it. */
	float quieter = (float)level - 20 * log10f((float)active_ms / (float)observed_ms);
	float linear = powf(10, -quieter / 20);
	l->smoothed += (linear - l->smoothed) * smoothing(c);
}

void loudness_silence(struct loudness *l)
{
	l->smoothed = 0;
}

float loudness_level(const struct loudness *l, const struct speakers_config *c, uint64_t now_ms)
{
	if (now_ms - l->heard_ms >= 2 * (uint64_t)c->interval_ms)
		return 0;
	if (l->smoothed < powf(10, -(float)c->active_level / 20))
		return 0;
	float steps = ceilf(l->smoothed * SPEAKERS_STEPS);
	return (steps > SPEAKERS_STEPS ? SPEAKERS_STEPS : steps) / SPEAKERS_STEPS;
}

#include "room/speakers.h"
#include "test/check.h"

#include <math.h>

/* Windows of 400 ms, one after the other, and the level after each. */
static void test_windows(void)
{
	struct speakers_config c = speakers_default();
	static const struct {
		uint8_t level;
		uint16_t active_ms, observed_ms;
		float smoothed;
	} steps[] = {
		{0, 400, 400, 2.f / 3}, /* full scale, two thirds of the way */
		{0, 400, 400, 8.f / 9},
		{0, 160, 400, 0.5629629f}, /* 40 % of the time: as loud as 0.4 */
		{0, 159, 400, 0},          /* less is silence, at once */
		{20, 400, 400, 0.0666667f},
		{127, 400, 400, 0.0222224f},            /* a falling level falls smoothly */
		{0, 0, 400, 0}, {0, 900, 400, 2.f / 3}, /* nonsense from below is bounded */
		{0, 0, 0, 2.f / 3},                     /* nothing observed changes nothing */
	};
	struct loudness l = {0};
	for (size_t i = 0; i < sizeof steps / sizeof *steps; ++i) {
		loudness_window(&l, &c, 1000, steps[i].level, steps[i].active_ms, steps[i].observed_ms);
		if (fabsf(l.smoothed - steps[i].smoothed) > 1e-5f)
			fprintf(stderr, "step %zu: %f\n", i, (double)l.smoothed);
		CHECK(fabsf(l.smoothed - steps[i].smoothed) <= 1e-5f);
	}
}

static void test_levels(void)
{
	struct speakers_config c = speakers_default();
	static const struct {
		float smoothed;
		float level;
	} cases[] = {
		{0, 0}, {0.0177f, 0}, {0.0179f, 0.125f}, {0.125f, 0.125f}, {0.126f, 0.25f}, {1, 1}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
		struct loudness l = {.smoothed = cases[i].smoothed, .heard_ms = 1000};
		CHECK(loudness_level(&l, &c, 1000) == cases[i].level);
		CHECK(loudness_level(&l, &c, 1799) == cases[i].level);
		CHECK(loudness_level(&l, &c, 1800) == 0);
		loudness_silence(&l);
		CHECK(loudness_level(&l, &c, 1000) == 0);
	}
}

static void test_config(void)
{
	struct speakers_config c = {.active_level = 20, .min_percentile = 0, .interval_ms = 1000};
	struct loudness l = {0};
	loudness_window(&l, &c, 1000, 10, 100, 1000); /* not smoothed: -10 dB, a tenth of the time */
	CHECK(fabsf(l.smoothed - 0.0316228f) < 1e-5f);
	CHECK(loudness_level(&l, &c, 1000) == 0); /* quieter than -20 dB */
	loudness_window(&l, &c, 1000, 10, 1000, 1000);
	CHECK(loudness_level(&l, &c, 2999) == 0.375f && loudness_level(&l, &c, 3000) == 0);
	c.smooth_intervals = 3;
	l = (struct loudness){0};
	loudness_window(&l, &c, 1000, 0, 1000, 1000);
	CHECK(fabsf(l.smoothed - 0.5f) < 1e-5f);
}

int main(void)
{
	test_windows();
	test_levels();
	test_config();
	return 0;
}

#include "room/speakers.h"
#include "test/check.h"

#include <math.h>

/* Windows of 400 ms, one after the other, and the level after each. */
static void test_windows(void)
{
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
		loudness_window(&l, 1000, steps[i].level, steps[i].active_ms, steps[i].observed_ms);
		if (fabsf(l.smoothed - steps[i].smoothed) > 1e-5f)
			fprintf(stderr, "step %zu: %f\n", i, (double)l.smoothed);
		CHECK(fabsf(l.smoothed - steps[i].smoothed) <= 1e-5f);
	}
}

static void test_levels(void)
{
	static const struct {
		float smoothed;
		float level;
	} cases[] = {
		{0, 0}, {0.0177f, 0}, {0.0179f, 0.125f}, {0.125f, 0.125f}, {0.126f, 0.25f}, {1, 1}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
		struct loudness l = {.smoothed = cases[i].smoothed, .heard_ms = 1000};
		CHECK(loudness_level(&l, 1000) == cases[i].level);
		CHECK(loudness_level(&l, 1799) == cases[i].level);
		CHECK(loudness_level(&l, 1800) == 0);
		loudness_silence(&l);
		CHECK(loudness_level(&l, 1000) == 0);
	}
}

int main(void)
{
	test_windows();
	test_levels();
	return 0;
}

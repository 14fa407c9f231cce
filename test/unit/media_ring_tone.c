/* The tone at each rate that a leg mixes at: how loud, how high, and its silences. */
#include "media/ring_tone.h"
#include "test/check.h"

enum { BEATS_PER_S = 50, FRAME_MAX = 960 };

/* One beat; adds up how often it rises through zero, returns the loudest sample. */
static int beat(struct ring_tone *r, uint32_t hz, int16_t *last, unsigned *rises)
{
	int16_t pcm[FRAME_MAX];
	int loudest = 0;

	ring_tone_next(r, pcm, hz / BEATS_PER_S, hz);
	for (unsigned i = 0; i < hz / BEATS_PER_S; ++i) {
		*rises += *last < 0 && pcm[i] >= 0;
		*last = pcm[i];
		loudest = pcm[i] > loudest ? pcm[i] : loudest;
	}
	return loudest;
}

static void it_sounds_and_pauses(uint32_t hz)
{
	struct ring_tone r;

	ring_tone_start(&r, &(struct media_ringback){.hz = {425}, .cadence_ms = {1000, 400, 200, 400}});
	for (unsigned cycle = 0; cycle < 3; ++cycle) {
		int16_t last = 0;
		unsigned rises = 0, short_rises = 0;
		for (unsigned i = 0; i < 50; ++i)
			CHECK(beat(&r, hz, &last, &rises) > 3400);
		CHECK(rises >= 424 && rises <= 426);
		for (unsigned i = 0; i < 20; ++i)
			CHECK(beat(&r, hz, &last, &rises) == 0);
		for (unsigned i = 0; i < 10; ++i)
			CHECK(beat(&r, hz, &last, &short_rises) > 3400);
		CHECK(short_rises >= 84 && short_rises <= 86);
		for (unsigned i = 0; i < 20; ++i)
			CHECK(beat(&r, hz, &last, &rises) == 0);
	}
}

static void without_a_cadence_it_is_off(void)
{
	struct ring_tone r;

	ring_tone_start(&r, &(struct media_ringback){.hz = {440, 480}, .cadence_ms = {2000, 4000}});
	CHECK(ring_tone_is_on(&r));
	ring_tone_start(&r, &(struct media_ringback){0});
	CHECK(!ring_tone_is_on(&r));
}

int main(void)
{
	it_sounds_and_pauses(8000);
	it_sounds_and_pauses(16000);
	it_sounds_and_pauses(48000);
	without_a_cadence_it_is_off();
	return 0;
}

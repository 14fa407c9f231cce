/* Wideband: G.722 against the bits of another implementation, from 8 to 16 kHz and back, concealment
 * and cuts at 16 kHz, comfort noise. */
#include "media/g722.h"
#include "media/halfband.h"
#include "media/line_codec.h"
#include "media/mixer.h"
#include "media/noise.h"
#include "media/plc.h"
#include "media/stretch.h"
#include "test/check.h"
#include "test/unit/sound.h"

enum { HZ = 16000, FRAME = 320, SECONDS = 4, SAMPLES = SECONDS * HZ };

static int16_t in[SAMPLES], out[SAMPLES];
static uint8_t coded[SAMPLES / 2];

static uint64_t sum_of(const void *bytes, size_t size)
{
	const uint8_t *b = bytes;
	uint64_t sum = 0xcbf29ce484222325u; /* FNV-1a */
	for (size_t i = 0; i < size; ++i)
		sum = (sum ^ b[i]) * 0x100000001b3u;
	return sum;
}

/* The same on every machine: noise, a rough triangle, steps, all of whole numbers. */
static void make_reference(void)
{
	uint32_t seed = 1;
	for (int i = 0; i < SAMPLES; ++i) {
		seed = seed * 1103515245 + 12345;
		int noise = (int)(seed >> 16) - 32768, ramp = i % 73 * 200 - 7300;
		in[i] = (int16_t)(i < HZ ? noise / 4 : i < 2 * HZ ? ramp + noise / 64 : i < 3 * HZ ? (i / 29 % 2 ? 6000 : -6000)
										    : noise / 200);
	}
}

/* The sums were made with spandsp 0.0.6 (g722_encode, g722_decode at 64 kbit/s) on the same samples. */
static void g722_bits_are_those_of_spandsp(void)
{
	struct g722_coder e, d;
	make_reference();
	g722_init(&e);
	g722_init(&d);
	g722_encode(&e, coded, in, SAMPLES);
	CHECK_EQ(sum_of(coded, sizeof coded), (intmax_t)0x1a9ef354db5f9cf9u);
	g722_decode(&d, out, coded, sizeof coded);
	CHECK_EQ(sum_of(out, sizeof out), (intmax_t)0x545696ab4ec26f93u);
}

static double amplitude_at(const int16_t *pcm, size_t count, double hz)
{
	return sound_amplitude(pcm, count, hz * 8000 / HZ); /* it reckons with 8 kHz */
}

/* Both bands: a tone comes back as loud as it went in, with little beside it. */
static void g722_carries_tones(void)
{
	static const double tones[] = {200, 1000, 3000, 5000, 6500};
	for (size_t t = 0; t < COUNT_OF(tones); ++t) {
		struct line_codec e, d;
		line_codec_init(&e, CODEC_G722);
		line_codec_init(&d, CODEC_G722);
		sound_tone(in, SAMPLES, 0, tones[t] / 2, 8000);
		size_t size = line_codec_encode(&e, coded, in, SAMPLES);
		CHECK_EQ(size, sizeof coded);
		line_codec_decode(&d, out, span_of(coded, size));
		double a = amplitude_at(out + HZ, HZ, tones[t]), rms = sound_rms(out + HZ, HZ);
		double noise = rms * rms - a * a / 2, snr = 10 * log10(a * a / 2 / (noise > 1 ? noise : 1));
		printf("G.722, %.0f Hz: amplitude %.0f, SNR %.1f dB\n", tones[t], a, snr);
		CHECK(a > 7000 && a < 9000);
		CHECK(snr > (tones[t] < 4000 ? 25 : 13)); /* two bits are all that the upper band has */
	}
}

static void silence_stays_silent(void)
{
	struct line_codec e, d;
	line_codec_init(&e, CODEC_G722);
	line_codec_init(&d, CODEC_G722);
	memset(in, 0, sizeof in);
	line_codec_encode(&e, coded, in, SAMPLES);
	line_codec_decode(&d, out, span_of(coded, sizeof coded));
	CHECK(sound_rms(out, SAMPLES) < 4);
}

static void twice_and_half_the_samples(void)
{
	static int16_t narrow[SAMPLES / 2], wide[SAMPLES], back[SAMPLES / 2];
	struct halfband up = {0}, down = {0};
	static const double tones[] = {100, 1000, 3300};
	for (size_t t = 0; t < COUNT_OF(tones); ++t) {
		sound_tone(narrow, COUNT_OF(narrow), 0, tones[t], 10000);
		for (size_t i = 0; i < COUNT_OF(narrow); i += 160) {
			halfband_up(&up, wide + 2 * i, narrow + i, 160);
			halfband_down(&down, back + i, wide + 2 * i, 320);
		}
		double a = amplitude_at(wide + HZ, HZ, tones[t]), image = amplitude_at(wide + HZ, HZ, 8000 - tones[t]);
		printf("%.0f Hz: %.0f at 16 kHz, its image %.0f, back %.0f\n", tones[t], a, image,
			sound_amplitude(back + 8000, 8000, tones[t]));
		CHECK(a > 9700 && a < 10200 && image < 100);
		CHECK(sound_amplitude(back + 8000, 8000, tones[t]) > 9500);
	}
	/* What 8 kHz cannot hold is gone, not folded down. */
	sound_tone(wide, SAMPLES, 0, 6000.0 / 2, 10000);
	for (size_t i = 0; i < SAMPLES; i += FRAME)
		halfband_down(&down, back + i / 2, wide + i, FRAME);
	CHECK(sound_rms(back + 8000, 8000) < 30);
}

static void a_hole_is_filled_at_16_khz(void)
{
	struct plc p;
	plc_init(&p, HZ);
	sound_tone(in, SAMPLES, 0, 150.0 / 2, 8000);
	for (int i = 0; i < SAMPLES / FRAME; ++i) {
		int16_t *frame = in + i * FRAME;
		if (i % 20 == 19)
			plc_missing(&p, frame, FRAME);
		else
			plc_received(&p, frame, FRAME);
	}
	CHECK(sound_rms(in + 19 * FRAME, FRAME) > 8000 / 1.42 * 0.8);
	for (size_t i = 1; i < SAMPLES; ++i)
		CHECK(abs(in[i] - in[i - 1]) < 1500); /* no click */
	for (int i = 0; i < 5; ++i)
		plc_missing(&p, out, FRAME);
	CHECK(sound_rms(out, FRAME) < 1); /* gone after 60 ms */
}

static void a_cut_is_not_heard_at_16_khz(void)
{
	sound_tone(in, SAMPLES, 0, 200.0 / 2, 8000);
	size_t left = stretch_cut(in, 2 * FRAME, 2);
	CHECK(2 * FRAME - left >= 2 * STRETCH_MIN && 2 * FRAME - left <= 2 * STRETCH_MAX);
	for (size_t i = 1; i < left; ++i)
		CHECK(abs(in[i] - in[i - 1]) < 900);
}

static void noise_is_as_loud_as_it_was_named(void)
{
	struct noise n = {0};
	for (unsigned level = 20; level <= 80; level += 10) {
		noise_make(&n, out, SAMPLES, (uint8_t)level);
		unsigned got = mixer_level(out, SAMPLES);
		CHECK(got + 1 >= level && got <= level + 1);
	}
	noise_make(&n, out, SAMPLES, 127);
	CHECK_EQ(mixer_level(out, SAMPLES), 127);
	noise_make(&n, out, SAMPLES, 0); /* as loud as it gets, and no overflow */
	CHECK(mixer_level(out, SAMPLES) < 4);
}

int main(void)
{
	g722_bits_are_those_of_spandsp();
	g722_carries_tones();
	silence_stays_silent();
	twice_and_half_the_samples();
	a_hole_is_filled_at_16_khz();
	a_cut_is_not_heard_at_16_khz();
	noise_is_as_loud_as_it_was_named();
	return 0;
}

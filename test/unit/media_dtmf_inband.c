/* Keys in the sound: each of them at the edges of what Q.24 wants to be heard, none in what it does not,
 * and none in speech. */
#include "media/dtmf_inband.h"
#include "media/dtmf_tone.h"
#include "media/g711.h"
#include "simulator/prompts.h"
#include "test/check.h"
#include "test/unit/sound.h"

static const char keys[] = "0123456789*#ABCD";
static const double rows[] = {697, 770, 852, 941}, columns[] = {1209, 1336, 1477, 1633};
static const char pad[] = "123A456B789C*0#D";

enum { HZ = 8000, SOUND_MAX = 16000 };
static int16_t pcm[2 * SOUND_MAX];
static unsigned seed = 1;

static double noise(void)
{
	seed = seed * 1103515245 + 12345;
	return (double)(seed >> 8 & 0xffff) / 32768 - 1;
}

struct tone {
	double low, high;         /* amplitudes */
	double off;               /* share by which both frequencies are off */
	unsigned ms, gap_ms, hz;
	double noise;             /* amplitude */
};

static size_t write_key(int16_t *out, char key, const struct tone *t)
{
	size_t at = (size_t)(strchr(pad, key) - pad), tone = t->ms * t->hz / 1000, gap = t->gap_ms * t->hz / 1000;
	double low_hz = rows[at / 4] * (1 + t->off), high_hz = columns[at % 4] * (1 + t->off);
	for (size_t i = 0; i < tone + gap; ++i) {
		double s = (double)i * 2 * SOUND_PI / t->hz, v = noise() * t->noise;
		if (i < tone)
			v += t->low * sin(s * low_hz) + t->high * sin(s * high_hz);
		out[i] = (int16_t)lrint(v > 32767 ? 32767 : v < -32768 ? -32768 : v);
	}
	return tone + gap;
}

/* In pieces of 20 ms, as packets bring it. */
static void hear(char *got, size_t size, const int16_t *sound, size_t count, unsigned hz)
{
	struct dtmf_inband d;
	size_t found = 0, piece = hz / 50;
	dtmf_inband_init(&d, hz);
	for (size_t at = 0; at < count; at += piece)
		found += dtmf_inband_put(&d, sound + at, count - at < piece ? count - at : piece, got + found,
			size - 1 - found);
	got[found] = 0;
}

/* All sixteen keys; how many of them are heard. */
static size_t heard_of_all(const struct tone *t)
{
	size_t heard = 0;
	for (size_t k = 0; keys[k]; ++k) {
		char got[8];
		size_t count = write_key(pcm, keys[k], t);
		hear(got, sizeof got, pcm, count, t->hz);
		heard += got[0] == keys[k] && !got[1];
		if (got[0])
			CHECK(got[0] == keys[k] && !got[1]); /* never another one, never twice */
	}
	return heard;
}

static void keys_are_heard(void)
{
	static const struct {
		const char *name;
		struct tone tone;
		size_t heard;
	} cases[] = {
		{"plain", {5500, 5500, 0, 100, 60, HZ, 0}, 16},
		{"at 16 kHz", {5500, 5500, 0, 100, 60, 16000, 0}, 16},
		{"faint", {300, 300, 0, 100, 60, HZ, 5}, 16},
		{"too faint", {60, 60, 0, 100, 60, HZ, 0}, 0},
		{"short, 50 ms", {5500, 5500, 0, 50, 60, HZ, 0}, 16},
		{"40 ms", {5500, 5500, 0, 40, 60, HZ, 0}, 16},
		{"too short, 20 ms", {5500, 5500, 0, 20, 60, HZ, 0}, 0},
		{"1.5 % high", {5500, 5500, 0.015, 100, 60, HZ, 0}, 16},
		{"1.5 % low", {5500, 5500, -0.015, 100, 60, HZ, 0}, 16},
		{"5 % high", {5500, 5500, 0.05, 100, 60, HZ, 0}, 0},
		{"the lower louder by 6 dB", {6000, 3000, 0, 100, 60, HZ, 0}, 16},
		{"the higher louder by 3 dB", {4000, 5600, 0, 100, 60, HZ, 0}, 16},
		{"the lower louder by 12 dB", {8000, 2000, 0, 100, 60, HZ, 0}, 0},
		{"the higher louder by 9 dB", {2000, 5600, 0, 100, 60, HZ, 0}, 0},
		{"one tone only", {8000, 0, 0, 100, 60, HZ, 0}, 0},
		{"in noise 15 dB below", {5500, 5500, 0, 100, 60, HZ, 2300}, 16},
		{"as faint as the noise", {3000, 3000, 0, 100, 60, HZ, 9000}, 0},
		{"long", {5500, 5500, 0, 1000, 60, HZ, 0}, 16},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		size_t heard = heard_of_all(&cases[i].tone);
		printf("%s: %zu of 16\n", cases[i].name, heard);
		CHECK_EQ(heard, cases[i].heard);
	}
}

/* Wherever the blocks fall on them. */
static void keys_are_heard_from_any_moment_on(void)
{
	static const struct tone t = {4500, 4500, 0, 80, 60, HZ, 30};
	for (size_t pause = 0; pause < DTMF_INBAND_BLOCK; pause += 3)
		for (size_t k = 0; keys[k]; ++k) {
			char got[8];
			memset(pcm, 0, pause * sizeof *pcm);
			size_t count = pause + write_key(pcm + pause, keys[k], &t);
			hear(got, sizeof got, pcm, count, HZ);
			CHECK(got[0] == keys[k] && !got[1]);
		}
}

static void keys_in_a_row_are_told_apart(void)
{
	static const struct tone t = {5500, 5500, 0, 60, 45, HZ, 20};
	char got[32];
	size_t count = 0;
	for (const char *k = "4422#0099"; *k; ++k)
		count += write_key(pcm + count, *k, &t);
	hear(got, sizeof got, pcm, count, HZ);
	CHECK_STR(got, "4422#0099");
}

/* A click or a lost packet in the middle of a key does not make it two. */
static void a_hole_does_not_make_two(void)
{
	static const struct tone t = {5500, 5500, 0, 300, 60, HZ, 0};
	char got[8];
	size_t count = write_key(pcm, '8', &t);
	memset(pcm + 1000, 0, 80 * sizeof *pcm);
	hear(got, sizeof got, pcm, count, HZ);
	CHECK_STR(got, "8");
}

static void our_own_tones_are_keys(void)
{
	static const uint8_t events[] = {1, 5, 10, 11, 15};
	for (size_t i = 0; i < COUNT_OF(events); ++i) {
		char got[8];
		dtmf_tone(pcm, 1280, events[i], 0, HZ);
		memset(pcm + 1280, 0, 800 * sizeof *pcm);
		hear(got, sizeof got, pcm, 2080, HZ);
		CHECK(got[0] == keys[events[i]] && !got[1]);
	}
}

static void prompts_are_no_keys(void)
{
	size_t seconds = 0;
	for (const struct prompt *p = prompts; p->name; ++p) {
		struct dtmf_inband d;
		char got[16];
		size_t found = 0;
		dtmf_inband_init(&d, HZ);
		for (size_t at = 0; at < p->size; at += 160) {
			size_t count = p->size - at < 160 ? p->size - at : 160;
			g711_decode(pcm, p->sound + at, count, G711_ULAW);
			found += dtmf_inband_put(&d, pcm, count, got, sizeof got);
		}
		CHECK_EQ(found, 0);
		seconds += p->size / HZ;
	}
	printf("%zu s of prompts without a key\n", seconds);
}

/* Three formants move over a buzz whose pitch moves, with next to nothing beside them: worse than any
 * voice. Some of it is two pure tones, and nobody can tell. */
static void vowels_are_hardly_ever_keys(void)
{
	struct dtmf_inband d;
	double phase[40] = {0};
	size_t found = 0, samples = 0;
	char got[16];
	dtmf_inband_init(&d, HZ);
	for (int frame = 0; frame < 50 * 120; ++frame) {
		double t = frame / 50.0, pitch = 140 + 60 * sin(t * 1.7) + 20 * sin(t * 9);
		double f1 = 550 + 300 * sin(t * 2.3), f2 = 1400 + 500 * sin(t * 3.1);
		for (int i = 0; i < 160; ++i) {
			double v = 0;
			for (int h = 1; h < 40 && h * pitch < 3600; ++h) {
				double f = h * pitch;
				double a = exp(-pow((f - f1) / 120, 2)) + 0.5 * exp(-pow((f - f2) / 140, 2)) +
					0.3 * exp(-pow((f - 2500) / 200, 2)) + 0.02;
				phase[h] += 2 * SOUND_PI * f / HZ;
				v += 4000 * a * sin(phase[h]);
			}
			pcm[i] = (int16_t)(v > 32767 ? 32767 : v < -32768 ? -32768 : v);
		}
		found += dtmf_inband_put(&d, pcm, 160, got, sizeof got);
		samples += 160;
	}
	printf("%zu s of vowels, %zu keys\n", samples / HZ, found);
	CHECK(found <= 12);
}

int main(void)
{
	keys_are_heard();
	keys_are_heard_from_any_moment_on();
	keys_in_a_row_are_told_apart();
	a_hole_does_not_make_two();
	our_own_tones_are_keys();
	prompts_are_no_keys();
	vowels_are_hardly_ever_keys();
	return 0;
}

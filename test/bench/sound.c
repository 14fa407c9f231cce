#include "test/bench/sound.h"

#include "media/g711.h"
#include "media/opus_voice.h"

#include <errno.h>
#include <math.h>
#include <opus/opus.h>

enum {
	OPUS_HZ = 48000,
	OPUS_FRAME = 960,
	OPUS_BITS = 24000,
	WARM_LOOPS = 3, /* after so many the codec's state repeats */
	LOUD = 4000,    /* a quarter of the burst's height; the noise stays far below */
	BURST_HEIGHT = 16000,
	BURST_HZ = 1000,
	NOISE_HEIGHT = 120,
};

static double noise(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return (double)(int32_t)*state / 2147483648.0;
}

/* Harmonics of a gliding pitch under a syllable's envelope, with some breath. */
static double speech_at(double t, uint32_t *state)
{
	double pitch = 120 + 20 * sin(2 * M_PI * 2 * t), sum = 0;
	for (int k = 1; k <= 20; ++k)
		sum += sin(2 * M_PI * pitch * k * t) / k;
	double syllable = 0.35 + 0.65 * pow(sin(2 * M_PI * 2 * t), 2);
	return syllable * (5000 * sum + 600 * noise(state));
}

static double burst_at(double t, uint32_t *state)
{
	double tone = t < 0.02 ? BURST_HEIGHT * sin(2 * M_PI * BURST_HZ * t) : 0;
	return tone + NOISE_HEIGHT * noise(state);
}

static void fill(int16_t *out, size_t count, unsigned hz, enum sound_kind kind)
{
	uint32_t state = 1;
	for (size_t i = 0; i < count; ++i) {
		double t = (double)i / hz;
		out[i] = (int16_t)(kind == SOUND_SPEECH ? speech_at(t, &state) : burst_at(t, &state));
	}
}

size_t sound_onset(const int16_t *pcm, size_t count)
{
	size_t i = 0;
	while (i < count && pcm[i] < LOUD && pcm[i] > -LOUD)
		++i;
	return i;
}

static int encode(struct sound *s, const int16_t *pcm)
{
	int error;
	OpusEncoder *e = opus_encoder_create(OPUS_HZ, 1, OPUS_APPLICATION_VOIP, &error);
	if (!e)
		return -ENOMEM;
	opus_encoder_ctl(e, OPUS_SET_BITRATE(OPUS_BITS));
	opus_encoder_ctl(e, OPUS_SET_INBAND_FEC(1));
	for (int i = 0; i < WARM_LOOPS * SOUND_FRAMES && error == OPUS_OK; ++i) {
		int f = i % SOUND_FRAMES;
		opus_int32 n = opus_encode(
			e, pcm + (ptrdiff_t)f * OPUS_FRAME, OPUS_FRAME, s->opus[f], SOUND_OPUS_MAX);
		s->opus_size[f] = n > 0 ? (size_t)n : 0;
		if (n <= 0)
			error = -EIO;
	}
	opus_encoder_destroy(e);
	return error;
}

/* Hears the loop twice: the onset in the second round is the steady one. */
static int find_opus_onset(struct sound *s)
{
	int16_t pcm[OPUS_VOICE_SAMPLES_MAX];
	size_t before = 0;
	struct opus_voice_decoder *d;

	int r = opus_voice_decoder_new(&d, 8000);
	if (r < 0)
		return r;
	for (int i = 0; i < 2 * SOUND_FRAMES; ++i) {
		int f = i % SOUND_FRAMES;
		size_t n = opus_voice_decode(d, pcm, span_of(s->opus[f], s->opus_size[f]));
		size_t at = sound_onset(pcm, n);
		if (i >= SOUND_FRAMES && at < n) {
			s->opus_onset_us = sound_us(before + at);
			break;
		}
		before = i == SOUND_FRAMES - 1 ? 0 : before + n;
	}
	opus_voice_decoder_free(d);
	return s->opus_onset_us ? 0 : -EIO;
}

int sound_make(struct sound *ret, enum sound_kind kind)
{
	static int16_t wide[SOUND_FRAMES * OPUS_FRAME], narrow[SOUND_FRAMES * SOUND_PCMU_BYTES];

	*ret = (struct sound){0};
	fill(wide, COUNT_OF(wide), OPUS_HZ, kind);
	fill(narrow, COUNT_OF(narrow), SOUND_HZ, kind);
	for (int f = 0; f < SOUND_FRAMES; ++f) {
		g711_encode(ret->pcmu[f], narrow + (ptrdiff_t)f * SOUND_PCMU_BYTES, SOUND_PCMU_BYTES,
			G711_ULAW);
		ret->level[f] = kind == SOUND_SPEECH || f == 0 ? 15 : 60;
	}
	int r = encode(ret, wide);
	if (r == 0 && kind == SOUND_BURST) {
		ret->pcmu_onset_us = sound_us(sound_onset(narrow, COUNT_OF(narrow)));
		r = find_opus_onset(ret);
	}
	return r;
}

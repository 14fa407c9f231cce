/* test/unit/sound.h - make tones and measure them. */
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#define SOUND_PI 3.14159265358979323846

/* `count` samples at 8 kHz of a sine, from sample number `from` on. */
static inline void sound_tone(int16_t *out, size_t count, uint64_t from, double hz, double amplitude)
{
	for (size_t i = 0; i < count; ++i)
		out[i] = (int16_t)lrint(amplitude * sin(2 * SOUND_PI * hz * (double)(from + i) / 8000));
}

/* Amplitude of one frequency in a piece of sound (a single bin, Hann window). */
static inline double sound_amplitude(const int16_t *pcm, size_t count, double hz)
{
	double re = 0, im = 0, weight = 0;
	for (size_t i = 0; i < count; ++i) {
		double w = 0.5 - 0.5 * cos(2 * SOUND_PI * (double)i / (double)count);
		re += w * pcm[i] * cos(2 * SOUND_PI * hz * (double)i / 8000);
		im += w * pcm[i] * sin(2 * SOUND_PI * hz * (double)i / 8000);
		weight += w;
	}
	return 2 * sqrt(re * re + im * im) / weight;
}

static inline double sound_rms(const int16_t *pcm, size_t count)
{
	double sum = 0;
	for (size_t i = 0; i < count; ++i)
		sum += (double)pcm[i] * pcm[i];
	return count ? sqrt(sum / (double)count) : 0;
}

/* The share of the sound's power that is not the tone, in pieces of 50 ms so that a shift of phase
 * (a cut, a concealed hole) does not count, only what is heard as noise: 0 = a pure tone. The
 * frequency is found within 3 % of `hz`. */
static inline double sound_noise(const int16_t *pcm, size_t count, double hz)
{
	enum { PIECE = 400 };
	double noise = 0, all = 0;
	for (size_t at = 0; at + PIECE <= count; at += PIECE) {
		double best = 0, power = pow(sound_rms(pcm + at, PIECE), 2);
		for (double f = hz * 0.97; f <= hz * 1.03; f += hz * 0.005) {
			double a = sound_amplitude(pcm + at, PIECE, f);
			if (a > best)
				best = a;
		}
		double tone = best * best / 2;
		noise += power > tone ? power - tone : 0;
		all += power;
	}
	return all > 0 ? noise / all : 1;
}

/* Seconds for which the tone is (almost) not there, in steps of 10 ms. */
static inline double sound_silence_s(const int16_t *pcm, size_t count, double amplitude)
{
	enum { STEP = 80 };
	size_t silent = 0;
	for (size_t at = 0; at + STEP <= count; at += STEP)
		silent += sound_rms(pcm + at, STEP) < amplitude / 1.41421356 / 4;
	return (double)silent * STEP / 8000;
}

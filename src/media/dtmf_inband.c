#include "media/dtmf_inband.h"

#include <math.h>

enum { ROWS = 4, NARROW_HZ = 8000, BLOCKS_OVER = 2 };

static const float tones_hz[DTMF_INBAND_TONES] = {697, 770, 852, 941, 1209, 1336, 1477, 1633};
static const char keys_of[ROWS * ROWS + 1] = "123A456B789C*0#D";

/* Shares of power. A tone of -36 dBm0 is the faintest that counts. */
static const float faintest = 130.0f * 130.0f / 2;
static const float beside = 6.3f;        /* 8 dB above the others of its group */
static const float low_over_high = 6.3f; /* the lower tone may be 8 dB louder ... */
static const float high_over_low = 2.5f; /* ... the higher one 4 dB (AT&T's values in Q.24) */
static const float swell = 1.5f;         /* from block to block; the other tone leaks in by some */
static const float of_all = 0.74f;       /* a tone that is 1.5 % off seems weaker by up to a quarter */

static void begin_block(struct dtmf_inband *d)
{
	memset(d->s1, 0, sizeof d->s1);
	memset(d->s2, 0, sizeof d->s2);
	d->power = 0;
	d->count = 0;
}

void dtmf_inband_init(struct dtmf_inband *d, uint32_t hz)
{
	*d = (struct dtmf_inband){.hz = hz, .block = DTMF_INBAND_BLOCK * hz / NARROW_HZ};
	for (int i = 0; i < DTMF_INBAND_TONES; ++i)
		d->turn[i] = 2 * cosf(6.2831853f * tones_hz[i] / (float)hz);
}

/* Goertzel's sum as the mean power of that tone in the block. */
static float tone_power(const struct dtmf_inband *d, int i)
{
	float n = (float)d->block;
	float energy = d->s1[i] * d->s1[i] + d->s2[i] * d->s2[i] - d->turn[i] * d->s1[i] * d->s2[i];
	return 2 * energy / (n * n);
}

/* The loudest of four, or -1 when another one is nearly as loud. */
static int strongest(const float power[ROWS])
{
	int best = 0;
	for (int i = 1; i < ROWS; ++i)
		if (power[i] > power[best])
			best = i;
	for (int i = 0; i < ROWS; ++i)
		if (i != best && power[i] * beside > power[best])
			return -1;
	return best;
}

/* A telephone's tones do not swell; a vowel's do. */
static bool steady(float now, float before)
{
	return now < before * swell && before < now * swell;
}

static char key_of_block(struct dtmf_inband *d)
{
	float power[DTMF_INBAND_TONES];
	for (int i = 0; i < DTMF_INBAND_TONES; ++i)
		power[i] = tone_power(d, i);
	int low = strongest(power), high = strongest(power + ROWS);
	if (low < 0 || high < 0)
		return 0;
	float l = power[low], h = power[ROWS + high], all = d->power / (float)d->block;
	bool same = steady(l, d->low) && steady(h, d->high);
	d->low = l;
	d->high = h;
	d->steady = same;
	bool loud = l > faintest && h > faintest;
	bool level = l < h * low_over_high && h < l * high_over_low;
	return loud && level && l + h > of_all * all ? keys_of[low * ROWS + high] : 0;
}

/* True when a key begins with this block. */
static bool end_block(struct dtmf_inband *d)
{
	char now = key_of_block(d);
	bool begins = now && now == d->last && now != d->key && d->steady;

	d->missed = now && now == d->key ? 0 : d->missed + 1;
	if (d->missed >= BLOCKS_OVER)
		d->key = 0;
	if (begins) {
		d->key = now;
		d->missed = 0;
	}
	d->last = now;
	begin_block(d);
	return begins;
}

size_t dtmf_inband_put(struct dtmf_inband *d, const int16_t *pcm, size_t count, char *keys, size_t max)
{
	size_t found = 0;
	for (size_t n = 0; n < count; ++n) {
		float x = pcm[n];
		for (int i = 0; i < DTMF_INBAND_TONES; ++i) {
			float s = x + d->turn[i] * d->s1[i] - d->s2[i];
			d->s2[i] = d->s1[i];
			d->s1[i] = s;
		}
		d->power += x * x;
		if (++d->count == d->block && end_block(d) && found < max)
			keys[found++] = d->key;
	}
	return found;
}

#include "media/g722.h"

#include <assert.h>

enum {
	LOW_NB_MAX = 18432,
	HIGH_NB_MAX = 22528,
	LOW_DET_FIRST = 32,
	HIGH_DET_FIRST = 8,
	POLE2_MAX = 12288,
	POLES_MAX = 15360,
	LEVELS = 30,
	HALF = G722_TAPS / 2,
};

/* ---- the recommendation's tables ---- */

/* Every other tap of the mirror filter; the rest are the same backwards. */
static const int16_t mirror[HALF] = {3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11};

/* Decision levels of the lower band's 6 bits. */
static const int16_t level6[LEVELS] = {0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587,
	650, 714, 786, 858, 940, 1023, 1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919};

static const int16_t inverse4[16] = {0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896,
	8968, 6288, 4240, 2584, 1200, 0};

static const int16_t inverse6[64] = {-136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984,
	-13512, -12280, -11192, -10232, -9360, -8576, -7856, -7192, -6576, -6000, -5456, -4944, -4464,
	-4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040, -728, 24808, 21904, 19008, 16704,
	14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456, 4944, 4464, 4008,
	3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136};

static const int16_t inverse2[4] = {-7408, -1616, 7408, 1616};

/* What a code does to the logarithm of the step size. */
static const int16_t low_step[16] = {-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172,
	58, -30, -60};
static const int16_t high_step[4] = {798, -214, 798, -214};

/* 2048 * 2^(i/32). */
static const int16_t antilog[32] = {2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599,
	2656, 2714, 2774, 2834, 2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676,
	3756, 3838, 3922, 4008};

/* ---- arithmetic of 16 bits ---- */

static int saturate(int v)
{
	return v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : v;
}

static int limit(int v, int most)
{
	return v > most ? most : v < -most ? -most : v;
}

static bool same_sign(int x, int y)
{
	return (x < 0) == (y < 0);
}

/* ---- one band ---- */

static void adapt_step(struct g722_band *b, int change, int nb_max, int shift)
{
	int nb = (b->nb * 127 >> 7) + change;
	b->nb = nb < 0 ? 0 : nb > nb_max ? nb_max : nb;
	int down = shift - (b->nb >> 11), mantissa = antilog[b->nb >> 6 & 31];
	b->det = (down < 0 ? mantissa << -down : mantissa >> down) << 2;
}

/* UPPOL2, UPPOL1: the poles follow the signs of what was reconstructed without them. */
static void adapt_poles(struct g722_band *b, int p)
{
	int a1 = saturate(b->a[0] * 4);
	if (same_sign(p, b->p[0]))
		a1 = a1 == INT16_MIN ? INT16_MAX : -a1;
	int a2 = limit((a1 >> 7) + (same_sign(p, b->p[1]) ? 128 : -128) + (b->a[1] * 32512 >> 15), POLE2_MAX);

	a1 = saturate((same_sign(p, b->p[0]) ? 192 : -192) + (b->a[0] * 32640 >> 15));
	b->a[0] = limit(a1, POLES_MAX - a2);
	b->a[1] = a2;
}

/* UPZERO, and the differences move one on. */
static void adapt_zeros(struct g722_band *b, int d)
{
	int gain = d ? 128 : 0;
	for (size_t i = 0; i < COUNT_OF(b->b); ++i)
		b->b[i] = saturate((same_sign(d, b->d[i]) ? gain : -gain) + (b->b[i] * 32640 >> 15));
	memmove(b->d + 1, b->d, (COUNT_OF(b->d) - 1) * sizeof *b->d);
	b->d[0] = d;
}

/* `d`: the quantised difference. The next sample's prediction comes of it. */
static void predict(struct g722_band *b, int d)
{
	int r = saturate(b->s + d), p = saturate(b->sz + d);
	adapt_poles(b, p);
	adapt_zeros(b, d);
	b->r[1] = b->r[0];
	b->r[0] = r;
	b->p[1] = b->p[0];
	b->p[0] = p;

	int sz = 0;
	for (size_t i = COUNT_OF(b->b); i-- > 0;)
		sz += b->b[i] * saturate(2 * b->d[i]) >> 15;
	b->sz = saturate(sz);
	int sp = (b->a[0] * saturate(2 * b->r[0]) >> 15) + (b->a[1] * saturate(2 * b->r[1]) >> 15);
	b->s = saturate(saturate(sp) + b->sz);
}

static int low_difference(const struct g722_band *b, unsigned code)
{
	return b->det * inverse4[code >> 2] >> 15;
}

/* 6 bits of code in; both ends do this. */
static void low_follow(struct g722_band *b, unsigned code)
{
	int d = low_difference(b, code);
	adapt_step(b, low_step[code >> 2], LOW_NB_MAX, 8);
	predict(b, d);
}

static void high_follow(struct g722_band *b, unsigned code)
{
	int d = b->det * inverse2[code] >> 15;
	adapt_step(b, high_step[code], HIGH_NB_MAX, 10);
	predict(b, d);
}

/* ---- coding ---- */

static unsigned low_code(const struct g722_band *b, int x)
{
	int e = saturate(x - b->s), size = e >= 0 ? e : -(e + 1);
	unsigned i = 1;
	while (i < LEVELS && size >= (level6[i] * b->det >> 12))
		++i;
	if (e >= 0)
		return 62 - i;
	return i < 3 ? 64 - i : 34 - i;
}

static unsigned high_code(const struct g722_band *b, int x)
{
	int e = saturate(x - b->s), size = e >= 0 ? e : -(e + 1);
	bool outer = size >= (564 * b->det >> 12);
	return e >= 0 ? (outer ? 2 : 3) : outer ? 0 : 1;
}

void g722_init(struct g722_coder *c)
{
	*c = (struct g722_coder){.low.det = LOW_DET_FIRST, .high.det = HIGH_DET_FIRST};
}

/* Two samples enter, the two halves of the mirror filter's sum come out. */
static void filter(struct g722_coder *c, int x0, int x1, int *even, int *odd)
{
	memmove(c->x, c->x + 2, (G722_TAPS - 2) * sizeof *c->x);
	c->x[G722_TAPS - 2] = x0;
	c->x[G722_TAPS - 1] = x1;
	*even = *odd = 0;
	for (int i = 0; i < HALF; ++i) {
		*even += c->x[2 * i] * mirror[i];
		*odd += c->x[2 * i + 1] * mirror[HALF - 1 - i];
	}
}

void g722_encode(struct g722_coder *c, uint8_t *out, const int16_t *in, size_t count)
{
	assert(count % G722_SAMPLES_PER_BYTE == 0);
	for (size_t i = 0; i < count; i += 2) {
		int even, odd;
		filter(c, in[i], in[i + 1], &even, &odd);
		unsigned low = low_code(&c->low, (even + odd) >> 14);
		unsigned high = high_code(&c->high, (odd - even) >> 14);
		low_follow(&c->low, low);
		high_follow(&c->high, high);
		*out++ = (uint8_t)(high << 6 | low);
	}
}

/* Bands are of 15 bits: one more would be the carry of the filter. */
static int band_limit(int v)
{
	return v > 16383 ? 16383 : v < -16384 ? -16384 : v;
}

void g722_decode(struct g722_coder *c, int16_t *out, const uint8_t *in, size_t size)
{
	for (size_t i = 0; i < size; ++i) {
		unsigned low = in[i] & 0x3f, high = in[i] >> 6;
		int even, odd;
		int l = band_limit(c->low.s + (c->low.det * inverse6[low] >> 15));
		int h = band_limit(c->high.s + (c->high.det * inverse2[high] >> 15));
		low_follow(&c->low, low);
		high_follow(&c->high, high);
		filter(c, l + h, l - h, &even, &odd);
		*out++ = (int16_t)saturate(odd >> 11);
		*out++ = (int16_t)saturate(even >> 11);
	}
}

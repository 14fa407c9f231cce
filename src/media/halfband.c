#include "media/halfband.h"

#include <assert.h>

enum { SIDE = 12, ONE_SHIFT = 15, KEPT = 2 * HALFBAND_REACH };

/* Every other tap from the middle on, times 65536: a windowed sinc (Kaiser, beta 6.5). The taps between
 * them are zero, the middle one is a half. */
static const int32_t taps[SIDE] = {20743, -6608, 3617, -2246, 1442, -920, 569, -334, 181, -87, 35, -9};

static int16_t saturate(int32_t v)
{
	return (int16_t)(v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : v);
}

static void join(struct halfband *h, int16_t *all, const int16_t *in, size_t count)
{
	assert(count <= HALFBAND_SAMPLES_MAX);
	memcpy(all, h->kept, sizeof h->kept);
	memcpy(all + KEPT, in, count * sizeof *in);
	memcpy(h->kept, all + count, sizeof h->kept);
}

void halfband_up(struct halfband *h, int16_t *out, const int16_t *in, size_t count)
{
	int16_t all[KEPT + HALFBAND_SAMPLES_MAX];
	assert(2 * count <= HALFBAND_SAMPLES_MAX);
	join(h, all, in, count);
	for (size_t i = 0; i < count; ++i) {
		const int16_t *x = all + KEPT + i - HALFBAND_REACH; /* 24 of them end with in[i] */
		int64_t between = 1 << (ONE_SHIFT - 1);
		for (int t = 0; t < SIDE; ++t)
			between += (int64_t)taps[t] * (x[SIDE - 1 - t] + x[SIDE + t]);
		*out++ = x[SIDE - 1];
		*out++ = saturate((int32_t)(between >> ONE_SHIFT));
	}
}

void halfband_down(struct halfband *h, int16_t *out, const int16_t *in, size_t count)
{
	int16_t all[KEPT + HALFBAND_SAMPLES_MAX];
	join(h, all, in, count);
	for (size_t i = 0; i + 1 < count; i += 2) {
		const int16_t *middle = all + KEPT + i - HALFBAND_REACH;
		int32_t sum = (middle[0] * 32768) / 2;
		for (int t = 0; t < SIDE; ++t)
			sum += taps[t] * ((middle[1 + 2 * t] + middle[-1 - 2 * t]) / 2);
		*out++ = saturate((sum + (1 << (ONE_SHIFT - 1))) >> ONE_SHIFT);
	}
}

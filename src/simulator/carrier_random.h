/* simulator/carrier_random.h - the carrier's dice: the same seed gives the same run (SplitMix64). For
 * tags, nonces, SSRCs and lost packets of a simulation; nothing here is secret. Pure. Thread: any. */
#pragma once

#include "base/base.h"

struct carrier_random {
	uint64_t state;
};

static inline uint64_t carrier_random_u64(struct carrier_random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static inline uint32_t carrier_random_u32(struct carrier_random *r)
{
	return (uint32_t)(carrier_random_u64(r) >> 32);
}

/* True in `percent` of 100 cases. */
static inline bool carrier_random_hit(struct carrier_random *r, long percent)
{
	return percent > 0 && (long)(carrier_random_u32(r) % 100) < percent;
}

/* size - 1 hex digits and a zero. */
static inline void carrier_random_hex(struct carrier_random *r, char *out, size_t size)
{
	for (size_t i = 0; i + 1 < size; ++i)
		out[i] = "0123456789abcdef"[carrier_random_u32(r) % 16];
	out[size - 1] = 0;
}

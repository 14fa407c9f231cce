#include "base/rng.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void rng_bytes(void *out, size_t size)
{
	uint8_t *at = out;
	while (size) {
		ssize_t n = getrandom(at, size, 0);
		if (n < 0)
			continue; /* EINTR is the only way to get here once the kernel is seeded */
		at += n;
		size -= (size_t)n;
	}
}

/* A packet-rate caller must not pay a system call each: numbers come from a small pool. */
uint64_t rng_u64(void)
{
	static _Thread_local uint64_t pool[32];
	static _Thread_local unsigned left;

	if (!left) {
		rng_bytes(pool, sizeof pool);
		left = COUNT_OF(pool);
	}
	return pool[--left];
}

uint32_t rng_u32(void)
{
	return (uint32_t)rng_u64();
}

static void fill(char *out, size_t size, const char *alphabet)
{
	size_t letters = strlen(alphabet);
	for (size_t i = 0; i < size; ++i)
		out[i] = alphabet[rng_u32() % letters];
	out[size] = 0;
}

void rng_id(char out[RNG_ID_SIZE], const char *prefix)
{
	size_t size = strlen(prefix);
	assert(size + RNG_ID_CHARS < RNG_ID_SIZE);
	memcpy(out, prefix, size);
	fill(out + size, RNG_ID_CHARS, "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz");
}

void rng_token(char *out, size_t size)
{
	assert(size > 0);
	fill(out, size - 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
}

void rng_uuid(char out[RNG_UUID_SIZE])
{
	uint64_t high = rng_u64(), low = rng_u64();
	high = (high & ~0xf000ull) | 0x4000;             /* version 4 */
	low = (low & ~(3ull << 62)) | (1ull << 63);      /* variant 10 */
	snprintf(out, RNG_UUID_SIZE, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(high >> 32),
		(unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xffff), (unsigned)(low >> 48),
		(unsigned long long)(low & 0xffffffffffffull));
}

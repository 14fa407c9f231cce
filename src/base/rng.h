/* base/rng.h - randomness from the kernel, and LiveKit's kind of ids. Thread: any. */
#pragma once

#include "base/base.h"

void rng_bytes(void *out, size_t size); /* cryptographic; cannot fail on Linux after boot */
uint32_t rng_u32(void);
uint64_t rng_u64(void);

/* "RM_" + 12 characters of the alphabet that LiveKit uses (no 0, 1, I, O, l). */
enum { RNG_ID_CHARS = 12, RNG_ID_SIZE = 24 };
void rng_id(char out[RNG_ID_SIZE], const char *prefix);

/* `size` - 1 characters of [A-Za-z0-9] and a zero: tags, branches, ICE user names. */
void rng_token(char *out, size_t size);

/* A version 4 UUID (RFC 9562, section 5.4) in lower case, and a zero. */
enum { RNG_UUID_SIZE = 37 };
void rng_uuid(char out[RNG_UUID_SIZE]);

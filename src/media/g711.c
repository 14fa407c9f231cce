#include "media/g711.h"

/* Linear values are quantised to 14 bits (mu-law) and 12 bits (A-law) by the standard, so the
 * tables need no more entries than that. Negative values are taken by one's complement, as the
 * reference software of ITU-T G.191 does. */
enum { ULAW_BITS = 14, ALAW_BITS = 12, ULAW_BIAS = 33 };

static uint8_t ulaw_of[1 << ULAW_BITS], alaw_of[1 << ALAW_BITS];
static int16_t linear_of[2][256];
static uint8_t other_law[2][256];

static unsigned top_bit(unsigned v)
{
	return 31u - (unsigned)__builtin_clz(v | 1);
}

static uint8_t ulaw_encode(int v) /* 14 bits, signed */
{
	unsigned size = (unsigned)(v < 0 ? ~v : v) + ULAW_BIAS;
	if (size > 0x1fff)
		size = 0x1fff;
	unsigned segment = top_bit(size) - 5;
	unsigned code = segment << 4 | (size >> (segment + 1) & 0x0f);
	return (uint8_t)(~code & (v < 0 ? 0x7f : 0xff));
}

static int16_t ulaw_decode(uint8_t code)
{
	unsigned c = (uint8_t)~code;
	int size = (int)(((2 * (c & 0x0f) + ULAW_BIAS) << (c >> 4 & 7)) - ULAW_BIAS) * 4;
	return (int16_t)(c & 0x80 ? -size : size);
}

static uint8_t alaw_encode(int v) /* 12 bits, signed */
{
	unsigned size = (unsigned)(v < 0 ? ~v : v);
	unsigned code = size;
	if (size > 15) {
		unsigned segment = top_bit(size) - 3;
		code = segment << 4 | (size >> (segment - 1) & 0x0f);
	}
	return (uint8_t)((code | (v < 0 ? 0 : 0x80)) ^ 0x55);
}

static int16_t alaw_decode(uint8_t code)
{
	unsigned c = code ^ 0x55;
	unsigned segment = c >> 4 & 7;
	int size = (int)((c & 0x0f) << 4) + 8;
	if (segment)
		size = (size + 0x100) << (segment - 1);
	return (int16_t)(c & 0x80 ? size : -size);
}

__attribute__((constructor)) static void fill_tables(void)
{
	for (int v = -(1 << 13); v < 1 << 13; ++v)
		ulaw_of[(unsigned)v & ((1 << ULAW_BITS) - 1)] = ulaw_encode(v);
	for (int v = -(1 << 11); v < 1 << 11; ++v)
		alaw_of[(unsigned)v & ((1 << ALAW_BITS) - 1)] = alaw_encode(v);
	for (int c = 0; c < 256; ++c) {
		linear_of[G711_ULAW][c] = ulaw_decode((uint8_t)c);
		linear_of[G711_ALAW][c] = alaw_decode((uint8_t)c);
	}
	for (int c = 0; c < 256; ++c) {
		uint16_t u = (uint16_t)linear_of[G711_ULAW][c], a = (uint16_t)linear_of[G711_ALAW][c];
		other_law[G711_ULAW][c] = alaw_of[u >> (16 - ALAW_BITS)];
		other_law[G711_ALAW][c] = ulaw_of[a >> (16 - ULAW_BITS)];
	}
}

void g711_decode(int16_t *out, const uint8_t *in, size_t count, enum g711_law law)
{
	const int16_t *table = linear_of[law];
	for (size_t i = 0; i < count; ++i)
		out[i] = table[in[i]];
}

void g711_encode(uint8_t *out, const int16_t *in, size_t count, enum g711_law law)
{
	const uint8_t *table = law == G711_ULAW ? ulaw_of : alaw_of;
	unsigned shift = law == G711_ULAW ? 16 - ULAW_BITS : 16 - ALAW_BITS;
	for (size_t i = 0; i < count; ++i)
		out[i] = table[(uint16_t)in[i] >> shift];
}

void g711_convert(uint8_t *out, const uint8_t *in, size_t count, enum g711_law law)
{
	const uint8_t *table = other_law[law];
	for (size_t i = 0; i < count; ++i)
		out[i] = table[in[i]];
}

#include "media/dtmf_tone.h"

#include <math.h>

enum { COLUMNS = 4, KEYS = 16 };

void dtmf_tone(int16_t *out, size_t count, uint8_t event, uint32_t from, uint32_t hz)
{
	static const float low_hz[] = {697, 770, 852, 941}, high_hz[] = {1209, 1336, 1477, 1633};
	static const uint8_t keys[KEYS] = {
		13, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 14, 3, 7, 11, 15}; /* event -> row * 4 + column */
	const float amplitude = 5500, turn = 6.2831853f / (float)hz;
	unsigned key = keys[event % KEYS];

	for (uint32_t i = 0; i < count; ++i)
		out[i] = (int16_t)(amplitude * (sinf(turn * low_hz[key / COLUMNS] * (float)(from + i)) +
						       sinf(turn * high_hz[key % COLUMNS] * (float)(from + i))));
}

/* media/g711.h - G.711 by table: 8-bit mu-law and A-law to and from 16-bit linear (ITU-T G.711).
 *
 * Pure. Thread: any; the tables are filled before main() and never change.
 */
#pragma once

#include "base/base.h"

enum g711_law {
	G711_ULAW,
	G711_ALAW,
};

enum { G711_ULAW_SILENCE = 0xff, G711_ALAW_SILENCE = 0xd5 };

/* `count` samples; the buffers do not overlap. */
void g711_decode(int16_t *out, const uint8_t *in, size_t count, enum g711_law law);
void g711_encode(uint8_t *out, const int16_t *in, size_t count, enum g711_law law);
/* From `law` to the other one. In place is fine. */
void g711_convert(uint8_t *out, const uint8_t *in, size_t count, enum g711_law law);

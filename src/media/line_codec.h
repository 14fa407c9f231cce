/* media/line_codec.h - the codecs of telephone lines that have no concealment of their own, G.711 and
 * G.722, as one: bytes to sound at the codec's own rate (codec_facts()->leg_hz), and back.
 *
 * Owner:   the leg or voice that embeds it.
 * Owns:    nothing outside itself.
 * Thread:  its owner's. Pure.
 */
#pragma once

#include "media/codec.h"
#include "media/g722.h"

enum { LINE_CODEC_BYTES_MAX = 960 }; /* of a packet that we take: 120 ms */

struct line_codec {
	enum codec codec;
	struct g722_coder g722;
};

static inline bool line_codec_is(enum codec c)
{
	return c == CODEC_PCMU || c == CODEC_PCMA || c == CODEC_G722;
}
void line_codec_init(struct line_codec *c, enum codec codec); /* one that line_codec_is() */
/* Samples that `size` bytes hold. */
size_t line_codec_samples(enum codec codec, size_t size);
/* As many samples as line_codec_samples() says. */
void line_codec_decode(struct line_codec *c, int16_t *out, struct span in);
/* `count` even with G.722. Returns the bytes written: not more than `count`. */
size_t line_codec_encode(struct line_codec *c, uint8_t *out, const int16_t *in, size_t count);

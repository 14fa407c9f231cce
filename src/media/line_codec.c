#include "media/line_codec.h"

#include "media/g711.h"

#include <assert.h>

static enum g711_law law_of(enum codec c)
{
	return c == CODEC_PCMA ? G711_ALAW : G711_ULAW;
}

void line_codec_init(struct line_codec *c, enum codec codec)
{
	assert(line_codec_is(codec));
	c->codec = codec;
	g722_init(&c->g722);
}

size_t line_codec_samples(enum codec codec, size_t size)
{
	return codec == CODEC_G722 ? size * G722_SAMPLES_PER_BYTE : size;
}

void line_codec_decode(struct line_codec *c, int16_t *out, struct span in)
{
	if (c->codec == CODEC_G722)
		g722_decode(&c->g722, out, in.data, in.size);
	else
		g711_decode(out, in.data, in.size, law_of(c->codec));
}

size_t line_codec_encode(struct line_codec *c, uint8_t *out, const int16_t *in, size_t count)
{
	if (c->codec != CODEC_G722) {
		g711_encode(out, in, count, law_of(c->codec));
		return count;
	}
	g722_encode(&c->g722, out, in, count);
	return count / G722_SAMPLES_PER_BYTE;
}

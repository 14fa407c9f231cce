#include "media/codec.h"

#include <assert.h>

enum { DYNAMIC = 255 };

static const struct codec_facts all[CODEC__COUNT] = {
	[CODEC_NONE] = {"", 8000, 1, DYNAMIC, 0},
	[CODEC_OPUS] = {"opus", 48000, 2, DYNAMIC, 16000},
	[CODEC_PCMU] = {"PCMU", 8000, 1, 0, 8000},
	[CODEC_PCMA] = {"PCMA", 8000, 1, 8, 8000},
	[CODEC_RED] = {"red", 48000, 2, DYNAMIC, 0},
	[CODEC_G722] = {"G722", 8000, 1, 9, 16000},
};

const struct codec_facts *codec_facts(enum codec c)
{
	assert(c < CODEC__COUNT);
	return &all[c];
}

enum codec codec_by_name(struct span name, uint32_t clock_hz)
{
	for (int c = CODEC_NONE + 1; c < CODEC__COUNT; ++c)
		if (span_is_nocase(name, all[c].name) && all[c].clock_hz == clock_hz)
			return (enum codec)c;
	return CODEC_NONE;
}

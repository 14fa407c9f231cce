#include "media/codec.h"

#include <assert.h>

enum { DYNAMIC = 255 };

static const struct codec_facts all[CODEC__COUNT] = {
	[CODEC_NONE] = {.name = "", .clock_hz = 8000, .channels = 1, .static_pt = DYNAMIC},
	[CODEC_OPUS] = {.name = "opus", .clock_hz = 48000, .channels = 2, .static_pt = DYNAMIC},
	[CODEC_PCMU] = {.name = "PCMU", .clock_hz = 8000, .channels = 1, .static_pt = 0},
	[CODEC_PCMA] = {.name = "PCMA", .clock_hz = 8000, .channels = 1, .static_pt = 8},
	[CODEC_RED] = {.name = "red", .clock_hz = 48000, .channels = 2, .static_pt = DYNAMIC},
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

/* media/codec.h - the codecs that travel here, and their RTP facts (RFC 3551, RFC 7587).
 * Thread: any. */
#pragma once

#include "base/base.h"

enum codec {
	CODEC_NONE,
	CODEC_OPUS, /* 48 kHz RTP clock, always "opus/48000/2" */
	CODEC_PCMU, /* static payload type 0 */
	CODEC_PCMA, /* static payload type 8 */
	CODEC_RED,  /* RFC 2198 around Opus */
	CODEC_G722, /* static payload type 9; 16 kHz, but its RTP clock is 8000 (RFC 3551, 4.5.2) */
	CODEC__COUNT,
};

/* "opus", 48000, 2 ... as in a=rtpmap; the LiveKit mime type is "audio/" + name. */
struct codec_facts {
	const char *name;
	uint32_t clock_hz;
	uint8_t channels;  /* as written in rtpmap */
	uint8_t static_pt; /* 255 = dynamic */
	uint32_t leg_hz;   /* what a phone leg that speaks it works at; 0 = none does */
};
enum { CODEC_LEG_HZ_MAX = 16000 };
const struct codec_facts *codec_facts(enum codec c);
enum codec codec_by_name(struct span name, uint32_t clock_hz); /* CODEC_NONE when unknown */

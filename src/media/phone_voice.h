/* media/phone_voice.h - the phone's voice on its way to listeners who want Opus: packets of G.711 or
 * G.722 in as they come, Opus packets of 20 ms out.
 *
 *   packet -> order, wait for a missing one -> sound, concealment -> 20 ms -> Opus at 8 or 16 kHz
 *
 * What is in order goes out at once: the listeners have jitter buffers of their own, and smoothing
 * twice would only add delay. Only a missing packet makes it wait, for as long as jitter explains.
 *
 * Owner:   the leg that embeds it.
 * Owns:    jitter buffer, encoder (made when first wanted: 43 KB).
 * Thread:  its worker's. Allocates in phone_voice_start() only.
 */
#pragma once

#include "media/codec.h"
#include "media/jitter.h"
#include "media/line_codec.h"
#include "media/noise.h"
#include "media/opus_voice.h"
#include "media/plc.h"

enum { PHONE_VOICE_SAMPLES = 2 * OPUS_VOICE_SAMPLES_MAX };

struct phone_voice {
	struct jitter jitter;
	struct plc plc;
	struct opus_voice_encoder *encoder; /* NULL = nobody wants Opus */
	struct line_codec line;
	struct noise noise;
	uint32_t hz; /* of `pcm`: the line codec's own rate */
	uint16_t seq;
	uint32_t timestamp; /* 48 kHz, of the next frame */
	uint64_t sent_us;   /* when the last frame went out */
	uint32_t gap;       /* samples that the sender left out before the next frame */
	bool resumed;       /* the next frame begins a talk spurt */
	uint64_t concealed; /* frames with made-up sound in them */
	size_t count;
	int16_t pcm[PHONE_VOICE_SAMPLES];
};

struct phone_voice_frame {
	struct span payload;
	uint16_t seq;
	uint32_t timestamp;
	bool marker;
	uint8_t level; /* RFC 6464 */
};

void phone_voice_init(struct phone_voice *v);
void phone_voice_fini(struct phone_voice *v);
/* Somebody wants Opus from now on. Returns 0 (also when it was so already) or -ENOMEM. */
MUST_USE int phone_voice_start(struct phone_voice *v);
static inline bool phone_voice_started(const struct phone_voice *v)
{
	return v->encoder != NULL;
}
/* Another codec from now on, one of line_codec.h: what is held goes, the encoder stays. */
void phone_voice_codec(struct phone_voice *v, enum codec codec);
void phone_voice_put(struct phone_voice *v, const struct jitter_packet *p, uint64_t now_us);
/* The next frame, if there is one now. `packet` is where its payload is put. */
MUST_USE bool phone_voice_take(struct phone_voice *v, struct phone_voice_frame *ret,
	uint8_t packet[OPUS_VOICE_PACKET_MAX], uint64_t now_us);

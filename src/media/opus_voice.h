/* media/opus_voice.h - Opus for telephone sound: libopus at 8 kHz, mono, so that nothing is ever
 * resampled here (RFC 6716; the RTP clock stays 48 kHz, RFC 7587).
 *
 * Owner:   the leg (encoder), a heard voice (decoder).
 * Owns:    the codec's state.
 * Thread:  its owner's. Allocates in _new only.
 */
#pragma once

#include "base/base.h"

enum {
	OPUS_VOICE_FRAME = 160,       /* 20 ms at 8 kHz: what one encode takes */
	OPUS_VOICE_FRAME_TICKS = 960, /* the same on the RTP clock */
	OPUS_VOICE_SAMPLES_MAX = 960, /* 120 ms at 8 kHz: the longest packet */
	OPUS_VOICE_PACKET_MAX = 400,
};

struct opus_voice_encoder;
MUST_USE int opus_voice_encoder_new(struct opus_voice_encoder **ret);
struct opus_voice_encoder *opus_voice_encoder_free(struct opus_voice_encoder *e);
/* One frame. The packet's size, or 0 when the codec refused (then there is nothing to send). */
size_t opus_voice_encode(struct opus_voice_encoder *e, uint8_t out[OPUS_VOICE_PACKET_MAX],
	const int16_t pcm[OPUS_VOICE_FRAME]);

struct opus_voice_decoder;
MUST_USE int opus_voice_decoder_new(struct opus_voice_decoder **ret);
struct opus_voice_decoder *opus_voice_decoder_free(struct opus_voice_decoder *d);
void opus_voice_decoder_reset(struct opus_voice_decoder *d);
/* Samples written (at most OPUS_VOICE_SAMPLES_MAX), 0 when the packet is malformed. */
size_t opus_voice_decode(struct opus_voice_decoder *d, int16_t *out, struct span packet);
/* `count` lost samples, a multiple of 20 (2.5 ms). When `next`, the packet after the loss, carries
 * in-band FEC it is used; an empty span means there is none. Returns the samples written. */
size_t opus_voice_conceal(
	struct opus_voice_decoder *d, int16_t *out, size_t count, struct span next);

/* Length of a packet in samples at 8 kHz; 0 when malformed. */
size_t opus_voice_packet_samples(struct span packet);

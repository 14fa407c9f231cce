/* media/opus_voice.h - Opus for telephone sound: libopus at the leg's rate, 8 or 16 kHz, mono, so
 * that nothing is ever resampled here (RFC 6716; the RTP clock stays 48 kHz, RFC 7587).
 *
 * Owner:   the leg (encoder), a heard voice (decoder).
 * Owns:    the codec's state.
 * Thread:  its owner's. Allocates in _new only.
 */
#pragma once

#include "base/base.h"

enum {
	OPUS_VOICE_CLOCK_HZ = 48000,
	OPUS_VOICE_FRAME_TICKS = 960, /* 20 ms on the RTP clock */
	OPUS_VOICE_TICKS_MAX = 5760,  /* 120 ms: the longest packet */
	OPUS_VOICE_SAMPLES_MAX = 1920, /* the same at 16 kHz */
	OPUS_VOICE_PACKET_MAX = 400,
};

struct opus_voice_encoder;
MUST_USE int opus_voice_encoder_new(struct opus_voice_encoder **ret, uint32_t hz);
struct opus_voice_encoder *opus_voice_encoder_free(struct opus_voice_encoder *e);
/* Begins anew at this rate; nothing when it is at it. */
void opus_voice_encoder_rate(struct opus_voice_encoder *e, uint32_t hz);
/* In-band FEC for a receiver that loses this share; 0 = none. */
void opus_voice_encoder_fec(struct opus_voice_encoder *e, unsigned loss_percent);
/* One frame of 10, 20, 40 or 60 ms. The packet's size, or 0 when the codec refused (then there is
 * nothing to send). */
size_t opus_voice_encode(struct opus_voice_encoder *e, uint8_t out[OPUS_VOICE_PACKET_MAX],
	const int16_t *pcm, size_t count);

struct opus_voice_decoder;
MUST_USE int opus_voice_decoder_new(struct opus_voice_decoder **ret, uint32_t hz);
struct opus_voice_decoder *opus_voice_decoder_free(struct opus_voice_decoder *d);
void opus_voice_decoder_reset(struct opus_voice_decoder *d, uint32_t hz); /* begins anew */
/* Samples written (at most OPUS_VOICE_SAMPLES_MAX), 0 when the packet is malformed. */
size_t opus_voice_decode(struct opus_voice_decoder *d, int16_t *out, struct span packet);
/* `count` lost samples, a multiple of 2.5 ms. When `next`, the packet after the loss, carries
 * in-band FEC it is used; an empty span means there is none. Returns the samples written. */
size_t opus_voice_conceal(
	struct opus_voice_decoder *d, int16_t *out, size_t count, struct span next);

/* Length of a packet on the RTP clock; 0 when malformed. */
uint32_t opus_voice_packet_ticks(struct span packet);

#include "media/opus_voice.h"

#include "base/err.h"
#include "base/mem.h"

#include <errno.h>
#include <opus/opus.h>

enum { RATE_HZ = 8000, BITRATE = 16000, COMPLEXITY = 5, SAMPLES_STEP = 20 /* 2.5 ms */ };

/* The codec's state lies right behind these, in a block of our own, so that our leak counter
 * and the failing allocator of the tests see it. */
struct opus_voice_encoder {
	_Alignas(max_align_t) char state[0];
};
struct opus_voice_decoder {
	_Alignas(max_align_t) char state[0];
};

static OpusEncoder *encoder_of(struct opus_voice_encoder *e)
{
	return (OpusEncoder *)e->state;
}

static OpusDecoder *decoder_of(struct opus_voice_decoder *d)
{
	return (OpusDecoder *)d->state;
}

int opus_voice_encoder_new(struct opus_voice_encoder **ret)
{
	struct opus_voice_encoder *e = mem_zalloc((size_t)opus_encoder_get_size(1));
	if (!e)
		return err_new(-ENOMEM);
	OpusEncoder *o = encoder_of(e);
	if (opus_encoder_init(o, RATE_HZ, 1, OPUS_APPLICATION_VOIP) != OPUS_OK) {
		opus_voice_encoder_free(e);
		return err_new(-EINVAL);
	}
	opus_encoder_ctl(o, OPUS_SET_BITRATE(BITRATE));
	opus_encoder_ctl(o, OPUS_SET_COMPLEXITY(COMPLEXITY));
	opus_encoder_ctl(o, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
	opus_encoder_ctl(o, OPUS_SET_INBAND_FEC(0));
	opus_encoder_ctl(o, OPUS_SET_DTX(0));
	*ret = e;
	return 0;
}

struct opus_voice_encoder *opus_voice_encoder_free(struct opus_voice_encoder *e)
{
	mem_free(e);
	return NULL;
}

size_t opus_voice_encode(struct opus_voice_encoder *e, uint8_t out[OPUS_VOICE_PACKET_MAX],
	const int16_t pcm[OPUS_VOICE_FRAME])
{
	int size = opus_encode(encoder_of(e), pcm, OPUS_VOICE_FRAME, out, OPUS_VOICE_PACKET_MAX);
	return size > 0 ? (size_t)size : 0;
}

int opus_voice_decoder_new(struct opus_voice_decoder **ret)
{
	struct opus_voice_decoder *d = mem_zalloc((size_t)opus_decoder_get_size(1));
	if (!d)
		return err_new(-ENOMEM);
	if (opus_decoder_init(decoder_of(d), RATE_HZ, 1) != OPUS_OK) {
		opus_voice_decoder_free(d);
		return err_new(-EINVAL);
	}
	*ret = d;
	return 0;
}

struct opus_voice_decoder *opus_voice_decoder_free(struct opus_voice_decoder *d)
{
	mem_free(d);
	return NULL;
}

void opus_voice_decoder_reset(struct opus_voice_decoder *d)
{
	opus_decoder_ctl(decoder_of(d), OPUS_RESET_STATE);
}

size_t opus_voice_packet_samples(struct span packet)
{
	if (!packet.size)
		return 0;
	int samples = opus_packet_get_nb_samples(packet.data, (opus_int32)packet.size, RATE_HZ);
	return samples > 0 && samples <= OPUS_VOICE_SAMPLES_MAX ? (size_t)samples : 0;
}

size_t opus_voice_decode(struct opus_voice_decoder *d, int16_t *out, struct span packet)
{
	if (!packet.size)
		return 0;
	int count = opus_decode(decoder_of(d), packet.data, (opus_int32)packet.size, out,
		OPUS_VOICE_SAMPLES_MAX, 0);
	return count > 0 ? (size_t)count : 0;
}

size_t opus_voice_conceal(
	struct opus_voice_decoder *d, int16_t *out, size_t count, struct span next)
{
	if (count > OPUS_VOICE_SAMPLES_MAX)
		count = OPUS_VOICE_SAMPLES_MAX;
	count -= count % SAMPLES_STEP;
	if (!count)
		return 0;
	int got = next.size ? opus_decode(decoder_of(d), next.data, (opus_int32)next.size, out,
				      (int)count, 1)
			    : 0;
	if (got <= 0)
		got = opus_decode(decoder_of(d), NULL, 0, out, (int)count, 0);
	return got > 0 ? (size_t)got : 0;
}

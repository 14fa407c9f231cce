#include "media/opus_voice.h"

#include "base/err.h"
#include "base/mem.h"

#include <errno.h>
#include <opus/opus.h>

enum {
	BITRATE = 16000,
	BITRATE_WIDE = 28000,
	WIDE_HZ = 16000,
	COMPLEXITY = 5,
	STEPS_PER_S = 400, /* concealment is made in steps of 2.5 ms */
};

/* The codec's state lies right behind these, in a block of our own, so that our leak counter
 * and the failing allocator of the tests see it. */
struct opus_voice_encoder {
	uint32_t hz;
	_Alignas(max_align_t) char state[0];
};
struct opus_voice_decoder {
	uint32_t hz;
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

static int begin_encoder(struct opus_voice_encoder *e, uint32_t hz)
{
	OpusEncoder *o = encoder_of(e);
	if (opus_encoder_init(o, (opus_int32)hz, 1, OPUS_APPLICATION_VOIP) != OPUS_OK)
		return err_new(-EINVAL);
	e->hz = hz;
	opus_encoder_ctl(o, OPUS_SET_BITRATE(hz >= WIDE_HZ ? BITRATE_WIDE : BITRATE));
	opus_encoder_ctl(o, OPUS_SET_COMPLEXITY(COMPLEXITY));
	opus_encoder_ctl(o, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
	opus_encoder_ctl(o, OPUS_SET_INBAND_FEC(0));
	opus_encoder_ctl(o, OPUS_SET_DTX(0));
	return 0;
}

int opus_voice_encoder_new(struct opus_voice_encoder **ret, uint32_t hz)
{
	struct opus_voice_encoder *e = mem_zalloc(sizeof *e + (size_t)opus_encoder_get_size(1));
	if (!e)
		return err_new(-ENOMEM);
	int r = begin_encoder(e, hz);
	if (r < 0) {
		opus_voice_encoder_free(e);
		return r;
	}
	*ret = e;
	return 0;
}

void opus_voice_encoder_rate(struct opus_voice_encoder *e, uint32_t hz)
{
	if (e->hz != hz)
		(void)begin_encoder(e, hz);
}

void opus_voice_encoder_fec(struct opus_voice_encoder *e, unsigned loss_percent)
{
	opus_encoder_ctl(encoder_of(e), OPUS_SET_INBAND_FEC(loss_percent > 0));
	opus_encoder_ctl(encoder_of(e), OPUS_SET_PACKET_LOSS_PERC((opus_int32)loss_percent));
}

struct opus_voice_encoder *opus_voice_encoder_free(struct opus_voice_encoder *e)
{
	mem_free(e);
	return NULL;
}

size_t opus_voice_encode(struct opus_voice_encoder *e, uint8_t out[OPUS_VOICE_PACKET_MAX],
	const int16_t *pcm, size_t count)
{
	int size = opus_encode(encoder_of(e), pcm, (int)count, out, OPUS_VOICE_PACKET_MAX);
	return size > 0 ? (size_t)size : 0;
}

int opus_voice_decoder_new(struct opus_voice_decoder **ret, uint32_t hz)
{
	struct opus_voice_decoder *d = mem_zalloc(sizeof *d + (size_t)opus_decoder_get_size(1));
	if (!d)
		return err_new(-ENOMEM);
	if (opus_decoder_init(decoder_of(d), (opus_int32)hz, 1) != OPUS_OK) {
		opus_voice_decoder_free(d);
		return err_new(-EINVAL);
	}
	d->hz = hz;
	*ret = d;
	return 0;
}

struct opus_voice_decoder *opus_voice_decoder_free(struct opus_voice_decoder *d)
{
	mem_free(d);
	return NULL;
}

void opus_voice_decoder_reset(struct opus_voice_decoder *d, uint32_t hz)
{
	/* The size of its state is the same at every rate. */
	if (opus_decoder_init(decoder_of(d), (opus_int32)hz, 1) == OPUS_OK)
		d->hz = hz;
}

uint32_t opus_voice_packet_ticks(struct span packet)
{
	if (!packet.size)
		return 0;
	int ticks = opus_packet_get_nb_samples(packet.data, (opus_int32)packet.size, OPUS_VOICE_CLOCK_HZ);
	return ticks > 0 && ticks <= OPUS_VOICE_TICKS_MAX ? (uint32_t)ticks : 0;
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
	count -= count % (d->hz / STEPS_PER_S);
	if (!count)
		return 0;
	int got = next.size ? opus_decode(decoder_of(d), next.data, (opus_int32)next.size, out,
				      (int)count, 1)
			    : 0;
	if (got <= 0)
		got = opus_decode(decoder_of(d), NULL, 0, out, (int)count, 0);
	return got > 0 ? (size_t)got : 0;
}

#include "media/phone_voice.h"

#include "base/rng.h"
#include "media/g711.h"
#include "media/mixer.h"

#include <assert.h>

enum {
	PHONE_HZ = 8000,
	SAMPLE_TICKS = 6,      /* 48 kHz RTP clock per sample */
	LATE_BY_US = 500000,   /* our timestamps fell this far behind our clock: the phone paused */
	FRAME_US = 20000,
};

void phone_voice_init(struct phone_voice *v)
{
	*v = (struct phone_voice){.codec = CODEC_PCMU, .resumed = true};
	jitter_init(&v->jitter, JITTER_ORDER, PHONE_HZ);
	plc_reset(&v->plc);
	v->seq = (uint16_t)rng_u32();
	v->timestamp = rng_u32();
}

void phone_voice_fini(struct phone_voice *v)
{
	v->encoder = opus_voice_encoder_free(v->encoder);
}

int phone_voice_start(struct phone_voice *v)
{
	return v->encoder ? 0 : opus_voice_encoder_new(&v->encoder);
}

void phone_voice_codec(struct phone_voice *v, enum codec codec)
{
	assert(codec == CODEC_PCMU || codec == CODEC_PCMA);
	v->codec = codec;
	v->count = 0;
	v->resumed = true;
	jitter_init(&v->jitter, JITTER_ORDER, PHONE_HZ);
	plc_reset(&v->plc);
}

void phone_voice_put(struct phone_voice *v, const struct jitter_packet *p, uint64_t now_us)
{
	if (p->duration <= OPUS_VOICE_SAMPLES_MAX)
		(void)jitter_put(&v->jitter, p, now_us);
}

/* The sender was silent: what does not fill a frame is let go, and the time counts as a gap. */
static void note_gap(struct phone_voice *v, uint32_t samples)
{
	v->gap += samples + (uint32_t)v->count;
	v->count = 0;
	v->resumed = true;
}

static bool add_piece(struct phone_voice *v, uint64_t now_us)
{
	struct jitter_out o;
	enum jitter_take got = jitter_take(&v->jitter, &o, now_us);

	if (got == JITTER_NOTHING)
		return false;
	if (o.gap)
		note_gap(v, o.gap);
	if (got == JITTER_PACKET) {
		enum g711_law law = v->codec == CODEC_PCMU ? G711_ULAW : G711_ALAW;
		g711_decode(v->pcm + v->count, o.payload.data, o.payload.size, law);
		plc_received(&v->plc, v->pcm + v->count, o.payload.size);
		v->count += o.payload.size;
	} else {
		plc_missing(&v->plc, v->pcm + v->count, o.duration);
		v->count += o.duration;
		++v->concealed;
	}
	return true;
}

/* A pause that the phone's own timestamps do not tell of (another clock, a hold) still took time. */
static void keep_up(struct phone_voice *v, uint64_t now_us)
{
	if (v->sent_us) {
		uint64_t elapsed_us = now_us - v->sent_us;
		uint64_t told_us = FRAME_US + (uint64_t)v->gap * 1000000 / PHONE_HZ;
		if (elapsed_us > told_us + LATE_BY_US) {
			v->gap += (uint32_t)((elapsed_us - told_us) * PHONE_HZ / 1000000);
			v->resumed = true;
		}
	}
	v->timestamp += v->gap * SAMPLE_TICKS;
	v->gap = 0;
	v->sent_us = now_us;
}

bool phone_voice_take(struct phone_voice *v, struct phone_voice_frame *ret,
	uint8_t packet[OPUS_VOICE_PACKET_MAX], uint64_t now_us)
{
	assert(v->encoder);
	while (v->count < OPUS_VOICE_FRAME)
		if (!add_piece(v, now_us))
			return false;

	size_t size = opus_voice_encode(v->encoder, packet, v->pcm);
	keep_up(v, now_us);
	*ret = (struct phone_voice_frame){
		.payload = span_of(packet, size),
		.seq = v->seq++,
		.timestamp = v->timestamp,
		.marker = v->resumed,
		.level = mixer_level(v->pcm, OPUS_VOICE_FRAME),
	};
	v->timestamp += OPUS_VOICE_FRAME_TICKS;
	v->resumed = false;
	v->count -= OPUS_VOICE_FRAME;
	memmove(v->pcm, v->pcm + OPUS_VOICE_FRAME, v->count * sizeof *v->pcm);
	return size > 0;
}

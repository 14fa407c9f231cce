#include "media/phone_voice.h"

#include "base/rng.h"
#include "media/mixer.h"

#include <assert.h>

enum {
	LINE_CLOCK_HZ = 8000,  /* the RTP clock of every line codec */
	LATE_BY_US = 500000,   /* our timestamps fell this far behind our clock: the phone paused */
	FRAME_US = 20000,
	FRAMES_PER_S = 50,
};

static void begin(struct phone_voice *v, enum codec codec)
{
	v->hz = codec_facts(codec)->leg_hz;
	v->count = 0;
	v->resumed = true;
	line_codec_init(&v->line, codec);
	jitter_init(&v->jitter, JITTER_ORDER, LINE_CLOCK_HZ);
	plc_init(&v->plc, v->hz);
}

void phone_voice_init(struct phone_voice *v)
{
	*v = (struct phone_voice){.seq = (uint16_t)rng_u32(), .timestamp = rng_u32()};
	begin(v, CODEC_PCMU);
}

void phone_voice_fini(struct phone_voice *v)
{
	v->encoder = opus_voice_encoder_free(v->encoder);
}

int phone_voice_start(struct phone_voice *v)
{
	return v->encoder ? 0 : opus_voice_encoder_new(&v->encoder, v->hz);
}

void phone_voice_codec(struct phone_voice *v, enum codec codec)
{
	if (codec == v->line.codec)
		return;
	begin(v, codec);
	if (v->encoder)
		opus_voice_encoder_rate(v->encoder, v->hz);
}

void phone_voice_put(struct phone_voice *v, const struct jitter_packet *p, uint64_t now_us)
{
	if (p->duration <= LINE_CODEC_BYTES_MAX)
		(void)jitter_put(&v->jitter, p, now_us);
}

/* The sender was silent: what does not fill a frame is let go, and the time counts as a gap. */
static void note_gap(struct phone_voice *v, uint32_t ticks)
{
	v->gap += ticks + (uint32_t)(v->count * LINE_CLOCK_HZ / v->hz);
	v->count = 0;
	v->resumed = true;
}

static void add_packet(struct phone_voice *v, const struct jitter_out *o)
{
	int16_t *to = v->pcm + v->count;
	size_t count = line_codec_samples(v->line.codec, o->noise ? o->duration : o->payload.size);

	if (o->noise)
		noise_make(&v->noise, to, count, o->payload.data[0]);
	else
		line_codec_decode(&v->line, to, o->payload);
	plc_received(&v->plc, to, count);
	v->count += count;
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
		add_packet(v, &o);
	} else {
		size_t count = line_codec_samples(v->line.codec, o.duration);
		plc_missing(&v->plc, v->pcm + v->count, count);
		v->count += count;
		++v->concealed;
	}
	return true;
}

/* A pause that the phone's own timestamps do not tell of (another clock, a hold) still took time. */
static void keep_up(struct phone_voice *v, uint64_t now_us)
{
	if (v->sent_us) {
		uint64_t elapsed_us = now_us - v->sent_us;
		uint64_t told_us = FRAME_US + (uint64_t)v->gap * 1000000 / LINE_CLOCK_HZ;
		if (elapsed_us > told_us + LATE_BY_US) {
			v->gap += (uint32_t)((elapsed_us - told_us) * LINE_CLOCK_HZ / 1000000);
			v->resumed = true;
		}
	}
	v->timestamp += v->gap * (OPUS_VOICE_CLOCK_HZ / LINE_CLOCK_HZ);
	v->gap = 0;
	v->sent_us = now_us;
}

bool phone_voice_take(struct phone_voice *v, struct phone_voice_frame *ret,
	uint8_t packet[OPUS_VOICE_PACKET_MAX], uint64_t now_us)
{
	size_t frame = v->hz / FRAMES_PER_S;

	assert(v->encoder);
	while (v->count < frame)
		if (!add_piece(v, now_us))
			return false;

	size_t size = opus_voice_encode(v->encoder, packet, v->pcm, frame);
	keep_up(v, now_us);
	*ret = (struct phone_voice_frame){
		.payload = span_of(packet, size),
		.seq = v->seq++,
		.timestamp = v->timestamp,
		.marker = v->resumed,
		.level = mixer_level(v->pcm, frame),
	};
	v->timestamp += OPUS_VOICE_FRAME_TICKS;
	v->resumed = false;
	v->count -= frame;
	memmove(v->pcm, v->pcm + frame, v->count * sizeof *v->pcm);
	return size > 0;
}

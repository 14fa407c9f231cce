#include "media/room_voice.h"

#include "media/g711.h"
#include "media/stretch.h"
#include "wire/red.h"

enum {
	SWITCH_US = 200000, /* another codec is followed when the first was not heard for this long */
	MADE_UP_MAX = 5,    /* beats; by then every concealment has faded to silence */
	SAMPLE_TICKS = 6,   /* 48 kHz RTP clock per sample at 8 kHz */
	OPUS_HZ = 48000,
	PHONE_HZ = 8000,
	LEVEL_SILENT = 127,
};

int room_voice_init(struct room_voice *v)
{
	*v = (struct room_voice){.codec = CODEC_NONE};
	jitter_init(&v->jitter, JITTER_PLAY, OPUS_HZ);
	plc_reset(&v->plc);
	return opus_voice_decoder_new(&v->decoder);
}

void room_voice_fini(struct room_voice *v)
{
	v->decoder = opus_voice_decoder_free(v->decoder);
}

/* ---- in ---- */

/* A phone in the room may be pushed both as it is and as Opus: one of them is enough. */
static bool follow_codec(struct room_voice *v, enum codec codec, uint64_t now_us)
{
	if (codec != v->codec) {
		if (v->codec != CODEC_NONE && now_us - v->heard_us < SWITCH_US)
			return false;
		bool opus = codec == CODEC_OPUS;
		jitter_init(&v->jitter, JITTER_PLAY, opus ? OPUS_HZ : PHONE_HZ);
		opus_voice_decoder_reset(v->decoder);
		plc_reset(&v->plc);
		v->codec = codec;
	}
	v->heard_us = now_us;
	return true;
}

/* Ticks of sound in a payload; 0 when it is none. */
static uint32_t duration_of(enum codec codec, struct span payload)
{
	if (codec == CODEC_OPUS)
		return (uint32_t)opus_voice_packet_samples(payload) * SAMPLE_TICKS;
	return payload.size <= OPUS_VOICE_SAMPLES_MAX ? (uint32_t)payload.size : 0;
}

static bool put_sound(struct room_voice *v, const struct media_packet *p, enum codec codec,
	struct span payload)
{
	uint32_t duration = duration_of(codec, payload);
	if (!duration || !follow_codec(v, codec, p->arrived_us))
		return false;

	v->levels_known |= p->level < LEVEL_SILENT;
	(void)jitter_put(&v->jitter,
		&(struct jitter_packet){
			.seq = p->rtp->seq,
			.timestamp = p->rtp->timestamp,
			.ssrc = p->rtp->ssrc,
			.duration = duration,
			.silent = v->levels_known && p->level == LEVEL_SILENT,
			.payload = payload,
		},
		p->arrived_us);
	return true;
}

/* The sound of packets before this one, where they did not come themselves. */
static void put_copy(struct room_voice *v, const struct media_packet *p,
	const struct red_block *block, unsigned back)
{
	uint16_t seq = (uint16_t)(p->rtp->seq - back);
	uint32_t duration = red_block_ticks(block, back);

	if (!duration || !jitter_lacks(&v->jitter, p->rtp->ssrc, seq))
		return;
	(void)jitter_put(&v->jitter,
		&(struct jitter_packet){
			.seq = seq,
			.timestamp = p->rtp->timestamp - block->offset,
			.ssrc = p->rtp->ssrc,
			.duration = duration,
			.copy = true,
			.payload = block->payload,
		},
		p->arrived_us);
}

static void put_red(struct room_voice *v, const struct media_packet *p)
{
	struct red_block blocks[RED_BLOCKS_MAX];
	size_t count = red_parse(blocks, p->rtp->payload);

	if (!count || !put_sound(v, p, CODEC_OPUS, blocks[count - 1].payload))
		return;
	for (size_t i = 0; i + 1 < count; ++i)
		put_copy(v, p, &blocks[i], (unsigned)(count - 1 - i));
}

void room_voice_put(struct room_voice *v, const struct media_packet *p)
{
	if (p->codec == CODEC_RED)
		put_red(v, p);
	else if (p->codec == CODEC_OPUS || p->codec == CODEC_PCMU || p->codec == CODEC_PCMA)
		(void)put_sound(v, p, p->codec, p->rtp->payload);
}

/* ---- out ---- */

static void add_silence(struct room_voice *v, size_t count)
{
	memset(v->pcm + v->count, 0, count * sizeof *v->pcm);
	v->count += count;
}

static size_t samples_of(const struct room_voice *v, uint32_t ticks)
{
	size_t count = v->codec == CODEC_OPUS ? ticks / SAMPLE_TICKS : ticks;
	return count < OPUS_VOICE_SAMPLES_MAX ? count : OPUS_VOICE_SAMPLES_MAX;
}

static void add_packet(struct room_voice *v, const struct jitter_out *o)
{
	int16_t *to = v->pcm + v->count;
	size_t count = samples_of(v, o->duration);

	v->silent = o->silent;
	if (o->silent) {
		add_silence(v, count);
		return;
	}
	if (v->codec == CODEC_OPUS) {
		count = opus_voice_decode(v->decoder, to, o->payload);
	} else {
		g711_decode(to, o->payload.data, count, v->codec == CODEC_PCMU ? G711_ULAW : G711_ALAW);
		plc_received(&v->plc, to, count);
	}
	v->count += count;
	v->audible = v->count;
}

/* Makes up `count` samples; `next` is the packet after the hole, if there is one. */
static void add_concealed(struct room_voice *v, size_t count, struct span next)
{
	int16_t *to = v->pcm + v->count;

	if (v->silent) {
		add_silence(v, count);
		return;
	}
	if (v->codec == CODEC_OPUS)
		count = opus_voice_conceal(v->decoder, to, count, next);
	else
		plc_missing(&v->plc, to, count);
	v->count += count;
	v->audible = v->count;
	++v->concealed;
}

/* One more piece of sound; false when there is none for now. */
static bool add_piece(struct room_voice *v, uint64_t now_us)
{
	struct jitter_out o;
	enum jitter_take got = jitter_take(&v->jitter, &o, now_us);

	if (got == JITTER_NOTHING)
		return false;
	if (got == JITTER_PACKET)
		add_packet(v, &o);
	else
		add_concealed(v, samples_of(v, o.duration), o.payload);
	v->talking = true;
	v->made_up = 0;
	return true;
}

/* Nothing came in time. A short while that is a hole to be hidden, then it is a pause. */
static void fill_hole(struct room_voice *v)
{
	if (v->talking && v->made_up < MADE_UP_MAX) {
		++v->made_up;
		add_concealed(v, ROOM_VOICE_FRAME, (struct span){0});
		return;
	}
	v->talking = false;
	jitter_rest(&v->jitter);
	if (v->count > 0 && v->count < ROOM_VOICE_FRAME)
		add_silence(v, ROOM_VOICE_FRAME - v->count);
}

static void shorten(struct room_voice *v, uint64_t now_us)
{
	v->cut = false;
	while (v->count < ROOM_VOICE_FRAME + STRETCH_MAX)
		if (!add_piece(v, now_us))
			return;
	size_t left = stretch_cut(v->pcm, v->count);
	v->audible = v->audible > v->count - left ? v->audible - (v->count - left) : 0;
	v->count = left;
}

static void play(struct room_voice *v, int16_t out[ROOM_VOICE_FRAME])
{
	memcpy(out, v->pcm, ROOM_VOICE_FRAME * sizeof *out);
	v->count -= ROOM_VOICE_FRAME;
	v->audible = v->audible > ROOM_VOICE_FRAME ? v->audible - ROOM_VOICE_FRAME : 0;
	memmove(v->pcm, v->pcm + ROOM_VOICE_FRAME, v->count * sizeof *v->pcm);
}

bool room_voice_take(struct room_voice *v, int16_t out[ROOM_VOICE_FRAME], uint64_t now_us)
{
	if (!v->talking && !v->count && !v->jitter.held)
		return false;

	if (v->cut)
		shorten(v, now_us);
	/* A malformed packet yields nothing, hence the bound: one turn for each slot. */
	for (int i = 0; i < JITTER_SLOTS && v->count < ROOM_VOICE_FRAME; ++i)
		if (!add_piece(v, now_us))
			break;
	if (v->count < ROOM_VOICE_FRAME)
		fill_hole(v);
	if (v->count < ROOM_VOICE_FRAME)
		return false;

	bool audible = v->audible > 0;
	play(v, out);
	uint32_t pending = (uint32_t)(v->codec == CODEC_OPUS ? v->count * SAMPLE_TICKS : v->count);
	if (v->talking && v->made_up == 0)
		v->cut = jitter_may_cut(&v->jitter, pending);
	return audible;
}

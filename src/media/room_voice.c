#include "media/room_voice.h"

#include "media/stretch.h"
#include "wire/red.h"

enum {
	SWITCH_US = 200000, /* another codec is followed when the first was not heard for this long */
	MADE_UP_MAX = 5,    /* beats; by then every concealment has faded to silence */
	NARROW_HZ = 8000,
	BEATS_PER_S = 50,
	LEVEL_SILENT = 127,
	LINE_BYTES_MAX = 960, /* 120 ms of G.711 or G.722 */
};

int room_voice_init(struct room_voice *v, uint32_t hz)
{
	*v = (struct room_voice){.codec = CODEC_NONE, .hz = hz, .opus_hz = hz};
	jitter_init(&v->jitter, JITTER_PLAY, OPUS_VOICE_CLOCK_HZ);
	return opus_voice_decoder_new(&v->decoder, hz);
}

/* A decoder that begins anew takes a moment to be as loud as it was: until a pause the old one goes on,
 * and its sound is converted, as is what was decoded already. */
void room_voice_rate(struct room_voice *v, uint32_t hz)
{
	int16_t old[ROOM_VOICE_SAMPLES];
	struct halfband h = {0};

	if (hz == v->hz)
		return;
	size_t count = v->count < HALFBAND_SAMPLES_MAX / 2 ? v->count & ~(size_t)1 : HALFBAND_SAMPLES_MAX / 2;
	memcpy(old, v->pcm, count * sizeof *old);
	if (hz > v->hz) {
		halfband_up(&h, v->pcm, old, count);
		v->count = 2 * count;
		v->audible *= 2;
	} else {
		halfband_down(&h, v->pcm, old, count);
		v->count = count / 2;
		v->audible /= 2;
	}
	v->hz = hz;
	v->halfband = (struct halfband){0};
}

static void begin_opus(struct room_voice *v)
{
	opus_voice_decoder_reset(v->decoder, v->hz);
	v->opus_hz = v->hz;
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
		jitter_init(&v->jitter, JITTER_PLAY, codec_facts(codec)->clock_hz);
		begin_opus(v);
		if (line_codec_is(codec)) {
			line_codec_init(&v->line, codec);
			plc_init(&v->plc, codec_facts(codec)->leg_hz);
			v->halfband = (struct halfband){0};
		}
		v->codec = codec;
	}
	v->heard_us = now_us;
	return true;
}

/* Ticks of sound in a payload; 0 when it is none. */
static uint32_t duration_of(enum codec codec, struct span payload)
{
	if (codec == CODEC_OPUS)
		return opus_voice_packet_ticks(payload);
	/* A byte is a tick of 8 kHz in all of them. */
	return payload.size <= LINE_BYTES_MAX ? (uint32_t)payload.size : 0;
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
	else if (p->codec == CODEC_OPUS || line_codec_is(p->codec))
		(void)put_sound(v, p, p->codec, p->rtp->payload);
}

/* ---- out ---- */

static void add_silence(struct room_voice *v, size_t count)
{
	memset(v->pcm + v->count, 0, count * sizeof *v->pcm);
	v->count += count;
}

/* Ticks of the RTP clock as samples of the leg. */
static size_t samples_of(const struct room_voice *v, uint32_t ticks)
{
	size_t most = OPUS_VOICE_SAMPLES_MAX * v->hz / CODEC_LEG_HZ_MAX;
	size_t count = (size_t)((uint64_t)ticks * v->hz / codec_facts(v->codec)->clock_hz);
	return count < most ? count : most;
}

/* The rate at which what comes is decoded. */
static uint32_t native_hz(const struct room_voice *v)
{
	return v->codec == CODEC_OPUS ? v->opus_hz : codec_facts(v->codec)->leg_hz;
}

/* Sound at that rate. */
static void add_sound(struct room_voice *v, const int16_t *pcm, size_t count)
{
	uint32_t from_hz = native_hz(v);
	int16_t *to = v->pcm + v->count;

	if (from_hz == v->hz) {
		memcpy(to, pcm, count * sizeof *pcm);
	} else if (from_hz < v->hz) {
		halfband_up(&v->halfband, to, pcm, count);
		count *= 2;
	} else {
		halfband_down(&v->halfband, to, pcm, count);
		count /= 2;
	}
	v->count += count;
	v->audible = v->count;
}

static void add_packet(struct room_voice *v, const struct jitter_out *o)
{
	int16_t pcm[OPUS_VOICE_SAMPLES_MAX];
	size_t count;

	v->silent = o->silent;
	if (o->silent) {
		add_silence(v, samples_of(v, o->duration));
		return;
	}
	if (v->codec == CODEC_OPUS) {
		count = opus_voice_decode(v->decoder, pcm, o->payload);
	} else {
		count = line_codec_samples(v->codec, o->payload.size);
		line_codec_decode(&v->line, pcm, o->payload);
		plc_received(&v->plc, pcm, count);
	}
	add_sound(v, pcm, count);
}

/* Makes up `ticks` of sound; `next` is the packet after the hole, if there is one. */
static void add_concealed(struct room_voice *v, uint32_t ticks, struct span next)
{
	int16_t pcm[OPUS_VOICE_SAMPLES_MAX];
	size_t count = samples_of(v, ticks) * native_hz(v) / v->hz;

	if (v->silent) {
		add_silence(v, samples_of(v, ticks));
		return;
	}
	if (v->codec == CODEC_OPUS)
		count = opus_voice_conceal(v->decoder, pcm, count, next);
	else
		plc_missing(&v->plc, pcm, count);
	add_sound(v, pcm, count);
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
		add_concealed(v, o.duration, o.payload);
	v->talking = true;
	v->made_up = 0;
	return true;
}

/* Nothing came in time. A short while that is a hole to be hidden, then it is a pause. */
static void fill_hole(struct room_voice *v)
{
	if (v->talking && v->made_up < MADE_UP_MAX) {
		++v->made_up;
		add_concealed(v, codec_facts(v->codec)->clock_hz / BEATS_PER_S, (struct span){0});
		return;
	}
	v->talking = false;
	jitter_rest(&v->jitter);
	if (v->opus_hz != v->hz)
		begin_opus(v);
	size_t frame = room_voice_frame(v);
	if (v->count > 0 && v->count < frame)
		add_silence(v, frame - v->count);
}

static void shorten(struct room_voice *v, uint64_t now_us)
{
	unsigned scale = v->hz / NARROW_HZ;

	v->cut = false;
	while (v->count < room_voice_frame(v) + STRETCH_MAX * scale)
		if (!add_piece(v, now_us))
			return;
	size_t left = stretch_cut(v->pcm, v->count, scale);
	v->audible = v->audible > v->count - left ? v->audible - (v->count - left) : 0;
	v->count = left;
}

static void play(struct room_voice *v, int16_t *out, size_t frame)
{
	memcpy(out, v->pcm, frame * sizeof *out);
	v->count -= frame;
	v->audible = v->audible > frame ? v->audible - frame : 0;
	memmove(v->pcm, v->pcm + frame, v->count * sizeof *v->pcm);
}

bool room_voice_take(struct room_voice *v, int16_t *out, uint64_t now_us)
{
	size_t frame = room_voice_frame(v);

	if (!v->talking && !v->count && !v->jitter.held)
		return false;

	if (v->cut)
		shorten(v, now_us);
	/* A malformed packet yields nothing, hence the bound: one turn for each slot. */
	for (int i = 0; i < JITTER_SLOTS && v->count < frame; ++i)
		if (!add_piece(v, now_us))
			break;
	if (v->count < frame)
		fill_hole(v);
	if (v->count < frame)
		return false;

	bool audible = v->audible > 0;
	play(v, out, frame);
	uint32_t pending = (uint32_t)((uint64_t)v->count * v->jitter.clock_hz / v->hz);
	if (v->talking && v->made_up == 0)
		v->cut = jitter_may_cut(&v->jitter, pending);
	return audible;
}

#include "media/leg_private.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/rng.h"
#include "media/dtmf_tone.h"

#include <errno.h>

enum {
	SOUND_MAX = LEG_PTIME_MAX_MS * CODEC_LEG_HZ_MAX / 1000, /* samples, and more than any codec's bytes */
	PACKET_MAX = RTP_HEADER_BYTES + SOUND_MAX + SRTP_TRAILER_BYTES,
	FIRST_HZ = 8000, /* until it is connected */
	FEC_LOSS_PERCENT = 5,
};

/* ---- voices ---- */

static struct leg_voice *voice_of(struct leg *l, media_id source)
{
	list_each (it, &l->out.voices) {
		struct leg_voice *v = container_of(it, struct leg_voice, link);
		if (v->source == source)
			return v;
	}
	return NULL;
}

static void voice_free(struct leg_voice *v)
{
	source_remove_sink(&v->sink);
	list_remove(&v->link);
	--v->leg->out.voice_count;
	room_voice_fini(&v->voice);
	mem_free(v);
}

static void on_voice_packet(struct source_sink *s, const struct media_packet *p)
{
	struct leg_voice *v = container_of(s, struct leg_voice, sink);
	if (v->leg->connected)
		room_voice_put(&v->voice, p);
}

/* Its last words are heard to their end, see drop_gone(). */
static void let_go(struct leg_voice *v)
{
	source_remove_sink(&v->sink);
	v->source = 0;
	v->gone = true;
	if (!v->leg->connected || !room_voice_holds(&v->voice))
		voice_free(v);
}

static void on_source_gone(struct source_sink *s)
{
	let_go(container_of(s, struct leg_voice, sink));
}

static void drop_gone(struct leg *l)
{
	for (struct list *it = l->out.voices.next, *next; it != &l->out.voices; it = next) {
		struct leg_voice *v = container_of(it, struct leg_voice, link);
		next = it->next;
		if (v->gone && !room_voice_holds(&v->voice))
			voice_free(v);
	}
}

void leg_send_let_go(struct leg *l)
{
	for (struct list *it = l->out.voices.next, *next; it != &l->out.voices; it = next) {
		next = it->next;
		let_go(container_of(it, struct leg_voice, link));
	}
}

bool leg_send_holds(const struct leg *l)
{
	return l->out.count || !list_empty(&l->out.voices);
}

void leg_hear(struct leg *l, struct source *s)
{
	/* The phone must not hear itself, nor anybody twice. */
	if (s == &l->source || voice_of(l, s->id) || l->out.voice_count >= LIMIT_LEG_VOICES)
		return;
	struct leg_voice *v = mem_zalloc(sizeof *v);
	if (!v) {
		(void)err_new(-ENOMEM);
		return;
	}
	v->leg = l;
	v->source = s->id;
	v->sink.codec = CODEC_NONE;
	v->sink.write = on_voice_packet;
	v->sink.source_gone = on_source_gone;
	list_init(&v->sink.link);
	list_add(&l->out.voices, &v->link);
	++l->out.voice_count;
	if (room_voice_init(&v->voice, l->out.hz) < 0) {
		voice_free(v);
		return;
	}
	source_add_sink(s, &v->sink);
}

void leg_unhear(struct leg *l, media_id source)
{
	struct leg_voice *v = voice_of(l, source);
	if (v)
		let_go(v);
}

/* ---- life ---- */

static void begin_stream(struct leg_sender *o)
{
	o->ssrc = rng_u32();
	o->seq = (uint16_t)(rng_u32() & SRTP_FIRST_SEQ_MAX);
	o->packets_before += o->packets;
	o->packets = o->octets = 0;
}

void leg_send_init(struct leg *l)
{
	list_init(&l->out.voices);
	begin_stream(&l->out);
	l->out.timestamp = rng_u32();
	l->out.quiet_beats = LEG_BEATS_PER_S;
	l->out.resumed = true;
	l->out.hz = FIRST_HZ;
	l->out.clock_hz = FIRST_HZ;
}

void leg_send_fini(struct leg *l)
{
	while (!list_empty(&l->out.voices))
		voice_free(list_first(&l->out.voices, struct leg_voice, link));
	l->out.opus = opus_voice_encoder_free(l->out.opus);
}

static uint32_t ticks_of(const struct leg_sender *o, size_t samples)
{
	return (uint32_t)((uint64_t)samples * o->clock_hz / o->hz);
}

/* Time passes although nothing of this sound is sent. */
static void skip_sound(struct leg_sender *o, size_t count)
{
	o->timestamp += ticks_of(o, o->count + count);
	o->count = 0;
	o->resumed = true;
}

uint32_t leg_send_now(const struct leg *l)
{
	return l->out.timestamp + ticks_of(&l->out, l->out.count);
}

static void take_rate(struct leg *l, uint32_t hz)
{
	if (hz == l->out.hz)
		return;
	skip_sound(&l->out, 0);
	l->out.hz = hz;
	list_each (it, &l->out.voices)
		room_voice_rate(&container_of(it, struct leg_voice, link)->voice, hz);
}

/* Timestamps of another clock are another stream (RFC 7160, 4.1). */
static void take_clock(struct leg_sender *o, uint32_t clock_hz)
{
	if (clock_hz == o->clock_hz)
		return;
	o->clock_hz = clock_hz;
	if (o->packets)
		begin_stream(o);
}

static void take_codec(struct leg *l, enum codec codec)
{
	struct leg_sender *o = &l->out;
	if (codec == o->codec)
		return;
	take_rate(l, codec_facts(codec)->leg_hz);
	take_clock(o, codec_facts(codec)->clock_hz);
	o->codec = codec;
	if (line_codec_is(codec))
		line_codec_init(&o->line, codec);
	else if (!o->opus && opus_voice_encoder_new(&o->opus, o->hz) < 0)
		(void)err_new(-ENOMEM); /* the phone hears nothing */
}

void leg_send_connect(struct leg *l)
{
	take_codec(l, l->remote.codec);
	l->out.dtmf_hz = l->remote.dtmf_hz ? l->remote.dtmf_hz : l->out.clock_hz;
	if (l->out.opus)
		opus_voice_encoder_fec(l->out.opus, l->remote.fec ? FEC_LOSS_PERCENT : 0);
	l->out.resumed = true;
}

/* Whether a new key counts turns of the sequence from zero or goes on (RFC 3711 and what is used
 * differ) does not matter in the first turn; after it a new SSRC, which has no past, avoids that. */
void leg_send_rekeyed(struct leg *l)
{
	if (l->out.packets > UINT16_MAX - SRTP_FIRST_SEQ_MAX)
		begin_stream(&l->out);
}

void leg_digits(struct leg *l, const char *digits)
{
	size_t queued = dtmf_sender_queue(&l->out.dtmf, digits);
	if (!queued && !dtmf_sender_busy(&l->out.dtmf)) /* nobody shall wait for nothing */
		worker_post_leg_digits_done(l->worker, l->id);
}

void leg_ring(struct leg *l, const struct media_ringback *tone)
{
	ring_tone_start(&l->out.ring, tone);
}

void leg_send_stats(const struct leg *l, struct media_leg_stats *ret)
{
	uint32_t deepest_us = 0;
	const struct rtp_heard *heard = &l->reports.heard;
	ret->codec_out = l->remote.codec;
	ret->ptime_ms = l->remote.ptime_ms;
	ret->far_expected = heard->expected;
	ret->far_lost = heard->lost;
	ret->far_jitter_us = (uint32_t)((uint64_t)heard->jitter * 1000000 / l->out.clock_hz);
	ret->rtt_us = heard->rtt_us;
	ret->sent = l->out.packets_before + l->out.packets;
	list_each (it, &l->out.voices) {
		const struct leg_voice *v = container_of(it, struct leg_voice, link);
		uint32_t depth_us = jitter_depth_us(&v->voice.jitter) +
			(uint32_t)((uint64_t)v->voice.count * 1000000 / l->out.hz);
		ret->concealed += v->voice.concealed;
		if (depth_us > deepest_us)
			deepest_us = depth_us;
	}
	ret->buffer_ms = (uint16_t)(deepest_us / 1000);
}

/* ---- packets ---- */

bool leg_send_may(const struct leg *l)
{
	return l->remote.send && leg_source_is_named(&l->remote.rtp);
}

static void send_rtp(
	struct leg *l, uint8_t pt, bool marker, uint32_t timestamp, const void *payload, size_t size)
{
	uint8_t packet[PACKET_MAX];
	struct writer w = writer_of(packet, sizeof packet);
	rtp_write(&w, &(struct rtp_view){
			      .payload_type = pt,
			      .marker = marker,
			      .seq = l->out.seq++,
			      .timestamp = timestamp,
			      .ssrc = l->out.ssrc,
			      .payload = span_of(payload, size),
		      });
	(void)leg_wire_rtp(l, packet, w.used);
	++l->out.packets;
	l->out.octets += size;
}

static size_t encode(struct leg_sender *o, uint8_t out[SOUND_MAX], const int16_t *pcm, size_t count)
{
	if (line_codec_is(o->codec))
		return line_codec_encode(&o->line, out, pcm, count);
	return o->opus ? opus_voice_encode(o->opus, out, pcm, count) : 0;
}

static void send_sound(struct leg *l, const int16_t *frame)
{
	struct leg_sender *o = &l->out;
	size_t count = (size_t)l->remote.ptime_ms * o->hz / 1000;
	uint8_t payload[SOUND_MAX];

	memcpy(o->pcm + o->count, frame, leg_send_frame(l) * sizeof *frame);
	o->count += leg_send_frame(l);
	while (o->count >= count) {
		size_t size = encode(o, payload, o->pcm, count);
		if (size)
			send_rtp(l, l->remote.pt, o->resumed, o->timestamp, payload, size);
		o->resumed = !size;
		o->timestamp += ticks_of(o, count);
		o->count -= count;
		memmove(o->pcm, o->pcm + count, o->count * sizeof *o->pcm);
	}
}

static void send_event(struct leg *l, const struct dtmf_packet *p)
{
	uint8_t payload[DTMF_EVENT_BYTES];
	struct writer w = writer_of(payload, sizeof payload);
	dtmf_event_write(&w, &p->event);
	send_rtp(l, l->remote.dtmf_pt, p->marker, p->timestamp, payload, sizeof payload);
}

/* ---- the beat ---- */

static void mix(struct leg *l, int16_t out[LEG_FRAME_MAX], uint64_t now_us)
{
	struct mixer m;
	int16_t pcm[LEG_FRAME_MAX];

	mixer_init(&m, leg_send_frame(l));
	++l->out.quiet_beats;
	list_each (it, &l->out.voices) {
		struct leg_voice *v = container_of(it, struct leg_voice, link);
		if (!room_voice_take(&v->voice, pcm, now_us))
			continue;
		mixer_add(&m, pcm);
		l->out.quiet_beats = 0;
	}
	mixer_take(&m, out);
}

/* An answer without telephone-event leaves only the tones themselves. */
static void play_tone(const struct leg_sender *o, int16_t *out, size_t count, const struct dtmf_packet *p)
{
	uint32_t beats = p->event.duration / dtmf_beat_ticks(o->dtmf_hz);
	dtmf_tone(out, count, p->event.event, (beats - 1) * (uint32_t)count, o->hz);
}

/* Sets `frame` aside when the digits take this beat; true when the beat is theirs altogether. */
static bool send_digits(struct leg *l, int16_t *frame)
{
	struct leg_sender *o = &l->out;
	struct dtmf_packet p;
	bool done;

	if (!dtmf_sender_busy(&o->dtmf))
		return false;
	unsigned beat = o->dtmf.beat;
	enum dtmf_step step = dtmf_sender_step(
		&o->dtmf, &p, &done, leg_send_now(l), o->dtmf_hz);
	if (done)
		worker_post_leg_digits_done(l->worker, l->id);
	if (step == DTMF_STEP_IDLE)
		return false;

	if (l->config.keys == MEDIA_KEYS_INFO) {
		if (step == DTMF_STEP_EVENT && p.marker)
			worker_post_leg_key(l->worker, l->id, dtmf_event_digit(p.event.event));
		return false;
	}
	if (step == DTMF_STEP_EVENT && l->remote.dtmf_pt && l->config.keys != MEDIA_KEYS_INBAND) {
		send_event(l, &p);
		skip_sound(o, leg_send_frame(l));
		return true;
	}
	memset(frame, 0, leg_send_frame(l) * sizeof *frame);
	if (step == DTMF_STEP_EVENT && beat < DTMF_TONE_BEATS)
		play_tone(o, frame, leg_send_frame(l), &p);
	return false;
}

void leg_send_beat(struct leg *l, uint64_t now_us)
{
	int16_t frame[LEG_FRAME_MAX];

	/* Voices go on being played out while nothing is sent: no backlog when it resumes. */
	mix(l, frame, now_us);
	drop_gone(l);
	if (l->remote.early)
		memset(frame, 0, sizeof frame);
	if (ring_tone_is_on(&l->out.ring))
		ring_tone_next(&l->out.ring, frame, leg_send_frame(l), l->out.hz);
	if (!leg_send_may(l)) {
		skip_sound(&l->out, leg_send_frame(l));
		return;
	}
	if (!send_digits(l, frame))
		send_sound(l, frame);
}

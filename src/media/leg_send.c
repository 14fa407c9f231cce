#include "media/leg_private.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/rng.h"
#include "media/g711.h"
#include "net/address.h"

#include <errno.h>
#include <math.h>

enum {
	SOUND_MAX = LEG_PTIME_MAX_MS * LEG_HZ / 1000,
	PACKET_MAX = RTP_HEADER_BYTES + SOUND_MAX,
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
	if (room_voice_init(&v->voice) < 0) {
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

void leg_send_init(struct leg *l)
{
	list_init(&l->out.voices);
	l->out.ssrc = rng_u32();
	l->out.seq = (uint16_t)rng_u32();
	l->out.timestamp = rng_u32();
	l->out.resumed = true;
}

void leg_send_fini(struct leg *l)
{
	while (!list_empty(&l->out.voices))
		voice_free(list_first(&l->out.voices, struct leg_voice, link));
}

void leg_send_connect(struct leg *l)
{
	l->out.resumed = true;
}

void leg_digits(struct leg *l, const char *digits)
{
	size_t queued = dtmf_sender_queue(&l->out.dtmf, digits);
	if (!queued && !dtmf_sender_busy(&l->out.dtmf)) /* nobody shall wait for nothing */
		worker_post_leg_digits_done(l->worker, l->id);
}

void leg_send_stats(const struct leg *l, struct media_leg_stats *ret)
{
	uint32_t deepest_us = 0;
	ret->sent = l->out.packets;
	list_each (it, &l->out.voices) {
		const struct leg_voice *v = container_of(it, struct leg_voice, link);
		uint32_t depth_us = jitter_depth_us(&v->voice.jitter) +
			(uint32_t)(v->voice.count * 1000000 / LEG_HZ);
		ret->concealed += v->voice.concealed;
		if (depth_us > deepest_us)
			deepest_us = depth_us;
	}
	ret->buffer_ms = (uint16_t)(deepest_us / 1000);
}

/* ---- packets ---- */

/* "send" off, or an address that means nobody (0.0.0.0, port 0: hold as of old). */
static bool may_send(const struct leg *l)
{
	const struct sockaddr *to = (const struct sockaddr *)&l->remote.rtp;
	return l->remote.send && address_port(to) && !address_is_any(to);
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
	(void)leg_socket_send(l->rtp, &l->remote.rtp, writer_span(&w));
	++l->out.packets;
	l->out.octets += size;
}

/* Time passes although nothing of this sound is sent. */
static void skip_sound(struct leg_sender *o, size_t count)
{
	o->timestamp += (uint32_t)(o->count + count);
	o->count = 0;
	o->resumed = true;
}

static void send_sound(struct leg *l, const int16_t frame[LEG_FRAME])
{
	struct leg_sender *o = &l->out;
	size_t size = (size_t)l->remote.ptime_ms * LEG_HZ / 1000;
	uint8_t payload[SOUND_MAX];

	memcpy(o->pcm + o->count, frame, LEG_FRAME * sizeof *frame);
	o->count += LEG_FRAME;
	while (o->count >= size) {
		g711_encode(payload, o->pcm, size,
			l->remote.codec == CODEC_PCMU ? G711_ULAW : G711_ALAW);
		send_rtp(l, l->remote.pt, o->resumed, o->timestamp, payload, size);
		o->resumed = false;
		o->timestamp += (uint32_t)size;
		o->count -= size;
		memmove(o->pcm, o->pcm + size, o->count * sizeof *o->pcm);
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

static void mix(struct leg *l, int16_t out[LEG_FRAME], uint64_t now_us)
{
	struct mixer m;
	int16_t pcm[LEG_FRAME];

	mixer_init(&m);
	list_each (it, &l->out.voices) {
		struct leg_voice *v = container_of(it, struct leg_voice, link);
		if (room_voice_take(&v->voice, pcm, now_us))
			mixer_add(&m, pcm);
	}
	mixer_take(&m, out);
}

/* An answer without telephone-event leaves only the tones themselves (ITU-T Q.23). */
static void play_tone(int16_t out[LEG_FRAME], const struct dtmf_packet *p)
{
	static const float low_hz[] = {697, 770, 852, 941}, high_hz[] = {1209, 1336, 1477, 1633};
	static const uint8_t keys[16] = {
		13, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 14, 3, 7, 11, 15}; /* event -> row * 4 + column */
	const float amplitude = 5500, turn = 6.2831853f / LEG_HZ;
	unsigned key = keys[p->event.event & 15];
	unsigned from = p->event.duration - LEG_FRAME;

	for (unsigned i = 0; i < LEG_FRAME; ++i)
		out[i] = (int16_t)(amplitude * (sinf(turn * low_hz[key / 4] * (float)(from + i)) +
						       sinf(turn * high_hz[key % 4] * (float)(from + i))));
}

/* Sets `frame` aside when the digits take this beat; true when the beat is theirs altogether. */
static bool send_digits(struct leg *l, int16_t frame[LEG_FRAME])
{
	struct leg_sender *o = &l->out;
	struct dtmf_packet p;
	bool done, tone;

	if (!dtmf_sender_busy(&o->dtmf))
		return false;
	unsigned beat = o->dtmf.beat;
	enum dtmf_step step =
		dtmf_sender_step(&o->dtmf, &p, &done, o->timestamp + (uint32_t)o->count);
	if (done)
		worker_post_leg_digits_done(l->worker, l->id);
	if (step == DTMF_STEP_IDLE)
		return false;

	if (step == DTMF_STEP_EVENT && l->remote.dtmf_pt) {
		send_event(l, &p);
		skip_sound(o, LEG_FRAME);
		return true;
	}
	memset(frame, 0, LEG_FRAME * sizeof *frame);
	tone = step == DTMF_STEP_EVENT && beat < DTMF_TONE_BEATS;
	if (tone)
		play_tone(frame, &p);
	return false;
}

void leg_send_beat(struct leg *l, uint64_t now_us)
{
	int16_t frame[LEG_FRAME];

	/* Voices go on being played out while nothing is sent: no backlog when it resumes. */
	mix(l, frame, now_us);
	drop_gone(l);
	if (l->remote.early)
		memset(frame, 0, sizeof frame);
	if (!may_send(l)) {
		skip_sound(&l->out, LEG_FRAME);
		return;
	}
	if (!send_digits(l, frame))
		send_sound(l, frame);
}

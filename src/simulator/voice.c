#include "simulator/voice.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "media/dtmf_receiver.h"
#include "media/dtmf_sender.h"
#include "media/g711.h"
#include "media/g722.h"
#include "media/srtp.h"
#include "net/address.h"
#include "net/udp.h"
#include "simulator/voice_sound.h"

#include <errno.h>

enum {
	BEHIND_MAX = 10, /* beats; after a pause of the machine: skip, do not burst */
	CN_TYPE = 13,
	CN_BEATS = 10,
	CN_LEVEL = 60, /* -60 dBov */
	PACKET_MAX = 1500,
};

struct voice {
	struct loop *loop;
	const struct voice_events *events;
	void *owner;
	char ip[ADDRESS_TEXT_SIZE];
	struct udp *udp;
	struct timer beat, late; /* the next frame; the next packet that the line kept */

	struct voice_aim aim;
	bool symmetric, started;
	size_t frame;      /* samples and bytes of one packet */
	uint64_t frame_us;
	uint16_t seq;
	uint32_t timestamp, ssrc;
	uint64_t next_us; /* when the next frame is due */
	unsigned beats;

	struct voice_sound sound;
	struct voice_line line;
	struct carrier_random random;
	struct srtp_pair *srtp; /* NULL = in the clear */
	struct g722_coder g722;
	struct dtmf_receiver keys;
	struct dtmf_sender presses;
	struct hearing hearing;
};

/* --- hearing ------------------------------------------------------------------------------------------- */

/* A key is one event, whatever is said of it; the packets of one are counted elsewhere. */
static void hear_event(struct voice *v, const struct rtp_view *rtp)
{
	char digit;
	if (dtmf_receiver_packet(&v->keys, rtp->payload, rtp->timestamp, &digit))
		v->events->key(v->owner, digit);
}

static bool is_their_address(struct voice *v, const struct sockaddr *from)
{
	if (v->symmetric)
		memcpy(&v->aim.to, from, address_size(from));
	return address_equal(from, (struct sockaddr *)&v->aim.to);
}

/* With keys, `bytes` is the packet in the clear afterwards. */
static bool open_packet(struct voice *v, uint8_t clear[PACKET_MAX], struct span *bytes)
{
	size_t size = bytes->size;
	if (!v->srtp)
		return true;
	if (size > PACKET_MAX)
		return false;
	memcpy(clear, bytes->data, size);
	*bytes = span_of(clear, 0);
	if (!srtp_pair_unprotect(v->srtp, clear, &size))
		return false;
	*bytes = span_of(clear, size);
	return true;
}

static void on_datagram(void *owner, const struct sockaddr *from, struct span bytes)
{
	struct voice *v = owner;
	uint8_t clear[PACKET_MAX];
	struct rtp_view rtp;
	if (!v->started)
		return;
	if (!is_their_address(v, from)) {
		++v->hearing.wrong_source;
		return;
	}
	if (!open_packet(v, clear, &bytes) || rtp_parse(&rtp, bytes) != RTP_OK) {
		++v->hearing.malformed;
		return;
	}
	struct hearing_expects e = {
		.type_count = v->aim.heard_count, .dtmf_type = v->aim.dtmf_pt, .codec = v->aim.codec};
	memcpy(e.types, v->aim.heard, sizeof e.types);
	enum heard heard = hearing_packet(&v->hearing, &e, &rtp, clock_us());
	if (heard == HEARD_EVENT)
		hear_event(v, &rtp);
	else if (heard == HEARD_SOUND && rtp.payload_type == v->aim.pt)
		voice_sound_heard(&v->sound, rtp.payload);
}

static const struct udp_events udp_events = {.datagram = on_datagram};

/* --- speaking ------------------------------------------------------------------------------------------ */

static void send_bytes(struct voice *v, struct span packet)
{
	int r = udp_send(v->udp, (struct sockaddr *)&v->aim.to, packet);
	(void)r; /* lost like any datagram */
}

static void plan_late(struct voice *v)
{
	uint64_t due = voice_line_due(&v->line), now = clock_us();
	if (due != UINT64_MAX)
		timer_start(&v->late, due > now ? (due - now + 999) / 1000 : 0, 0);
}

static void on_late(void *owner)
{
	struct voice *v = owner;
	uint8_t bytes[LINE_PACKET_MAX];
	struct span packet;
	while ((packet = voice_line_take(&v->line, clock_us(), bytes)).size)
		send_bytes(v, packet);
	plan_late(v);
}

static void send_rtp(struct voice *v, const struct rtp_view *rtp)
{
	uint8_t bytes[LINE_PACKET_MAX];
	struct writer w = writer_of(bytes, sizeof bytes - SRTP_TRAILER_BYTES);
	rtp_write(&w, rtp);
	size_t size = writer_span(&w).size;
	if (!size || (v->srtp && !srtp_pair_protect(v->srtp, bytes, &size)))
		return;
	struct span packet = span_of(bytes, size);
	if (voice_line_keeps(&v->line, packet, clock_us())) {
		plan_late(v);
		return;
	}
	send_bytes(v, packet);
	if (voice_line_doubles(&v->line))
		send_bytes(v, packet);
}

static void send_frame(struct voice *v, uint8_t pt, struct span payload, bool marker, uint32_t timestamp)
{
	send_rtp(v, &(struct rtp_view){.payload_type = pt, .marker = marker, .seq = v->seq++, .timestamp = timestamp,
		.ssrc = v->ssrc, .payload = payload});
}

static void send_event(struct voice *v, const struct dtmf_packet *p)
{
	uint8_t bytes[DTMF_EVENT_BYTES];
	struct writer w = writer_of(bytes, sizeof bytes);
	dtmf_event_write(&w, &p->event);
	send_frame(v, v->aim.dtmf_pt, writer_span(&w), p->marker, p->timestamp);
}

static void send_noise(struct voice *v)
{
	const uint8_t level = CN_LEVEL;
	if (v->beats % CN_BEATS == 0)
		send_frame(v, CN_TYPE, span_of(&level, 1), false, v->timestamp);
}

/* Everything is made in mu-law at 8 kHz; G.722 has twice the samples in as many bytes. */
static void encode(struct voice *v, uint8_t *frame)
{
	int16_t narrow[SOUND_FRAME_MAX], wide[SOUND_FRAME_MAX * G722_SAMPLES_PER_BYTE];
	if (v->aim.codec == CODEC_PCMA)
		g711_convert(frame, frame, v->frame, G711_ULAW);
	if (v->aim.codec != CODEC_G722)
		return;
	g711_decode(narrow, frame, v->frame, G711_ULAW);
	for (size_t i = 0; i < v->frame; ++i) {
		int next = i + 1 < v->frame ? narrow[i + 1] : narrow[i];
		wide[2 * i] = narrow[i];
		wide[2 * i + 1] = (int16_t)((narrow[i] + next) / 2);
	}
	g722_encode(&v->g722, frame, wide, v->frame * G722_SAMPLES_PER_BYTE);
}

/* One beat. True when what was being played has just ended. */
static bool speak(struct voice *v)
{
	uint8_t frame[SOUND_FRAME_MAX];
	struct dtmf_packet event;
	bool raw, done;
	bool ended = voice_sound_next(&v->sound, frame, v->frame, &raw);
	if (!raw)
		encode(v, frame);
	bool pressing = v->aim.dtmf_pt && dtmf_sender_step(&v->presses, &event, &done, v->timestamp, 8000) == DTMF_STEP_EVENT;
	if (pressing)
		send_event(v, &event);
	else if (v->sound.mode == SOUND_NOISE)
		send_noise(v);
	else if (v->sound.mode != SOUND_NOTHING && !v->aim.mute)
		send_frame(v, v->aim.pt, span_of(frame, v->frame), false, v->timestamp);
	v->timestamp += (uint32_t)v->frame;
	++v->beats;
	return ended;
}

static void on_beat(void *owner)
{
	struct voice *v = owner;
	uint64_t now = clock_us();
	bool ended = false;

	if (now > v->next_us + BEHIND_MAX * v->frame_us)
		v->next_us = now;
	/* The timer drifts; the grid of due times does not. */
	for (; v->next_us <= now && !ended; v->next_us += v->frame_us)
		ended = speak(v);
	timer_start(&v->beat, v->next_us > now ? (v->next_us - now + 999) / 1000 : 1, 0);
	if (ended) {
		voice_pause(v, 0);
		v->events->ended(v->owner);
	}
}

/* --- life ------------------------------------------------------------------------------------------------ */

static int open_socket(struct voice *v, struct udp **ret)
{
	struct sockaddr_storage bind;
	int r = address_parse(&bind, v->ip, 0);
	return r < 0 ? r : udp_open(ret, v->loop, (struct sockaddr *)&bind, &udp_events, v);
}

static void configure(struct voice *v, const struct voice_config *config)
{
	long ptime = config->ptime_ms >= 10 && config->ptime_ms <= 60 ? config->ptime_ms / 10 * 10 : 20;
	strncat(v->ip, config->ip, sizeof v->ip - 1);
	v->frame = (size_t)ptime * 8;
	v->frame_us = (uint64_t)ptime * 1000;
	v->symmetric = config->symmetric;
	v->random.state = config->seed;
	v->line = (struct voice_line){.faults = config->faults, .random.state = config->seed + 1};
	v->ssrc = carrier_random_u32(&v->random);
	v->seq = (uint16_t)carrier_random_u32(&v->random);
	v->timestamp = carrier_random_u32(&v->random);
	v->seq &= SRTP_FIRST_SEQ_MAX;
	voice_sound_init(&v->sound);
	g722_init(&v->g722);
}

int voice_open(struct voice **ret, struct loop *l, const struct voice_config *config, const struct voice_events *events,
	void *owner)
{
	struct voice *v = mem_zalloc(sizeof *v);
	if (!v)
		return err_new(-ENOMEM);
	v->loop = l;
	v->events = events;
	v->owner = owner;
	configure(v, config);
	int r = open_socket(v, &v->udp);
	if (r == 0)
		r = timer_init(&v->beat, l, on_beat, v);
	if (r == 0)
		r = timer_init(&v->late, l, on_late, v);
	if (r < 0) {
		voice_close(v);
		return r;
	}
	*ret = v;
	return 0;
}

uint16_t voice_port(const struct voice *v)
{
	struct sockaddr_storage a;
	udp_local(v->udp, &a);
	return address_port((struct sockaddr *)&a);
}

/* New keys: a new session, which goes on counting where our side of the old one was. */
static int take_keys(struct voice *v, const struct voice_aim *aim)
{
	struct srtp_pair *pair;
	bool same = v->aim.secure && aim->secure && !memcmp(&v->aim.keys, &aim->keys, sizeof aim->keys);
	if (!aim->secure)
		v->srtp = srtp_pair_free(v->srtp);
	if (same || !aim->secure)
		return 0;
	int r = srtp_pair_new(&pair, &aim->keys, false);
	if (r < 0)
		return r;
	if (v->srtp)
		srtp_pair_keep_outgoing(pair, v->srtp);
	srtp_pair_free(v->srtp);
	v->srtp = pair;
	return 0;
}

int voice_start(struct voice *v, const struct voice_aim *aim)
{
	int r = take_keys(v, aim);
	if (r < 0)
		return r;
	v->aim = *aim;
	if (v->started)
		return 0;
	v->started = true;
	v->next_us = clock_us();
	timer_start(&v->beat, 0, 0);
	return 0;
}

void voice_play(struct voice *v, const char *prompt)
{
	voice_sound_prompt(&v->sound, prompt);
}

void voice_tone(struct voice *v, uint32_t ms)
{
	voice_sound_set(&v->sound, SOUND_TONE, ms);
}

void voice_ringback(struct voice *v)
{
	voice_sound_set(&v->sound, SOUND_RINGBACK, 0);
}

void voice_pause(struct voice *v, uint32_t ms)
{
	voice_sound_set(&v->sound, SOUND_SILENT, ms);
}

void voice_echo(struct voice *v)
{
	voice_sound_set(&v->sound, SOUND_ECHO, 0);
}

void voice_noise(struct voice *v)
{
	voice_sound_set(&v->sound, SOUND_NOISE, 0);
}

void voice_nothing(struct voice *v)
{
	voice_sound_set(&v->sound, SOUND_NOTHING, 0);
}

void voice_record(struct voice *v, uint32_t ms)
{
	voice_sound_set(&v->sound, SOUND_RECORD, ms);
}

void voice_play_back(struct voice *v)
{
	voice_sound_set(&v->sound, SOUND_PLAY_BACK, 0);
}

void voice_press(struct voice *v, const char *keys)
{
	dtmf_sender_queue(&v->presses, keys);
}

void voice_spoil(struct voice *v, const struct line_faults *faults)
{
	v->line.faults = *faults;
}

void voice_new_ssrc(struct voice *v)
{
	v->ssrc = carrier_random_u32(&v->random);
	v->seq = (uint16_t)carrier_random_u32(&v->random) & SRTP_FIRST_SEQ_MAX;
	v->timestamp = carrier_random_u32(&v->random);
}

int voice_move(struct voice *v)
{
	struct udp *other;
	int r = open_socket(v, &other);
	if (r < 0)
		return r;
	udp_close(v->udp);
	v->udp = other;
	return 0;
}

void voice_send_odd(struct voice *v, uint8_t pt)
{
	uint8_t frame[SOUND_FRAME_MAX] = {0};
	send_frame(v, pt, span_of(frame, v->frame), false, v->timestamp);
}

const struct hearing *voice_hearing(const struct voice *v)
{
	return &v->hearing;
}

void voice_close(struct voice *v)
{
	if (!v)
		return;
	timer_fini(&v->beat);
	timer_fini(&v->late);
	udp_close(v->udp);
	srtp_pair_free(v->srtp);
	mem_free(v);
}

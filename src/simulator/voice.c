#include "simulator/voice.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "media/dtmf_receiver.h"
#include "media/g711.h"
#include "net/address.h"
#include "net/udp.h"
#include "simulator/prompts.h"
#include "wire/rtp.h"

#include <errno.h>
#include <math.h>

enum {
	FRAME = 160,         /* samples and bytes of 20 ms */
	FRAME_US = 20000,
	ECHO_FRAMES = 8,     /* 160 ms of the caller kept, so that its jitter does not tear the echo */
	TONE_HZ = 1000,
	BEHIND_MAX = 10,     /* after a pause of the machine: skip, do not burst */
};

enum voice_mode {
	VOICE_SILENT,
	VOICE_PROMPT,
	VOICE_TONE,
	VOICE_ECHO,
};

struct voice {
	struct loop *loop;
	const struct voice_events *events;
	void *owner;
	struct udp *udp;
	struct timer beat;

	struct sockaddr_storage to;
	enum codec codec;
	uint8_t pt, dtmf_pt;
	uint16_t seq;
	uint32_t timestamp, ssrc;
	uint64_t next_us; /* when the next frame is due */

	enum voice_mode mode;
	const uint8_t *sound; /* of the prompt */
	size_t left;          /* bytes of it not yet sent */
	uint32_t left_ms;     /* of a tone or pause; 0 = for ever */
	uint8_t tone[FRAME];  /* a whole number of periods in mu-law */

	uint8_t echo[ECHO_FRAMES][FRAME];
	unsigned echo_head, echo_count;
	struct dtmf_receiver keys;
};

static void make_tone(uint8_t out[FRAME])
{
	int16_t samples[FRAME];
	for (int i = 0; i < FRAME; ++i)
		samples[i] = (int16_t)(10000 * sin(2 * M_PI * TONE_HZ * i / 8000));
	g711_encode(out, samples, FRAME, G711_ULAW);
}

static void on_datagram(void *owner, const struct sockaddr *from, struct span bytes)
{
	struct voice *v = owner;
	struct rtp_view rtp;
	if (rtp_parse(&rtp, bytes) != RTP_OK || !address_equal(from, (struct sockaddr *)&v->to))
		return;
	if (v->dtmf_pt && rtp.payload_type == v->dtmf_pt) {
		char digit;
		if (dtmf_receiver_packet(&v->keys, rtp.payload, rtp.timestamp, &digit))
			v->events->key(v->owner, digit);
		return;
	}
	if (rtp.payload_type != v->pt || rtp.payload.size != FRAME || v->mode != VOICE_ECHO)
		return;
	if (v->echo_count == ECHO_FRAMES) {
		v->echo_head = (v->echo_head + 1) % ECHO_FRAMES;
		--v->echo_count;
	}
	memcpy(v->echo[(v->echo_head + v->echo_count++) % ECHO_FRAMES], rtp.payload.data, FRAME);
}

/* Everything but the echo is kept in mu-law. */
static void put_ulaw(struct voice *v, uint8_t out[FRAME], const uint8_t *ulaw, size_t size)
{
	memset(out, G711_ULAW_SILENCE, FRAME);
	if (size)
		memcpy(out, ulaw, size);
	if (v->codec == CODEC_PCMA)
		g711_convert(out, out, FRAME, G711_ULAW);
}

static void put_echo(struct voice *v, uint8_t out[FRAME])
{
	if (!v->echo_count) {
		put_ulaw(v, out, NULL, 0);
		return;
	}
	memcpy(out, v->echo[v->echo_head], FRAME);
	v->echo_head = (v->echo_head + 1) % ECHO_FRAMES;
	--v->echo_count;
}

/* Fills the next 20 ms. True when what was being played has just ended. */
static bool next_frame(struct voice *v, uint8_t out[FRAME])
{
	size_t size = v->left < FRAME ? v->left : FRAME;
	switch (v->mode) {
	case VOICE_PROMPT:
		put_ulaw(v, out, v->sound, size);
		v->sound += size;
		v->left -= size;
		return v->left == 0;
	case VOICE_ECHO:
		put_echo(v, out);
		return false;
	case VOICE_TONE:
		put_ulaw(v, out, v->tone, FRAME);
		break;
	case VOICE_SILENT:
		put_ulaw(v, out, NULL, 0);
		break;
	}
	if (!v->left_ms)
		return false;
	v->left_ms -= v->left_ms < 20 ? v->left_ms : 20;
	return v->left_ms == 0;
}

static void send_frame(struct voice *v, const uint8_t frame[FRAME])
{
	uint8_t packet[12 + FRAME];
	struct writer w = writer_of(packet, sizeof packet);
	write_u8(&w, 0x80);
	write_u8(&w, v->pt);
	write_u16(&w, v->seq++);
	write_u32(&w, v->timestamp);
	write_u32(&w, v->ssrc);
	write_bytes(&w, frame, FRAME);
	v->timestamp += FRAME;
	int r = udp_send(v->udp, (struct sockaddr *)&v->to, writer_span(&w));
	(void)r; /* lost like any datagram */
}

static void on_beat(void *owner)
{
	struct voice *v = owner;
	uint64_t now = clock_us();
	bool ended = false;

	if (now > v->next_us + BEHIND_MAX * FRAME_US)
		v->next_us = now;
	/* The timer drifts; the grid of due times does not. */
	for (; v->next_us <= now && !ended; v->next_us += FRAME_US) {
		uint8_t frame[FRAME];
		ended = next_frame(v, frame);
		send_frame(v, frame);
	}
	timer_start(&v->beat, v->next_us > now ? (v->next_us - now + 999) / 1000 : 1, 0);
	if (ended) {
		voice_pause(v, 0);
		v->events->ended(v->owner);
	}
}

static const struct udp_events udp_events = {.datagram = on_datagram};

int voice_open(struct voice **ret, struct loop *l, const char *ip, const struct voice_events *events, void *owner)
{
	struct sockaddr_storage bind;
	int r = address_parse(&bind, ip, 0);
	if (r < 0)
		return r;
	struct voice *v = mem_zalloc(sizeof *v);
	if (!v)
		return err_new(-ENOMEM);
	v->loop = l;
	v->events = events;
	v->owner = owner;
	v->ssrc = rng_u32();
	v->seq = (uint16_t)rng_u32();
	v->timestamp = rng_u32();
	make_tone(v->tone);
	r = udp_open(&v->udp, l, (struct sockaddr *)&bind, &udp_events, v);
	if (r == 0)
		r = timer_init(&v->beat, l, on_beat, v);
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

void voice_start(struct voice *v, const struct sockaddr *to, enum codec codec, uint8_t pt, uint8_t dtmf_pt)
{
	memcpy(&v->to, to, address_size(to));
	v->codec = codec;
	v->pt = pt;
	v->dtmf_pt = dtmf_pt;
	v->next_us = clock_us();
	timer_start(&v->beat, 0, 0);
}

void voice_play(struct voice *v, const char *prompt)
{
	const struct prompt *p = prompts;
	while (p->name && strcmp(p->name, prompt))
		++p;
	v->mode = VOICE_PROMPT;
	v->sound = p->sound;
	v->left = p->size;
}

void voice_tone(struct voice *v, uint32_t ms)
{
	v->mode = VOICE_TONE;
	v->left_ms = ms;
}

void voice_pause(struct voice *v, uint32_t ms)
{
	v->mode = VOICE_SILENT;
	v->left_ms = ms;
}

void voice_echo(struct voice *v)
{
	v->mode = VOICE_ECHO;
	v->echo_count = 0;
}

void voice_close(struct voice *v)
{
	if (!v)
		return;
	timer_fini(&v->beat);
	udp_close(v->udp);
	mem_free(v);
}

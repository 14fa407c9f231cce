/* simulator/voice.h - the far end's mouth and ears: one RTP socket that plays prompts, tones or the
 * caller's own voice, presses and hears keys (RFC 3550, RFC 4733), and judges what it hears.
 *
 * Owner:   one call of the far end.
 * Owns:    its UDP socket and the beat's timer.
 * Thread:  its loop's.
 */
#pragma once

#include "media/codec.h"
#include "media/srtp_keys.h"
#include "net/loop.h"
#include "simulator/hearing.h"
#include "simulator/voice_line.h"

#include <sys/socket.h>

struct voice;

struct voice_events {
	void (*ended)(void *owner);          /* the prompt, tone or pause is over */
	void (*key)(void *owner, char digit);
};

struct voice_config {
	const char *ip;
	uint64_t seed;
	long ptime_ms;  /* 10 to 60 */
	bool symmetric; /* RTP goes where RTP comes from */
	struct line_faults faults; /* of what is sent */
};

MUST_USE int voice_open(struct voice **ret, struct loop *l, const struct voice_config *config,
	const struct voice_events *events, void *owner);
uint16_t voice_port(const struct voice *v);

struct voice_aim {
	struct sockaddr_storage to;
	enum codec codec;
	uint8_t pt;
	uint8_t dtmf_pt;   /* 0 = none */
	uint8_t heard[4];  /* payload numbers that may come */
	size_t heard_count;
	bool mute;         /* on hold: nothing is sent */
	bool secure;       /* SRTP with these keys; we are the server of the two */
	struct srtp_keys keys;
};
/* The first time a packet leaves every ptime from here on, silence included; later what it aims at changes. */
MUST_USE int voice_start(struct voice *v, const struct voice_aim *aim);

void voice_play(struct voice *v, const char *prompt); /* one of simulator/prompts.h; an unknown one is silence */
void voice_tone(struct voice *v, uint32_t ms); /* 1000 Hz; 0 = until told otherwise */
void voice_ringback(struct voice *v);          /* 440 and 480 Hz, 2 s of 6 */
void voice_pause(struct voice *v, uint32_t ms); /* 0 = for ever */
void voice_echo(struct voice *v);
void voice_noise(struct voice *v);             /* comfort noise alone: RFC 3389, one packet in ten beats */
void voice_nothing(struct voice *v);           /* no packets at all */
void voice_record(struct voice *v, uint32_t ms); /* silent; then `ended`, and voice_play_back() */
void voice_play_back(struct voice *v);

void voice_press(struct voice *v, const char *keys); /* RFC 4733 */
void voice_spoil(struct voice *v, const struct line_faults *faults);
void voice_new_ssrc(struct voice *v);
MUST_USE int voice_move(struct voice *v); /* to another port */
/* A packet that nobody should take: another payload number, or garbage. */
void voice_send_odd(struct voice *v, uint8_t pt);

const struct hearing *voice_hearing(const struct voice *v);
void voice_close(struct voice *v); /* no event after this; NULL is fine */

/* simulator/voice.h - the far end's mouth and ears: one RTP socket that plays prompts, tones or the
 * caller's own voice, and hears keys (RFC 3550, RFC 4733).
 *
 * Owner:   one call of the far end.
 * Owns:    its UDP socket and the 20 ms timer.
 * Thread:  its loop's.
 */
#pragma once

#include "media/codec.h"
#include "net/loop.h"

#include <sys/socket.h>

struct voice;

struct voice_events {
	void (*ended)(void *owner);          /* the prompt, tone or pause is over */
	void (*key)(void *owner, char digit);
};

MUST_USE int voice_open(struct voice **ret, struct loop *l, const char *ip,
	const struct voice_events *events, void *owner);
uint16_t voice_port(const struct voice *v);
/* From here on a packet leaves every 20 ms, silence included. dtmf_pt 0 = none. */
void voice_start(struct voice *v, const struct sockaddr *to, enum codec codec, uint8_t pt, uint8_t dtmf_pt);
void voice_play(struct voice *v, const char *prompt);
void voice_tone(struct voice *v, uint32_t ms); /* 1000 Hz; 0 = until told otherwise */
void voice_pause(struct voice *v, uint32_t ms); /* 0 = for ever */
void voice_echo(struct voice *v);
void voice_close(struct voice *v); /* no event after this; NULL is fine */

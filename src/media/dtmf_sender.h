/* media/dtmf_sender.h - digits to telephone-events, one step for each beat of 20 ms (RFC 4733).
 *
 *   beat    0 ........ 6   7    8    9    10 11 12
 *   packet  marker, tone   end  end  end  (quiet)      one digit: 160 ms of tone, 100 ms of gap
 *
 * All packets of a digit carry the timestamp of its start; 'w' is half a second of nothing.
 *
 * Owner:   the leg that embeds it; zeroed memory is a valid start.
 * Owns:    its queue (LIMIT_DTMF_QUEUE digits).
 * Thread:  its owner's. Pure.
 */
#pragma once

#include "base/base.h"
#include "base/limits.h"
#include "wire/dtmf_event.h"

enum {
	DTMF_TONE_BEATS = 8,
	DTMF_END_BEATS = 3, /* the last beat of the tone and two more */
	DTMF_DIGIT_BEATS = 13,
	DTMF_PAUSE_BEATS = 25,
	DTMF_VOLUME = 10, /* -10 dBm0 */
};

struct dtmf_sender {
	char queue[LIMIT_DTMF_QUEUE];
	unsigned first, count;
	unsigned beat;      /* within the digit that is being sent */
	uint32_t timestamp; /* of its start */
};

/* What to send in this beat. */
enum dtmf_step {
	DTMF_STEP_IDLE,  /* nothing of ours: the voices */
	DTMF_STEP_EVENT, /* the event packet, in place of sound */
	DTMF_STEP_QUIET, /* silence between two digits */
};

struct dtmf_packet {
	struct dtmf_event event;
	uint32_t timestamp;
	bool marker;
};

/* Characters other than digits and 'w' are left out, as is what finds no room. Returns how many
 * were queued. */
size_t dtmf_sender_queue(struct dtmf_sender *s, const char *digits);
static inline bool dtmf_sender_busy(const struct dtmf_sender *s)
{
	return s->count > 0;
}
static inline uint32_t dtmf_beat_ticks(uint32_t clock_hz)
{
	return clock_hz / 50;
}
/* One beat. `clock_hz` counts the durations (RFC 4733, 2.3.5). `now_ticks` is the RTP timestamp of its first sample. `done` is set in the last beat of
 * the last digit. */
enum dtmf_step dtmf_sender_step(
	struct dtmf_sender *s, struct dtmf_packet *ret, bool *done, uint32_t now_ticks,
	uint32_t clock_hz);

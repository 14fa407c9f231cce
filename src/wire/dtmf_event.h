/* wire/dtmf_event.h - a telephone-event payload (RFC 4733, section 2.3): read, write, name digits.
 *
 * Pure: bytes in, struct out, and back. Fuzzed by test/fuzz/fuzz_dtmf_event.c.
 */
#pragma once

#include "base/base.h"
#include "base/writer.h"

enum { DTMF_EVENT_BYTES = 4 };

struct dtmf_event {
	uint8_t event;     /* 0-15 are the digits "0123456789*#ABCD"; 16 = flash, others not ours */
	bool end;          /* the tone is over; such a packet is sent three times */
	uint8_t volume;    /* 0-63, power is -volume dBm0 */
	uint16_t duration; /* of the tone so far, RTP clock ticks */
};

/* False when the payload is shorter than an event. Only the first event of a payload is read. */
MUST_USE bool dtmf_event_parse(struct dtmf_event *ret, struct span payload);
void dtmf_event_write(struct writer *w, const struct dtmf_event *e);

/* The character of an event, or 0 when it is no digit. */
char dtmf_event_digit(uint8_t event);
/* The event of "0"-"9", "*", "#", "A"-"D" (either case), or -1. */
int dtmf_event_of_digit(char digit);

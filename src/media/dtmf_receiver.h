/* media/dtmf_receiver.h - telephone-events to digits: one digit for each tone, however many of its
 * packets arrive (RFC 4733, section 2.5.2).
 *
 * Owner:   the leg that embeds it; zeroed memory is a valid start.
 * Owns:    nothing.
 * Thread:  its owner's. Pure.
 */
#pragma once

#include "base/base.h"
#include "wire/dtmf_event.h"

struct dtmf_receiver {
	bool heard; /* the rest describes the latest tone */
	bool ended;
	uint8_t event;
	uint16_t duration;
	uint32_t ssrc;
	uint32_t timestamp;
};

/* The digit that this packet is the first news of, or 0. Lost first packets, lost last packets and
 * a lost marker do not matter; neither do senders that count the timestamp up within a tone. */
char dtmf_receiver_put(struct dtmf_receiver *r, const struct dtmf_event *e, uint32_t ssrc,
	uint32_t timestamp, bool marker);

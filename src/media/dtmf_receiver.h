/* media/dtmf_receiver.h - telephone-events to digits: one digit for each tone, however many of its
 * packets arrive (RFC 4733, section 2.5.2).
 *
 * Owner:   the leg that embeds it; zeroed memory is a valid start, also after another SSRC.
 * Owns:    nothing.
 * Thread:  its owner's. Pure.
 */
#pragma once

#include "base/base.h"

struct dtmf_receiver {
	bool heard; /* the rest describes the latest tone */
	bool ended;
	uint8_t event;
	uint16_t duration;
	uint32_t timestamp;
};

/* True when this packet is the first news of a tone: `digit` is then what was pressed. Lost first
 * packets, lost last packets and markers do not matter; neither do senders that count the
 * timestamp up within a tone. Malformed payloads and events that are no digits are ignored. */
MUST_USE bool dtmf_receiver_packet(
	struct dtmf_receiver *r, struct span payload, uint32_t timestamp, char *digit);

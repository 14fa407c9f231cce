/* media/missing.h - which packets of a stream have not come, and when to ask its sender for them
 * (RFC 4585): after a moment, since they may only be late; a few times; not for ever.
 *
 * Owner:   the source that embeds it; zeroed memory is a valid start.
 * Owns:    nothing. Thread: its owner's. Pure.
 */
#pragma once

#include "base/base.h"
#include "base/limits.h"

enum {
	MISSING_MAX = LIMIT_MISSING_PACKETS, /* the oldest are given up for newer ones */
	MISSING_TRIES = 3,
	MISSING_WAIT_MS = 20,   /* a packet's time: it may have been overtaken */
	MISSING_PAUSE_MS = 100, /* between two requests for the same */
	MISSING_MS_MAX = 500,   /* after that nobody would hear it */
};

struct missing {
	bool started;
	uint16_t highest;
	unsigned count;
	struct missing_packet {
		uint16_t seq;
		uint8_t tries;
		uint32_t since_ms, due_ms;
	} packets[MISSING_MAX]; /* ascending by number */
};

/* Packet `seq` came. */
void missing_note(struct missing *m, uint16_t seq, uint64_t now_ms);
/* What to ask for now, ascending; each counts as asked for. `rtt_ms` 0 = not known. */
MUST_USE size_t missing_due(
	uint16_t ret[MISSING_MAX], struct missing *m, uint64_t now_ms, uint32_t rtt_ms);

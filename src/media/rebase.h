/* media/rebase.h - one unbroken numbering for a stream that may break: what the phone network does
 * to SSRC, sequence numbers and timestamps (a transfer, a hold, another media server) is hidden
 * from the listeners, who would take it for loss.
 *
 * Owner:   the leg that embeds it; zeroed memory is a valid start.
 * Owns:    nothing.
 * Thread:  its owner's. Pure.
 */
#pragma once

#include "base/base.h"

struct rebase {
	bool started;
	uint32_t ssrc;       /* of the phone's stream, as are ... */
	uint16_t seq;        /* ... the highest sequence number */
	uint32_t timestamp;  /* ... and its timestamp */
	uint64_t arrived_us; /* when that came */
	uint16_t add_seq;
	uint32_t add_timestamp;
	bool shifted;       /* numbers up to ... */
	uint16_t shift_seq; /* ... this one were given out before `add_seq` changed */
	bool inserted;          /* packets of our own came last: the next one begins not before ... */
	uint32_t inserted_end;  /* ... this timestamp, of the new numbering */
};

/* Numbers packet (ssrc, seq, timestamp) and writes its new numbers to `seq` and `timestamp`. While
 * the stream is whole they are the phone's own. `clock_hz` of the timestamps. False when it comes
 * too late to have a number of its own. */
MUST_USE bool rebase_put(struct rebase *r, uint32_t ssrc, uint16_t *seq, uint32_t *timestamp,
	uint32_t clock_hz, uint64_t now_us);
/* The same for a packet that goes no further (an event, comfort noise): leaves no hole. */
void rebase_skip(struct rebase *r, uint32_t ssrc, uint16_t seq, uint32_t timestamp,
	uint32_t clock_hz, uint64_t now_us);
/* The numbers of a packet of our own that lasts `ticks`, behind all others. Once started. */
void rebase_insert(struct rebase *r, uint16_t *seq, uint32_t *timestamp, uint32_t ticks);

/* simulator/carrier_resend.h - something said until it is heard: the carrier's own retransmission, shared with
 * nothing of the client (RFC 3261 sections 13.3.1.4, 17.1, 17.2.1; RFC 3262 section 3).
 *
 * Owner:   a call, a fork of it, a request. Owns: a timer and a copy of the bytes. Thread: its loop's.
 */
#pragma once

#include "base/buf.h"
#include "simulator/carrier_wire.h"

struct carrier_resend {
	struct timer timer;
	struct carrier_wire *wire;
	struct carrier_way way;
	struct buf bytes; /* kept when it is heard, for a peer that asks again */
	uint64_t interval_ms, most_ms, end_ms;
	long piece_ms;
	bool repeats;
	unsigned times; /* how often it went out */
	void (*gave_up)(void *owner);
	void *owner;
};

enum carrier_repeat {
	REPEAT_NEVER,    /* nothing is owed back */
	REPEAT_ON_UDP,   /* T1 doubling, as an INVITE */
	REPEAT_ON_UDP_T2, /* T1 doubling up to T2 */
	REPEAT_ALWAYS,   /* ... over streams too: a 2xx */
};

MUST_USE int carrier_resend_init(struct carrier_resend *r, struct loop *l, struct carrier_wire *wire,
	void (*gave_up)(void *owner), void *owner);
/* Sends, and again by `how`; after 64 T1 it gives up and says so. */
MUST_USE int carrier_resend_start(struct carrier_resend *r, const struct carrier_way *way, struct span bytes,
	long t1_ms, enum carrier_repeat how, long piece_ms);
void carrier_resend_again(struct carrier_resend *r); /* once more, now; nothing when there is nothing */
void carrier_resend_stop(struct carrier_resend *r);  /* it was heard */
bool carrier_resend_waits(const struct carrier_resend *r);
void carrier_resend_fini(struct carrier_resend *r);

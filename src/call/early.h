/* call/early.h - what is heard of the far end before it answers: ringing, "the number you have
 * dialled". RFC 3960; RFC 3261, 13.2.1.
 *
 * Owner:   the call that embeds it; zeroed memory is a valid start.
 * Owns:    nothing.
 * Thread:  the control thread.
 *
 * Of several phones that ring (forks) the one whose description is news is heard: the last that began
 * to describe its sound, or described it anew. A response that is sent again changes nothing. The
 * answer's fork takes over.
 */
#pragma once

#include "call/negotiate.h"
#include "wire/sip_message.h"

struct call_early {
	bool heard; /* the leg is connected to ... */
	char tag[NEGOTIATE_TAG_SIZE]; /* ... this one */
};

/* Outcomes of call_early_take(). */
enum early_outcome {
	EARLY_NOTHING, /* no SDP, or the same again */
	EARLY_NEWS,    /* *ret is to be heard from now on */
	EARLY_E_SDP,   /* an SDP of no use, `why` says how. What is heard goes on */
};
/* A provisional response. With 199 (RFC 6228) its fork is gone, and one that is left is news. */
MUST_USE enum early_outcome call_early_take(struct call_early *e, struct media_leg_remote *ret,
	struct negotiation *n, const struct sip_message *response, enum answer_outcome *why);

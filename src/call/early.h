/* call/early.h - what is heard of the far end before it answers: ringback of the carrier, "the number
 * you have dialled". RFC 3960; RFC 3261, 13.2.1.
 *
 * Owner:   the call that embeds it.
 * Owns:    for each phone that rings (a fork: a tag in To), where its sound comes from.
 * Thread:  the control thread.
 *
 * Of several forks the one whose SDP is news is heard: the last that began to describe its sound, or
 * described it anew. A response that is sent again changes nothing. The answer's fork takes over.
 */
#pragma once

#include "base/list.h"
#include "call/offer.h"
#include "wire/sip_message.h"

struct call_early {
	struct list forks; /* struct early_fork.link: the one that is heard comes last */
	size_t count;
};

void call_early_init(struct call_early *e);
void call_early_fini(struct call_early *e);

/* Outcomes of call_early_take(). */
enum early_outcome {
	EARLY_NOTHING, /* no SDP, or the same again */
	EARLY_NEWS,    /* *ret is to be heard from now on */
	EARLY_E_SDP,   /* an SDP of no use; `why` is an answer_outcome. It stops nothing */
};
/* A provisional response. With 199 (RFC 6228) its fork is gone, and another that is left is news. */
MUST_USE enum early_outcome call_early_take(struct call_early *e, struct media_leg_remote *ret,
	const struct sip_message *response, enum answer_outcome *why);
/* Where the sound of an answer without SDP comes from: its fork's, else what is heard already (many
 * carriers describe it in 183 only, and some change the tag). False: there was none. */
bool call_early_answer(struct media_leg_remote *ret, const struct call_early *e, struct span tag);

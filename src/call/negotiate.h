/* call/negotiate.h - the offers and answers of one call (RFC 3264): what we said last, what was
 * agreed, and what the next description of either side means. Pure: texts in, a text and the terms
 * of the leg out; who sends and who moves the media is the caller's business.
 *
 * Owner:   the call, which wipes it: there are keys in the texts and the terms.
 * Owns:    nothing but its own bytes.
 * Thread:  any.
 * Words:   "terms" is what was agreed as the phone leg understands it (codec, payload numbers,
 *          addresses, direction); a "fork" is one of the phones that ring, known by its tag: each
 *          may answer our offer, and change its mind, until one of them has the call.
 * Life:    begin -> offer -> early* -> settle -> (answer | offer, answered)*
 *          Nothing that is refused changes what was agreed before.
 */
#pragma once

#include "call/offer_security.h"

enum { NEGOTIATE_TEXT_SIZE = 2 * OFFER_SIZE, NEGOTIATE_FORKS_MAX = 8, NEGOTIATE_TAG_SIZE = 64 };

struct negotiation_fork {
	char tag[NEGOTIATE_TAG_SIZE];
	struct media_leg_remote terms;
	uint64_t said;   /* fingerprint of the SDP that answered our INVITE there */
	bool changed;    /* an UPDATE there has changed the terms since */
};

struct negotiation {
	struct offer ours; /* what we can do; its direction is what we wish */
	bool waiting;      /* an offer of ours is out */
	bool agreed;
	struct media_leg_remote terms; /* once agreed */
	char text[NEGOTIATE_TEXT_SIZE]; /* our description as last written */
	size_t size;
	struct negotiation_fork forks[NEGOTIATE_FORKS_MAX];
	size_t fork_count;
};

/* `ours->security` must outlive it too. The version of the first text is ours->session_version; from then on it grows by one whenever the
 * text changes (RFC 3264 section 8), and not otherwise. `ours->ip` must outlive it. */
void negotiation_begin(struct negotiation *n, const struct offer *ours);

/* All that we can do: in the INVITE, and where a re-INVITE asks for our offer. Valid until the next
 * text is written; empty when it does not fit. */
struct span negotiation_offer(struct negotiation *n);
/* Their answer to it, in the 200 to a re-INVITE of ours or in the ACK of theirs. */
MUST_USE enum answer_outcome negotiation_answered(
	struct negotiation *n, struct span body, struct media_leg_remote *ret);

/* The INVITE goes to another far end, which shall send its sound there: our offer anew, as negotiation_offer().
 * `ip` must outlive it. */
struct span negotiation_move(struct negotiation *n, const char *ip, uint16_t rtp_port);

/* The INVITE was refused for its body, and shall be sent again in clear: our offer is another one from
 * now on. False when the trunk does not allow that. */
bool negotiation_give_up_security(struct negotiation *n);

/* An SDP in a 1xx to our INVITE, from the fork of that To tag: what would be agreed. */
MUST_USE enum answer_outcome negotiation_early(struct negotiation *n, struct span tag,
	struct span body, struct media_leg_remote *ret);
/* The 2xx. Without SDP, or with the one that its fork has said before, what that fork has agreed on
 * meanwhile holds (RFC 6337 section 3.1); ANSWER_E_NONE when it never said anything. */
MUST_USE enum answer_outcome negotiation_settle(struct negotiation *n, struct span tag,
	struct span body, struct media_leg_remote *ret);

/* Their offer, in a re-INVITE or an UPDATE. ANSWER_OK: *ret_answer is what to send (valid until the
 * next text), *ret the terms from now on. Before the 2xx it counts for the fork `tag` alone. */
MUST_USE enum answer_outcome negotiation_answer(struct negotiation *n, struct span tag,
	struct span offer, struct span *ret_answer, struct media_leg_remote *ret);

/* Whether the leg would do anything else. */
bool negotiation_same(const struct media_leg_remote *a, const struct media_leg_remote *b);
/* For a Warning header (RFC 3261 section 20.43): `305 ringdown "..."`. Constant. */
const char *negotiation_warning(enum answer_outcome why);

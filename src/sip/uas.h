/* sip/uas.h - one incoming call: from its INVITE until its end (RFC 3261 sections 8.2, 12.1.1,
 * 13.3, 15). The simulator's far ends stand on it.
 *
 * Owner:   the agent. Whoever accepted it holds a pointer until `ended`.
 * Owns:    its dialog and transactions; lingers unseen until they are done.
 * Thread:  its agent's loop.
 * Life:    agent's `incoming` -> sip_incoming_accept() inside it -> sip_incoming_respond() (now or
 *          later, any number of 1xx, one final) -> acked -> (offer, info)* -> ended: once, last.
 *          A call that was refused (300-699) ends when its ACK came or timer H fired.
 * A 100 is sent by nobody but the user; a repeated INVITE is answered by the last response.
 * ACK and BYE are recognised by Call-ID and tags alone, whatever Contact was given out.
 */
#pragma once

#include "sip/agent.h"
#include "sip/call.h"

struct sip_response {
	unsigned status;
	const char *reason; /* NULL = the usual words */
	/* Contact, Record-Route, Server ... A Contact here replaces ours; Record-Route here
	 * replaces the copy of the request's. "Via", "From", "Call-ID", "CSeq" are never taken from here. */
	const struct sip_extra *headers;
	size_t header_count;
	const char *content_type; /* NULL = application/sdp when there is a body */
	struct span body;
};

struct sip_incoming_events {
	/* The ACK of our 200 came; its body is empty unless the INVITE had none. May be NULL. */
	void (*acked)(void *owner, const struct sip_message *ack);
	/* re-INVITE, or UPDATE with a body. Owes sip_incoming_answer(). NULL: 200 with the last
	 * body. */
	void (*offer)(void *owner, const struct sip_message *request);
	void (*info)(void *owner, const struct sip_message *request); /* answered 200 already */
	/* BYE or our own hang-up ("bye", "hangup"), CANCEL ("cancel": 487 is out already), no ACK
	 * for our 200 ("no ack": BYE is out), refused by us ("refused"). */
	void (*ended)(void *owner, const struct sip_end *end);
	/* The final response to our sip_incoming_reinvite(). May be NULL. */
	void (*reanswered)(void *owner, const struct sip_message *response);
};

/* Inside the agent's `incoming` only. */
void sip_incoming_accept(
	struct sip_incoming *in, const struct sip_incoming_events *events, void *owner);
/* Say nothing, now and when the INVITE comes again; no event follows. Inside `incoming` only. */
void sip_incoming_drop(struct sip_incoming *in);

/* Returns 0; -EINVAL when the final response was sent already or a text holds a line end;
 * -ENOMEM. 200 is repeated until the ACK comes (RFC 3261 13.3.1.4). Without
 * sip_incoming_accept() it must be a final refusal, and no event follows. */
MUST_USE int sip_incoming_respond(struct sip_incoming *in, const struct sip_response *r);
/* Answers an offer within the call; like sip_call_answer(). */
MUST_USE int sip_incoming_answer(struct sip_incoming *in, unsigned status, struct span body);
/* A re-INVITE of ours (hold, another port). -EINVAL when not established or one is under way. */
MUST_USE int sip_incoming_reinvite(struct sip_incoming *in, struct span body);
/* Before the answer: 480 (or use respond). After it: BYE. `reason` as in sip_call_hangup(). */
void sip_incoming_hangup(struct sip_incoming *in, const char *reason);

const struct sockaddr *sip_incoming_source(const struct sip_incoming *in);
bool sip_incoming_is_tcp(const struct sip_incoming *in);
const char *sip_incoming_call_id(const struct sip_incoming *in);

/* sip/request.h - one request outside any call, until its final answer: OPTIONS, REGISTER. The host
 * is looked up, every address is tried (RFC 3263 section 4.3), a challenge is answered once
 * (RFC 3261 section 22).
 *
 * Owner:   whoever started it; frees it before the agent. May be freed at any time, inside `done` too.
 * Owns:    its texts, its transaction, its DNS query.
 * Thread:  its agent's loop.
 * Life:    sip_request_start -> done: once, never inside sip_request_start().
 */
#pragma once

#include "sip/agent.h"
#include "sip/call.h"
#include "sip/digest.h"

struct sip_request;

/* Texts are copied; a line end in one is -EINVAL. */
struct sip_request_config {
	enum sip_method method;
	const char *request_uri; /* "sip:example.org;transport=tcp" */
	const char *to_uri;      /* NULL = request_uri */
	const char *from_uri;
	const char *call_id; /* NULL = random */
	uint32_t cseq;       /* of the first sending; 0 = 1. A challenge makes it one more */
	enum sip_protocol_choice protocol;
	const char *proxy; /* "host[:port]": goes there first; NULL = request_uri */

	const struct sip_target *at; /* goes there and nowhere else, whatever the DNS says; NULL = located */

	const char *contact_user;   /* NULL = no Contact at all, "" = one without a user */
	const char *contact_params; /* of the URI: ";a=b"; NULL = none */
	const char *contact_after;  /* of the header, behind the URI: ";expires=600"; NULL = none */

	const struct sip_extra *headers;
	size_t header_count;

	const char *username, *password; /* digest; NULL = none */
	/* What earlier requests were challenged with, so that this one need not be; borrowed, kept up.
	 * NULL = nothing is known, nothing is kept. */
	struct sip_authorizer *known;
	uint32_t timeout_ms; /* of each address; 0 = the agent's failover_ms, the last one 64*T1 */
};

struct sip_request_end {
	enum sip_why why;                   /* SIP_WHY_RESPONSE: any final answer, also a good one */
	unsigned status;                    /* 0 = none; with SIP_WHY_AUTH the 401 or 407 */
	const struct sip_message *response; /* NULL without one; gone after the event */
	struct sockaddr_storage remote;     /* family 0: it never left */
	const struct sip_path *path;        /* the same, with the connection that it went by */
	enum sip_protocol_choice protocol;  /* never AUTO */
	uint32_t rtt_ms;                    /* from the last sending to its answer */
	uint32_t cseq;                      /* of the last sending */
	const char *contact;                /* as it was sent, < > included; NULL = none */
	char sentence[256];                 /* for a human; empty after a 2xx */
};

typedef void sip_request_done_fn(void *owner, struct sip_request *r, const struct sip_request_end *end);

/* Returns 0, -EINVAL, -ENOMEM, or what the DNS says when it is too busy. */
MUST_USE int sip_request_start(struct sip_request **ret, struct sip_agent *a,
	const struct sip_request_config *config, sip_request_done_fn *done, void *owner);
struct sip_request *sip_request_free(struct sip_request *r); /* no event after this; takes NULL */

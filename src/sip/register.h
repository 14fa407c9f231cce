/* sip/register.h - one binding kept at a registrar (RFC 3261 section 10): made, refreshed before it
 * ends, made again after a failure, taken away at the end.
 *
 * Owner:   whoever made it; frees it before the agent.
 * Owns:    its texts, the request under way, the routes that the registrar told (RFC 3608).
 * Thread:  its agent's loop.
 * Life:    sip_registration_new -> changed* -> sip_registration_stop -> stopped -> sip_registration_free;
 *          freed without a stop, the binding stays at the registrar until it ends by itself.
 * Words:   a "binding" is one Contact at the registrar; a user may have others, from other phones.
 *          Ours is found by a parameter of its own in the Contact, else by user, host and port.
 */
#pragma once

#include "sip/call.h"

struct sip_registration;

/*
 *   ASKING --> HELD --> REFRESHING --> HELD
 *      |  ^                 |
 *      v  |                 v
 *     WAITING <-------------'          (refused, or no answer: RFC 5626 section 4.5)
 *
 *   all of them --> LEAVING --> GONE   (sip_registration_stop)
 */
enum sip_registration_state {
	SIP_REGISTRATION_ASKING,
	SIP_REGISTRATION_HELD,
	SIP_REGISTRATION_REFRESHING,
	SIP_REGISTRATION_WAITING,
	SIP_REGISTRATION_LEAVING,
	SIP_REGISTRATION_GONE,
	SIP_REGISTRATION__COUNT,
};
const char *sip_registration_state_text(enum sip_registration_state s); /* "registered", ... */

/* Texts are copied. */
struct sip_registration_config {
	const char *registrar;    /* Request-URI: "sip:example.org" */
	const char *address;      /* of record, To and From: "sip:user@example.org" */
	const char *contact_user; /* "" = none */
	const char *proxy;        /* as in sip_request_config */
	enum sip_protocol_choice protocol;
	const char *username, *password; /* NULL = none */
	uint32_t expires_s;    /* what is asked for; 0 = 600 */
	uint32_t wait_base_ms; /* first back-off; 0 = 30 s, of RFC 5626 */
	uint32_t wait_max_ms;  /* 0 = 30 min */
	uint32_t least_ms;     /* between two that were granted: a binding that would have to be refreshed
	                        * more often is a failure; 0 = LIMIT_SIP_REGISTER_MS */
};

struct sip_registration_info {
	enum sip_registration_state state;
	bool held;            /* the registrar has our binding: also while it is refreshed, or while
	                       * a refresh has failed and the old one has not ended */
	uint32_t expires_s;   /* as granted */
	uint64_t since_ms;    /* loop time: held, or not held, since then */
	uint64_t next_ms;     /* loop time of the next REGISTER */
	uint64_t answered_ms; /* loop time of the last answer; 0 = none yet */
	unsigned status;      /* of the last answer; 0 = none came */
	unsigned failures;    /* in a row */
	unsigned bindings;    /* of this user at the registrar, ours included */
	uint32_t rtt_ms;
	const char *problem;       /* why it is not well, for a human; "" when it is */
	const char *const *routes; /* Service-Route: header values for Route, in their order */
	size_t route_count;
	struct sockaddr_storage remote; /* the registrar; family 0 = not known yet */
};

struct sip_registration_events {
	void (*changed)(void *owner); /* the info above has changed. May free nothing */
	void (*stopped)(void *owner); /* once, after sip_registration_stop(), never inside it */
};

/* The first REGISTER leaves in the next turn. Returns 0, -EINVAL (an URI that is none, a line end)
 * or -ENOMEM. */
MUST_USE int sip_registration_new(struct sip_registration **ret, struct sip_agent *a,
	const struct sip_registration_config *config, const struct sip_registration_events *events,
	void *owner);
/* Takes the binding away; waits two seconds for the answer. */
void sip_registration_stop(struct sip_registration *r);
struct sip_registration *sip_registration_free(struct sip_registration *r);
/* Texts live until the next event. */
void sip_registration_info(const struct sip_registration *r, struct sip_registration_info *ret);

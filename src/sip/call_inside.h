/* sip/call_inside.h - one outgoing call as call.c (its life) and call_config.c (its texts) see it.
 *
 * Owner:   the agent. Owns: its session (dialog, body, credentials), its texts, the present attempt.
 * Thread:  its agent's loop.
 */
#pragma once

#include "sip/call.h"
#include "sip/session.h"

enum { FORKS_MAX = 8 };

/*
 *  RESOLVING -> CALLING -> TRYING -> RINGING -> ESTABLISHED -> ENDING -> OVER
 *      |           |          |         |            (BYE sent)
 *      |           v          +----+----+
 *      |        LEAVING -> CANCELLING -> OVER       (hung up before the answer)
 *      +---------------------------------> OVER     (failed)
 */
enum call_state {
	CALL_RESOLVING,
	CALL_CALLING,    /* INVITE sent, nothing came back */
	CALL_TRYING,     /* 100 */
	CALL_RINGING,    /* 101-199 */
	CALL_LEAVING,    /* hung up, but nothing came back: CANCEL must wait (RFC 3261 9.1) */
	CALL_CANCELLING, /* CANCEL sent */
	CALL_ESTABLISHED,
	CALL_ENDING, /* BYE sent */
	CALL_OVER,
	CALL_STATE__COUNT,
};

/* A To tag that answered: RFC 3262 numbers its reliable responses, and a second 2xx is ended. */
struct fork {
	char tag[128];
	uint32_t rseq;
	bool hung_up;
};

struct sip_call {
	struct sip_session s;
	const struct sip_call_events *events;
	void *owner;
	enum call_state state;

	char *extra; /* header lines, written already */
	char *content_type, *contact_user;
	bool may_grow; /* a large request may go by TCP instead */
	bool grown;    /* it does */
	enum sip_protocol protocol;
	uint32_t failover_ms;

	struct dns_query *query;
	struct sockaddr_storage targets[DNS_ADDRESSES_MAX];
	size_t target_count, target;

	struct sip_client *invite; /* the present attempt */
	struct sip_authorizer *invite_auth;
	struct fork forks[FORKS_MAX];
	size_t fork_count;

	char *hangup_reason;
	struct timer timer;
	enum sip_why soon; /* what the timer will tell while RESOLVING */
	char dns_why[128];
	struct deferred reap;
};

/* A text with a line end would be a header of its own. */
static inline bool sip_is_line(const char *text)
{
	return !text || !strpbrk(text, "\r\n");
}

/* Whether the texts of `config` can stand in a message: no line ends, URIs that are some. */
bool sip_invite_is_sound(const struct sip_invite_config *config);
/* Where the first INVITE goes: the proxy if there is one, else the Request-URI. `text` is storage
 * for what *ret points into. Returns 0 or -EINVAL. */
MUST_USE int sip_invite_target(const struct sip_invite_config *config, struct sip_uri *ret, char *text,
	size_t size, enum sip_protocol *protocol, bool *may_grow);
/* Copies what the INVITE and its dialog will say. Returns 0, -EINVAL or -ENOMEM. */
MUST_USE int sip_call_set_texts(struct sip_call *c, const struct sip_invite_config *config);

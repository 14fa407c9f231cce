/* sip/call_inside.h - one outgoing call as its files see it: call.c (its life, the owner's wishes),
 * call_config.c (its texts), call_targets.c (where it goes), call_invite.c (the INVITE),
 * call_responses.c (what comes back).
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
	struct fork forks[FORKS_MAX];
	size_t fork_count;

	char *hangup_reason;
	struct timer timer;
	enum sip_why soon; /* what the timer will tell while RESOLVING */
	char detail[TLS_WHY_SIZE]; /* what the DNS or TLS complained about last */
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

/* sip/call.c */
void sip_call_move(struct sip_call *c, enum call_state to);
bool sip_call_hung_up(const struct sip_call *c); /* before the answer */
/* `m` may be NULL. The last event; `c` lives until the next turn. */
void sip_call_fail(struct sip_call *c, enum sip_why why, const struct sip_message *m);
/* The same in the next turn: not from inside sip_invite(). */
void sip_call_fail_soon(struct sip_call *c, enum sip_why why);
/* Gone when it is over and the last transaction, which re-ACKs and waits for stragglers, is. */
void sip_call_settle(struct sip_call *c);

/* sip/call_targets.c */
/* Asks for the addresses of `target`; the first INVITE follows, at once for a literal. */
MUST_USE int sip_call_resolve(struct sip_call *c, const struct sip_uri *target);
bool sip_call_more_targets(const struct sip_call *c);
bool sip_call_try_target(struct sip_call *c); /* the present one; false as sip_call_send_invite() */
bool sip_call_try_next(struct sip_call *c);

/* sip/call_invite.c */
/* To the present target. False: out of memory, or more than fits. */
bool sip_call_send_invite(struct sip_call *c, uint32_t cseq);
void sip_call_challenged(struct sip_call *c, const struct sip_message *m); /* 401, 407 */
/* Once more with what has changed, to whom has just refused it with `m`. */
void sip_call_again(struct sip_call *c, const struct sip_message *m);

/* sip/call_responses.c */
extern const struct sip_client_events sip_call_invite_events;

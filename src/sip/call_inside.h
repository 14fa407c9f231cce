/* sip/call_inside.h - one outgoing call as its files see it: call.c (its life, the owner's wishes),
 * call_config.c (its texts), call_targets.c (where it goes), call_invite.c (the INVITE),
 * call_responses.c (what comes back), call_forks.c (the phones that ring).
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

/* A phone that rings, known by its To tag. */
struct fork {
	struct sip_dialog dialog; /* early; local_cseq is the session's */
	uint32_t rseq;            /* of its last reliable response (RFC 3262); 0 = none */
	uint32_t invite_cseq;     /* of the INVITE that it answered */
	bool answered;            /* our offer, in a 1xx: it may make one of its own */
	bool hung_up;             /* it answered too late, and was sent a BYE */
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
	uint32_t failover_ms;
	struct sip_aim aim;

	struct sip_location *location;
	struct sip_target targets[SIP_TARGETS_MAX];
	size_t target_count, target;

	struct sip_client *invite; /* the present attempt */
	struct fork forks[FORKS_MAX];
	size_t fork_count;
	unsigned redirects; /* followed */

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
/* Asks for the addresses of `aim`; the first INVITE follows, at once for a literal. */
MUST_USE int sip_call_resolve(struct sip_call *c);
/* The present target answered, or did not, or says that it cannot (503; Retry-After, 0 = unsaid). */
void sip_call_target_lives(struct sip_call *c);
void sip_call_target_failed(struct sip_call *c);
void sip_call_target_is_busy(struct sip_call *c, uint32_t retry_after_s);
bool sip_call_more_targets(const struct sip_call *c);
bool sip_call_try_target(struct sip_call *c); /* the present one; false as sip_call_send_invite() */
bool sip_call_try_next(struct sip_call *c);

/* sip/call_invite.c */
/* To the present target. False: out of memory, or more than fits. */
bool sip_call_send_invite(struct sip_call *c, uint32_t cseq);
void sip_call_challenged(struct sip_call *c, const struct sip_message *m); /* 401, 407 */
/* Once more with what has changed, to whom has just refused it with `m`. */
void sip_call_again(struct sip_call *c, const struct sip_message *m);
/* sip/call_redirect.c: a 3xx. False: it is a refusal like any other. */
bool sip_call_redirected(struct sip_call *c, const struct sip_message *m);

/* sip/call_forks.c */
/* A 101-199. False: a reliable one that came before, or out of order. */
bool sip_call_fork_rings(struct sip_call *c, const struct sip_message *m);
/* The early dialog with that phone; NULL = not known. */
struct sip_dialog *sip_call_fork_dialog(struct sip_call *c, struct span tag);
/* Whether it has answered our offer, and so may make its own (RFC 3311 section 5.2). */
bool sip_call_fork_may_offer(struct sip_call *c, struct span tag);
/* It has the call: what was counted in its early dialog goes on in the session's. */
void sip_call_fork_won(struct sip_call *c, const struct sip_message *m);
/* A 2xx that nobody waits for: of another fork, or of an address given up. It must be ACKed, and
 * then ended (RFC 3261 section 13.2.2.4). */
void sip_call_fork_end(struct sip_call *c, struct sip_client *client, const struct sip_message *m);
void sip_call_forks_fini(struct sip_call *c);

/* sip/call_responses.c */
extern const struct sip_client_events sip_call_invite_events;

/* sip/session.h - what both ends of a call do alike once there is a dialog: answer requests within
 * it, find the way to the far end, re-INVITE, BYE (RFC 3261 sections 12.2, 14, 15).
 *
 * Owner:   embedded in struct sip_call and struct sip_incoming.
 * Owns:    the dialog and the transactions that it began.
 * Thread:  its agent's loop.
 */
#pragma once

#include "base/buf.h"
#include "sip/core.h"
#include "sip/digest.h"
#include "sip/info.h"
#include "sip/refer.h"
#include "sip/session_timer.h"

struct sip_session;

struct sip_session_ops {
	void (*bye)(struct sip_session *s, const struct sip_message *m); /* 200 is out */
	/* False: nobody cares, answer it with the last body. */
	bool (*offer)(struct sip_session *s, const struct sip_message *m);
	/* The early dialog of a fork, before there is a dialog; NULL = not known. May be NULL. */
	struct sip_dialog *(*early)(struct sip_session *s, struct span tag);
	void (*acked)(struct sip_session *s, const struct sip_message *m);
	void (*info)(struct sip_session *s, const struct sip_message *m);
	void (*bye_done)(struct sip_session *s); /* ours was answered, or nobody will */
	void (*no_ack)(struct sip_session *s);   /* nobody acknowledged our 200 */
	void (*reanswered)(struct sip_session *s, const struct sip_message *m);
	/* Our re-INVITE met theirs (491) and may be sent again now. False: nobody cares, the same
	 * body once more. */
	bool (*glare)(struct sip_session *s);
	/* Nobody is there any more: BYE is due. `why` is "lost" (a request within the dialog was
	 * not answered, or by 481 or 408) or "expired" (the session timer). */
	void (*lost)(struct sip_session *s, const char *why);
	void (*referred)(struct sip_session *s, const struct sip_refer_result *r);
	void (*idle)(struct sip_session *s); /* the last transaction is gone */
	void (*free_now)(struct sip_session *s);
};

struct sip_session {
	struct sip_usage usage;
	const struct sip_session_ops *ops;
	struct sip_dialog dialog;
	struct sip_path path; /* where requests within the dialog go */
	char *host;           /* the name that `path` was found by; NULL = none */
	char *contact;        /* header value */
	struct buf body;      /* answers offers */
	struct buf agreed;    /* what `body` was, while our offer of another one is out */
	bool over;            /* ended: only politeness is left */
	bool caller;          /* the first INVITE was ours */
	bool confirmed;       /* `dialog` is with one phone; before that many may ring */

	struct sip_server *pending; /* an offer without an answer */
	struct sip_server *unacked; /* an INVITE whose 2xx waits for its ACK */
	uint32_t unacked_cseq;
	bool owed_answer; /* that 2xx has our offer: the ACK answers it */

	struct list clients; /* by owner_link */
	struct sip_client *bye, *reinvite, *update;
	char *bye_reason;
	char *bye_extra; /* header lines; NULL = none */
	struct sip_refer refer;
	struct sip_info info;
	struct sip_authorizer *auth; /* what the far end has challenged; NULL = nothing yet */
	char *username, *password;

	struct sip_session_timer expiry;
	struct timer expires;      /* to refresh, or to give it up */
	uint64_t expires_at_ms;    /* when it is given up; 0 = never */
	bool refreshing;           /* the request under way is the refresh */
	bool updates;              /* the far end allows UPDATE */
	struct timer again;        /* what met theirs is sent again */
	struct timer patience;     /* for the answer to our re-INVITE, once there was a 1xx */
	bool again_update;         /* it is the UPDATE */
	unsigned glares;           /* in a row */

	struct sip_location *location; /* of the first route's name */
	struct buf held;         /* the ACK that waits for it */
};

/* Returns 0 or -ENOMEM; sip_session_fini() is due in any case. */
MUST_USE int sip_session_init(
	struct sip_session *s, struct sip_agent *a, const struct sip_session_ops *ops);
void sip_session_fini(struct sip_session *s); /* silently */

/* Finds where the dialog's requests go from now on, by its first route or its target. */
void sip_session_route(struct sip_session *s);
/* A target refresh (RFC 3261 section 12.2): what is sent next in dialog `d` goes to its new Contact.
 * Returns 0 or -ENOMEM. */
MUST_USE int sip_session_retarget(
	struct sip_session *s, struct sip_dialog *d, const struct sip_message *m);
/* The way of sip_session_route() for a dialog of another fork, without asking the DNS. */
struct sip_path sip_session_hop(const struct sip_session *s, const struct sip_dialog *d);
/* Head of a request in `d`, up to where its own headers and sip_write_end() follow. */
void sip_session_write(struct sip_session *s, struct writer *w, const struct sip_dialog *d,
	enum sip_method method, uint32_t cseq, const char *branch);
/* The ACK of a 2xx: with the credentials of the INVITE (section 13.2.2.4), whose client it is. */
void sip_session_ack(struct sip_session *s, const struct sip_dialog *d, const struct sip_client *c,
	uint32_t cseq);
/* Starts a request written into the agent's scratch; adds it to `clients`. NULL without memory. */
struct sip_client *sip_session_start(struct sip_session *s, enum sip_method method,
	const char *branch, struct span bytes, const struct sip_client_events *events);

/* Another request begins: it may be challenged once more. */
void sip_session_begin_auth(struct sip_session *s);
/* A 2xx to one of ours: the far end may tell the nonce of the next. */
void sip_session_authorized(struct sip_session *s, const struct sip_message *m);
/* Takes in a 401 or 407. False: there is nothing to answer it with. */
bool sip_session_challenged(struct sip_session *s, const struct sip_message *m);
/* Credentials for all that has been challenged, if anything was. Returns 0 or a negative error. */
MUST_USE int sip_session_write_auth(
	struct sip_session *s, struct writer *w, const struct sip_dialog *d, enum sip_method method,
	struct span body);

/* BYE; `bye_done` follows in a later turn, but for want of memory never: the owner has a timer. */
void sip_session_bye(struct sip_session *s, const char *reason);
/* How long the owner waits for `bye_done` before it says that the call has ended. */
uint32_t sip_session_bye_wait_ms(const struct sip_session *s);
MUST_USE int sip_session_answer(struct sip_session *s, unsigned status, struct span body);
MUST_USE int sip_session_refuse(struct sip_session *s, unsigned status, const char *warning);
MUST_USE int sip_session_reinvite(struct sip_session *s, struct span body);
MUST_USE int sip_session_set_body(struct sip_session *s, struct span body);
void sip_session_drop_body(struct sip_session *s); /* wipes it */
/* Our offer of another one was refused, or not: what was agreed holds (RFC 3261 section 14.1). */
void sip_session_offer_over(struct sip_session *s, bool accepted);
/* What they say that they allow. */
void sip_session_note_peer(struct sip_session *s, const struct sip_message *m);
/* A 2xx went either way: the session timer, as agreed, begins anew. */
void sip_session_alive(struct sip_session *s);
/* No more offers, no more events: what waits is refused. */
void sip_session_over(struct sip_session *s);
/* Takes note of who waits for the ACK of the 2xx just sent. */
void sip_session_await_ack(struct sip_session *s, struct sip_server *server);

/* --- between the files of a session --------------------------------------------------------- */

/* sip/session_offers.c: their INVITE, or UPDATE, in the dialog `d` (NULL: one that rings unheard). */
void sip_session_offered(struct sip_session *s, struct sip_server *server, const struct sip_message *m,
	struct sip_dialog *d);
/* sip/session_requests.c: a re-INVITE with the present body. False: no memory. */
bool sip_session_send_reinvite(struct sip_session *s);
void sip_session_client_ended(void *owner, struct sip_client *c);
/* sip/session_refresh.c */
/* Our re-INVITE or UPDATE came to nothing, which does not end the call; NULL: it was not answered. If it
 * was the refresh it is tried again, after Retry-After, and in any case before the time is over. */
void sip_session_refused(struct sip_session *s, const struct sip_message *m);
void sip_session_on_expiry(void *owner);
void sip_session_on_again(void *owner);
/* sip/session_requests.c */
void sip_session_on_impatience(void *owner);
/* A 491 came: wait as section 14.1 of RFC 3261 says, then again. False: often enough. */
bool sip_session_send_later(struct sip_session *s, bool update);
/* 408, 481 or nothing at all (RFC 3261 section 12.2.1.2). */
void sip_session_lost(struct sip_session *s, const char *why);

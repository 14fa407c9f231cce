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

struct sip_session;

struct sip_session_ops {
	void (*bye)(struct sip_session *s, const struct sip_message *m); /* 200 is out */
	/* False: nobody cares, answer it with the last body. */
	bool (*offer)(struct sip_session *s, const struct sip_message *m);
	void (*acked)(struct sip_session *s, const struct sip_message *m);
	void (*info)(struct sip_session *s, const struct sip_message *m);
	void (*bye_done)(struct sip_session *s); /* ours was answered, or nobody will */
	void (*no_ack)(struct sip_session *s);   /* nobody acknowledged our 200 */
	void (*reanswered)(struct sip_session *s, const struct sip_message *m);
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
	bool over;            /* ended: only politeness is left */

	struct sip_server *pending; /* an offer without an answer */
	struct sip_server *unacked; /* an INVITE whose 2xx waits for its ACK */
	uint32_t unacked_cseq;

	struct list clients; /* by owner_link */
	struct sip_client *bye, *reinvite;
	uint32_t reinvite_cseq;
	char *bye_reason;
	char *bye_extra; /* header lines; NULL = none */
	struct sip_refer refer;
	struct sip_info info;
	struct sip_authorizer *auth; /* what the far end has challenged; NULL = nothing yet */
	char *username, *password;

	struct dns_query *query; /* for the first route's name */
	struct buf held;         /* the ACK that waits for it */
};

void sip_session_init(
	struct sip_session *s, struct sip_agent *a, const struct sip_session_ops *ops);
void sip_session_fini(struct sip_session *s); /* silently */

/* Finds where the dialog's requests go from now on, by its first route or its target. */
void sip_session_route(struct sip_session *s);
/* The same for a dialog of another fork, without asking the DNS. */
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

/* Another request begins, which may be challenged. */
void sip_session_begin_auth(struct sip_session *s);
/* Takes in a 401 or 407. False: there is nothing to answer it with. */
bool sip_session_challenged(struct sip_session *s, const struct sip_message *m);
/* Credentials for all that has been challenged, if anything was. Returns 0 or a negative error. */
MUST_USE int sip_session_write_auth(
	struct sip_session *s, struct writer *w, enum sip_method method, struct span body);

/* BYE; `bye_done` follows in a later turn, but for want of memory never: the owner has a timer. */
void sip_session_bye(struct sip_session *s, const char *reason);
/* How long the owner waits for `bye_done` before it says that the call has ended. */
uint32_t sip_session_bye_wait_ms(const struct sip_session *s);
MUST_USE int sip_session_answer(struct sip_session *s, unsigned status, struct span body);
MUST_USE int sip_session_refuse(struct sip_session *s, unsigned status, const char *warning);
MUST_USE int sip_session_reinvite(struct sip_session *s, struct span body);
MUST_USE int sip_session_set_body(struct sip_session *s, struct span body);
/* No more offers, no more events: what waits is refused. */
void sip_session_over(struct sip_session *s);
/* Takes note of who waits for the ACK of the 2xx just sent. */
void sip_session_await_ack(struct sip_session *s, struct sip_server *server);

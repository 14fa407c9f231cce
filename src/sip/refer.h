/* sip/refer.h - a transfer that we ask the far end for: REFER, and the NOTIFYs that tell how it goes
 * (RFC 3515). One at a time.
 *
 * Owner:   embedded in struct sip_session.
 * Owns:    its texts; the transaction is one of the session's clients.
 * Thread:  the agent's loop.
 */
#pragma once

#include "sip/call.h"
#include "sip/core.h"

struct sip_session;

struct sip_refer {
	struct sip_client *client; /* the REFER under way */
	bool waiting;              /* for its answer or for a NOTIFY */
	bool accepted;             /* 2xx: the far end is at it */
	uint32_t cseq;             /* of the last REFER: the id of its subscription */
	unsigned status;           /* last told */
	char *refer_to, *referred_by, *extra;
};

/* 0, -EINVAL (over, one is under way, a text with a line end), -ENOMEM. `referred` of the session's
 * ops follows, unless the call ends first or it is forgotten. */
MUST_USE int sip_session_refer(struct sip_session *s, const struct sip_refer_request *r);
/* Nobody waits for it any more: what is told later is answered and passed over. */
void sip_session_refer_forget(struct sip_session *s);
bool sip_session_refer_accepted(const struct sip_session *s);
/* A NOTIFY within the dialog: answers it. */
void sip_session_notified(struct sip_session *s, struct sip_server *server, const struct sip_message *m);
void sip_session_refer_fini(struct sip_session *s);

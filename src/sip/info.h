/* sip/info.h - INFO within a call (RFC 2976): a body, one after the other. Each waits for the answer to the
 * one before, which may be a challenge: keys must not arrive in another order than they were pressed in, and
 * what was repeated after a loss would come behind the next one, with a CSeq that is refused as old.
 *
 * Owner:   embedded in struct sip_session. Owns: the bodies; the transactions are the session's.
 * Thread:  the agent's loop.
 */
#pragma once

#include "sip/core.h"

struct sip_session;

enum { SIP_INFO_TYPE_SIZE = 64, SIP_INFO_BODY_SIZE = 128 };

struct sip_info {
	struct sip_client *client; /* of the first of `waiting`, while it is under way */
	struct list waiting;
	size_t count;
};

void sip_session_info_init(struct sip_session *s);
void sip_session_info_fini(struct sip_session *s);
/* 0, -EINVAL (over, it does not fit, or LIMIT_SIP_INFOS wait), -ENOMEM. */
MUST_USE int sip_session_info(struct sip_session *s, const char *content_type, struct span body);
/* The call is about to end: what waits still leaves at once. */
void sip_session_info_hurry(struct sip_session *s);

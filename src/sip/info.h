/* sip/info.h - INFO within a call (RFC 2976): a body, sent and forgotten. A challenge of the latest one is
 * answered.
 *
 * Owner:   embedded in struct sip_session. Owns: the latest body; the transactions are the session's.
 * Thread:  the agent's loop.
 */
#pragma once

#include "sip/core.h"

struct sip_session;

enum { SIP_INFO_TYPE_SIZE = 64, SIP_INFO_BODY_SIZE = 128 };

struct sip_info {
	struct sip_client *client; /* the latest, while it is under way */
	char type[SIP_INFO_TYPE_SIZE], body[SIP_INFO_BODY_SIZE];
	size_t size;
};

/* 0, -EINVAL (over, or it does not fit), -ENOMEM. */
MUST_USE int sip_session_info(struct sip_session *s, const char *content_type, struct span body);

/* trunk/explain.h - why a call failed, as a plain sentence and as LiveKit's codes. Pure.
 *
 * Thread: any. Owner, owns: nothing.
 */
#pragma once

#include "base/base.h"

#include "livekit_models.pb-c.h"

struct call_failure {
	int sip_status;          /* 0 = no SIP answer */
	const char *reason;      /* reason phrase of the far end, may be NULL */
	const char *provider;    /* X-Twilio-Error and the like, may be NULL */
	bool after_challenge;    /* we had already sent credentials */
	bool has_credentials;    /* the trunk has a user name and password */
	enum {
		CALL_FAILURE_RESPONSE,   /* the far end answered with sip_status */
		CALL_FAILURE_TIMEOUT,    /* no response at all */
		CALL_FAILURE_NO_ANSWER,  /* rang until the ringing timeout */
		CALL_FAILURE_TRANSPORT,  /* refused, unreachable */
		CALL_FAILURE_DNS,
		CALL_FAILURE_MEDIA,      /* no common codec, unreadable SDP */
		CALL_FAILURE_INTERNAL,
	} kind;
	const char *address;     /* the trunk's, for the sentence */
};
struct call_explanation {
	char sentence[320];      /* for a person: what happened, what to do */
	const char *code;        /* "busy", "no_answer", "unknown_number", "trunk_unreachable", ... */
	const char *twirp_code;  /* as livekit-sip maps it, reference livekit-sip.md 3.5 */
	Livekit__DisconnectReason reason; /* USER_UNAVAILABLE, USER_REJECTED, SIP_TRUNK_FAILURE, ... */
};
void explain_failure(struct call_explanation *ret, const struct call_failure *f);

/* trunk/explain.h - why a call ended: one entry of a table for every final answer, timeout, fault and
 * ordinary end, as codes for programs and one sentence for the operator that says what to fix. Pure.
 * docs/endings.md is the table for people; test/unit/trunk_explain.c holds both together.
 *
 * Thread: any. Owner, owns: nothing.
 */
#pragma once

#include "base/base.h"
#include "wire/sip_message.h"

#include "livekit_models.pb-c.h"

/* What a final answer or a BYE says besides its status: copied, so that it outlives the message. */
struct call_signs {
	char provider[64];        /* X-Twilio-Error, whole; "" = none */
	char seen[64];            /* our address as the far end saw it: Via received, rport; "" = not said */
	char cause_text[64];      /* of the Reason header */
	unsigned cause;           /* Q.850; 0 = not said */
	unsigned warning;         /* the first Warning's code; 0 = none */
	char warning_text[96];
	uint32_t retry_after_s;   /* Retry-After; 0 = not said */
};
void call_signs_read(struct call_signs *ret, const struct sip_message *m);

enum call_failure_kind {
	CALL_FAILURE_RESPONSE,   /* the far end answered with sip_status */
	CALL_FAILURE_TIMEOUT,    /* no response at all */
	CALL_FAILURE_NO_ANSWER,  /* rang until the ringing timeout */
	CALL_FAILURE_TRANSPORT,  /* refused, unreachable */
	CALL_FAILURE_DNS,
	CALL_FAILURE_TLS,        /* the handshake failed, or the certificate is not to be believed */
	CALL_FAILURE_MEDIA,      /* no common codec, unreadable SDP */
	CALL_FAILURE_ENCRYPTION, /* answered, but SRTP was not agreed on as the trunk wants it */
	CALL_FAILURE_MEDIA_FAMILY, /* answered with an IPv4 address to our IPv6 one, or the other way round */
	CALL_FAILURE_INTERNAL,
	CALL_FAILURE__COUNT,
};

/* Texts may be NULL or "": then the sentence does without them. */
struct call_failure {
	int sip_status;          /* 0 = no SIP answer */
	const char *reason;      /* the far end's words: text body or reason phrase */
	const char *phrase;      /* the reason phrase, when `reason` is another text */
	const char *provider;    /* X-Twilio-Error and the like; wins over `signs` */
	const struct call_signs *signs; /* or NULL */
	bool after_challenge;    /* we had already sent credentials */
	bool has_credentials;    /* the trunk has a user name and password */
	enum call_failure_kind kind;
	/* The operator's own values, for the sentence. */
	const char *address, *trunk; /* the trunk's host and name */
	const char *number, *caller; /* not given: they are to be hidden from the room */
	const char *media_address;   /* of our SDP */
};

/* Ends that are no failure to connect. */
enum call_end {
	CALL_END_HUNG_UP,         /* asked for: the API, an app, an agent */
	CALL_END_FAR_END,         /* BYE */
	CALL_END_FAR_END_CUT,     /* BYE whose Reason says that something broke */
	CALL_END_ACK_UNSEEN,      /* BYE soon after an answer that was repeated and repeated */
	CALL_END_REMOVED,
	CALL_END_REPLACED,        /* somebody joined with the phone's identity */
	CALL_END_ROOM_DELETED,
	CALL_END_ROOM_CLOSED,     /* nobody was left in it */
	CALL_END_MAX_DURATION,
	CALL_END_MINUTES,         /* of its API key, today */
	CALL_END_NO_MEDIA,        /* answered, but no sound ever came */
	CALL_END_MEDIA_LOCKED,    /* ... but came, and SRTP's key did not open it */
	CALL_END_MEDIA_TIMEOUT,   /* sound came, and came no more */
	CALL_END_SESSION_EXPIRED, /* RFC 4028: nobody refreshed */
	CALL_END_NO_ACK,          /* our 200 was never acknowledged */
	CALL_END_LOST,            /* the far end knows the call no more, or cannot be reached */
	CALL_END_TRANSFERRED,
	CALL_END_SERVER_STOPPED,
	CALL_END_INTERRUPTED,     /* found open in the records after a crash or kill */
	CALL_END__COUNT,
};

enum ended_by {
	ENDED_BY_US,      /* this server: a fault of its own, a limit, the operator */
	ENDED_BY_FAR_END, /* the called phone or person */
	ENDED_BY_CARRIER, /* the trunk's provider */
	ENDED_BY_NETWORK, /* what lies between: IP, or the phone network */
	ENDED_BY_POLICY,  /* a rule that somebody set: duration, rate, countries */
	ENDED_BY_ROOM,    /* whoever is in the room, or its API */
	ENDED_BY__COUNT,
};
const char *ended_by_text(enum ended_by by); /* "us", "far_end", ... */

enum call_retry {
	RETRY_NO,    /* calling again ends alike */
	RETRY_FIXED, /* after what the sentence says has been set right */
	RETRY_LATER, /* as it is; after retry_after_s when that is not 0 */
	RETRY__COUNT,
};
const char *call_retry_text(enum call_retry retry); /* "no", "when_fixed", "later" */

struct call_explanation {
	char sentence[480];      /* for a person: what happened, what to do */
	const char *code;        /* "busy", "no_answer", "unknown_number", "trunk_unreachable", ... */
	const char *twirp_code;  /* as livekit-sip maps it */
	Livekit__DisconnectReason reason; /* USER_UNAVAILABLE, USER_REJECTED, SIP_TRUNK_FAILURE, ... */
	enum ended_by ended_by;
	enum call_retry retry;
	uint32_t retry_after_s;  /* 0 = no telling */
	unsigned q850;           /* as the far end said it, else as the SIP status stands for; 0 = none */
	char carrier_code[16];   /* "32201", "D35"; "" = none */
};
void explain_failure(struct call_explanation *ret, const struct call_failure *f);
/* `f` gives the values of the sentence and, for a BYE, the signs; NULL = none. */
void explain_end(struct call_explanation *ret, enum call_end end, const struct call_failure *f);
/* The end that a participant's removal is. */
enum call_end explain_removal(Livekit__DisconnectReason why);

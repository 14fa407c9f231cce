/* simulator/carrier_refusal.h - why a carrier refuses a call, and how each of them says so. Pure.
 * Thread: any. */
#pragma once

#include "base/base.h"

enum refusal {
	REFUSE_NOT,
	REFUSE_SILENTLY, /* no response at all */
	REFUSE_CHALLENGE, /* 401 or 407: once more, with credentials */
	REFUSE_INACTIVE,
	REFUSE_SUSPENDED,
	REFUSE_ACL,
	REFUSE_CREDENTIALS,
	REFUSE_BLOCKED,
	REFUSE_CALLER,        /* From, or what stands in for it, is not the account's */
	REFUSE_CALLER_FORMAT, /* ... or no number */
	REFUSE_COUNTRY,
	REFUSE_UNVERIFIED, /* trial account */
	REFUSE_TRIAL,      /* the account of 2026 that cannot use trunks before it is upgraded */
	REFUSE_NUMBER,     /* not E.164 */
	REFUSE_BAD_SDP,
	REFUSE_NO_SDP,
	REFUSE_HOPS,
	REFUSE_CPS,
	REFUSE_CONCURRENCY,
	REFUSE_SECURE_TRANSPORT, /* secure trunk, UDP or TCP */
	REFUSE_SECURE_MEDIA,     /* secure trunk, RTP/AVP */
	REFUSE_INSECURE_MEDIA,   /* plain trunk, SRTP */
	REFUSE_CODEC,
	REFUSE_CONTACT,     /* Contact is an address, not a name */
	REFUSE_NO_OPTIONS,  /* has never sent OPTIONS */
	REFUSE_UNREGISTERED,
	REFUSE_SESSION,  /* Session-Expires too small: 422 with Min-SE */
	REFUSE_TRANSFER, /* REFER is off */
	REFUSE_EXTENSION, /* Require names what we do not have: 420 */
	REFUSE__COUNT,
};

/* "status.no-sdp=488": the statuses that nobody has documented can be set. */
struct refusal_statuses {
	uint16_t status[REFUSE__COUNT]; /* 0 = the carrier's own */
};
/* Outcomes of refusal_set(). */
enum {
	REFUSAL_E_BAD = 1, /* no such name, or no status between 400 and 699 */
};
MUST_USE int refusal_set(struct refusal_statuses *s, const char *setting);
const char *refusal_name(enum refusal r);

enum refusal_speech { SPEECH_PLAIN, SPEECH_TWILIO, SPEECH_TELNYX };

struct refusal_words {
	unsigned status;
	const char *reason;
	const char *twilio; /* of X-Twilio-Error; NULL = none */
};
struct refusal_words refusal_words(enum refusal_speech speech, enum refusal r);

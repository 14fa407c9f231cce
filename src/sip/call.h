/* sip/call.h - one outgoing call: INVITE until its end (RFC 3261 sections 12 to 15).
 *
 * Owner:   the agent. The caller of sip_invite() holds a pointer until `failed` or `ended`.
 * Owns:    its dialog and transactions; lingers unseen until they are done.
 * Thread:  its agent's loop.
 * Life:    sip_invite -> trying? -> progress* -> answered -> (offer, acked, info, reanswered)*
 *          -> ended; or failed at any time before answered. One of `failed` and `ended` comes
 *          exactly once, is the last event, and after it the pointer is dead. An UPDATE may bring
 *          an `offer` before `answered` too.
 * Events never come from inside sip_invite() or sip_call_hangup(), but for the question `aimed`.
 */
#pragma once

#include "sip/aim.h"

struct sip_call;

/* Texts are copied. Nothing is escaped but the display name: a text with a line end is -EINVAL. */
struct sip_invite_config {
	const char *request_uri;  /* "sip:+15550100@trunk.example;..."; goes out as it is */
	const char *to_uri;       /* NULL = request_uri */
	const char *from_uri;
	const char *from_display; /* NULL = no display name; "" = an empty one, in quotes */
	const char *contact_user; /* NULL = the user of from_uri */
	enum sip_protocol_choice protocol;
	const char *proxy; /* "host[:port][;transport=tcp]": goes there first, by a Route; NULL = none */
	const char *const *routes; /* header values, in order: the INVITE goes through them (RFC 3608) */
	size_t route_count;        /* at most SIP_ROUTES_MAX count */
	const char *username, *password; /* digest; NULL = none */
	const struct sip_extra *headers;
	size_t header_count;
	const char *content_type; /* NULL = application/sdp */
	struct span body;
	const char *call_id; /* NULL = random */
	uint32_t failover_ms; /* 0 = the agent's */
	uint32_t session_expires_s; /* a session timer to ask for (RFC 4028); 0 = only theirs */
};

/* Why a call failed when no response says so. */
enum sip_why {
	SIP_WHY_RESPONSE,  /* `status` says it */
	SIP_WHY_TIMEOUT,   /* nobody answered the INVITE */
	SIP_WHY_TRANSPORT, /* refused, unreachable, connection lost */
	SIP_WHY_TLS,       /* the far end is not who it should be, or TLS cannot be */
	SIP_WHY_DNS,       /* the host has no address */
	SIP_WHY_AUTH,      /* challenged: no credentials, refused ones, or no algorithm we know */
	SIP_WHY_CANCELLED, /* sip_call_hangup() before the answer */
	SIP_WHY_BROKEN,    /* our own: no memory, a header with a line end */
	SIP_WHY__COUNT,
};
const char *sip_why_text(enum sip_why why);

struct sip_failure {
	unsigned status; /* 0 = none; with SIP_WHY_AUTH and SIP_WHY_CANCELLED it may be set too */
	enum sip_why why;
	bool authorized; /* the request that was refused carried our credentials */
	struct span reason;                 /* phrase of the response; empty without one */
	const struct sip_message *response; /* NULL without one; gone after the event */
	const char *detail; /* TLS, DNS: why, as the end of a sentence about the far end; else "" */
	char sentence[320]; /* for a human, says what happened */
};

struct sip_end {
	bool by_far_end;
	struct sip_reason reason;          /* Reason of the BYE; zeros without one */
	const struct sip_message *request; /* the BYE; NULL when we hung up. Gone after the event */
	/* A word: "bye", "hangup", "no ack", "cancel"; "lost" (a request within the call was not
	 * answered, or by 481), "expired" (no refresh before the session timer ran out). */
	const char *why;
};

/* A transfer that we ask the far end for (sip/refer.c). */
struct sip_refer_request {
	const char *refer_to;    /* header value: "tel:+15550100", "<sip:a@b>" */
	const char *referred_by; /* header value; NULL = who our From says that we are */
	const struct sip_extra *headers;
	size_t header_count;
};

/* How it came out. */
enum sip_refer_end {
	SIP_REFER_DONE,       /* the far end has talked to the target: status 2xx */
	SIP_REFER_REFUSED,    /* the REFER itself was answered so */
	SIP_REFER_FAILED,     /* a NOTIFY said so */
	SIP_REFER_SILENT,     /* no answer to the REFER: status 0 */
	SIP_REFER_TERMINATED, /* the far end tells no more; status is the last it told, 0 = none */
};
struct sip_refer_result {
	enum sip_refer_end end;
	unsigned status;
	struct span reason; /* gone after the event */
};

/* Every handler but `failed` and `ended` may be NULL. Messages are gone after the event. */
struct sip_call_events {
	/* The INVITE is about to go to an address of this family (AF_INET, AF_INET6), at each attempt; comes
	 * from inside sip_invite() too. Returns the body for it, or nothing: the one last set. */
	struct span (*aimed)(void *owner, int family);
	void (*trying)(void *owner, const struct sip_message *response); /* 100, once */
	void (*progress)(void *owner, const struct sip_message *response);
	/* The ACK is out already. The body is the far end's SDP. */
	void (*answered)(void *owner, const struct sip_message *response);
	/* The INVITE is refused for its body (415, 488, 606). True: send it again with the body that
	 * sip_call_set_body() has just set (RFC 3261, 8.1.3.5). */
	bool (*refused)(void *owner, const struct sip_message *response);
	/* A 3xx names this URI: may the call go there? Asked for each; the allowed one of the most
	 * weight is called, five times at most. NULL: a 3xx is a failure. */
	bool (*redirect)(void *owner, const struct sip_uri *to);
	/* re-INVITE or UPDATE with an offer, or a re-INVITE that asks for ours (no body). Owes
	 * sip_call_answer(), inside or later. NULL: 200 with the body last set. */
	void (*offer)(void *owner, const struct sip_message *request);
	/* The ACK of a re-INVITE that had no body: its body is the answer to our offer. */
	void (*acked)(void *owner, const struct sip_message *ack);
	void (*info)(void *owner, const struct sip_message *request); /* answered 200 already */
	void (*reanswered)(void *owner, const struct sip_message *response); /* final, of ours */
	/* Our re-INVITE met theirs, and the wait is over: sip_call_reinvite() again if it is still
	 * wanted. NULL: the body last set goes once more. */
	void (*glare)(void *owner);
	void (*referred)(void *owner, const struct sip_refer_result *result); /* of sip_call_refer() */
	void (*failed)(void *owner, const struct sip_failure *failure);
	void (*ended)(void *owner, const struct sip_end *end);
};

/* The INVITE leaves before this returns when the host is a literal address. Returns 0; -EINVAL
 * (a URI that is none, a text with a line end), -ENOMEM, -EMFILE (LIMIT_CALLS). */
MUST_USE int sip_invite(struct sip_call **ret, struct sip_agent *a,
	const struct sip_invite_config *config, const struct sip_call_events *events, void *owner);

/* Before the answer CANCEL (as soon as RFC 3261 9.1 lets us), after it BYE. `reason` becomes the
 * Reason header: "SIP;cause=200;text=\"Call completed elsewhere\""; NULL = none. Twice is fine. */
void sip_call_hangup(struct sip_call *c, const char *reason);

/* The body that answers re-INVITEs from now on (our SDP as last sent). Copied. 0 or -ENOMEM. */
MUST_USE int sip_call_set_body(struct sip_call *c, struct span body);
/* Answers the offer: 200 with this body (which is also set). Returns 0, -ENOMEM, or -EINVAL when no
 * offer waits any more. */
MUST_USE int sip_call_answer(struct sip_call *c, unsigned status, struct span body);

/* Refuses the offer: the session stays as it was (RFC 3261 section 14.2). `warning` is the value of
 * a Warning header; NULL = none. Returns 0 or -EINVAL when no offer waits any more. */
MUST_USE int sip_call_refuse(struct sip_call *c, unsigned status, const char *warning);

/* A re-INVITE of ours (hold, other codecs); `reanswered` or `glare` follows, unless the call ends.
 * Returns 0, -ENOMEM, or -EINVAL when not answered yet or another offer is under way. */
MUST_USE int sip_call_reinvite(struct sip_call *c, struct span body);

/* Headers that a BYE of ours carries from now on. Returns 0, -EINVAL (a line end) or -ENOMEM. */
MUST_USE int sip_call_bye_headers(struct sip_call *c, const struct sip_extra *headers, size_t count);

/* REFER: asks the far end to talk to somebody else; `referred` follows, unless the call ends first. Returns
 * 0, -ENOMEM, or -EINVAL when not answered yet, another is under way or a text has a line end. */
MUST_USE int sip_call_refer(struct sip_call *c, const struct sip_refer_request *request);
void sip_call_refer_forget(struct sip_call *c); /* no `referred` any more */
/* Whether the far end said that it is at it: then its BYE is a success (RFC 5589 section 6.1). */
bool sip_call_refer_accepted(const struct sip_call *c);

/* INFO with this body (at most SIP_INFO_BODY_SIZE). Returns 0, -ENOMEM, or -EINVAL when not answered
 * yet or too long. */
MUST_USE int sip_call_info(struct sip_call *c, const char *content_type, struct span body);

/* Whether the INVITE under way carries credentials, because one before it was challenged. */
bool sip_call_has_answered_challenge(const struct sip_call *c);
const char *sip_call_id(const struct sip_call *c); /* the Call-ID header */
/* Where the INVITE went, once it did; family 0 before. */
void sip_call_remote(const struct sip_call *c, struct sockaddr_storage *ret);

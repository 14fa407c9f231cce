/* call/transfer.h - a phone is handed over to another number: the far end is asked to talk to it
 * (REFER, RFC 3515), and when it does, the call ends here. One at a time. The policy is asked first, and the
 * REFER waits for its turn in the trunk's calls per second.
 *
 * Owner:   the call.
 * Owns:    the wish and its clock; watchers are borrowed.
 * Thread:  the control thread.
 */
#pragma once

#include "call/call.h"

struct transfer_request {
	const char *to; /* a sip:, sips: or tel: URI, in angle brackets or not */
	const struct attribute *headers; /* of the REFER */
	size_t header_count;
	const Livekit__SIPOutboundTrunkInfo *trunk; /* whose rules count; NULL = it is not kept */
	const char *api_key, *asker; /* whose request it is: NULL = nobody known */
	uint32_t timeout_ms; /* 0 = 30 s, as LiveKit */
	bool ring; /* the phone hears a ringing tone until the outcome is known */
};

enum transfer_end {
	TRANSFER_DONE,
	TRANSFER_REFUSED, /* the REFER was answered with sip_status */
	TRANSFER_FAILED,  /* the far end tried, and told of sip_status */
	TRANSFER_SILENT,  /* no outcome in time, or no answer to the REFER; the call goes on */
	TRANSFER_UNKNOWN, /* the far end tells no more about it */
	TRANSFER_ENDED,   /* the call ended meanwhile */
	TRANSFER_BROKEN,  /* here: the REFER never left */
};
struct transfer_result {
	enum transfer_end end;
	unsigned sip_status;  /* 0 = none */
	char sip_reason[128]; /* the far end's words; may be "" */
};

struct transfer_watch {
	struct list link;
	void (*done)(struct transfer_watch *w, const struct transfer_result *result); /* once */
};

/* Outcomes of call_transfer(). */
enum {
	TRANSFER_E_NOT_UP = 1, /* not answered yet, or over */
	TRANSFER_E_ELSEWHERE,  /* it is being transferred to somebody else */
	TRANSFER_E_INVALID,    /* a text that cannot stand in a header */
	TRANSFER_E_NUMBER,     /* policy, with `why`: no target that is known */
	TRANSFER_E_OFF,        /* ... which may not be called */
	TRANSFER_E_LIMIT,      /* ... for now: the key's minutes, the trunk's rate */
};
struct transfer_refusal {
	char why[POLICY_WHY_SIZE];
};
/* Asked again for the same target while one is under way, both are told the same. Returns 0, an
 * outcome, or a negative error. */
MUST_USE int call_transfer(struct call *c, const struct transfer_request *request, struct transfer_watch *w,
	struct transfer_refusal *refusal);
void call_transfer_unwatch(struct transfer_watch *w); /* twice is fine */

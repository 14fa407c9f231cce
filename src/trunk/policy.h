/* trunk/policy.h - who may be called, by whom, how often and how long: E.164 only, the trunk's own
 * country until more is configured, never emergency, premium or satellite numbers. On by default:
 * toll fraud is the operator's money.
 *
 * Owner:   the server. Owns: its rate buckets, what it knows of calls under way, the minutes of
 *          today (kept in the store). Thread: the control thread. Time is given.
 * Life:    policy_check() says yes -> policy_begin(), in the same turn: it takes the place in the trunk's
 *          rate -> policy_answered()? -> spent()? -> policy_end().
 * Minutes: a purse that all calls of an API key talk from at once, in place of a part for each: nobody keeps
 *          what others could use, and together they never have more. When it is empty, all of them end.
 * Words:   "asker" = whoever asks for a call: an API key, and the identity in its token.
 */
#pragma once

#include "base/list.h"
#include "trunk/trunk.h"

struct policy;

enum policy_outcome {
	POLICY_OK,
	POLICY_NOT_E164,     /* "what was read" and what is expected */
	POLICY_COUNTRY,      /* its country is not allowed */
	POLICY_BLOCKED,      /* emergency, premium, satellite, or by the operator */
	POLICY_RATE,         /* calls per second of the trunk, and the queue for it is full */
	POLICY_BUSY,         /* too many calls at once: in all, of the trunk, of the asker */
	POLICY_MINUTES,      /* the API key's minutes of today are used up */
};

struct policy_config {
	const char *const *allowed_prefixes; /* "+1", "+44"; "*" = every country */
	size_t allowed_count;                /* 0 = each trunk its own country */
	const char *const *blocked_prefixes; /* never, whatever is allowed */
	size_t blocked_count;
	double calls_per_second;             /* of one trunk; 0 = no limit */
	uint32_t queue_wait_ms;              /* how long a call may wait for its turn */
	uint32_t max_calls, max_calls_per_trunk, max_calls_per_identity; /* at once; 0 = no limit */
	uint32_t minutes_per_day;            /* of one API key, UTC; 0 = no limit */
	uint32_t max_duration_ms;            /* of one call; 0 = no limit */
	struct store *store;                 /* NULL: the minutes are forgotten at the end */
};
/* `now_s` is Unix time. Texts are copied. */
MUST_USE int policy_new(struct policy **ret, const struct policy_config *config, int64_t now_s);
struct policy *policy_free(struct policy *p); /* keeps the minutes */
/* Some times a second: ends the calls of a key whose minutes would be used up before the next time. Every
 * ten seconds what has changed is kept. */
void policy_tick(struct policy *p, uint64_t now_ms, int64_t now_s);

/* A call that somebody wants. */
struct policy_request {
	const char *number;
	const char *caller; /* the number that calls; counts when the trunk names none */
	const Livekit__SIPOutboundTrunkInfo *trunk;
	const char *key, *identity; /* the asker; NULL or "": nobody known */
	/* What a far end may route by in place of the number; NULL = nothing. */
	const char *shown[2]; /* users of To */
	const char *uri_params; /* of the Request-URI */
};

enum { POLICY_WHY_SIZE = 256, POLICY_NUMBER_SIZE = 33 };

struct policy_verdict {
	enum policy_outcome outcome;
	char number[POLICY_NUMBER_SIZE]; /* as it will be dialled: '+' and digits, or an extension */
	char why[POLICY_WHY_SIZE];       /* a sentence that says what to fix */
	uint32_t retry_after_ms;         /* with POLICY_RATE */
	uint32_t wait_ms;                /* with POLICY_OK: before the INVITE may leave */
	uint32_t longest_ms;             /* with POLICY_OK: the call may last; 0 = no limit */
	uint64_t left_ms;                /* with POLICY_OK: of its key's minutes, which its other calls
	                                    talk from too; UINT64_MAX = no limit */
};
/* Takes nothing: policy_begin() does. */
void policy_check(struct policy_verdict *ret, struct policy *p, const struct policy_request *request,
	uint64_t now_ms);

/* The same for a transfer, whose `number` is a URI: it makes a call at the carrier that nobody here can end.
 * Asked are the rules of whom, for every number that a switch may read the URI as, the minutes of the key, and
 * the trunk's rate; not how many calls there are at once, as it stands in place of one. A name that is no
 * telephone number is the carrier's to judge. POLICY_NOT_E164: no such URI, or no number that is known. */
void policy_check_transfer(struct policy_verdict *ret, struct policy *p, const struct policy_request *request,
	uint64_t now_ms);
/* It begins: takes its place in the trunk's rate. */
void policy_transfer(struct policy *p, const Livekit__SIPOutboundTrunkInfo *trunk);

/* What each rule says to a call, in the order in which they are asked; nothing is taken. */
struct policy_finding {
	const char *rule;           /* "number", "country"... */
	enum policy_outcome outcome; /* POLICY_OK: allowed by this one */
	char says[POLICY_WHY_SIZE];
	char setting[64];           /* where it is configured; "" = built in */
};
enum { POLICY_RULES_MAX = 10 };
/* Returns how many; those behind a number that cannot be read are left out. `ret` is as of policy_check(). */
size_t policy_explain(struct policy_finding out[POLICY_RULES_MAX], struct policy_verdict *ret,
	struct policy *p, const struct policy_request *request, uint64_t now_ms);
const char *policy_outcome_name(enum policy_outcome o); /* "country_not_allowed" */

/* A call under way: embedded in it; zeroed memory is one that never began. */
struct policy_call {
	struct list link; /* policy.calls */
	struct policy *policy;
	char *trunk, *key, *identity;
	uint64_t answered_ms; /* 0 = not yet */
	uint64_t counted_ms;  /* up to here its seconds are in the key's minutes */
	void (*spent)(struct policy_call *c);
	bool is_spent;
};
/* `spent`, from policy_tick(), once: the key's minutes are used up, and the call is to end. Any call may
 * end inside. */
MUST_USE int policy_begin(struct policy_call *c, struct policy *p, const struct policy_request *request,
	void (*spent)(struct policy_call *c));
void policy_answered(struct policy_call *c, uint64_t now_ms);
void policy_end(struct policy_call *c, uint64_t now_ms); /* twice is fine */

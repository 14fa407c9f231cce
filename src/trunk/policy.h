/* trunk/policy.h - who may be called: E.164 only, allowed countries, never emergency or premium
 * numbers, not too often. On by default: toll fraud is the operator's money.
 *
 * Owner:   the server. Owns: its rate buckets. Thread: the control thread. Time is given.
 */
#pragma once

#include "base/base.h"

enum policy_outcome {
	POLICY_OK,
	POLICY_NOT_E164,     /* "what was read" and what is expected */
	POLICY_COUNTRY,      /* its country is not in the allowed list */
	POLICY_BLOCKED,      /* emergency, premium, satellite ... */
	POLICY_RATE,         /* calls per second of the trunk reached; retry_after_ms is set */
};

struct policy;
struct policy_config {
	const char *const *allowed_prefixes; /* "+1", "+44"; "*" = every country */
	size_t allowed_count;
	double calls_per_second;             /* per trunk; 0 = no limit */
};
struct policy_verdict {
	enum policy_outcome outcome;
	char number[17]; /* as it will be dialled: '+' and digits */
	char why[256];   /* a sentence that says what to fix */
	uint32_t retry_after_ms;
};
MUST_USE int policy_new(struct policy **ret, const struct policy_config *config);
struct policy *policy_free(struct policy *p);
void policy_check(struct policy_verdict *ret, struct policy *p, const char *number, const char *trunk_id,
	uint64_t now_ms);

/* trunk/policy_rules.h - one question to the policy, as its rules see it; each answers with a finding.
 *
 *   policy_rules.c     asks them all, one after the other
 *   policy_number.c    whom
 *   policy_limits.c    how many, how long, how often
 *   policy_transfer.c  asks those that count for a transfer
 *
 * Owner:   policy_explain(), on its stack. Owns: nothing; texts are those of the request.
 * Thread:  the control thread.
 */
#pragma once

#include "trunk/country.h"
#include "trunk/options.h"
#include "trunk/policy_private.h"
#include "wire/e164.h"

/* What is known of the call that is asked for. */
struct question {
	struct policy *p;
	const struct policy_request *request;
	struct policy_verdict *verdict;
	uint64_t now_ms;
	const char *trunk; /* see policy_trunk_name() */
	struct trunk_options options;
	enum e164_outcome read; /* of the number */
	size_t bad_at;
	const struct country *country; /* NULL: none that is known */
	bool extension; /* no number, but a name that the trunk's PBX may know */
};

void policy_question(struct question *q, struct policy *p, const struct policy_request *request,
	struct policy_verdict *verdict, uint64_t now_ms);

/* The prefixes of the trunk's own country: the one that it names, else those of its numbers, else of the
 * caller's. Returns how many. */
enum { OWN_PREFIXES_MAX = 8 };
size_t policy_own_countries(const char *out[OWN_PREFIXES_MAX], const struct question *q);

/* The outcome, and a sentence for it. */
PRINTF(3, 4) void policy_says(struct policy_finding *f, enum policy_outcome outcome, const char *format, ...);
void policy_weigh(struct policy_verdict *v, const struct policy_finding *f); /* the first that refuses counts */
/* Where the rule stands: a key of the configuration, or an option of the trunk's. */
void policy_configured(struct policy_finding *f, const char *key);
void policy_in_the_trunk(struct policy_finding *f, const char *option);

/* The rules. False: nothing more can be asked. */
bool policy_ask_services(struct policy_finding *f, struct question *q);
bool policy_ask_number(struct policy_finding *f, struct question *q);
bool policy_ask_blocked(struct policy_finding *f, struct question *q);
bool policy_ask_country(struct policy_finding *f, struct question *q);
bool policy_ask_all(struct policy_finding *f, struct question *q);
bool policy_ask_trunk(struct policy_finding *f, struct question *q);
bool policy_ask_identity(struct policy_finding *f, struct question *q);
bool policy_ask_minutes(struct policy_finding *f, struct question *q);
bool policy_ask_duration(struct policy_finding *f, struct question *q);
bool policy_ask_rate(struct policy_finding *f, struct question *q);

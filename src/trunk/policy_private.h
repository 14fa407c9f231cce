/* trunk/policy_private.h - the policy as its files see it:
 *
 *   policy.c        life, calls under way
 *   policy_rules.c  the rules, one after the other; see policy_rules.h
 *   policy_rate.c   how many calls a second, and who waits for how long
 *   policy_usage.c  minutes of the day
 *
 * Owner:   struct policy. Owns: everything below. Thread: the control thread.
 */
#pragma once

#include "base/map.h"
#include "trunk/policy.h"

/* How many tokens a trunk has: one call at once, then its rate. Below zero calls wait. */
struct rates {
	struct map by_trunk;
	struct list buckets; /* the one that was used longest ago is first */
};
void rates_init(struct rates *r);
void rates_fini(struct rates *r);
/* How long a call that asks now has to wait, a year at most, and how many wait before it. -ENOMEM. */
MUST_USE int rates_look(struct rates *r, const char *trunk, double per_second, uint64_t now_ms,
	uint64_t *wait_ms, uint32_t *before);
void rates_take(struct rates *r, const char *trunk); /* after rates_look() */

/* Seconds on the phone of each API key, today (UTC). */
struct usage {
	struct map by_key;
	struct list all;
	struct store *store;
	int64_t day;
};
/* Reads what is kept of today; what is of another day goes. */
MUST_USE int usage_init(struct usage *u, struct store *store, int64_t now_s);
void usage_fini(struct usage *u);
uint64_t usage_ms(const struct usage *u, const char *key);
void usage_add(struct usage *u, const char *key, uint64_t ms);
/* How many of its calls are up: one more, one less. */
size_t usage_talking(const struct usage *u, const char *key);
void usage_answered(struct usage *u, const char *key);
void usage_ended(struct usage *u, const char *key);
void usage_keep(struct usage *u);
void usage_look_at_day(struct usage *u, int64_t now_s); /* cheap; keeps what was, and begins a new one */

struct policy {
	struct policy_config config; /* its texts are our own */
	char **allowed, **blocked;
	struct rates rates;
	struct usage usage;
	struct list calls; /* struct policy_call.link */
	uint64_t kept_ms;  /* when the minutes were last written */
	uint64_t looked_ms; /* the last policy_tick() */
};

uint64_t policy_minutes_ms(const struct policy *p); /* of a key and day; 0 = no limit */
/* Calls under way by what they have in common; NULL = any. */
size_t policy_count(const struct policy *p, const char *trunk, const char *key, const char *identity);
/* What one trunk is known by: its id, else where it leads. */
const char *policy_trunk_name(const Livekit__SIPOutboundTrunkInfo *trunk);

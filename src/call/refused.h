/* call/refused.h - calls and transfers that the policy refused, as records beside those of calls: who tried to
 * call whom. Of those that come in a minute the first few have a record each, the rest are counted in one more;
 * the store holds a bounded number of them, so that whoever is refused in a loop pushes no call out.
 *
 * Owner:   struct calls, which embeds it; zeroed memory has counted nothing.
 * Owns:    nothing.
 * Thread:  the control thread.
 */
#pragma once

#include "base/rng.h"
#include "trunk/policy.h"

struct records;

enum { REFUSED_TEXT_SIZE = 256 };

/* Texts may be NULL or ""; longer ones are cut. */
struct refused_attempt {
	enum policy_outcome outcome;
	const char *number; /* as it was asked for: not one that can be dialled, perhaps */
	const char *why;
	const char *room, *caller, *trunk_id, *trunk_name, *address;
	const char *api_key, *asker;
	const char *transfer_of; /* the call that was to be transferred; NULL = it was to be a call */
};

struct refused {
	int64_t minute; /* of Unix time */
	unsigned kept;
	uint32_t more; /* that came after those */
	char id[RNG_ID_SIZE]; /* of the record that counts them */
	int64_t first_ms, last_ms;
	char number[REFUSED_TEXT_SIZE], key[REFUSED_TEXT_SIZE], asker[REFUSED_TEXT_SIZE]; /* of the last */
	enum policy_outcome outcome;
	bool dirty;
};
/* Errors are logged: a refusal goes out without its record. */
void refused_note(struct refused *r, struct records *records, const struct refused_attempt *a, int64_t now_ms);
/* Now and then: the count. */
void refused_write(struct refused *r, struct records *records);

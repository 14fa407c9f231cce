/* api/idempotency.h - one request is done once: answers kept by Idempotency-Key.
 *
 * Owner:   struct api.
 * Owns:    the entries (LIMIT_IDEMPOTENCY_KEYS, for LIMIT_IDEMPOTENCY_S), the list of who waits for
 *          an answer that is still being made.
 * Thread:  the control thread. Time is given.
 */
#pragma once

#include "net/http_server.h"

struct idempotency;
struct idempotency_entry;

enum { IDEMPOTENCY_KEY_MAX = 255 };

MUST_USE int idempotency_new(struct idempotency **ret);
struct idempotency *idempotency_free(struct idempotency *i); /* forgets who waits */

/* Outcomes of idempotency_begin(). */
enum {
	IDEMPOTENCY_E_DONE = 1, /* answered before: idempotency_repeat() */
	IDEMPOTENCY_E_PENDING,  /* being answered: idempotency_wait() */
	IDEMPOTENCY_E_OTHER,    /* the key was used with another body */
	IDEMPOTENCY_E_FULL,     /* every entry waits for its answer */
};
/* 0: *ret is new, and idempotency_finish() is owed for it. `scope`: whose key it is. */
MUST_USE int idempotency_begin(struct idempotency_entry **ret, struct idempotency *i, const char *scope,
	const char *key, struct span body, uint64_t now_ms);
void idempotency_repeat(const struct idempotency_entry *e, struct http_exchange *x);
/* Returns 0 or a negative error; then x is still the caller's to answer. */
MUST_USE int idempotency_wait(struct idempotency_entry *e, struct http_exchange *x);
/* Whoever waits is answered; without `keep` the key may be used anew. */
void idempotency_finish(struct idempotency_entry *e, unsigned status, struct span body, bool keep);

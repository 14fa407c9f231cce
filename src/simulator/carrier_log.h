/* simulator/carrier_log.h - what the carrier saw, one JSON object a line, for tests to assert on.
 *
 * Owner:   struct carrier embeds it. Owns: nothing; the sink is given. Thread: its loop's.
 */
#pragma once

#include "base/base.h"

#include <jansson.h>

struct carrier_log {
	/* A whole line without its end; NULL = nobody listens. */
	void (*line)(void *owner, const char *json);
	void *owner;
	uint64_t start_ms;
	uint64_t count;
	bool trace; /* whole messages too, credentials masked */
};

void carrier_log_init(struct carrier_log *l, void (*line)(void *owner, const char *json), void *owner);
/* Takes `fields` (an object, or NULL) over. Adds "n" (1, 2, ...), "ms" since the start, "event", and
 * "call" when there is one. */
void carrier_log_event(struct carrier_log *l, const char *event, const char *call, json_t *fields);
/* Bytes of a stranger as a JSON string: what is not ASCII becomes '?'. */
json_t *carrier_log_text(struct span s);
/* A whole SIP message, its secrets masked. */
json_t *carrier_log_message(struct span s);

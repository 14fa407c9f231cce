/* api/wait.h - a request whose answer waits until a call is answered or has failed.
 *
 * Owner:   struct api (its `waits`).
 * Owns:    the watch on the call and the deadline; the exchange is owed an answer by `done`.
 * Thread:  the control thread.
 * Life:    wait_new -> done, once -> freed by itself.
 */
#pragma once

#include "api/api_private.h"

#include "call/call.h"
#include "wire/e164.h"

enum wait_end {
	WAIT_ANSWERED,
	WAIT_FAILED,   /* call_explanation() says why */
	WAIT_DEADLINE, /* the asker's time is over; the call is hung up after `done` */
	WAIT_CLOSED,   /* the server shuts down */
};

struct api_wait {
	struct list link;
	struct api *api;
	struct call *call;
	struct call_watch watch;
	struct timer deadline;
	struct http_exchange *x; /* NULL: whoever asked went away */
	bool hang_up_when_gone, as_json;
	struct idempotency_entry *entry; /* or NULL */
	char number[E164_SIZE];          /* as it is dialled; "" = not needed */
	void (*done)(struct api_wait *w, enum wait_end end);
};

struct wait_request {
	struct call *call;
	struct http_exchange *x;
	uint64_t deadline_ms; /* 0 = none */
	bool hang_up_when_gone, as_json;
	struct idempotency_entry *entry;
	const char *number; /* or NULL */
	void (*done)(struct api_wait *w, enum wait_end end);
};
MUST_USE int wait_new(struct api *a, const struct wait_request *r);
void wait_refuse_all(struct api *a);

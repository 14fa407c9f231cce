/* call/queue.h - a call that waits for its turn in the trunk's calls per second, before its INVITE.
 *
 * Owner:   the call that embeds it; zeroed memory is one that does not wait.
 * Owns:    its timer; the copy of the request is in the call's arena.
 * Thread:  the control thread.
 */
#pragma once

#include "call/call.h"
#include "net/loop.h"

struct call_queue {
	struct timer timer;
	struct call_request request; /* what the INVITE is made of */
	const char *caller;
	uint16_t rtp_port;
};

/* The INVITE leaves after `wait_ms`. Returns 0 or a negative error. */
MUST_USE int call_queue_wait(struct call *c, const struct call_request *request, const char *caller,
	uint16_t rtp_port, uint32_t wait_ms);
void call_queue_leave(struct call *c); /* safe at any time */

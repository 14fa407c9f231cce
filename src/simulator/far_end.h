/* simulator/far_end.h - one call as the callee lives it: rings, answers or refuses, plays the bank.
 *
 * Owner:   struct simulator. Owns: its voice; the SIP call is its agent's.
 * Thread:  its loop's.
 * Life:    far_end_new() inside the agent's `incoming` -> gone(), once, then it frees itself.
 */
#pragma once

#include "base/list.h"
#include "sip/uas.h"

struct far_end;
struct number;

struct far_end_config {
	const struct number *number;
	const char *ip;   /* of our SDP */
	uint16_t sip_port;
};

/* Takes the call over (sip_incoming_accept). The link is in `list` while it lives. */
MUST_USE int far_end_new(struct list *list, struct loop *l, struct sip_incoming *in,
	const struct sip_message *invite, const struct far_end_config *config);
void far_end_free_all(struct list *list); /* after the agent is gone */

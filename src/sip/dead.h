/* sip/dead.h - addresses that did not answer lately: tried last for a while (RFC 3263 section 4.3). With
 * all of them dead they are tried all the same, so nothing is lost by a wrong entry.
 *
 * Owner:   the agent. Zeroed memory is an empty table.
 * Owns:    nothing. Pure: the time comes in.
 * Thread:  its owner's.
 */
#pragma once

#include "base/limits.h"
#include "sip/locate.h"

struct sip_dead {
	struct {
		struct sip_target target;
		uint64_t until_ms;
	} at[LIMIT_SIP_DEAD_TARGETS];
	size_t count;
};

/* A full table forgets the one that would be forgotten first. */
void sip_dead_note(struct sip_dead *d, const struct sip_target *t, uint64_t now_ms, uint64_t for_ms);
void sip_dead_forget(struct sip_dead *d, const struct sip_target *t); /* it answered */
bool sip_dead_is(const struct sip_dead *d, const struct sip_target *t, uint64_t now_ms);
/* Those that live first; the order is kept otherwise. */
void sip_dead_last(const struct sip_dead *d, struct sip_target *targets, size_t count, uint64_t now_ms);

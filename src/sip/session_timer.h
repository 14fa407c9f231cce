/* sip/session_timer.h - how long a session lasts without a sign of life, and who gives it (RFC 4028).
 * Pure: what the headers agree on; sip/session_refresh.c acts by it.
 *
 * Owner:   a session. Owns: nothing.
 * Thread:  its owner's.
 * We say `Supported: timer` and never require it; unless `wish_s` is set we do not ask for a timer
 * either, but keep to the one that the far end wants, in either role.
 */
#pragma once

#include "sip/agent.h"
#include "wire/sip_write.h"

enum {
	SIP_MIN_SE_S = 90, /* below this nobody has to go (section 4) */
	SIP_TIMER_EXTRAS_MAX = 2,
	SIP_TIMER_TEXT_SIZE = 48,
};

struct sip_session_timer {
	uint32_t wish_s;     /* what we ask for; 0 = nothing */
	uint32_t min_s;      /* the largest Min-SE that we were told; 0 = none */
	unsigned raises;     /* by 422s in a row */
	uint32_t interval_s; /* agreed; 0 = the session lasts until somebody ends it */
	bool ours;           /* we refresh */
};

/* A 2xx to our INVITE or UPDATE (section 7.2). */
void sip_session_timer_response(struct sip_session_timer *t, const struct sip_message *m);
/* A 422: true when it tells a larger Min-SE than we knew, so that we may try again (7.4);
 * false at the latest when every hop of a long way has told one. */
bool sip_session_timer_too_small(struct sip_session_timer *t, const struct sip_message *m);
/* Headers of our INVITE, re-INVITE and UPDATE. */
void sip_session_timer_write(const struct sip_session_timer *t, struct writer *w);

/* Their INVITE or UPDATE (section 9). Returns 0, or 422 with Min-SE being owed. */
unsigned sip_session_timer_request(struct sip_session_timer *t, const struct sip_message *m);
/* Headers of our 2xx to it. `text` is storage of SIP_TIMER_TEXT_SIZE. Returns how many. */
size_t sip_session_timer_answer(const struct sip_session_timer *t, const struct sip_message *m,
	struct sip_extra *ret, char *text);

/* When to act after the last sign of life: to refresh, or to give the session up (section 10). */
uint32_t sip_session_timer_wait_ms(const struct sip_session_timer *t);

/* call/lines.h - the lines to the carriers while nobody calls: registrations that trunks want, OPTIONS
 * that ask whether a trunk is there, and what both say of its health.
 *
 * Owner:   the server. Owns: a line for every trunk that wants one; the trunks are borrowed.
 * Thread:  the control thread.
 * Life:    lines_new -> lines_look, every second or so -> lines_stop -> lines_free, before the agent.
 * Words:   a "line" is one trunk with `register` or `options_interval_s`; others have none, and
 *          nothing is known of them.
 */
#pragma once

#include "net/loop.h"
#include "sip/register.h"
#include "trunk/trunk.h"

struct lines;

struct lines_config {
	struct loop *loop;
	struct trunks *trunks;
	struct sip_agent *sip;
	const char *own_host; /* From of OPTIONS; copied */
};
MUST_USE int lines_new(struct lines **ret, const struct lines_config *config);
struct lines *lines_free(struct lines *ls);
/* Begins and ends lines as trunks have changed; cheap when none has. */
void lines_look(struct lines *ls);
/* Takes every binding away; `done` when that is answered, or after three seconds at most. Never inside. */
void lines_stop(struct lines *ls, void (*done)(void *owner), void *owner);

/*
 *   UNKNOWN --> UP <--> DOWN       (and from UNKNOWN to DOWN)
 */
enum line_state {
	LINE_UNKNOWN, /* nothing was answered yet, or nothing is asked */
	LINE_UP,
	LINE_DOWN, /* not registered, or no good answer to OPTIONS */
	LINE__COUNT,
};
const char *line_state_text(enum line_state s); /* "up" */

struct line_status {
	enum line_state state;
	int64_t since_unix_ms; /* in this state; 0 = no line */
	const char *problem;   /* why it is down, for a human; "" */

	bool registers;
	const char *address; /* of record */
	struct sip_registration_info registration;
	uint32_t next_in_ms; /* the next REGISTER */

	bool asks;
	uint32_t interval_s;
	unsigned options_status;       /* of the last OPTIONS; 0 = no answer, or none yet */
	int64_t options_asked_unix_ms; /* 0 = not yet */
	uint32_t options_rtt_ms;
};
/* Texts live until the next turn. False: the trunk has no line; *ret says "unknown" then. `ls` NULL: none. */
bool lines_status(struct lines *ls, const char *trunk_id, struct line_status *ret);

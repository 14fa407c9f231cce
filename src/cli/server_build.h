/* cli/server_build.h - how a server is made, for the files that make and end it:
 *
 *   config -> loop, dns -> media, rooms, agents, store, trunks, policy -> sip, calls -> signal, api -> http
 *
 * Owner:   struct server. Owns: nothing of its own.
 * Thread:  the control thread.
 */
#pragma once

#include "cli/server.h"

/* Everything but the loop. A negative error was explained; what was built stands, and is to be taken down. */
MUST_USE int server_build(struct server *s);
/* cli/server_media.c */
MUST_USE int server_build_media(struct server *s);
/* cli/server_phone.c */
MUST_USE int server_build_store(struct server *s); /* records and trunks too */
MUST_USE int server_build_sip(struct server *s);
MUST_USE int server_build_calls(struct server *s); /* and the policy */
/* Says what could not be opened and why, in the operator's words. Returns `r`. */
int server_cannot(const char *what, uint16_t port, int r);

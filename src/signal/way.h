/* signal/way.h - how the media of a participant shall travel, remembered from one session to the
 * next: a client that is moved to TCP comes back as a new one, and finds TCP only.
 *
 * Owner:   the door.
 * Owns:    what it remembers: at most LIMIT_ICE_WAYS people, for five minutes, as LiveKit does.
 * Thread:  the control thread.
 */
#pragma once

#include "base/base.h"
#include "base/list.h"

enum way {
	WAY_ANY,
	WAY_TCP,   /* only TCP candidates are told */
	WAY_RELAY, /* the client is told to use TURN servers only */
};

struct ways {
	struct list known; /* oldest first */
	size_t count;
};

void ways_init(struct ways *w);
void ways_fini(struct ways *w);
/* Without memory it is forgotten: the next session is as any. */
void ways_remember(
	struct ways *w, const char *room, const char *identity, enum way way, uint64_t now_ms);
enum way ways_find(struct ways *w, const char *room, const char *identity, uint64_t now_ms);

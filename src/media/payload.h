/* media/payload.h - what does not fit into a letter: blocks that one thread fills and another
 * frees. All that are under way are known, so that closing leaks nothing that was never read.
 *
 * Owner:   struct media.
 * Owns:    the blocks in letters between the control thread and the workers.
 * Thread:  any. Never used for a media packet.
 */
#pragma once

#include "base/list.h"

#include <uv.h>

struct payloads {
	uv_mutex_t lock;
	struct list all;
	bool ready;
};

MUST_USE int payloads_init(struct payloads *p);
void payloads_fini(struct payloads *p); /* frees every block that is left; zeroed memory is fine */
/* A copy of these bytes; NULL when there is no memory. */
MUST_USE void *payload_new(struct payloads *p, const void *bytes, size_t size);
void payload_free(struct payloads *p, void *payload); /* NULL is fine */

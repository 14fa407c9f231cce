/* api/ladder.h - a call's SIP messages as people read them: arrows between us and the far end, or a file
 * for Wireshark. Pure.
 *
 * Owner:   whoever embeds it; zeroed memory is an empty one. Owns: its text. Thread: any.
 */
#pragma once

#include "base/buf.h"
#include "store/records.h"

struct ladder {
	struct buf out;
	int64_t first_us;
	char local[64], remote[64]; /* of the message before */
};
/* Each message in order; both are for records_each_message() with a struct ladder. Return 0 or a negative error. */
int ladder_add_arrow(void *owner, const struct record_message *m);
int ladder_add_packet(void *owner, const struct record_message *m);

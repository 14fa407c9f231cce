/* store/record_entry.h - what is to be written into the records, copied until it is: so that a
 * transaction is short, and the log has moments in which all of it is in its file.
 *
 * Owner:   struct records. Owns: copies of all texts and bytes, in the same block.
 * Thread:  the control thread.
 */
#pragma once

#include "base/list.h"
#include "store/records.h"

struct record_entry {
	struct list link;
	size_t size; /* of the block */
	bool is_row;
	struct record_row row; /* `row.id` names the call of a message too */
	struct record_message message;
};

/* NULL: no memory. */
struct record_entry *record_entry_of_row(const struct record_row *row);
struct record_entry *record_entry_of_message(const char *id, const struct record_message *m);
void record_entry_free(struct record_entry *e); /* takes it out of its list */

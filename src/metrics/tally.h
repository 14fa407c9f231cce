/* metrics/tally.h - what has happened in the rooms since the start, counted as it happens.
 *
 * Owner:   struct metrics, for as long as the rooms are. Owns: nothing.
 * Thread:  the control thread.
 */
#pragma once

#include "metrics/exposition.h"
#include "room/room.h"

enum { TALLY_ENDINGS_MAX = 64, TALLY_ENDING_SIZE = 48 };

/* How phone calls ended: by the code of docs/trunks.md. The last place is for all that came when
 * the list was full. */
struct tally_ending {
	char code[TALLY_ENDING_SIZE];
	uint64_t count;
};

struct tally {
	struct rooms_listener listener;
	uint64_t joined, aborted, tracks;
	uint64_t calls, answered;
	struct tally_ending endings[TALLY_ENDINGS_MAX];
	size_t ending_count;
	struct histogram room_seconds, call_seconds;
};

void tally_start(struct tally *t, struct rooms *rs);

/* test/unit/fake_worker.h - the services of media/worker.h for tests of a leg: a loop and a clock
 * that the test drives, and a record of what was posted. */
#pragma once

#include "media/worker.h"

struct worker {
	struct loop loop;
	struct list beats;
	uint64_t now_us; /* of the next beat */
	bool add_source_fails;
	struct source *sources[8];
	/* What legs reported. */
	unsigned first_rtp, silent, drained, digits_done, stats_count, levels;
	uint8_t loudest;
	unsigned level_ms;
	char digits[64];
	char keys[64]; /* that somebody else is to send */
	struct media_leg_stats stats;
	const struct dtls_identity *identity; /* the test's, for legs with DTLS */
};

void fake_worker_init(struct worker *w);
void fake_worker_fini(struct worker *w);  /* runs the last closings */
void fake_worker_turn(struct worker *w);  /* what is readable now */
void fake_worker_beat(struct worker *w);  /* every beat once, then 20 ms pass */

/* simulator/numbers.h - the telephone book: what each number of the simulator does. Pure.
 * Thread: any. */
#pragma once

#include "base/base.h"
#include "simulator/bank.h"

enum number_kind {
	NUMBER_ANSWERS, /* rings, then answers with `script` */
	NUMBER_REFUSES, /* final response `status` after ringing or at once */
	NUMBER_SILENT,  /* rings until the caller gives up */
};

struct number {
	const char *number, *what, *id, *name;
	enum number_kind kind;
	uint32_t ring_ms; /* how long it rings before the answer or the refusal; 0 = does not ring */
	unsigned status;
	const char *reason;
	enum bank_script script;
};
const struct number *number_find(struct span digits);
const struct number *number_at(size_t i); /* NULL at the end */

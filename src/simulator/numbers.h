/* simulator/numbers.h - the telephone book: what each number of the simulator does, as a script
 * (simulator/carrier_script.c). Pure. Thread: any. */
#pragma once

#include "base/base.h"

struct number {
	const char *number; /* E.164 */
	const char *what;   /* a line for people */
	const char *id, *name; /* of a bank that the page offers; else NULL */
	const char *script;
};
const struct number *number_find(struct span digits); /* with its '+' */
const struct number *number_at(size_t i); /* NULL at the end */

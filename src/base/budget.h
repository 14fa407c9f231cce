/* base/budget.h - how much of something may be used up: so much at once, so much more each second.
 *
 * Owner:   whoever embeds it; zeroed it is full.
 * Thread:  its owner's.
 */
#pragma once

#include "base/base.h"

#include <stdint.h>

struct budget {
	int64_t left;
	uint64_t at_ms; /* when `left` was right; 0: it is full */
};

/* Takes `cost` when anything is left at all: one large thing may leave a debt, which is paid back at
 * `per_second` before the next is taken. False: nothing is left, nothing was taken. */
static inline bool budget_take(
	struct budget *b, uint64_t now_ms, int64_t cost, int64_t at_once, int64_t per_second)
{
	uint64_t passed_ms = now_ms > b->at_ms ? now_ms - b->at_ms : 0;
	int64_t missing = at_once - b->left;

	if (!b->at_ms || passed_ms / 1000 >= (uint64_t)(missing / per_second + 1)) {
		b->left = at_once;
		b->at_ms = now_ms ? now_ms : 1;
	} else {
		/* Only the time that brought something is used up: often asked, little comes each time. */
		int64_t gained = (int64_t)passed_ms * per_second / 1000;
		b->left += gained < missing ? gained : missing;
		b->at_ms = gained < missing ? b->at_ms + (uint64_t)(gained * 1000 / per_second) : now_ms;
	}
	if (b->left <= 0)
		return false;
	b->left -= cost;
	return true;
}

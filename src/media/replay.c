#include "media/replay.h"

enum { HALF_CIRCLE = 0x8000 };

static uint64_t bit_of(uint64_t index)
{
	return 1ull << (index % 64);
}

static uint64_t *word_of(struct replay *r, uint64_t index)
{
	return &r->seen[index % REPLAY_WINDOW / 64];
}

uint64_t replay_index(const struct replay *r, uint16_t seq)
{
	/* Nothing is before the first turn of the circle. */
	if (r->newest < HALF_CIRCLE)
		return seq;
	return r->newest + (uint64_t)(int64_t)(int16_t)(seq - (uint16_t)r->newest);
}

bool replay_is_before_all(const struct replay *r, uint16_t seq)
{
	return r->started && r->newest < HALF_CIRCLE && seq > r->newest &&
	       (uint16_t)((uint16_t)r->newest - seq) < HALF_CIRCLE;
}

bool replay_is_fresh(const struct replay *r, uint64_t index)
{
	if (!r->started || index > r->newest)
		return true;
	return r->newest - index < REPLAY_WINDOW &&
	       !(r->seen[index % REPLAY_WINDOW / 64] & bit_of(index));
}

bool replay_is_seen(const struct replay *r, uint64_t index)
{
	return r->started && index <= r->newest && r->newest - index < REPLAY_WINDOW &&
	       r->seen[index % REPLAY_WINDOW / 64] & bit_of(index);
}

void replay_note(struct replay *r, uint64_t index)
{
	if (!r->started || (index > r->newest && index - r->newest >= REPLAY_WINDOW)) {
		memset(r->seen, 0, sizeof r->seen);
		r->newest = index;
	}
	while (r->newest < index) {
		++r->newest;
		*word_of(r, r->newest) &= ~bit_of(r->newest);
	}
	*word_of(r, index) |= bit_of(index);
	r->started = true;
}

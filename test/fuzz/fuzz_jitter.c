/* Packets and ticks in any order: eight bytes each are one packet and how long to wait before it.
 * The first byte of all picks the mode and the clock. */
#include "media/jitter.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct jitter *j)
{
	unsigned held = 0;
	uint32_t ticks = 0;
	for (unsigned i = 0; i < JITTER_SLOTS; ++i) {
		const struct jitter_slot *s = &j->slots[i];
		if (s->state != JITTER_SLOT_HELD)
			continue;
		uint16_t ahead = (uint16_t)(s->seq - j->next_seq);
		assert(ahead < JITTER_SLOTS && s->seq % JITTER_SLOTS == i);
		++held;
		ticks += s->duration;
	}
	assert(held == j->held && ticks == j->held_ticks);
	assert(jitter_target_us(j) <= JITTER_TARGET_MAX_US);
}

static void take_all(struct jitter *j, uint64_t now_us)
{
	struct jitter_out o;
	unsigned turns = 0;
	uint32_t sum = 0;
	for (enum jitter_take got; (got = jitter_take(j, &o, now_us)) != JITTER_NOTHING;) {
		/* One turn for each slot at most, and what comes out lies in the buffer. */
		assert(++turns <= JITTER_SLOTS);
		assert(o.duration <= j->clock_hz);
		assert(got == JITTER_LOST || (o.duration > 0 && o.payload.data));
		if (o.payload.size) {
			assert(o.payload.data >= j->arena);
			assert(o.payload.data + o.payload.size <= j->arena + JITTER_ARENA_BYTES);
		}
		for (size_t i = 0; i < o.payload.size; ++i)
			sum += o.payload.data[i];
	}
	assert(sum < UINT32_MAX);
	if (j->mode == JITTER_PLAY && jitter_may_cut(j, 0))
		assert(j->least_depth > 0); /* never out of an empty buffer */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct jitter j;
	static uint8_t sound[JITTER_ARENA_BYTES];
	uint64_t now_us = 1000000;

	if (!size)
		return 0;
	jitter_init(&j, data[0] & 1 ? JITTER_PLAY : JITTER_ORDER, data[0] & 2 ? 48000 : 8000);
	for (++data, --size; size >= 8; data += 8, size -= 8) {
		struct jitter_packet p = {
			.seq = (uint16_t)(data[0] << 8 | data[1]),
			.timestamp = (uint32_t)data[2] << 24 | (uint32_t)data[3] << 8,
			.ssrc = data[4] >> 6,
			.copy = data[4] & 1,
			.duration = data[5] * 20u,
			.payload = span_of(sound, data[6] * 10u),
		};
		enum jitter_put put = jitter_put(&j, &p, now_us);
		assert(put != JITTER_OK || j.held > 0);
		check(&j);
		if (data[4] & 2)
			take_all(&j, now_us);
		if (data[4] & 4)
			jitter_rest(&j);
		now_us += data[7] * 1000u;
		check(&j);
	}
	take_all(&j, now_us + 1000000);
	return 0;
}

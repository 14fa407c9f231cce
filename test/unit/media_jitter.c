#include "media/jitter.h"
#include "test/check.h"

enum { HZ = 8000, FRAME = 160, FRAME_US = 20000 };

static enum jitter_put put(struct jitter *j, uint16_t seq, uint32_t timestamp, uint64_t now_us)
{
	uint8_t bytes[FRAME];
	memset(bytes, (uint8_t)seq, sizeof bytes);
	return jitter_put(j,
		&(struct jitter_packet){.seq = seq, .timestamp = timestamp, .ssrc = 1,
			.duration = FRAME, .payload = span_of(bytes, sizeof bytes)},
		now_us);
}

/* Which packet comes: its first byte, -1 = nothing, -2 = lost. */
static int take(struct jitter *j, uint64_t now_us)
{
	struct jitter_out o;
	switch (jitter_take(j, &o, now_us)) {
	case JITTER_NOTHING:
		return -1;
	case JITTER_LOST:
		return -2;
	case JITTER_PACKET:
		CHECK_EQ(o.payload.size, FRAME);
		return o.payload.data[0];
	}
	return -3;
}

static void in_order_nothing_waits(void)
{
	static struct jitter j;
	jitter_init(&j, JITTER_ORDER, HZ);
	for (unsigned i = 0; i < 300; ++i) {
		CHECK_EQ(put(&j, (uint16_t)(65500 + i), i * FRAME, i * FRAME_US), JITTER_OK);
		CHECK_EQ(take(&j, i * FRAME_US), (uint8_t)(65500 + i));
		CHECK_EQ(take(&j, i * FRAME_US), -1);
	}
	CHECK_EQ(jitter_target_us(&j), 0);
	CHECK_EQ(j.held, 0);
	CHECK_EQ(j.held_ticks, 0);
}

static void reordered_and_doubled(void)
{
	static struct jitter j;
	jitter_init(&j, JITTER_ORDER, HZ);
	put(&j, 0, 0, 0);
	CHECK_EQ(take(&j, 0), 0);
	CHECK_EQ(put(&j, 2, 2 * FRAME, 39000), JITTER_OK);
	CHECK_EQ(take(&j, 39000), -1); /* 1 may still come */
	CHECK_EQ(put(&j, 2, 2 * FRAME, 39100), JITTER_E_DUPLICATE);
	CHECK_EQ(put(&j, 1, FRAME, 41000), JITTER_OK);
	CHECK_EQ(take(&j, 41000), 1);
	CHECK_EQ(take(&j, 41000), 2);
	CHECK_EQ(put(&j, 1, FRAME, 42000), JITTER_E_DUPLICATE);
	CHECK_EQ(take(&j, 42000), -1);
}

static void a_lost_one_is_named_in_time(void)
{
	static struct jitter j;
	struct jitter_out o;
	jitter_init(&j, JITTER_ORDER, HZ);
	put(&j, 0, 0, 0);
	CHECK_EQ(take(&j, 0), 0);
	put(&j, 2, 2 * FRAME, 40000);
	CHECK_EQ(take(&j, 59000), -1);
	CHECK_EQ(jitter_take(&j, &o, 60000), JITTER_LOST);
	CHECK_EQ(o.duration, FRAME);
	CHECK_EQ(o.payload.data[0], 2); /* whose FEC may help */
	CHECK_EQ(take(&j, 60000), 2);
	CHECK_EQ(put(&j, 1, FRAME, 61000), JITTER_E_LATE);
	CHECK_EQ(j.stats.lost, 1);
	CHECK_EQ(j.stats.late, 1);
}

static void silence_is_not_loss(void)
{
	static struct jitter j;
	struct jitter_out o;
	jitter_init(&j, JITTER_ORDER, HZ);
	put(&j, 0, 0, 0);
	CHECK_EQ(take(&j, 0), 0);
	put(&j, 1, 8000, 1000000);
	CHECK_EQ(jitter_take(&j, &o, 1000000), JITTER_PACKET);
	CHECK_EQ(o.gap, 8000 - FRAME);
	/* Lost and silent: only what one packet holds is made up. */
	put(&j, 3, 16000, 2000000);
	CHECK_EQ(jitter_take(&j, &o, 2020000), JITTER_LOST);
	CHECK_EQ(o.duration, FRAME);
	CHECK_EQ(jitter_take(&j, &o, 2020000), JITTER_PACKET);
	CHECK(o.gap > 0);
}

static void a_stream_that_jumps_goes_on(void)
{
	static struct jitter j;
	struct jitter_out o;
	jitter_init(&j, JITTER_PLAY, HZ);
	put(&j, 10, 0, 0);
	put(&j, 11, FRAME, 0);
	CHECK_EQ(put(&j, 5000, 77, 0), JITTER_E_ODD); /* a stray ... */
	CHECK_EQ(take(&j, 0), 10);
	CHECK_EQ(put(&j, 12, 2 * FRAME, 0), JITTER_OK);
	CHECK_EQ(put(&j, 6000, 99000, 0), JITTER_E_ODD); /* ... and a jump */
	CHECK_EQ(put(&j, 6001, 99160, 0), JITTER_OK);
	CHECK_EQ(take(&j, 0), 6001 & 0xff);

	/* Another SSRC is followed at once; a clock that goes back is no gap. */
	uint8_t sound[FRAME] = {42};
	CHECK_EQ(jitter_put(&j, &(struct jitter_packet){.seq = 3, .ssrc = 2, .timestamp = 5,
				    .duration = FRAME, .payload = span_of(sound, sizeof sound)}, 0), JITTER_OK);
	CHECK_EQ(take(&j, 0), 42);
	CHECK_EQ(jitter_put(&j, &(struct jitter_packet){.seq = 4, .ssrc = 2, .timestamp = 0x80000000u,
				    .duration = FRAME, .payload = span_of(sound, sizeof sound)}, 0), JITTER_OK);
	CHECK_EQ(jitter_take(&j, &o, 0), JITTER_PACKET);
	CHECK_EQ(o.gap, 0);
}

static void the_target_follows_the_spread(void)
{
	static struct jitter j;
	unsigned seed = 1;
	jitter_init(&j, JITTER_PLAY, HZ);
	for (unsigned i = 0; i < 500; ++i) {
		seed = seed * 1103515245 + 12345;
		put(&j, (uint16_t)i, i * FRAME, 100000 + i * FRAME_US + seed / 65536 % 30000);
		(void)take(&j, 0);
	}
	CHECK(jitter_target_us(&j) >= 20000 && jitter_target_us(&j) <= 40000);
	for (unsigned i = 500; i < 2000; ++i) {
		put(&j, (uint16_t)i, i * FRAME, 100000 + i * FRAME_US);
		(void)take(&j, 0);
	}
	CHECK_EQ(jitter_target_us(&j), 0);
	/* A drift of 100 ppm is no jitter. */
	for (unsigned i = 2000; i < 30000; ++i) {
		put(&j, (uint16_t)i, i * FRAME, 100000 + (uint64_t)i * FRAME_US + i * 2);
		(void)take(&j, 0);
	}
	CHECK_EQ(jitter_target_us(&j), 0);
}

static void held_bytes_have_a_limit(void)
{
	static struct jitter j;
	static uint8_t big[1400];
	jitter_init(&j, JITTER_PLAY, 48000);
	struct jitter_packet p = {.ssrc = 1, .duration = 960, .payload = span_of(big, sizeof big)};
	for (uint16_t i = 0; i < 20; ++i, ++p.seq, p.timestamp += 960) {
		memset(big, i, sizeof big);
		CHECK_EQ(jitter_put(&j, &p, 0), JITTER_OK);
	}
	/* The oldest were written over: lost, never mixed up. */
	struct jitter_out o;
	unsigned kept = 0;
	for (unsigned i = 0; i < 20; ++i) {
		enum jitter_take got = jitter_take(&j, &o, 1000000);
		CHECK(got != JITTER_NOTHING);
		if (got == JITTER_PACKET) {
			++kept;
			for (size_t k = 0; k < sizeof big; ++k)
				CHECK_EQ(o.payload.data[k], i);
		}
	}
	CHECK_EQ(kept, 5);
	p.payload.size = JITTER_ARENA_BYTES;
	CHECK_EQ(jitter_put(&j, &p, 0), JITTER_E_SIZE);
}

static void too_deep_is_noticed(void)
{
	static struct jitter j;
	unsigned cuts = 0;
	jitter_init(&j, JITTER_PLAY, HZ);
	for (uint16_t i = 0; i < 5; ++i)
		put(&j, i, i * FRAME, 0);
	for (uint16_t i = 5; i < 105; ++i) {
		put(&j, i, i * FRAME, (uint64_t)i * FRAME_US);
		CHECK(take(&j, (uint64_t)i * FRAME_US) >= 0);
		cuts += jitter_may_cut(&j, 0);
	}
	CHECK(cuts >= 4);
}

int main(void)
{
	in_order_nothing_waits();
	reordered_and_doubled();
	a_lost_one_is_named_in_time();
	silence_is_not_loss();
	a_stream_that_jumps_goes_on();
	the_target_follows_the_spread();
	held_bytes_have_a_limit();
	too_deep_is_noticed();
	return 0;
}

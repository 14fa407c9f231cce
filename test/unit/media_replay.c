#include "media/replay.h"

#include "test/check.h"

static void a_sequence_is_read_as_the_nearest_number(void)
{
	static const struct {
		uint64_t newest;
		uint16_t seq;
		uint64_t index;
	} cases[] = {
		{0, 5, 5},
		{5, 65535, 65535}, /* nothing is before the beginning */
		{0x7fff, 0xffff, 0xffff},
		{0xffff, 0, 0x10000},
		{0x10000, 0xffff, 0xffff},
		{0x1fffe, 3, 0x20003},
		{0x20003, 0xfff0, 0x1fff0},
		{0x28000, 0, 0x20000},
		{0x28001, 0, 0x30000},
		{0x2fffffff0, 0x10, 0x300000010},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct replay r = {0};
		replay_note(&r, cases[i].newest);
		CHECK_EQ(replay_index(&r, cases[i].seq), cases[i].index);
	}
}

static void nothing_goes_before_number_zero(void)
{
	static const struct {
		uint64_t newest;
		uint16_t seq;
		bool before;
	} cases[] = {
		{5, 4, false},
		{5, 6, false},
		{5, 65535, true},
		{0x7fff, 0xffff, false}, /* half a circle away: ahead as well as behind */
		{0x7fff, 0, false},
		{0x8000, 0xffff, false},
		{0x10005, 65535, false},
	};
	struct replay nothing = {0};

	CHECK(!replay_is_before_all(&nothing, 65535));
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct replay r = {0};
		replay_note(&r, cases[i].newest);
		CHECK_EQ(replay_is_before_all(&r, cases[i].seq), cases[i].before);
	}
}

static void each_number_is_fresh_once(void)
{
	struct replay r = {0};

	CHECK(replay_is_fresh(&r, 1000));
	replay_note(&r, 1000);
	CHECK(!replay_is_fresh(&r, 1000));
	CHECK(replay_is_fresh(&r, 999) && replay_is_fresh(&r, 1001));
	replay_note(&r, 1200);
	CHECK(!replay_is_fresh(&r, 1000) && !replay_is_fresh(&r, 1200));
	CHECK(replay_is_fresh(&r, 1100));
	replay_note(&r, 1100);
	CHECK(!replay_is_fresh(&r, 1100));
	CHECK(replay_is_fresh(&r, 1200 - REPLAY_WINDOW + 1));
	CHECK(!replay_is_fresh(&r, 1200 - REPLAY_WINDOW)); /* nobody knows */

	/* What the ring held of the numbers before is not taken for those after. */
	for (uint64_t i = 1201; i < 1200 + 3 * REPLAY_WINDOW; i += 2)
		replay_note(&r, i);
	CHECK(replay_is_fresh(&r, r.newest - 1) && !replay_is_fresh(&r, r.newest - 2));
	replay_note(&r, 100000);
	CHECK(replay_is_fresh(&r, 99999) && !replay_is_fresh(&r, 100000));
	CHECK(!replay_is_fresh(&r, 1200));
}

int main(void)
{
	a_sequence_is_read_as_the_nearest_number();
	nothing_goes_before_number_zero();
	each_number_is_fresh_once();
	return 0;
}

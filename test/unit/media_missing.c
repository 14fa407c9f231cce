#include "media/missing.h"
#include "media/sender_clock.h"

#include "test/check.h"

static void holes_are_asked_for_and_given_up(void)
{
	struct missing m = {0};
	uint16_t seqs[MISSING_MAX];

	missing_note(&m, 65534, 1000);
	missing_note(&m, 2, 1000); /* 65535, 0, 1 */
	CHECK_EQ(m.count, 3);
	CHECK_EQ(missing_due(seqs, &m, 1019, 0), 0);
	missing_note(&m, 0, 1019); /* only late */
	CHECK_EQ(missing_due(seqs, &m, 1020, 0), 2);
	CHECK(seqs[0] == 65535 && seqs[1] == 1);
	CHECK_EQ(missing_due(seqs, &m, 1119, 0), 0);
	CHECK_EQ(missing_due(seqs, &m, 1120, 200), 2);
	CHECK_EQ(missing_due(seqs, &m, 1319, 0), 0);
	missing_note(&m, 1, 1319); /* sent again */
	CHECK_EQ(missing_due(seqs, &m, 1320, 0), 1);
	CHECK_EQ(missing_due(seqs, &m, 1450, 0), 0); /* three times */
	CHECK_EQ(m.count, 1);
	CHECK_EQ(missing_due(seqs, &m, 1500, 0), 0);
	CHECK_EQ(m.count, 0);
}

static void what_is_held_is_bounded(void)
{
	struct missing m = {0};
	uint16_t seqs[MISSING_MAX];

	missing_note(&m, 1, 0);
	missing_note(&m, 1000, 0); /* another beginning */
	CHECK_EQ(m.count, 0);
	for (uint16_t seq = 1002; seq < 1200; seq += 2)
		missing_note(&m, seq, 0);
	CHECK_EQ(m.count, MISSING_MAX);
	CHECK_EQ(missing_due(seqs, &m, 50, 0), MISSING_MAX);
	CHECK(seqs[0] == 1199 - 2 * MISSING_MAX && seqs[MISSING_MAX - 1] == 1197);
	missing_note(&m, 5, 50); /* far back */
	CHECK(m.count == 0 && m.highest == 5);
}

static void a_clock_is_known_by_its_fastest_report(void)
{
	struct sender_clock c = {0};
	uint64_t s = (uint64_t)1 << 32, ms = s / 1000, theirs = 1000 * s, ours = 5000 * s;

	CHECK_EQ(sender_clock_put(&c, theirs, ours + 30 * ms), ours + 30 * ms);
	CHECK_EQ(sender_clock_put(&c, theirs + s, ours + s + 10 * ms), ours + s + 10 * ms);
	/* This one was 40 ms late: believed for a thirty-second part. */
	uint64_t told = sender_clock_put(&c, theirs + 2 * s, ours + 2 * s + 50 * ms);
	CHECK(told > ours + 2 * s + 10 * ms && told < ours + 2 * s + 12 * ms);
	CHECK_EQ(sender_clock_put(&c, theirs + 3 * s, 9000 * s), 9000 * s); /* it was set */
	CHECK_EQ(sender_clock_put(&c, UINT64_MAX, 3 * s), 3 * s);
	CHECK_EQ(sender_clock_put(&c, 0, UINT64_MAX), UINT64_MAX);
}

int main(void)
{
	holes_are_asked_for_and_given_up();
	what_is_held_is_bounded();
	a_clock_is_known_by_its_fastest_report();
	return 0;
}

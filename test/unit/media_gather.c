/* When a worker lets packets gather. */
#include "base/mem.h"
#include "media/gather.h"
#include "test/check.h"

enum { WINDOW_US = 100000 };

static const struct {
	bool on;
	unsigned turns;
	uint64_t elapsed_us;
	bool want;
} cases[] = {
	{false, 0, WINDOW_US, false},
	{false, 100, WINDOW_US, false}, /* a lone call, with its beats: 400 a second at most */
	{false, 199, WINDOW_US, false},
	{false, 200, WINDOW_US, true},
	{true, 67, WINDOW_US, true}, /* what two packets in a millisecond make of it: it stays */
	{true, 45, WINDOW_US, true},
	{true, 44, WINDOW_US, false},
	{true, 40, 10 * WINDOW_US, false}, /* it slept long: few turns in a long window */
	{false, 5, 0, true}, /* no time at all: no division by it */
};

static void on_timer(void *owner)
{
	loop_stop(owner);
}

/* It goes with the loop, and does not keep it alive. */
static void test_life(void)
{
	struct loop l;
	struct gather *g;
	struct timer t;

	CHECK_EQ(loop_init(&l), 0);
	CHECK_EQ(gather_new(&g, &l), 0);
	loop_run(&l); /* returns: nothing else is there */
	CHECK_EQ(timer_init(&t, &l, on_timer, &l), 0);
	timer_start(&t, 1, 0);
	loop_run(&l);
	timer_fini(&t);
	gather_free(g);
	gather_free(NULL);
	loop_fini(&l);
	CHECK_EQ(mem_live(), 0);
}

static void test_no_memory(void)
{
	struct loop l;
	struct gather *g;

	CHECK_EQ(loop_init(&l), 0);
	mem_fail_after(0);
	CHECK(gather_new(&g, &l) < 0);
	mem_fail_after(-1);
	loop_fini(&l);
	CHECK_EQ(mem_live(), 0);
}

int main(void)
{
	for (size_t i = 0; i < COUNT_OF(cases); ++i)
		CHECK_EQ(gather_decide(cases[i].on, cases[i].turns, cases[i].elapsed_us), cases[i].want);
	test_life();
	test_no_memory();
	return 0;
}

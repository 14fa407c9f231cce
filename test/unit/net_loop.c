#include "net/loop.h"

#include "base/mem.h"
#include "loop_wait.h"

static struct loop loop;
static char order[32];

static void note(char c)
{
	size_t n = strlen(order);
	CHECK(n + 1 < sizeof order);
	order[n] = c;
	order[n + 1] = 0;
}

/* ---- deferred work ---- */

struct piece {
	struct deferred d;
	char name;
	struct piece *also; /* deferred by it */
	struct piece *cancels;
};

static void run_piece(struct deferred *d)
{
	struct piece *p = container_of(d, struct piece, d);
	note(p->name);
	if (p->also)
		loop_defer(&loop, &p->also->d, run_piece);
	if (p->cancels)
		deferred_cancel(&p->cancels->d);
}

static void deferred_work_runs_in_order_and_never_at_once(void)
{
	struct piece a = {.name = 'a'}, b = {.name = 'b'}, c = {.name = 'c'};
	a.also = &c; /* a later round */
	order[0] = 0;
	loop_defer(&loop, &a.d, run_piece);
	loop_defer(&loop, &b.d, run_piece);
	loop_defer(&loop, &a.d, run_piece); /* already waits */
	CHECK_STR(order, "");
	LOOP_WAIT(&loop, strlen(order) == 3);
	CHECK_STR(order, "abc");
}

static void deferred_work_may_defer_itself_without_starving_others(void)
{
	struct piece a = {.name = 'a'};
	a.also = &a;
	order[0] = 0;
	loop_defer(&loop, &a.d, run_piece);
	uv_run(&loop.uv, UV_RUN_NOWAIT);
	CHECK_STR(order, "a");
	uv_run(&loop.uv, UV_RUN_NOWAIT);
	CHECK_STR(order, "aa");
	deferred_cancel(&a.d);
	uv_run(&loop.uv, UV_RUN_NOWAIT);
	CHECK_STR(order, "aa");
}

static void cancelled_work_does_not_run(void)
{
	struct piece never = {.name = 'x'}, a = {.name = 'a', .cancels = &never};
	order[0] = 0;
	deferred_cancel(&never.d); /* zeroed memory: fine */
	loop_defer(&loop, &a.d, run_piece);
	loop_defer(&loop, &never.d, run_piece); /* the same batch: `a` runs first */
	uv_run(&loop.uv, UV_RUN_NOWAIT);
	uv_run(&loop.uv, UV_RUN_NOWAIT);
	CHECK_STR(order, "a");
}

/* Else the loop polls without sleeping and a stopping program never ends. */
static void a_loop_whose_only_work_was_cancelled_ends(void)
{
	struct piece never = {.name = 'x'};
	order[0] = 0;
	loop_defer(&loop, &never.d, run_piece);
	deferred_cancel(&never.d);
	uv_run(&loop.uv, UV_RUN_NOWAIT);
	CHECK(!uv_loop_alive(&loop.uv));
	CHECK_STR(order, "");
}

/* ---- timers ---- */

struct ticker {
	struct timer timer;
	int count;
	int fini_after;
};

static void on_tick(void *owner)
{
	struct ticker *t = owner;
	if (++t->count == t->fini_after) {
		timer_fini(&t->timer);
		memset(t, 0xee, sizeof *t); /* the memory is its owner's again, at once */
	}
}

static void a_timer_fires_once_or_repeats(void)
{
	struct ticker once = {0}, often = {0};
	CHECK_EQ(timer_init(&once.timer, &loop, on_tick, &once), 0);
	CHECK_EQ(timer_init(&often.timer, &loop, on_tick, &often), 0);
	CHECK(!timer_running(&once.timer));
	timer_start(&once.timer, 1, 0);
	timer_start(&often.timer, 1, 1);
	CHECK(timer_running(&once.timer));
	LOOP_WAIT(&loop, often.count >= 3);
	CHECK_EQ(once.count, 1);
	CHECK(!timer_running(&once.timer));
	timer_stop(&often.timer);
	CHECK(!timer_running(&often.timer));
	timer_fini(&once.timer);
	timer_fini(&often.timer);
	timer_fini(&often.timer); /* twice: fine */
}

static void a_timer_may_end_inside_its_own_handler(void)
{
	struct ticker *t = mem_zalloc(sizeof *t);
	t->fini_after = 1;
	CHECK_EQ(timer_init(&t->timer, &loop, on_tick, t), 0);
	timer_start(&t->timer, 0, 1);
	LOOP_WAIT(&loop, t->count != 0);
	mem_free(t);
}

static void every_allocation_may_fail(void)
{
	struct timer t = {0};
	mem_fail_after(0);
	CHECK(timer_init(&t, &loop, on_tick, NULL) < 0);
	mem_fail_after(-1);
	CHECK(!t.handle);
	timer_fini(&t);
}

/* ---- the end ---- */

static struct timer late_timer;

static void on_last(struct deferred *d)
{
	note('l');
	timer_fini(&late_timer); /* a closing, born while the loop ends */
}

static void on_handle_closed(uv_handle_t *h)
{
	static struct deferred last;
	loop_defer(&loop, &last, on_last);
}

static void the_end_runs_what_closings_defer(void)
{
	static uv_timer_t handle;
	order[0] = 0;
	uv_timer_init(&loop.uv, &handle);
	CHECK_EQ(timer_init(&late_timer, &loop, on_tick, NULL), 0);
	uv_close((uv_handle_t *)&handle, on_handle_closed);
	loop_fini(&loop);
	CHECK_STR(order, "l");
}

int main(void)
{
	CHECK_EQ(loop_init(&loop), 0);
	deferred_work_runs_in_order_and_never_at_once();
	deferred_work_may_defer_itself_without_starving_others();
	cancelled_work_does_not_run();
	a_loop_whose_only_work_was_cancelled_ends();
	a_timer_fires_once_or_repeats();
	a_timer_may_end_inside_its_own_handler();
	every_allocation_may_fail();
	the_end_runs_what_closings_defer();
	CHECK_EQ(mem_live(), 0);
	return 0;
}

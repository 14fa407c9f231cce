#include "media/gather.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"

#include <errno.h>
#include <time.h>

/* Turns in a second. With the wait of WAIT_NS a stream of n packets in a millisecond makes
 * 1000 / (1 + 1 / n) of them: ON is two in a millisecond, OFF is below one. */
enum {
	WAIT_NS = 1000000,
	WINDOW_US = 100000,
	ON_TURNS = 2000,
	OFF_TURNS = 450,
};

struct gather {
	uv_prepare_t prepare; /* first: libuv hands it back */
	struct loop *loop;
	uint64_t since_us; /* when the window began */
	unsigned turns;    /* in it */
	bool on;
};

bool gather_decide(bool on, unsigned turns, uint64_t elapsed_us)
{
	uint64_t per_second = (uint64_t)turns * 1000000 / (elapsed_us ? elapsed_us : 1);
	return per_second >= (on ? OFF_TURNS : ON_TURNS);
}

/* Right before the loop sleeps. */
static void on_prepare(uv_prepare_t *p)
{
	struct gather *g = (struct gather *)p;
	uint64_t now_us = clock_us();

	++g->turns;
	if (now_us - g->since_us >= WINDOW_US) {
		g->on = gather_decide(g->on, g->turns, now_us - g->since_us);
		g->since_us = now_us;
		g->turns = 0;
	}
	/* What is deferred, packets to be sent among it, does not wait. */
	if (g->on && list_empty(&g->loop->deferred))
		nanosleep(&(struct timespec){.tv_nsec = WAIT_NS}, NULL);
}

int gather_new(struct gather **ret, struct loop *l)
{
	struct gather *g = mem_zalloc(sizeof *g);
	if (!g)
		return err_new(-ENOMEM);
	g->loop = l;
	g->since_us = clock_us();
	uv_prepare_init(&l->uv, &g->prepare);
	uv_prepare_start(&g->prepare, on_prepare);
	uv_unref((uv_handle_t *)&g->prepare); /* alone it must not keep the loop alive */
	*ret = g;
	return 0;
}

static void on_closed(uv_handle_t *h)
{
	mem_free(h);
}

struct gather *gather_free(struct gather *g)
{
	if (g)
		uv_close((uv_handle_t *)&g->prepare, on_closed);
	return NULL;
}

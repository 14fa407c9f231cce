#include "net/loop.h"

#include "base/err.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>

/* Closings may defer and deferred work may close: rounds that a chain of them may take. */
enum { LAST_ROUNDS = 64 };

struct timer_handle {
	uv_timer_t uv; /* first: libuv hands it back */
	void (*fire)(void *owner);
	void *owner;
};

/* The list is moved aside first: what is deferred meanwhile runs in the next turn. A cancelled piece
 * leaves an empty list and a busy idle handle: it must rest then too, or the loop spins for ever. */
static void run_deferred(struct loop *l)
{
	if (list_empty(&l->deferred)) {
		uv_idle_stop(&l->idle);
		return;
	}
	struct list batch = l->deferred;
	batch.next->prev = batch.prev->next = &batch;
	list_init(&l->deferred);

	while (!list_empty(&batch)) {
		struct deferred *d = list_first(&batch, struct deferred, link);
		list_remove(&d->link);
		d->run(d); /* may free it */
	}
	if (list_empty(&l->deferred))
		uv_idle_stop(&l->idle);
}

/* Its being there is all it does: with an active idle handle the loop polls without sleeping. */
static void on_idle(uv_idle_t *idle)
{
}

static void on_check(uv_check_t *check)
{
	run_deferred(container_of(check, struct loop, check));
}

int loop_init(struct loop *l)
{
	*l = (struct loop){0};
	list_init(&l->deferred);
	signal(SIGPIPE, SIG_IGN);
	int r = uv_loop_init(&l->uv);
	if (r < 0)
		return err_new(r);
	uv_idle_init(&l->uv, &l->idle);
	uv_check_init(&l->uv, &l->check);
	uv_check_start(&l->check, on_check);
	/* Alone it must not keep the loop alive. */
	uv_unref((uv_handle_t *)&l->check);
	return 0;
}

void loop_fini(struct loop *l)
{
	for (int i = 0; i < LAST_ROUNDS; ++i) {
		if (!uv_loop_alive(&l->uv) && list_empty(&l->deferred))
			break;
		run_deferred(l);
		uv_run(&l->uv, UV_RUN_NOWAIT);
	}
	uv_close((uv_handle_t *)&l->idle, NULL);
	uv_close((uv_handle_t *)&l->check, NULL);
	uv_run(&l->uv, UV_RUN_NOWAIT);
	int r = uv_loop_close(&l->uv);
	if (r < 0)
		uv_print_all_handles(&l->uv, stderr);
	assert(r == 0); /* a handle was left open: its owner forgot it */
	assert(list_empty(&l->deferred));
}

void loop_run(struct loop *l)
{
	uv_run(&l->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *l)
{
	uv_stop(&l->uv);
}

void loop_defer(struct loop *l, struct deferred *d, void (*run)(struct deferred *d))
{
	if (d->link.next && !list_empty(&d->link))
		return;
	d->run = run;
	list_init(&d->link);
	list_add(&l->deferred, &d->link);
	uv_idle_start(&l->idle, on_idle);
}

void deferred_cancel(struct deferred *d)
{
	if (d->link.next)
		list_remove(&d->link);
}

static void on_timer(uv_timer_t *uv)
{
	struct timer_handle *h = (struct timer_handle *)uv;
	h->fire(h->owner);
}

static void on_timer_closed(uv_handle_t *uv)
{
	mem_free(uv);
}

int timer_init(struct timer *t, struct loop *l, void (*fire)(void *owner), void *owner)
{
	struct timer_handle *h = mem_zalloc(sizeof *h);
	if (!h)
		return err_new(-ENOMEM);
	uv_timer_init(&l->uv, &h->uv);
	h->fire = fire;
	h->owner = owner;
	t->handle = h;
	return 0;
}

void timer_start(struct timer *t, uint64_t delay_ms, uint64_t repeat_ms)
{
	assert(t->handle);
	/* libuv counts from its cached time, which is old after a long handler. */
	uv_update_time(t->handle->uv.loop);
	uv_timer_start(&t->handle->uv, on_timer, delay_ms, repeat_ms);
}

void timer_stop(struct timer *t)
{
	if (t->handle)
		uv_timer_stop(&t->handle->uv);
}

bool timer_running(const struct timer *t)
{
	return t->handle && uv_is_active((const uv_handle_t *)&t->handle->uv);
}

void timer_fini(struct timer *t)
{
	if (!t->handle)
		return;
	uv_close((uv_handle_t *)&t->handle->uv, on_timer_closed);
	t->handle = NULL;
}

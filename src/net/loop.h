/* net/loop.h - a thread's event loop: libuv plus what libuv has no word for.
 *
 * Owner:   the thread that runs it.
 * Owns:    the uv loop and the list of deferred work.
 * Thread:  one; only mailbox_post() (net/mailbox.h) may be called from others.
 * Words:   "defer" = run this after the handlers of the current turn, before sleeping.
 */
#pragma once

#include "base/base.h"
#include "base/list.h"

#include <uv.h>

struct loop {
	uv_loop_t uv;
	struct list deferred;
	uv_idle_t idle;   /* keeps the loop awake while `deferred` is not empty */
	uv_check_t check; /* runs `deferred` */
};

/* One piece of work to run later, embedded in the object that it concerns; zeroed memory is
 * valid. A second defer of the same piece before it ran changes nothing. */
struct deferred {
	struct list link;
	void (*run)(struct deferred *d);
};

/* Also tells the process to ignore SIGPIPE: a write to a dead stream is an error, not the end. */
MUST_USE int loop_init(struct loop *l);
/* Runs what is deferred and the last closings. Every handle must have been closed by its owner:
 * one that was forgotten is printed, and ends the program (our own mistake). */
void loop_fini(struct loop *l);
void loop_run(struct loop *l); /* until loop_stop() or nothing is left */
void loop_stop(struct loop *l);

/* Work runs in the order in which it was deferred. What is deferred by deferred work runs in the
 * next turn, after the sockets had theirs: never inside the call, never without end. */
void loop_defer(struct loop *l, struct deferred *d, void (*run)(struct deferred *d));
void deferred_cancel(struct deferred *d); /* for whoever dies first; safe at any time */

static inline uint64_t loop_now_ms(const struct loop *l)
{
	return uv_now(&l->uv);
}

/* A timer embedded in its owner. timer_fini() may be called at any time, also from its own
 * handler; the memory it points to may go right after (it lets go of a small block of its own). */
struct timer {
	struct timer_handle *handle;
};
MUST_USE int timer_init(struct timer *t, struct loop *l, void (*fire)(void *owner), void *owner);
/* Milliseconds; repeat 0 = once. Starting a running timer starts it anew. */
void timer_start(struct timer *t, uint64_t delay_ms, uint64_t repeat_ms);
void timer_stop(struct timer *t);
bool timer_running(const struct timer *t);
void timer_fini(struct timer *t); /* safe on zeroed memory */

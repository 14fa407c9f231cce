/* test/unit/loop_wait.h - turn a loop until something is true, or fail after ten seconds. */
#pragma once

#include "base/clock.h"
#include "net/loop.h"
#include "test/check.h"

/* An event that never comes must not make the loop sleep for ever: a pulse wakes it. */
static inline void loop_wait_pulse(void *owner)
{
}

/* `cond` is asked once per turn and may do something. */
#define LOOP_WAIT(l, cond)                                                                         \
	do {                                                                                       \
		struct timer pulse_ = {0};                                                         \
		uint64_t until_ = clock_ms() + 10000;                                              \
		bool true_ = false;                                                                \
		CHECK_EQ(timer_init(&pulse_, (l), loop_wait_pulse, NULL), 0);                      \
		timer_start(&pulse_, 5, 5);                                                        \
		while (!(true_ = (cond)) && clock_ms() < until_)                                   \
			uv_run(&(l)->uv, UV_RUN_ONCE);                                             \
		timer_fini(&pulse_);                                                               \
		if (!true_)                                                                        \
			fprintf(stderr, "%s:%d: never true: %s\n", __FILE__, __LINE__, #cond);     \
		CHECK(true_);                                                                      \
	} while (0)

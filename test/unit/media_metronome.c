/* The beat: each listener once in 20 ms, whoever joins soon, leaving from inside. By the order of
 * ticks, not by the clock. */
#include "base/mem.h"
#include "media/metronome.h"
#include "test/check.h"

enum { LISTENERS = 3, TICKS = 12, LATE_JOINS_AT = 3, LEAVES_AT = 5 };

struct fixture {
	struct loop loop;
	struct metronome *metronome;
	struct beat beats[LISTENERS];
	unsigned ticks[LISTENERS];
	uint64_t last_us;
};

static struct fixture f;

static void on_tick(struct beat *b, uint64_t now_us)
{
	unsigned i = (unsigned)(b - f.beats);

	if (f.ticks[0] == TICKS)
		return; /* a late loop catches up, past the end */
	++f.ticks[i];
	CHECK(now_us >= f.last_us);
	f.last_us = now_us;
	/* 1 joins in a tick of 0 and is heard before 0 is heard again. */
	if (i == 0 && f.ticks[0] == LATE_JOINS_AT)
		metronome_add(f.metronome, &f.beats[1]);
	if (i == 0 && f.ticks[0] > LATE_JOINS_AT)
		CHECK_EQ(f.ticks[1], f.ticks[0] - LATE_JOINS_AT);
	if (i == 2 && f.ticks[2] == LEAVES_AT)
		worker_remove_beat(&f.beats[2]);
	if (i == 0 && f.ticks[0] == TICKS)
		loop_stop(&f.loop);
}

int main(void)
{
	CHECK_EQ(loop_init(&f.loop), 0);
	CHECK_EQ(metronome_new(&f.metronome, &f.loop), 0);
	for (int i = 0; i < LISTENERS; ++i)
		f.beats[i].tick = on_tick;
	worker_remove_beat(&f.beats[1]); /* never added */
	metronome_add(f.metronome, &f.beats[0]);
	metronome_add(f.metronome, &f.beats[2]);
	loop_run(&f.loop);

	CHECK_EQ(f.ticks[0], TICKS);
	CHECK_EQ(f.ticks[1], TICKS - LATE_JOINS_AT);
	CHECK_EQ(f.ticks[2], LEAVES_AT);
	worker_remove_beat(&f.beats[0]);
	worker_remove_beat(&f.beats[0]);
	metronome_free(f.metronome); /* with a listener left */
	loop_fini(&f.loop);
	CHECK_EQ(mem_live(), 0);
	return 0;
}

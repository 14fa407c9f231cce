/* A clock that stands still while the test does: linked with a test, it is what libuv and base/clock.h read.
 *
 * A far end that is played in the same process as the code under test is as late as the machine makes
 * both of them wait for a processor; with the kernel's clock a pause of a second then looks like a far
 * end that said nothing for a second, and time-outs fire that the test never meant. Here no pause is
 * longer than STEP_NS, however long it was: what is slow is slow for both sides alike.
 *
 * For tests of one thread that look at the clock all the time (a turn of the loop, a poll of a
 * millisecond); a loop that sleeps longer than STEP_NS in one piece would sleep too long here. */
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define STEP_NS UINT64_C(10000000)

int clock_gettime(clockid_t which, struct timespec *ret)
{
	static uint64_t seen, now = UINT64_C(1000000000);
	int r = (int)syscall(SYS_clock_gettime, which, ret);

	if (r || (which != CLOCK_MONOTONIC && which != CLOCK_MONOTONIC_COARSE))
		return r;
	uint64_t real = (uint64_t)ret->tv_sec * 1000000000 + (uint64_t)ret->tv_nsec;
	if (real > seen) { /* the coarse one is a little behind */
		now += !seen ? 0 : real - seen < STEP_NS ? real - seen : STEP_NS;
		seen = real;
	}
	ret->tv_sec = (time_t)(now / 1000000000);
	ret->tv_nsec = (long)(now % 1000000000);
	return 0;
}

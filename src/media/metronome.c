#include "media/metronome.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
	BEAT_NS = 20000000,
	CATCH_UP_MAX = 5, /* a thread that slept longer leaves the rest out */
};

struct metronome {
	int fd;
	uv_poll_t *poll; /* its own block: libuv lets go of it later */
	struct list beats;
	bool running;
};

static void set_running(struct metronome *m, bool running)
{
	struct itimerspec t = {0};

	if (running) {
		clock_gettime(CLOCK_MONOTONIC, &t.it_value);
		t.it_value.tv_nsec += BEAT_NS;
		if (t.it_value.tv_nsec >= 1000000000) {
			t.it_value.tv_nsec -= 1000000000;
			++t.it_value.tv_sec;
		}
		t.it_interval.tv_nsec = BEAT_NS;
	}
	m->running = timerfd_settime(m->fd, TFD_TIMER_ABSTIME, &t, NULL) == 0 && running;
}

/* Each listener once, although ticks remove and add listeners. */
static void beat_once(struct metronome *m, uint64_t now_us)
{
	struct list waiting;

	list_init(&waiting);
	while (!list_empty(&m->beats)) {
		struct list *link = m->beats.next;
		list_remove(link);
		list_add(&waiting, link);
	}
	while (!list_empty(&waiting)) {
		struct beat *b = list_first(&waiting, struct beat, link);
		list_remove(&b->link);
		list_add(&m->beats, &b->link);
		b->tick(b, now_us);
	}
}

static void on_beat(uv_poll_t *p, int status, int events)
{
	struct metronome *m = p->data;
	uint64_t beats = 0;

	if (read(m->fd, &beats, sizeof beats) != sizeof beats)
		return;
	if (list_empty(&m->beats))
		set_running(m, false);
	for (uint64_t i = 0; i < beats && i < CATCH_UP_MAX; ++i)
		beat_once(m, clock_us());
}

static void on_poll_closed(uv_handle_t *h)
{
	mem_free(h);
}

static int start_poll(struct metronome *m, struct loop *l)
{
	m->poll = mem_zalloc(sizeof *m->poll);
	if (!m->poll)
		return err_new(-ENOMEM);
	int r = uv_poll_init(&l->uv, m->poll, m->fd);
	if (r < 0) {
		mem_free(m->poll);
		m->poll = NULL;
		return err_new(r);
	}
	m->poll->data = m;
	r = uv_poll_start(m->poll, UV_READABLE, on_beat);
	return r < 0 ? err_new(r) : 0;
}

int metronome_new(struct metronome **ret, struct loop *l)
{
	struct metronome *m = mem_zalloc(sizeof *m);
	if (!m)
		return err_new(-ENOMEM);
	list_init(&m->beats);
	m->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	int r = m->fd < 0 ? err_new(-errno) : start_poll(m, l);
	if (r < 0) {
		metronome_free(m);
		return r;
	}
	*ret = m;
	return 0;
}

struct metronome *metronome_free(struct metronome *m)
{
	if (!m)
		return NULL;
	while (!list_empty(&m->beats))
		list_remove(m->beats.next);
	if (m->poll)
		uv_close((uv_handle_t *)m->poll, on_poll_closed);
	if (m->fd >= 0)
		close(m->fd);
	mem_free(m);
	return NULL;
}

void metronome_add(struct metronome *m, struct beat *b)
{
	list_add(&m->beats, &b->link);
	if (!m->running)
		set_running(m, true);
}

void worker_remove_beat(struct beat *b)
{
	if (b->link.next) /* zeroed: never added */
		list_remove(&b->link);
}

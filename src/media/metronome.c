#include "media/metronome.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* The 20 ms have four parts, and each listener beats in one of them: the work of many legs does not
 * fall on one moment, where it would hold up every packet, and whoever joins beats within 5 ms. */
enum {
	PARTS = 4,
	PART_NS = 20000000 / PARTS,
	CATCH_UP_MAX = 5 * PARTS, /* a thread that slept longer leaves the rest out */
};

struct metronome {
	int fd;
	uv_poll_t *poll; /* its own block: libuv lets go of it later */
	struct list beats[PARTS];
	unsigned part; /* the next one to beat */
	bool running;
};

static void set_running(struct metronome *m, bool running)
{
	struct itimerspec t = {0};

	if (running) {
		/* The first part is now: nothing else waits for it. */
		clock_gettime(CLOCK_MONOTONIC, &t.it_value);
		t.it_interval.tv_nsec = PART_NS;
	}
	m->running = timerfd_settime(m->fd, TFD_TIMER_ABSTIME, &t, NULL) == 0 && running;
}

static bool nobody_listens(const struct metronome *m)
{
	for (int i = 0; i < PARTS; ++i)
		if (!list_empty(&m->beats[i]))
			return false;
	return true;
}

/* Each listener once, although ticks remove and add listeners. */
static void beat_part(struct list *beats, uint64_t now_us)
{
	struct list waiting;

	list_init(&waiting);
	while (!list_empty(beats)) {
		struct list *link = beats->next;
		list_remove(link);
		list_add(&waiting, link);
	}
	while (!list_empty(&waiting)) {
		struct beat *b = list_first(&waiting, struct beat, link);
		list_remove(&b->link);
		list_add(beats, &b->link);
		b->tick(b, now_us);
	}
}

static void on_beat(uv_poll_t *p, int status, int events)
{
	struct metronome *m = p->data;
	uint64_t parts = 0;

	if (read(m->fd, &parts, sizeof parts) != sizeof parts)
		return;
	if (nobody_listens(m))
		set_running(m, false);
	for (uint64_t i = 0; i < parts && i < CATCH_UP_MAX; ++i) {
		struct list *beats = &m->beats[m->part];
		m->part = (m->part + 1) % PARTS; /* first: who joins in a tick waits for the next part */
		beat_part(beats, clock_us());
	}
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
	for (int i = 0; i < PARTS; ++i)
		list_init(&m->beats[i]);
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
	for (int i = 0; i < PARTS; ++i)
		while (!list_empty(&m->beats[i]))
			list_remove(m->beats[i].next);
	if (m->poll)
		uv_close((uv_handle_t *)m->poll, on_poll_closed);
	if (m->fd >= 0)
		close(m->fd);
	mem_free(m);
	return NULL;
}

void metronome_add(struct metronome *m, struct beat *b)
{
	list_add(&m->beats[m->part], &b->link);
	if (!m->running)
		set_running(m, true);
}

void worker_remove_beat(struct beat *b)
{
	if (b->link.next) /* zeroed: never added */
		list_remove(&b->link);
}

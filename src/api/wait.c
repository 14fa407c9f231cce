#include "api/wait.h"

#include "base/err.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>

static void wait_free(struct api_wait *w)
{
	call_unwatch(&w->watch);
	timer_fini(&w->deadline);
	list_remove(&w->link);
	mem_free(w);
}

static void finish(struct api_wait *w, enum wait_end end)
{
	call_unwatch(&w->watch);
	list_remove(&w->link);
	w->done(w, end);
	wait_free(w);
}

static void on_settled(struct call_watch *watch, struct call *c, bool answered)
{
	finish(container_of(watch, struct api_wait, watch), answered ? WAIT_ANSWERED : WAIT_FAILED);
}

static void on_deadline(void *owner)
{
	struct api_wait *w = owner;
	struct call *call = w->call;
	finish(w, WAIT_DEADLINE);
	call_hang_up(call);
}

static void on_gone(void *owner)
{
	struct api_wait *w = owner;
	struct call *call = w->call;
	w->x = NULL;
	if (!w->hang_up_when_gone)
		return;
	wait_free(w);
	call_hang_up(call);
}

int wait_new(struct api *a, const struct wait_request *r)
{
	struct api_wait *w = mem_zalloc(sizeof *w);
	if (!w)
		return err_new(-ENOMEM);
	list_init(&w->link);
	list_init(&w->watch.link);
	int e = timer_init(&w->deadline, a->config.loop, on_deadline, w);
	if (e < 0) {
		mem_free(w);
		return e;
	}
	w->api = a;
	w->call = r->call;
	w->x = r->x;
	w->hang_up_when_gone = r->hang_up_when_gone;
	w->as_json = r->as_json;
	w->entry = r->entry;
	w->done = r->done;
	snprintf(w->number, sizeof w->number, "%s", r->number ? r->number : "");
	w->watch.settled = on_settled;
	list_add(&a->waits, &w->link);
	if (r->deadline_ms)
		timer_start(&w->deadline, r->deadline_ms, 0);
	http_on_gone(r->x, on_gone, w);
	call_watch(r->call, &w->watch);
	return 0;
}

void wait_refuse_all(struct api *a)
{
	while (!list_empty(&a->waits))
		finish(list_first(&a->waits, struct api_wait, link), WAIT_CLOSED);
}

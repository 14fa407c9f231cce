#include "test/unit/fake_worker.h"

#include "test/check.h"

#include <errno.h>

void fake_worker_init(struct worker *w)
{
	*w = (struct worker){.now_us = 1000000, .loudest = 127};
	CHECK_EQ(uv_loop_init(&w->loop.uv), 0);
	list_init(&w->loop.deferred);
	list_init(&w->beats);
}

void fake_worker_fini(struct worker *w)
{
	CHECK(list_empty(&w->beats));
	uv_run(&w->loop.uv, UV_RUN_DEFAULT);
	CHECK_EQ(uv_loop_close(&w->loop.uv), 0);
}

void fake_worker_turn(struct worker *w)
{
	uv_run(&w->loop.uv, UV_RUN_NOWAIT);
}

void fake_worker_beat(struct worker *w)
{
	struct list *next;
	for (struct list *it = w->beats.next; it != &w->beats; it = next) {
		struct beat *b = container_of(it, struct beat, link);
		next = it->next;
		b->tick(b, w->now_us);
	}
	w->now_us += 20000;
}

struct loop *worker_loop(struct worker *w)
{
	return &w->loop;
}

int worker_add_source(struct worker *w, struct source *s)
{
	if (w->add_source_fails)
		return -ENOMEM;
	for (size_t i = 0; i < COUNT_OF(w->sources); ++i)
		if (!w->sources[i]) {
			w->sources[i] = s;
			return 0;
		}
	return -ENOMEM;
}

void worker_remove_source(struct worker *w, struct source *s)
{
	for (size_t i = 0; i < COUNT_OF(w->sources); ++i)
		if (w->sources[i] == s)
			w->sources[i] = NULL;
}

void worker_note_level(struct worker *w, struct source *s, uint8_t level, unsigned duration_ms)
{
	++w->levels;
	w->level_ms += duration_ms;
	if (level < w->loudest)
		w->loudest = level;
}

void worker_add_beat(struct worker *w, struct beat *b)
{
	list_add(&w->beats, &b->link);
}

void worker_remove_beat(struct beat *b)
{
	list_remove(&b->link);
}

void worker_post_leg_event(struct worker *w, media_id leg, enum media_leg_event e)
{
	if (e == MEDIA_LEG_FIRST_RTP)
		++w->first_rtp;
	else if (e == MEDIA_LEG_DRAINED)
		++w->drained;
	else
		++w->silent;
}

void worker_post_leg_digit(struct worker *w, media_id leg, char digit)
{
	size_t n = strlen(w->digits);
	if (n + 1 < sizeof w->digits)
		w->digits[n] = digit;
}

void worker_post_leg_key(struct worker *w, media_id leg, char digit)
{
	size_t n = strlen(w->keys);
	CHECK(n + 1 < sizeof w->keys);
	w->keys[n] = digit;
}

void worker_post_leg_digits_done(struct worker *w, media_id leg)
{
	++w->digits_done;
}

void worker_post_leg_stats(struct worker *w, media_id leg, const struct media_leg_stats *s)
{
	++w->stats_count;
	w->stats = *s;
}

const struct dtls_identity *worker_identity(const struct worker *w)
{
	return w->identity;
}

/* call/record_keep.c - the records of all calls: written every quarter of a second and when one ends,
 * tidied every minute, and what a crash left open is closed at the start. */
#include "call/call_private.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>

enum { WRITE_EVERY_MS = 250, TOGETHER_MS = 20, TIDY_EVERY_MS = 60 * 1000, TIDY_AGAIN_MS = 100 };

static void flush(struct calls *cs)
{
	if (records_flush(cs->config.records) < 0)
		log_warn("calls", "records could not be written");
}

static void flush_ends(void *owner)
{
	struct calls *cs = owner;
	cs->ends_flushed_at_ms = loop_now_ms(cs->loop);
	flush(cs);
}

void calls_write_records(struct calls *cs)
{
	if (!cs->config.records)
		return;
	list_each(it, &cs->all)
	{
		struct call *c = container_of(it, struct call, link);
		if (c->record.dirty)
			record_save(c);
	}
	refused_write(&cs->refused, cs->config.records);
	flush(cs);
}

static void on_write_timer(void *owner)
{
	calls_write_records(owner);
}

void records_keep_soon(struct calls *cs)
{
	if (!timer_running(&cs->write_timer))
		timer_start(&cs->write_timer, WRITE_EVERY_MS, 0);
}

/* A transaction writes whole pages, most of them the same for the next call: one for many is a third. */
void records_keep_now(struct calls *cs)
{
	uint64_t since_ms = loop_now_ms(cs->loop) - cs->ends_flushed_at_ms;
	if (since_ms >= TOGETHER_MS)
		flush_ends(cs);
	else if (!timer_running(&cs->flush_timer))
		timer_start(&cs->flush_timer, TOGETHER_MS - since_ms, 0);
}

static void tidy(void *owner)
{
	struct calls *cs = owner;
	bool more = false;
	if (records_tidy(cs->config.records, clock_unix_ms(), &more) < 0)
		log_warn("calls", "old records could not be deleted");
	timer_start(&cs->tidy_timer, more ? TIDY_AGAIN_MS : TIDY_EVERY_MS, 0);
}

/* ---- after a crash ---- */

struct open_calls {
	struct records *records;
	struct record_row rows[64];
	size_t count;
};

/* A row's texts are gone after the event: they are copied, and written when the reading is over. */
static int copy_row(void *owner, const struct record_row *row)
{
	struct open_calls *open = owner;
	if (open->count == COUNT_OF(open->rows))
		return 0;
	struct record_row *r = &open->rows[open->count++];
	int64_t now = clock_unix_ms();
	char *facts = record_interrupted(row->facts, now);
	*r = *row;
	r->ended_ms = now;
	r->failed = true;
	r->id = mem_strdup(row->id);
	r->room = mem_strdup(row->room);
	r->trunk = mem_strdup(row->trunk);
	r->trunk_name = mem_strdup(row->trunk_name);
	r->number = mem_strdup(row->number);
	r->facts = span_text(facts);
	return r->id && r->room && r->trunk && r->trunk_name && r->number && facts ? 0 : err_new(-ENOMEM);
}

static int write_rows(struct open_calls *open)
{
	int r = 0;
	for (size_t i = 0; i < open->count; ++i) {
		struct record_row *row = &open->rows[i];
		if (r == 0 && row->facts.data)
			r = records_put(open->records, row);
		mem_free((void *)row->id);
		mem_free((void *)row->room);
		mem_free((void *)row->trunk);
		mem_free((void *)row->trunk_name);
		mem_free((void *)row->number);
		mem_free((void *)row->facts.data);
	}
	return r;
}

/* Some at a time, so that however many there are, few are held. */
static int close_open_calls(struct records *records)
{
	size_t total = 0, count;
	do {
		struct open_calls open = {.records = records};
		int r = records_each_open(records, copy_row, &open), written = write_rows(&open);
		if (r < 0 || written < 0)
			return r < 0 ? r : written;
		total += count = open.count;
	} while (count == COUNT_OF(((struct open_calls *)0)->rows));
	if (total)
		log_warn("calls", "%zu calls were up when the server ended last; their records say so", total);
	return records_flush(records);
}

int records_keep_start(struct calls *cs)
{
	if (!cs->config.records)
		return 0;
	int r = close_open_calls(cs->config.records);
	if (r == 0)
		r = timer_init(&cs->write_timer, cs->loop, on_write_timer, cs);
	if (r == 0)
		r = timer_init(&cs->flush_timer, cs->loop, flush_ends, cs);
	if (r == 0)
		r = timer_init(&cs->tidy_timer, cs->loop, tidy, cs);
	if (r == 0)
		timer_start(&cs->tidy_timer, TIDY_AGAIN_MS, 0);
	return r;
}

void records_keep_stop(struct calls *cs)
{
	refused_write(&cs->refused, cs->config.records);
	timer_fini(&cs->write_timer);
	timer_fini(&cs->flush_timer);
	timer_fini(&cs->tidy_timer);
}

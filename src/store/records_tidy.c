#include "store/records_private.h"

#include "base/limits.h"

#include <stdio.h>

enum {
	TIDY_CALLS = 50,  /* deleted in one go */
	TIDY_PAGES = 256, /* given back to the file system in one go */
};

struct oldest {
	char id[64];
	int64_t began_ms;
	bool found;
};

static int find_oldest(struct records *s, struct oldest *ret)
{
	sqlite3_stmt *statement = NULL;
	int r = records_prepare(s, S_OLDEST, &statement);
	if (r < 0)
		return r;
	ret->found = sqlite3_step(statement) == SQLITE_ROW;
	if (ret->found) {
		snprintf(ret->id, sizeof ret->id, "%s", (const char *)sqlite3_column_text(statement, 0));
		ret->began_ms = sqlite3_column_int64(statement, 1);
	}
	records_release(statement);
	return 0;
}

/* How many attempts may be kept that were no calls: about an eighth of a small store, at some 1 KB each. */
static int refused_most(const struct records *s)
{
	uint64_t share = s->max_bytes / 8 / 1024;
	return s->max_bytes && share < LIMIT_REFUSED_RECORDS ? (int)share : LIMIT_REFUSED_RECORDS;
}

/* One that is past those, counted from the newest. */
static int find_refused_over(struct records *s, struct oldest *ret)
{
	sqlite3_stmt *statement = NULL;
	int r = records_prepare(s, S_REFUSED_OVER, &statement);
	if (r < 0)
		return r;
	sqlite3_bind_int(statement, 1, refused_most(s));
	ret->found = sqlite3_step(statement) == SQLITE_ROW;
	if (ret->found)
		snprintf(ret->id, sizeof ret->id, "%s", (const char *)sqlite3_column_text(statement, 0));
	records_release(statement);
	return 0;
}

static int delete_by_id(struct records *s, enum statement which, const char *id)
{
	sqlite3_stmt *statement = NULL;
	int r = records_prepare(s, which, &statement);
	if (r < 0)
		return r;
	records_bind_text(statement, 1, id);
	return records_finish(s, statement);
}

static int add_size(void *owner, const struct record_message *m)
{
	*(uint64_t *)owner += m->bytes.size + RECORD_ROW_COST;
	return 0;
}

static int delete_call(struct records *s, const char *id)
{
	uint64_t facts = 0, messages = 0;
	int r = records_size_of(s, id, &facts);
	if (r == 0)
		r = records_each_message(s, id, add_size, &messages);
	if (r == 0)
		r = delete_by_id(s, S_DELETE_MESSAGES, id);
	if (r == 0)
		r = delete_by_id(s, S_DELETE, id);
	if (r == 0)
		s->bytes -= facts + messages < s->bytes ? facts + messages : s->bytes;
	return r;
}

static bool is_too_much(const struct records *s, const struct oldest *o, int64_t now_ms)
{
	return (s->max_age_ms && now_ms - o->began_ms > (int64_t)s->max_age_ms) || (s->max_bytes && s->bytes > s->max_bytes);
}

/* Returns how many it deleted, or a negative error. */
static int delete_oldest(struct records *s, int64_t now_ms)
{
	int r = 0, deleted = 0;
	for (; r == 0 && deleted < TIDY_CALLS; ++deleted) {
		struct oldest o;
		r = find_refused_over(s, &o);
		if (r == 0 && !o.found) {
			r = find_oldest(s, &o);
			if (r == 0 && (!o.found || !is_too_much(s, &o, now_ms)))
				break;
		}
		if (r == 0)
			r = delete_call(s, o.id);
	}
	return r < 0 ? r : deleted;
}

int records_tidy(struct records *s, int64_t now_ms, bool *more)
{
	*more = false;
	int r = records_flush(s);
	records_save_soon(s);
	if (r == 0)
		r = records_begin(s);
	if (r < 0)
		return r;
	int deleted = delete_oldest(s, now_ms);
	r = records_end_transaction(s, deleted < 0 ? deleted : 0);
	if (r == 0 && deleted) {
		*more = deleted == TIDY_CALLS;
		char vacuum[64];
		snprintf(vacuum, sizeof vacuum, "PRAGMA incremental_vacuum(%d)", TIDY_PAGES);
		r = database_run(s->db, vacuum);
	}
	return r;
}

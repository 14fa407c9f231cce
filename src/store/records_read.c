#include "store/records_private.h"

/* If it can't be written, what is there can still be read. */
static void catch_up(struct records *s)
{
	(void)!records_flush(s);
}

static struct span column_bytes(sqlite3_stmt *statement, int at)
{
	const void *value = sqlite3_column_blob(statement, at);
	return span_of(value, (size_t)sqlite3_column_bytes(statement, at));
}

static const char *column_text(sqlite3_stmt *statement, int at)
{
	const char *text = (const char *)sqlite3_column_text(statement, at);
	return text ? text : "";
}

static struct record_row row_of(sqlite3_stmt *statement)
{
	return (struct record_row){
		.id = column_text(statement, 0),
		.began_ms = sqlite3_column_int64(statement, 1),
		.ended_ms = sqlite3_column_int64(statement, 2),
		.room = column_text(statement, 3),
		.trunk = column_text(statement, 4),
		.trunk_name = column_text(statement, 5),
		.number = column_text(statement, 6),
		.failed = sqlite3_column_int(statement, 7),
		.facts = column_bytes(statement, 8),
	};
}

static int each_row(struct records *s, sqlite3_stmt *statement, int (*row)(void *, const struct record_row *),
	void *owner, size_t *count)
{
	int step, r = 0;
	while (r == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
		const struct record_row found = row_of(statement);
		r = row(owner, &found);
		++*count;
	}
	if (r == 0 && step != SQLITE_DONE)
		r = database_broken(s->db, "read calls");
	records_release(statement);
	return r < 0 ? r : 0;
}

int records_each(struct records *s, const struct record_filter *f, int (*row)(void *, const struct record_row *),
	void *owner)
{
	sqlite3_stmt *statement = NULL;
	size_t count = 0;
	catch_up(s);
	int r = records_prepare(s, f->number ? S_LIST_NUMBER : f->room ? S_LIST_ROOM : S_LIST, &statement);
	if (r < 0)
		return r;
	records_bind_text(statement, 1, f->room);
	records_bind_text(statement, 2, f->trunk);
	records_bind_text(statement, 3, f->number);
	sqlite3_bind_int64(statement, 4, f->since_ms);
	sqlite3_bind_int64(statement, 5, f->before_ms ? f->before_ms : INT64_MAX);
	sqlite3_bind_int(statement, 6, f->failed);
	sqlite3_bind_int64(statement, 7, f->limit);
	sqlite3_bind_int(statement, 8, f->refused);
	return each_row(s, statement, row, owner, &count);
}

int records_each_open(struct records *s, int (*row)(void *, const struct record_row *), void *owner)
{
	sqlite3_stmt *statement = NULL;
	size_t count = 0;
	catch_up(s);
	int r = records_prepare(s, S_OPEN, &statement);
	return r < 0 ? r : each_row(s, statement, row, owner, &count);
}

int records_get(struct records *s, const char *id, int (*row)(void *, const struct record_row *), void *owner)
{
	sqlite3_stmt *statement = NULL;
	size_t count = 0;
	catch_up(s);
	int r = records_prepare(s, S_GET, &statement);
	if (r < 0)
		return r;
	records_bind_text(statement, 1, id);
	r = each_row(s, statement, row, owner, &count);
	return r < 0 ? r : count ? 0 : RECORDS_E_NOT_FOUND;
}

int records_each_message(struct records *s, const char *id, int (*message)(void *, const struct record_message *),
	void *owner)
{
	sqlite3_stmt *statement = NULL;
	catch_up(s);
	int step = SQLITE_DONE, r = records_prepare(s, S_MESSAGES, &statement);
	if (r < 0)
		return r;
	records_bind_text(statement, 1, id);
	while (r == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
		const struct record_message m = {
			.at_us = sqlite3_column_int64(statement, 0),
			.sent = sqlite3_column_int(statement, 1),
			.protocol = column_text(statement, 2),
			.local = column_text(statement, 3),
			.remote = column_text(statement, 4),
			.bytes = column_bytes(statement, 5),
		};
		r = message(owner, &m);
	}
	if (r == 0 && step != SQLITE_DONE)
		r = database_broken(s->db, "read messages");
	records_release(statement);
	return r < 0 ? r : 0;
}

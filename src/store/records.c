#include "store/records.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "store/checkpoint.h"
#include "store/database.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

enum {
	SCHEMA_VERSION = 1,
	ROW_COST = 200,     /* bytes of a row besides its texts: keys, indexes */
	TIDY_CALLS = 50,    /* deleted in one go */
	TIDY_PAGES = 256,   /* given back to the file system in one go */
	CHECKPOINT_BYTES = 4 << 20,
};

/* One for each kind of sentence, made when it is first needed. */
enum statement {
	S_BEGIN,
	S_COMMIT,
	S_PUT,
	S_SIZE,
	S_ADD,
	S_LIST,
	S_OPEN,
	S_GET,
	S_MESSAGES,
	S_OLDEST,
	S_REFUSED_OVER,
	S_DELETE,
	S_DELETE_MESSAGES,
	S__COUNT,
};

#define REFUSED "id GLOB '" RECORDS_REFUSED_PREFIX "*'"
#define COLUMNS "id, began, ended, room, trunk, trunk_name, number, failed, facts"

static const char *const sql[S__COUNT] = {
	[S_BEGIN] = "BEGIN IMMEDIATE",
	[S_COMMIT] = "COMMIT",
	[S_PUT] = "INSERT INTO calls (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO UPDATE SET "
		  "ended = ?3, room = ?4, trunk = ?5, trunk_name = ?6, number = ?7, failed = ?8, facts = ?9",
	[S_SIZE] = "SELECT length(facts) + 200 FROM calls WHERE id = ?1", /* ROW_COST */
	[S_ADD] = "INSERT INTO messages (call, at, sent, protocol, local, remote, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[S_LIST] = "SELECT " COLUMNS " FROM calls WHERE (?1 IS NULL OR room = ?1) AND (?2 IS NULL OR trunk = ?2 OR trunk_name = ?2) "
		   "AND (?3 IS NULL OR number = ?3) AND began >= ?4 AND began < ?5 AND failed >= ?6 AND (?8 = 0 OR " REFUSED ") ORDER BY began DESC, rowid DESC "
		   "LIMIT ?7",
	[S_OPEN] = "SELECT " COLUMNS " FROM calls WHERE ended = 0 ORDER BY began",
	[S_GET] = "SELECT " COLUMNS " FROM calls WHERE id = ?1",
	[S_MESSAGES] = "SELECT at, sent, protocol, local, remote, bytes FROM messages WHERE call = ?1 ORDER BY rowid",
	[S_OLDEST] = "SELECT id, began FROM calls WHERE ended > 0 ORDER BY began LIMIT 1",
	[S_REFUSED_OVER] = "SELECT id FROM calls WHERE " REFUSED " ORDER BY began DESC LIMIT 1 OFFSET ?1",
	[S_DELETE] = "DELETE FROM calls WHERE id = ?1",
	[S_DELETE_MESSAGES] = "DELETE FROM messages WHERE call = ?1",
};

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS calls (id TEXT PRIMARY KEY, began INTEGER NOT NULL, ended INTEGER NOT NULL, room TEXT NOT NULL, "
	"trunk TEXT NOT NULL, trunk_name TEXT NOT NULL, number TEXT NOT NULL, failed INTEGER NOT NULL, facts BLOB NOT NULL);"
	"CREATE INDEX IF NOT EXISTS calls_began ON calls (began);"
	"CREATE INDEX IF NOT EXISTS calls_open ON calls (began) WHERE ended = 0;"
	"CREATE INDEX IF NOT EXISTS calls_refused ON calls (began) WHERE " REFUSED ";"
	"CREATE INDEX IF NOT EXISTS calls_room ON calls (room, began);"
	"CREATE INDEX IF NOT EXISTS calls_trunk ON calls (trunk, began);"
	"CREATE INDEX IF NOT EXISTS calls_number ON calls (number, began);"
	"CREATE TABLE IF NOT EXISTS messages (call TEXT NOT NULL, at INTEGER NOT NULL, sent INTEGER NOT NULL, protocol TEXT NOT NULL, "
	"local TEXT NOT NULL, remote TEXT NOT NULL, bytes BLOB NOT NULL);"
	"CREATE INDEX IF NOT EXISTS messages_call ON messages (call);"
	"DELETE FROM messages WHERE call NOT IN (SELECT id FROM calls);"; /* of a call that never left */

struct records {
	sqlite3 *db;
	sqlite3_stmt *statements[S__COUNT];
	uint64_t max_age_ms, max_bytes, bytes;
	uint64_t unsaved; /* written since the last checkpoint */
	struct checkpoint *checkpoint; /* NULL: in memory */
	bool writing; /* a transaction is under way */
};

/* ---- statements ---- */

static int prepare(struct records *s, enum statement which, sqlite3_stmt **ret)
{
	sqlite3_stmt **kept = &s->statements[which];
	if (!*kept && sqlite3_prepare_v3(s->db, sql[which], -1, SQLITE_PREPARE_PERSISTENT, kept, NULL) != SQLITE_OK)
		return database_broken(s->db, sql[which]);
	*ret = *kept;
	return 0;
}

/* Back to how it was prepared; lets go of the texts that were bound. */
static void release(sqlite3_stmt *statement)
{
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
}

static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
	if (text)
		sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

static void bind_bytes(sqlite3_stmt *statement, int at, struct span s)
{
	sqlite3_bind_blob64(statement, at, s.size ? (const void *)s.data : "", s.size, SQLITE_STATIC);
}

/* Runs a statement that returns no rows. A binding that failed shows as a NULL that the table refuses. */
static int finish(struct records *s, sqlite3_stmt *statement)
{
	int step = sqlite3_step(statement);
	int r = step == SQLITE_DONE || step == SQLITE_ROW ? 0 : database_broken(s->db, "calls");
	release(statement);
	return r;
}

static int run(struct records *s, enum statement which)
{
	sqlite3_stmt *statement = NULL;
	int r = prepare(s, which, &statement);
	return r < 0 ? r : finish(s, statement);
}

static int begin(struct records *s)
{
	if (s->writing)
		return 0;
	int r = run(s, S_BEGIN);
	s->writing = r == 0;
	return r;
}

static void save_soon(struct records *s)
{
	if (s->checkpoint && s->unsaved)
		checkpoint_soon(s->checkpoint);
	s->unsaved = 0;
}

int records_flush(struct records *s)
{
	if (!s->writing)
		return 0;
	s->writing = false;
	int r = run(s, S_COMMIT);
	if (r < 0)
		(void)!database_run(s->db, "ROLLBACK");
	if (s->unsaved > CHECKPOINT_BYTES)
		save_soon(s);
	return r;
}

/* ---- life ---- */

static int count_bytes(struct records *s)
{
	sqlite3_stmt *statement = NULL;
	static const char all[] = "SELECT (SELECT coalesce(sum(length(facts) + 200), 0) FROM calls) + "
				  "(SELECT coalesce(sum(length(bytes) + 200), 0) FROM messages)";
	if (sqlite3_prepare_v2(s->db, all, -1, &statement, NULL) != SQLITE_OK)
		return database_broken(s->db, all);
	bool have = sqlite3_step(statement) == SQLITE_ROW;
	s->bytes = have ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
	sqlite3_finalize(statement);
	return have ? 0 : database_broken(s->db, all);
}

int records_open(struct records **ret, const struct records_config *config)
{
	struct records *s = mem_zalloc(sizeof *s);
	if (!s)
		return err_new(-ENOMEM);
	s->max_age_ms = config->max_age_ms;
	s->max_bytes = config->max_bytes;
	int r = database_open(&s->db, config->path, DATABASE_NORMAL, SCHEMA_VERSION);
	/* Checkpoints wait for the disk: they are another thread's. */
	if (r == 0)
		r = database_run(s->db, "PRAGMA wal_autocheckpoint=0");
	if (r == 0)
		r = database_run(s->db, schema);
	if (r == 0)
		r = count_bytes(s);
	if (r == 0 && strcmp(config->path, ":memory:"))
		r = checkpoint_start(&s->checkpoint, config->path);
	if (r < 0) {
		records_close(s);
		return r;
	}
	*ret = s;
	return 0;
}

struct records *records_close(struct records *s)
{
	if (!s)
		return NULL;
	(void)!records_flush(s);
	s->checkpoint = checkpoint_stop(s->checkpoint);
	for (size_t i = 0; i < S__COUNT; ++i)
		sqlite3_finalize(s->statements[i]);
	sqlite3_close(s->db);
	mem_free(s);
	return NULL;
}

uint64_t records_bytes(const struct records *s)
{
	return s->bytes;
}

/* ---- writing ---- */

/* What the facts of a call take; 0 when there is no row. */
static int size_of(struct records *s, const char *id, uint64_t *ret)
{
	sqlite3_stmt *statement = NULL;
	int r = prepare(s, S_SIZE, &statement);
	if (r < 0)
		return r;
	bind_text(statement, 1, id);
	*ret = sqlite3_step(statement) == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
	release(statement);
	return 0;
}

static void bind_row(sqlite3_stmt *statement, const struct record_row *row)
{
	bind_text(statement, 1, row->id);
	sqlite3_bind_int64(statement, 2, row->began_ms);
	sqlite3_bind_int64(statement, 3, row->ended_ms);
	bind_text(statement, 4, row->room);
	bind_text(statement, 5, row->trunk);
	bind_text(statement, 6, row->trunk_name);
	bind_text(statement, 7, row->number);
	sqlite3_bind_int(statement, 8, row->failed);
	bind_bytes(statement, 9, row->facts);
}

int records_put(struct records *s, const struct record_row *row)
{
	sqlite3_stmt *statement = NULL;
	uint64_t before = 0;
	int r = begin(s);
	if (r == 0)
		r = size_of(s, row->id, &before);
	if (r == 0)
		r = prepare(s, S_PUT, &statement);
	if (r < 0)
		return r;
	bind_row(statement, row);
	r = finish(s, statement);
	if (r == 0)
		s->bytes += row->facts.size + ROW_COST - before;
	s->unsaved += row->facts.size + ROW_COST;
	return r;
}

int records_add_message(struct records *s, const char *id, const struct record_message *m)
{
	sqlite3_stmt *statement = NULL;
	int r = begin(s);
	if (r == 0)
		r = prepare(s, S_ADD, &statement);
	if (r < 0)
		return r;
	bind_text(statement, 1, id);
	sqlite3_bind_int64(statement, 2, m->at_us);
	sqlite3_bind_int(statement, 3, m->sent);
	bind_text(statement, 4, m->protocol);
	bind_text(statement, 5, m->local);
	bind_text(statement, 6, m->remote);
	bind_bytes(statement, 7, m->bytes);
	r = finish(s, statement);
	if (r == 0)
		s->bytes += m->bytes.size + ROW_COST;
	s->unsaved += m->bytes.size + ROW_COST;
	return r;
}

/* ---- reading ---- */

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
	release(statement);
	return r < 0 ? r : 0;
}

int records_each(struct records *s, const struct record_filter *f, int (*row)(void *, const struct record_row *),
	void *owner)
{
	sqlite3_stmt *statement = NULL;
	size_t count = 0;
	int r = prepare(s, S_LIST, &statement);
	if (r < 0)
		return r;
	bind_text(statement, 1, f->room);
	bind_text(statement, 2, f->trunk);
	bind_text(statement, 3, f->number);
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
	int r = prepare(s, S_OPEN, &statement);
	return r < 0 ? r : each_row(s, statement, row, owner, &count);
}

int records_get(struct records *s, const char *id, int (*row)(void *, const struct record_row *), void *owner)
{
	sqlite3_stmt *statement = NULL;
	size_t count = 0;
	int r = prepare(s, S_GET, &statement);
	if (r < 0)
		return r;
	bind_text(statement, 1, id);
	r = each_row(s, statement, row, owner, &count);
	return r < 0 ? r : count ? 0 : RECORDS_E_NOT_FOUND;
}

int records_each_message(struct records *s, const char *id, int (*message)(void *, const struct record_message *),
	void *owner)
{
	sqlite3_stmt *statement = NULL;
	int step = SQLITE_DONE, r = prepare(s, S_MESSAGES, &statement);
	if (r < 0)
		return r;
	bind_text(statement, 1, id);
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
	release(statement);
	return r < 0 ? r : 0;
}

/* ---- tidying ---- */

struct oldest {
	char id[64];
	int64_t began_ms;
	bool found;
};

static int find_oldest(struct records *s, struct oldest *ret)
{
	sqlite3_stmt *statement = NULL;
	int r = prepare(s, S_OLDEST, &statement);
	if (r < 0)
		return r;
	ret->found = sqlite3_step(statement) == SQLITE_ROW;
	if (ret->found) {
		snprintf(ret->id, sizeof ret->id, "%s", column_text(statement, 0));
		ret->began_ms = sqlite3_column_int64(statement, 1);
	}
	release(statement);
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
	int r = prepare(s, S_REFUSED_OVER, &statement);
	if (r < 0)
		return r;
	sqlite3_bind_int(statement, 1, refused_most(s));
	ret->found = sqlite3_step(statement) == SQLITE_ROW;
	if (ret->found)
		snprintf(ret->id, sizeof ret->id, "%s", column_text(statement, 0));
	release(statement);
	return 0;
}

static int delete_by_id(struct records *s, enum statement which, const char *id)
{
	sqlite3_stmt *statement = NULL;
	int r = prepare(s, which, &statement);
	if (r < 0)
		return r;
	bind_text(statement, 1, id);
	return finish(s, statement);
}

static int add_size(void *owner, const struct record_message *m)
{
	*(uint64_t *)owner += m->bytes.size + ROW_COST;
	return 0;
}

static int delete_call(struct records *s, const char *id)
{
	uint64_t facts = 0, messages = 0;
	int r = begin(s);
	if (r == 0)
		r = size_of(s, id, &facts);
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

int records_tidy(struct records *s, int64_t now_ms, bool *more)
{
	int r = 0, deleted = 0;
	*more = false;
	save_soon(s);
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
	if (r == 0 && deleted) {
		*more = deleted == TIDY_CALLS;
		char vacuum[64];
		r = records_flush(s);
		snprintf(vacuum, sizeof vacuum, "PRAGMA incremental_vacuum(%d)", TIDY_PAGES);
		if (r == 0)
			r = database_run(s->db, vacuum);
	}
	return r;
}

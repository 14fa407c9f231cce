#include "store/records_private.h"

#include "base/err.h"
#include "base/mem.h"
#include "store/checkpoint.h"
#include "store/record_entry.h"

#include <errno.h>

enum {
	SCHEMA_VERSION = 1,
	CHECKPOINT_BYTES = 4 << 20,
	PENDING_BYTES = 1 << 20,     /* collected for one transaction */
	PENDING_MAX_BYTES = 8 << 20, /* kept while somebody else holds the file; lost beyond */
};

#define REFUSED "id GLOB '" RECORDS_REFUSED_PREFIX "*'"
#define COLUMNS "id, began, ended, room, trunk, trunk_name, number, failed, facts"

/* `must` names the index to look in; a condition that may be NULL names none, and all rows are read. */
#define LIST(must)                                                                                                 \
	"SELECT " COLUMNS " FROM calls WHERE " must " (?1 IS NULL OR room = ?1) AND (?2 IS NULL OR trunk = ?2 OR " \
	"trunk_name = ?2) AND (?3 IS NULL OR number = ?3) AND began >= ?4 AND began < ?5 AND failed >= ?6 "        \
	"AND (?8 = 0 OR " REFUSED ") ORDER BY began DESC, rowid DESC LIMIT ?7"

static const char *const sql[S__COUNT] = {
	[S_BEGIN] = "BEGIN IMMEDIATE",
	[S_COMMIT] = "COMMIT",
	[S_PUT] = "INSERT INTO calls (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO UPDATE SET "
		  "ended = ?3, room = ?4, trunk = ?5, trunk_name = ?6, number = ?7, failed = ?8, facts = ?9",
	[S_SIZE] = "SELECT length(facts) + 200 FROM calls WHERE id = ?1", /* RECORD_ROW_COST */
	[S_ADD] = "INSERT INTO messages (call, at, sent, protocol, local, remote, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[S_LIST] = LIST(""),
	[S_LIST_NUMBER] = LIST("number = ?3 AND"),
	[S_LIST_ROOM] = LIST("room = ?1 AND"),
	[S_LIST_REFUSED] = LIST(REFUSED " AND"),
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

/* ---- statements ---- */

int records_prepare(struct records *s, enum statement which, sqlite3_stmt **ret)
{
	sqlite3_stmt **kept = &s->statements[which];
	if (!*kept && sqlite3_prepare_v3(s->db, sql[which], -1, SQLITE_PREPARE_PERSISTENT, kept, NULL) != SQLITE_OK)
		return database_broken(s->db, sql[which]);
	*ret = *kept;
	return 0;
}

void records_release(sqlite3_stmt *statement)
{
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
}

void records_bind_text(sqlite3_stmt *statement, int at, const char *text)
{
	if (text)
		sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

static void bind_bytes(sqlite3_stmt *statement, int at, struct span s)
{
	sqlite3_bind_blob64(statement, at, s.size ? (const void *)s.data : "", s.size, SQLITE_STATIC);
}

int records_finish(struct records *s, sqlite3_stmt *statement)
{
	int step = sqlite3_step(statement);
	int r = step == SQLITE_DONE || step == SQLITE_ROW ? 0 : database_broken(s->db, "calls");
	records_release(statement);
	return r;
}

int records_run(struct records *s, enum statement which)
{
	sqlite3_stmt *statement = NULL;
	int r = records_prepare(s, which, &statement);
	return r < 0 ? r : records_finish(s, statement);
}

void records_save_soon(struct records *s)
{
	if (s->checkpoint && s->unsaved)
		checkpoint_soon(s->checkpoint);
	s->unsaved = 0;
}

/* ---- writing ---- */

int records_size_of(struct records *s, const char *id, uint64_t *ret)
{
	sqlite3_stmt *statement = NULL;
	int r = records_prepare(s, S_SIZE, &statement);
	if (r < 0)
		return r;
	records_bind_text(statement, 1, id);
	*ret = sqlite3_step(statement) == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
	records_release(statement);
	return 0;
}

static void bind_row(sqlite3_stmt *statement, const struct record_row *row)
{
	records_bind_text(statement, 1, row->id);
	sqlite3_bind_int64(statement, 2, row->began_ms);
	sqlite3_bind_int64(statement, 3, row->ended_ms);
	records_bind_text(statement, 4, row->room);
	records_bind_text(statement, 5, row->trunk);
	records_bind_text(statement, 6, row->trunk_name);
	records_bind_text(statement, 7, row->number);
	sqlite3_bind_int(statement, 8, row->failed);
	bind_bytes(statement, 9, row->facts);
}

static int write_row(struct records *s, const struct record_row *row)
{
	sqlite3_stmt *statement = NULL;
	uint64_t before = 0;
	int r = records_size_of(s, row->id, &before);
	if (r == 0)
		r = records_prepare(s, S_PUT, &statement);
	if (r < 0)
		return r;
	bind_row(statement, row);
	r = records_finish(s, statement);
	if (r == 0)
		s->bytes += row->facts.size + RECORD_ROW_COST - before;
	return r;
}

static int write_message(struct records *s, const char *id, const struct record_message *m)
{
	sqlite3_stmt *statement = NULL;
	int r = records_prepare(s, S_ADD, &statement);
	if (r < 0)
		return r;
	records_bind_text(statement, 1, id);
	sqlite3_bind_int64(statement, 2, m->at_us);
	sqlite3_bind_int(statement, 3, m->sent);
	records_bind_text(statement, 4, m->protocol);
	records_bind_text(statement, 5, m->local);
	records_bind_text(statement, 6, m->remote);
	bind_bytes(statement, 7, m->bytes);
	r = records_finish(s, statement);
	if (r == 0)
		s->bytes += m->bytes.size + RECORD_ROW_COST;
	return r;
}

static int write_entries(struct records *s)
{
	int r = 0;
	while (!list_empty(&s->pending)) {
		struct record_entry *e = list_first(&s->pending, struct record_entry, link);
		if (r == 0)
			r = e->is_row ? write_row(s, &e->row) : write_message(s, e->row.id, &e->message);
		record_entry_free(e);
	}
	s->unsaved += s->pending_bytes;
	s->pending_bytes = 0;
	return r;
}

static void drop_entries(struct records *s)
{
	while (!list_empty(&s->pending))
		record_entry_free(list_first(&s->pending, struct record_entry, link));
	s->pending_bytes = 0;
}

int records_begin(struct records *s)
{
	s->bytes_before = s->bytes;
	return records_run(s, S_BEGIN);
}

int records_end_transaction(struct records *s, int r)
{
	if (r == 0)
		r = records_run(s, S_COMMIT);
	if (r < 0) {
		s->bytes = s->bytes_before;
		(void)!database_run(s->db, "ROLLBACK");
	}
	return r;
}

int records_flush(struct records *s)
{
	if (list_empty(&s->pending))
		return 0;
	int r = records_begin(s);
	if (r == 0)
		r = records_end_transaction(s, write_entries(s));
	else if (s->pending_bytes > PENDING_MAX_BYTES)
		drop_entries(s);
	/* While the file is held it is tried again with each megabyte, and by the owner's timer. */
	s->flush_at_bytes = s->pending_bytes + PENDING_BYTES;
	if (s->unsaved > CHECKPOINT_BYTES)
		records_save_soon(s);
	return r;
}

static int add(struct records *s, struct record_entry *e)
{
	if (!e)
		return err_new(-ENOMEM);
	list_add(&s->pending, &e->link);
	s->pending_bytes += e->size;
	return s->pending_bytes > s->flush_at_bytes ? records_flush(s) : 0;
}

int records_put(struct records *s, const struct record_row *row)
{
	return add(s, record_entry_of_row(row));
}

int records_add_message(struct records *s, const char *id, const struct record_message *m)
{
	return add(s, record_entry_of_message(id, m));
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
	list_init(&s->pending);
	s->flush_at_bytes = PENDING_BYTES;
	s->max_age_ms = config->max_age_ms;
	s->max_bytes = config->max_bytes;
	int r = database_open(&s->db, config->path, DATABASE_NORMAL, SCHEMA_VERSION);
	/* Checkpoints wait for the disk: they are another thread's. What they are through with is
	 * written over from its beginning, and cut to this size then. */
	if (r == 0)
		r = database_run(s->db, "PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=8388608");
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
	sqlite3_busy_timeout(s->db, 0); /* calls do not wait for somebody else's program that writes */
	*ret = s;
	return 0;
}

struct records *records_close(struct records *s)
{
	if (!s)
		return NULL;
	(void)!records_flush(s);
	drop_entries(s);
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

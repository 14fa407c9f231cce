#include "store/store.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>

/* Raised when the meaning of what is kept changes; a file of a newer program is not touched. */
enum { SCHEMA_VERSION = 1, BUSY_WAIT_MS = 5000, SQL_SIZE = 256 };

struct store {
	sqlite3 *db;
};

static int broken(struct store *s, const char *what)
{
	log_error("store", "%s: %s", what, s->db ? sqlite3_errmsg(s->db) : "out of memory");
	return err_new(-EIO);
}

static int run(struct store *s, const char *sql)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : broken(s, sql);
}

static int read_version(struct store *s, int *version)
{
	sqlite3_stmt *statement = NULL;
	if (sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &statement, NULL) != SQLITE_OK)
		return broken(s, "read the schema version");
	bool have = sqlite3_step(statement) == SQLITE_ROW;
	*version = have ? sqlite3_column_int(statement, 0) : 0;
	sqlite3_finalize(statement);
	return have ? 0 : broken(s, "read the schema version");
}

static int check_version(struct store *s)
{
	int version, r = read_version(s, &version);
	if (r < 0)
		return r;
	if (version > SCHEMA_VERSION) {
		log_error("store", "the file has schema version %d; this program knows up to %d",
			version, SCHEMA_VERSION);
		return err_new(-EPROTO);
	}
	char sql[64];
	snprintf(sql, sizeof sql, "PRAGMA user_version=%d", SCHEMA_VERSION);
	return version == SCHEMA_VERSION ? 0 : run(s, sql);
}

static int set_up(struct store *s)
{
	int r;

	sqlite3_busy_timeout(s->db, BUSY_WAIT_MS);
	if ((r = run(s, "PRAGMA journal_mode=WAL")) < 0)
		return r;
	/* FULL: a commit in the WAL is on the disk before it is acknowledged. */
	if ((r = run(s, "PRAGMA synchronous=FULL")) < 0)
		return r;
	return check_version(s);
}

int store_open(struct store **ret, const char *path)
{
	assert(ret && path);

	struct store *s = mem_zalloc(sizeof *s);
	if (!s)
		return err_new(-ENOMEM);

	int r = 0;
	if (sqlite3_open(path, &s->db) != SQLITE_OK)
		r = broken(s, path);
	if (r == 0)
		r = set_up(s);
	if (r < 0) {
		store_close(s);
		return r;
	}
	*ret = s;
	return 0;
}

struct store *store_close(struct store *s)
{
	if (!s)
		return NULL;
	sqlite3_close(s->db);
	mem_free(s);
	return NULL;
}

/* Table names go into SQL as text, so they come from our own code only. */
static bool is_table_name(const char *name)
{
	if (!*name)
		return false;
	for (const char *c = name; *c; ++c)
		if (!((*c >= 'a' && *c <= 'z') || *c == '_'))
			return false;
	return strlen(name) < 64;
}

static int create_table(struct store *s, const char *table)
{
	char sql[SQL_SIZE];
	assert(is_table_name(table));
	snprintf(sql, sizeof sql,
		"CREATE TABLE IF NOT EXISTS %s (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
		table);
	return run(s, sql);
}

static int prepare(struct store *s, sqlite3_stmt **statement, const char *format, const char *table)
{
	char sql[SQL_SIZE];
	int r = create_table(s, table);
	if (r < 0)
		return r;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(sql, sizeof sql, format, table);
#pragma GCC diagnostic pop
	if (sqlite3_prepare_v2(s->db, sql, -1, statement, NULL) != SQLITE_OK)
		return broken(s, sql);
	return 0;
}

static int finish(struct store *s, sqlite3_stmt *statement)
{
	int step = sqlite3_step(statement);
	int r = step == SQLITE_DONE ? 0 : broken(s, "write");
	sqlite3_finalize(statement);
	return r;
}

int store_put(struct store *s, const char *table, const char *key, struct span value)
{
	sqlite3_stmt *statement = NULL;
	int r = prepare(s, &statement, "INSERT OR REPLACE INTO %s VALUES (?, ?)", table);
	if (r < 0)
		return r;
	if (sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC) != SQLITE_OK ||
		sqlite3_bind_blob64(statement, 2, value.size ? (const void *)value.data : "",
			value.size, SQLITE_STATIC) != SQLITE_OK) {
		sqlite3_finalize(statement);
		return broken(s, "bind");
	}
	return finish(s, statement);
}

int store_delete(struct store *s, const char *table, const char *key)
{
	sqlite3_stmt *statement = NULL;
	int r = prepare(s, &statement, "DELETE FROM %s WHERE key = ?", table);
	if (r < 0)
		return r;
	if (sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC) != SQLITE_OK) {
		sqlite3_finalize(statement);
		return broken(s, "bind");
	}
	return finish(s, statement);
}

int store_each(struct store *s, const char *table,
	int (*row)(void *owner, const char *key, struct span value), void *owner)
{
	sqlite3_stmt *statement = NULL;
	int step = SQLITE_ROW, r = prepare(s, &statement, "SELECT key, value FROM %s ORDER BY key", table);
	while (r == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
		const void *value = sqlite3_column_blob(statement, 1);
		int size = sqlite3_column_bytes(statement, 1);
		r = row(owner, (const char *)sqlite3_column_text(statement, 0),
			span_of(value, (size_t)size));
	}
	if (r == 0 && step != SQLITE_DONE)
		r = broken(s, "read");
	sqlite3_finalize(statement);
	return r < 0 ? r : 0;
}

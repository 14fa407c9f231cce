#include "store/store.h"

#include "base/err.h"
#include "base/mem.h"
#include "store/database.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

/* Raised when the meaning of what is kept changes; a file of a newer program is not touched. */
enum { SCHEMA_VERSION = 1, SQL_SIZE = 256 };

struct store {
	sqlite3 *db;
};

int store_open(struct store **ret, const char *path)
{
	assert(ret && path);

	struct store *s = mem_zalloc(sizeof *s);
	if (!s)
		return err_new(-ENOMEM);

	/* A trunk that was acknowledged is on the disk. */
	int r = database_open(&s->db, path, DATABASE_FULL, SCHEMA_VERSION);
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
	return database_run(s->db, sql);
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
		return database_broken(s->db, sql);
	return 0;
}

static int finish(struct store *s, sqlite3_stmt *statement)
{
	int step = sqlite3_step(statement);
	int r = step == SQLITE_DONE ? 0 : database_broken(s->db, "write");
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
		return database_broken(s->db, "bind");
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
		return database_broken(s->db, "bind");
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
		r = database_broken(s->db, "read");
	sqlite3_finalize(statement);
	return r < 0 ? r : 0;
}

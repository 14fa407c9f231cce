#include "store/database.h"

#include "base/err.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>

enum { BUSY_WAIT_MS = 5000 };

int database_broken(sqlite3 *db, const char *what)
{
	log_error("store", "%s: %s", what, db ? sqlite3_errmsg(db) : "out of memory");
	return err_new(-EIO);
}

int database_run(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : database_broken(db, sql);
}

static int read_version(sqlite3 *db, int *version)
{
	sqlite3_stmt *statement = NULL;
	if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, NULL) != SQLITE_OK)
		return database_broken(db, "read the schema version");
	bool have = sqlite3_step(statement) == SQLITE_ROW;
	*version = have ? sqlite3_column_int(statement, 0) : 0;
	sqlite3_finalize(statement);
	return have ? 0 : database_broken(db, "read the schema version");
}

static int check_version(sqlite3 *db, int wanted)
{
	int version, r = read_version(db, &version);
	if (r < 0)
		return r;
	if (version > wanted) {
		log_error("store", "the file has schema version %d; this program knows up to %d", version, wanted);
		return err_new(-EPROTO);
	}
	char sql[64];
	snprintf(sql, sizeof sql, "PRAGMA user_version=%d", wanted);
	return version == wanted ? 0 : database_run(db, sql);
}

static int set_up(sqlite3 *db, enum database_safety safety, int version)
{
	sqlite3_busy_timeout(db, BUSY_WAIT_MS);
	/* Counts only before the first table: room of what is deleted can be given back. */
	int r = database_run(db, "PRAGMA auto_vacuum=INCREMENTAL");
	if (r == 0)
		r = database_run(db, "PRAGMA journal_mode=WAL");
	if (r == 0)
		r = database_run(db, safety == DATABASE_FULL ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
	return r < 0 ? r : check_version(db, version);
}

int database_open(sqlite3 **ret, const char *path, enum database_safety safety, int version)
{
	sqlite3 *db = NULL;
	int r = sqlite3_open(path, &db) == SQLITE_OK ? 0 : database_broken(db, path);
	if (r == 0)
		r = set_up(db, safety, version);
	if (r < 0) {
		sqlite3_close(db);
		db = NULL;
	}
	*ret = db;
	return r;
}

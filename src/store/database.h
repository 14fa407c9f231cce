/* store/database.h - what the stores of this folder share of SQLite. Private to store/.
 *
 * Owner:   the store. Owns: nothing. Thread: its owner's.
 */
#pragma once

#include "base/base.h"

#include <sqlite3.h>

enum database_safety {
	DATABASE_FULL,   /* what was acknowledged is on the disk */
	DATABASE_NORMAL, /* ... is with the kernel: kill -9 takes nothing, a power cut the last moments */
};

/* Opens or makes the file in WAL mode. A file of a newer version is not touched: -EPROTO. On failure *ret
 * is NULL. */
MUST_USE int database_open(sqlite3 **ret, const char *path, enum database_safety safety, int version);
MUST_USE int database_run(sqlite3 *db, const char *sql);
int database_broken(sqlite3 *db, const char *what); /* logs it; returns -EIO */

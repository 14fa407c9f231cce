/* store/store.h - what must survive a restart and kill -9: named blobs in tables, in one SQLite
 * file (WAL, synchronous=FULL: a trunk that was acknowledged is on the disk).
 *
 * Owner:   the server. Owns: the database handle. Thread: the control thread.
 */
#pragma once

#include "base/base.h"

struct store;

MUST_USE int store_open(struct store **ret, const char *path); /* ":memory:" for tests */
struct store *store_close(struct store *s);
MUST_USE int store_put(struct store *s, const char *table, const char *key, struct span value);
MUST_USE int store_delete(struct store *s, const char *table, const char *key);
/* Every row, by key; `row` returns <0 to stop, which is passed up. */
MUST_USE int store_each(struct store *s, const char *table,
	int (*row)(void *owner, const char *key, struct span value), void *owner);

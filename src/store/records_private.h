/* store/records_private.h - what the files of the records share: records.c (life, statements, writing),
 * records_read.c, records_tidy.c.
 *
 * Owner:   the server, by store/records.h. Owns: what is said there, and what waits to be written.
 * Thread:  the control thread.
 */
#pragma once

#include "base/list.h"
#include "store/database.h"
#include "store/records.h"

enum {
	RECORD_ROW_COST = 200, /* bytes of a row besides its texts: keys, indexes */
};

/* One for each kind of sentence, made when it is first needed. */
enum statement {
	S_BEGIN,
	S_COMMIT,
	S_PUT,
	S_SIZE,
	S_ADD,
	S_LIST,
	S_LIST_NUMBER,
	S_LIST_ROOM,
	S_LIST_REFUSED,
	S_OPEN,
	S_GET,
	S_MESSAGES,
	S_OLDEST,
	S_REFUSED_OVER,
	S_DELETE,
	S_DELETE_MESSAGES,
	S__COUNT,
};

struct records {
	sqlite3 *db;
	sqlite3_stmt *statements[S__COUNT];
	uint64_t max_age_ms, max_bytes, bytes;
	uint64_t unsaved; /* written since the last checkpoint */
	struct checkpoint *checkpoint; /* NULL: in memory */
	struct list pending; /* struct record_entry: for the next transaction */
	size_t pending_bytes, flush_at_bytes;
	uint64_t bytes_before; /* the transaction under way */
};

MUST_USE int records_prepare(struct records *s, enum statement which, sqlite3_stmt **ret);
/* Back to how it was prepared; lets go of the texts that were bound. */
void records_release(sqlite3_stmt *statement);
void records_bind_text(sqlite3_stmt *statement, int at, const char *text); /* NULL: as NULL */
/* Runs a statement that returns no rows. A binding that failed shows as a NULL that the table refuses. */
MUST_USE int records_finish(struct records *s, sqlite3_stmt *statement);
MUST_USE int records_run(struct records *s, enum statement which);
/* Never waits: -EIO while somebody else writes into the file. */
MUST_USE int records_begin(struct records *s);
/* Commits what went well (0), takes back what did not; returns `r`, or that it could not be committed. */
MUST_USE int records_end_transaction(struct records *s, int r);
/* What the facts of a call take; 0 when there is no row. */
MUST_USE int records_size_of(struct records *s, const char *id, uint64_t *ret);
void records_save_soon(struct records *s); /* asks for a checkpoint, if there is something for it */

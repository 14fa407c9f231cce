/* store/records.h - what is kept of each phone call: its facts, found by time, room, trunk and number, and
 * the SIP messages of it. One SQLite file of its own (WAL, synchronous=NORMAL: a commit is a write to the
 * kernel, which outlives kill -9; a power cut may take the last moments, never the file).
 *
 * Owner:   the server. Owns: the database handle, the transaction under way, the thread of checkpoints.
 * Thread:  the control thread. Nothing here waits for the disk: that is the other thread's part.
 * Life:    what is put is collected in one transaction and written by records_flush(), when the owner
 *          says so: its end, or its timer. Readers see all of it before.
 * Words:   "facts" is the JSON that is shown of a call; the store does not look into it.
 */
#pragma once

#include "base/base.h"

struct records;

struct records_config {
	const char *path;    /* ":memory:" for tests */
	uint64_t max_age_ms; /* ended calls older than this go; 0 = never */
	uint64_t max_bytes;  /* of facts and messages together: the oldest go; 0 = no limit */
};
MUST_USE int records_open(struct records **ret, const struct records_config *config);
struct records *records_close(struct records *s); /* flushes; takes NULL */

/* Of ids of attempts that were no calls. There are at most LIMIT_REFUSED_RECORDS of them, fewer where
 * max_bytes is small: the oldest go, so that they push no call out. */
#define RECORDS_REFUSED_PREFIX "SRF_"

struct record_row {
	const char *id;
	int64_t began_ms, ended_ms; /* Unix time; ended_ms 0 = still up */
	const char *room, *trunk, *trunk_name, *number;
	bool failed;
	struct span facts;
};
/* Makes or replaces a call's row. */
MUST_USE int records_put(struct records *s, const struct record_row *row);

struct record_message {
	int64_t at_us; /* Unix time */
	bool sent;
	const char *protocol, *local, *remote; /* "UDP", "192.0.2.1:5060" */
	struct span bytes;
};
/* In order of adding. Of a call that never gets a row they go when the file is opened next. */
MUST_USE int records_add_message(struct records *s, const char *id, const struct record_message *m);
/* -EIO: not now, because somebody else writes (it is kept, up to 8 MB), or lost; the log says which. */
MUST_USE int records_flush(struct records *s);

struct record_filter {
	const char *room, *trunk, *number; /* NULL = any; trunk by id or name */
	int64_t since_ms, before_ms;       /* 0 = no bound */
	bool failed, refused;              /* only those */
	uint32_t limit;
};
/* Newest first. `row` returns <0 to stop, which is passed up; what it is given is gone afterwards. */
MUST_USE int records_each(struct records *s, const struct record_filter *filter,
	int (*row)(void *owner, const struct record_row *row), void *owner);
/* Those without an end, oldest first: after a crash. */
MUST_USE int records_each_open(struct records *s, int (*row)(void *owner, const struct record_row *row), void *owner);
/* Outcome of records_get(). */
enum {
	RECORDS_E_NOT_FOUND = 1,
};
MUST_USE int records_get(struct records *s, const char *id, int (*row)(void *owner, const struct record_row *row),
	void *owner);
MUST_USE int records_each_message(struct records *s, const char *id,
	int (*message)(void *owner, const struct record_message *m), void *owner);

/* Deletes what is too old or too much, a bounded piece at a time: true in *more when there is more. */
MUST_USE int records_tidy(struct records *s, int64_t now_ms, bool *more);
uint64_t records_bytes(const struct records *s); /* what is written takes */

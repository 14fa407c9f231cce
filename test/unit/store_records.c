#include "store/records.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "test/check.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void put(struct records *s, const char *id, int64_t began, int64_t ended, const char *room, const char *number, bool failed)
{
	char facts[64];
	snprintf(facts, sizeof facts, "{\"id\":\"%s\"}", id);
	CHECK_EQ(records_put(s, &(const struct record_row){
				    .id = id, .began_ms = began, .ended_ms = ended, .room = room, .trunk = "ST_1",
				    .trunk_name = "bank", .number = number, .failed = failed, .facts = span_text(facts)}), 0);
}

static void say(struct records *s, const char *id, int64_t at, bool sent, const char *text)
{
	CHECK_EQ(records_add_message(s, id, &(const struct record_message){
					    .at_us = at, .sent = sent, .protocol = "UDP", .local = "127.0.0.1:5060",
					    .remote = "127.0.0.1:5070", .bytes = span_text(text)}), 0);
}

static char seen[2000];

static int on_row(void *owner, const struct record_row *row)
{
	size_t used = strlen(seen);
	snprintf(seen + used, sizeof seen - used, "%s%s ", row->id, row->ended_ms ? "" : "?");
	CHECK(row->facts.size > 6 && !memcmp(row->facts.data, "{\"id\":", 6));
	return 0;
}

static int on_message(void *owner, const struct record_message *m)
{
	size_t used = strlen(seen);
	snprintf(seen + used, sizeof seen - used, "%s%.*s@%d ", m->sent ? ">" : "<", (int)m->bytes.size, m->bytes.data, (int)m->at_us);
	CHECK_STR(m->remote, "127.0.0.1:5070");
	return 0;
}

static const char *list(struct records *s, struct record_filter f)
{
	seen[0] = 0;
	if (!f.limit)
		f.limit = 100;
	CHECK_EQ(records_each(s, &f, on_row, NULL), 0);
	return seen;
}

static const char *messages(struct records *s, const char *id)
{
	seen[0] = 0;
	CHECK_EQ(records_each_message(s, id, on_message, NULL), 0);
	return seen;
}

static struct records *open_store(const char *path, uint64_t max_age_ms, uint64_t max_bytes)
{
	struct records *s = NULL;
	CHECK_EQ(records_open(&s, &(const struct records_config){path, max_age_ms, max_bytes}), 0);
	return s;
}

static void calls_are_found_by_what_they_are(void)
{
	struct records *s = open_store(":memory:", 0, 0);
	CHECK_STR(list(s, (struct record_filter){0}), "");
	put(s, "a", 1000, 2000, "red", "+1", false);
	put(s, "b", 2000, 0, "red", "+2", false);
	put(s, "c", 3000, 3500, "blue", "+1", true);
	CHECK_STR(list(s, (struct record_filter){0}), "c b? a ");
	CHECK_STR(list(s, (struct record_filter){.limit = 1}), "c ");
	CHECK_STR(list(s, (struct record_filter){.room = "red"}), "b? a ");
	CHECK_STR(list(s, (struct record_filter){.number = "+1"}), "c a ");
	CHECK_STR(list(s, (struct record_filter){.trunk = "bank"}), "c b? a ");
	CHECK_STR(list(s, (struct record_filter){.trunk = "ST_1", .failed = true}), "c ");
	CHECK_STR(list(s, (struct record_filter){.trunk = "ST_2"}), "");
	CHECK_STR(list(s, (struct record_filter){.since_ms = 2000, .before_ms = 3000}), "b? ");
	seen[0] = 0;
	CHECK_EQ(records_each_open(s, on_row, NULL), 0);
	CHECK_STR(seen, "b? ");
	put(s, "b", 2000, 2500, "red", "+2", true);
	CHECK_STR(list(s, (struct record_filter){.failed = true}), "c b ");
	CHECK_EQ(records_get(s, "zz", on_row, NULL), RECORDS_E_NOT_FOUND);
	seen[0] = 0;
	CHECK_EQ(records_get(s, "b", on_row, NULL), 0);
	CHECK_STR(seen, "b ");
	say(s, "a", 1, true, "INVITE");
	say(s, "b", 2, true, "INVITE");
	say(s, "a", 3, false, "200");
	CHECK_STR(messages(s, "a"), ">INVITE@1 <200@3 ");
	CHECK_STR(messages(s, "zz"), "");
	records_close(s);
	CHECK_EQ(mem_live(), 0);
}

static void refused_attempts_push_no_call_out(void)
{
	enum { ALL = LIMIT_REFUSED_RECORDS + 200 };
	bool more = true;
	struct records *s = open_store(":memory:", 0, 100 << 20), *small = open_store(":memory:", 0, 64 << 10);
	put(s, "SCL_real", 1, 2, "r", "+1", false);
	put(small, "SCL_real", 1, 2, "r", "+1", false);
	for (int i = 0; i < ALL; ++i) {
		char id[16];
		snprintf(id, sizeof id, "SRF_%04d", i);
		put(s, id, 10 + i, 10 + i, "r", "+1", true);
		put(small, id, 10 + i, 10 + i, "r", "+1", true);
	}
	while (more)
		CHECK_EQ(records_tidy(s, 5000, &more), 0);
	for (more = true; more;)
		CHECK_EQ(records_tidy(small, 5000, &more), 0);
	CHECK_STR(list(s, (struct record_filter){.refused = true, .limit = 1}), "SRF_1199 ");
	CHECK_STR(list(s, (struct record_filter){.before_ms = 10 + 201}), "SRF_0200 SCL_real ");
	CHECK_STR(list(small, (struct record_filter){.before_ms = 10 + ALL - 7}), "SRF_1192 SCL_real ");
	records_close(s);
	records_close(small);
	CHECK_EQ(mem_live(), 0);
}

static void old_ones_and_too_many_go(void)
{
	bool more;
	struct records *s = open_store(":memory:", 1000, 0);
	put(s, "a", 1000, 1100, "r", "+1", false);
	say(s, "a", 1, true, "INVITE");
	put(s, "up", 1001, 0, "r", "+1", false); /* is up: stays */
	put(s, "b", 2000, 2100, "r", "+1", false);
	CHECK_EQ(records_tidy(s, 2500, &more), 0);
	CHECK(!more);
	CHECK_STR(list(s, (struct record_filter){0}), "b up? ");
	CHECK_STR(messages(s, "a"), "");
	records_close(s);

	s = open_store(":memory:", 0, 20000);
	for (int i = 0; i < 200; ++i) {
		char id[16];
		snprintf(id, sizeof id, "c%03d", i);
		put(s, id, i, i + 1, "r", "+1", false);
		say(s, id, i, true, "INVITE");
	}
	CHECK_EQ(records_flush(s), 0);
	CHECK(records_bytes(s) > 20000);
	int rounds = 0;
	do {
		CHECK_EQ(records_tidy(s, 0, &more), 0);
		CHECK(++rounds < 10);
	} while (more);
	CHECK(rounds > 1 && records_bytes(s) <= 20000 && records_bytes(s) > 18000);
	CHECK_STR(list(s, (struct record_filter){.limit = 1}), "c199 ");
	CHECK_STR(messages(s, "c000"), "");
	CHECK_STR(messages(s, "c199"), ">INVITE@199 ");
	records_close(s);
}

static void the_size_is_known_after_a_restart(void)
{
	char folder[] = "/tmp/ringdown-records-XXXXXX", path[64], command[128];
	CHECK(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/calls.db", folder);
	struct records *s = open_store(path, 0, 0);
	put(s, "a", 1, 2, "r", "+1", false);
	say(s, "a", 1, true, "INVITE");
	CHECK_EQ(records_flush(s), 0);
	uint64_t bytes = records_bytes(s);
	CHECK(bytes > 0);
	bool more;
	CHECK_EQ(records_tidy(s, 0, &more), 0); /* asks for a checkpoint too */
	records_close(s);
	s = open_store(path, 0, 0);
	CHECK_EQ(records_bytes(s), bytes);
	records_close(s);
	snprintf(command, sizeof command, "rm -r %s", folder);
	CHECK_EQ(system(command), 0);
}

/* Writes until it is killed; says each call on the pipe after its flush came back. */
static void write_for_ever(const char *path, int out)
{
	struct records *s = open_store(path, 0, 0);
	for (uint32_t i = 0;; ++i) {
		char id[16];
		snprintf(id, sizeof id, "c%06u", i);
		put(s, id, i, i + 1, "r", "+1", false);
		say(s, id, i, true, "INVITE");
		if (records_flush(s) < 0 || write(out, &i, sizeof i) != sizeof i)
			_exit(1);
	}
}

static int count_row(void *owner, const struct record_row *row)
{
	++*(uint32_t *)owner;
	return 0;
}

static void what_was_flushed_survives_a_kill(void)
{
	char folder[] = "/tmp/ringdown-records-XXXXXX", path[64], command[128];
	int ends[2];
	CHECK(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/calls.db", folder);
	CHECK_EQ(pipe(ends), 0);
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0)
		write_for_ever(path, ends[1]);
	close(ends[1]);
	uint32_t last = 0, count = 0;
	while (last < 200)
		CHECK_EQ(read(ends[0], &last, sizeof last), sizeof last);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	while (read(ends[0], &last, sizeof last) == sizeof last)
		;
	close(ends[0]);
	struct records *s = open_store(path, 0, 0);
	CHECK_EQ(records_each(s, &(const struct record_filter){.limit = UINT32_MAX}, count_row, &count), 0);
	CHECK(count >= last + 1);
	records_close(s);
	snprintf(command, sizeof command, "rm -r %s", folder);
	CHECK_EQ(system(command), 0);
}

/* On disk, in a folder of its own. */
struct place {
	char folder[40], path[64];
};

static struct records *open_at(struct place *at)
{
	snprintf(at->folder, sizeof at->folder, "/tmp/ringdown-records-XXXXXX");
	CHECK(mkdtemp(at->folder));
	snprintf(at->path, sizeof at->path, "%s/calls.db", at->folder);
	return open_store(at->path, 0, 0);
}

static void close_at(struct place *at, struct records *s)
{
	char command[128];
	records_close(s);
	snprintf(command, sizeof command, "rm -r %s", at->folder);
	CHECK_EQ(system(command), 0);
}

static long log_size(const struct place *at)
{
	char path[80];
	struct stat st;
	snprintf(path, sizeof path, "%s-wal", at->path);
	return stat(path, &st) == 0 ? st.st_size : 0;
}

/* The log is written over from its beginning although there is never a pause of more than a millisecond. */
static void the_log_does_not_grow_for_ever(void)
{
	enum { BIG = 12 << 20 };
	static char text[16000];
	struct place at;
	struct records *s = open_at(&at);
	long most = 0;
	memset(text, 'x', sizeof text - 1);
	for (unsigned i = 0; most < BIG; ++i) {
		say(s, "a", i, true, text);
		CHECK_EQ(records_flush(s), 0);
		most = log_size(&at);
	}
	for (uint64_t end = clock_ms() + 20000; log_size(&at) >= BIG && clock_ms() < end; usleep(1000)) {
		say(s, "a", 0, true, text);
		CHECK_EQ(records_flush(s), 0);
	}
	CHECK(log_size(&at) < BIG);
	close_at(&at, s);
}

/* Somebody looks into the file with a program that writes: calls go on, and nothing is lost. */
static void a_file_that_is_held_waits(void)
{
	struct place at;
	struct records *s = open_at(&at);
	sqlite3 *other = NULL;
	CHECK_EQ(sqlite3_open(at.path, &other), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	uint64_t before = clock_ms();
	put(s, "a", 1, 2, "r", "+1", false);
	say(s, "a", 1, true, "INVITE");
	CHECK(records_flush(s) < 0);
	CHECK(clock_ms() - before < 2000);
	CHECK_EQ(records_bytes(s), 0);
	CHECK_STR(list(s, (struct record_filter){0}), "");
	CHECK_EQ(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	CHECK_STR(list(s, (struct record_filter){0}), "a ");
	CHECK_STR(messages(s, "a"), ">INVITE@1 ");
	sqlite3_close(other);
	close_at(&at, s);
}

/* What is taken back does not count: else the limit of size would drive out calls that are there. */
static void what_is_taken_back_does_not_count(void)
{
	struct place at;
	struct records *s = open_at(&at);
	sqlite3 *other = NULL;
	put(s, "a", 1, 2, "r", "+1", false);
	CHECK_EQ(records_flush(s), 0);
	uint64_t bytes = records_bytes(s);
	CHECK_EQ(sqlite3_open(at.path, &other), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(other, "DROP TABLE messages", NULL, NULL, NULL), SQLITE_OK);
	put(s, "b", 3, 4, "r", "+1", false);
	say(s, "b", 3, true, "INVITE");
	CHECK(records_flush(s) < 0);
	CHECK_EQ(records_bytes(s), bytes);
	CHECK_STR(list(s, (struct record_filter){0}), "a ");
	sqlite3_close(other);
	close_at(&at, s);
}

static void without_memory_it_says_so(void)
{
	struct records *s = NULL;
	mem_fail_after(0);
	CHECK(records_open(&s, &(const struct records_config){":memory:", 0, 0}) < 0);
	mem_fail_after(-1);
	CHECK_EQ(mem_live(), 0);
}

int main(void)
{
	calls_are_found_by_what_they_are();
	refused_attempts_push_no_call_out();
	old_ones_and_too_many_go();
	the_size_is_known_after_a_restart();
	what_was_flushed_survives_a_kill();
	the_log_does_not_grow_for_ever();
	a_file_that_is_held_waits();
	what_is_taken_back_does_not_count();
	without_memory_it_says_so();
	return 0;
}

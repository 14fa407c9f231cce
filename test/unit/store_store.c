#include "store/store.h"

#include "base/mem.h"
#include "test/check.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

struct seen {
	char text[256];
};

static int on_row(void *owner, const char *key, struct span value)
{
	struct seen *s = owner;
	size_t used = strlen(s->text);
	snprintf(s->text + used, sizeof s->text - used, "%s=%.*s;", key, (int)value.size,
		value.size ? (const char *)value.data : "");
	return 0;
}

static const char *all(struct store *s, const char *table)
{
	static struct seen seen;
	seen.text[0] = 0;
	CHECK_EQ(store_each(s, table, on_row, &seen), 0);
	return seen.text;
}

static void rows_come_and_go(void)
{
	struct store *s = NULL;
	CHECK_EQ(store_open(&s, ":memory:"), 0);
	CHECK_STR(all(s, "things"), "");
	CHECK_EQ(store_put(s, "things", "b", span_text("2")), 0);
	CHECK_EQ(store_put(s, "things", "a", span_text("1")), 0);
	CHECK_EQ(store_put(s, "things", "b", span_text("two")), 0);
	CHECK_EQ(store_put(s, "others", "a", (struct span){0}), 0);
	CHECK_STR(all(s, "things"), "a=1;b=two;");
	CHECK_STR(all(s, "others"), "a=;");
	CHECK_EQ(store_delete(s, "things", "a"), 0);
	CHECK_EQ(store_delete(s, "things", "a"), 0);
	CHECK_STR(all(s, "things"), "b=two;");
	store_close(s);
	CHECK_EQ(mem_live(), 0);
}

/* Writes without end until it is killed; says each key on the pipe after store_put() came back. */
static void write_for_ever(const char *path, int out)
{
	struct store *s = NULL;
	if (store_open(&s, path) < 0)
		_exit(1);
	for (uint32_t i = 0;; ++i) {
		char key[16];
		snprintf(key, sizeof key, "%06u", i);
		if (store_put(s, "things", key, span_text(key)) < 0 || write(out, &i, sizeof i) != sizeof i)
			_exit(1);
	}
}

static int count_row(void *owner, const char *key, struct span value)
{
	CHECK(span_is(value, key));
	++*(uint32_t *)owner;
	return 0;
}

static void what_was_acknowledged_survives_a_kill(void)
{
	char folder[] = "/tmp/ringdown-store-XXXXXX", path[64];
	int ends[2];
	CHECK(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/test.db", folder);
	CHECK_EQ(pipe(ends), 0);
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0)
		write_for_ever(path, ends[1]);
	close(ends[1]);
	uint32_t last = 0;
	while (last < 20)
		CHECK_EQ(read(ends[0], &last, sizeof last), sizeof last);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	while (read(ends[0], &last, sizeof last) == sizeof last)
		;
	close(ends[0]);

	struct store *s = NULL;
	uint32_t count = 0;
	CHECK_EQ(store_open(&s, path), 0);
	CHECK_EQ(store_each(s, "things", count_row, &count), 0);
	CHECK(count >= last + 1);
	store_close(s);
	char command[128];
	snprintf(command, sizeof command, "rm -r %s", folder);
	CHECK_EQ(system(command), 0);
}

int main(void)
{
	rows_come_and_go();
	what_was_acknowledged_survives_a_kill();
	return 0;
}

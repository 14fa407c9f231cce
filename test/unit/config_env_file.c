#include "config/env_file.h"

#include "base/mem.h"
#include "test/check.h"

static void lines_are_read(void)
{
	static const char text[] = "# comment\n"
				   "\n"
				   "LIVEKIT_URL=ws://127.0.0.1:7880\r\n"
				   "  export KEY = 'x #y' # why\n"
				   "QUOTED=\"a\\n\\\"b\\\"\"\n"
				   "BARE=value with blanks   # comment\n"
				   "HASH=a#b\n"
				   "EMPTY=\n"
				   "KEY2=1\nKEY2=2\n"
				   "LAST=end";
	struct env e = {.ignore_process = true};
	unsigned line = 0;
	CHECK_EQ(env_parse(&e, span_text(text), &line), 0);
	CHECK_STR(env_get(&e, "LIVEKIT_URL"), "ws://127.0.0.1:7880");
	CHECK_STR(env_get(&e, "KEY"), "x #y");
	CHECK_STR(env_get(&e, "QUOTED"), "a\n\"b\"");
	CHECK_STR(env_get(&e, "BARE"), "value with blanks");
	CHECK_STR(env_get(&e, "HASH"), "a#b");
	CHECK(!env_get(&e, "EMPTY"));
	CHECK_STR(env_get(&e, "KEY2"), "2");
	CHECK_STR(env_get(&e, "LAST"), "end");
	CHECK(!env_get(&e, "NOTHING"));
	env_fini(&e);
	CHECK_EQ(mem_live(), 0);
}

static void mistakes_have_a_line(void)
{
	static const struct {
		const char *text;
		unsigned line;
	} cases[] = {
		{"A=1\nB\n", 2}, {"=1\n", 1}, {"A='open\n", 1}, {"A=1\n\nB=\"x\" y\n", 3}, {"9A=1", 1}, {"A B=1", 1},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct env e = {.ignore_process = true};
		unsigned line = 0;
		CHECK_EQ(env_parse(&e, span_text(cases[i].text), &line), ENV_E_SYNTAX);
		CHECK_EQ(line, cases[i].line);
		env_fini(&e);
	}
	struct env e = {0};
	unsigned line = 0;
	CHECK_EQ(env_load(&e, "/nonexistent/.env", &line), 0);
	env_fini(&e);
}

static void the_environment_wins(void)
{
	struct env e = {0};
	unsigned line = 0;
	CHECK_EQ(env_parse(&e, span_text("RINGDOWN_TEST_A=file\nRINGDOWN_TEST_B=file\n"), &line), 0);
	setenv("RINGDOWN_TEST_A", "process", 1);
	CHECK_STR(env_get(&e, "RINGDOWN_TEST_A"), "process");
	CHECK_STR(env_get(&e, "RINGDOWN_TEST_B"), "file");
	env_fini(&e);
}

static void memory_may_run_out(void)
{
	for (int left = 0;; ++left) {
		struct env e = {.ignore_process = true};
		unsigned line = 0;
		mem_fail_after(left);
		int r = env_parse(&e, span_text("A=1\nB='2'\nA=3\n"), &line);
		mem_fail_after(-1);
		CHECK(r <= 0);
		env_fini(&e);
		CHECK_EQ(mem_live(), 0);
		if (r == 0)
			return;
	}
}

int main(void)
{
	lines_are_read();
	mistakes_have_a_line();
	the_environment_wins();
	memory_may_run_out();
	return 0;
}

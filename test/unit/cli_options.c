#include "cli/client.h"
#include "cli/options.h"

#include "base/mem.h"
#include "test/check.h"

static void urls_become_http(void)
{
	static const struct {
		const char *url, *http;
	} cases[] = {
		{"ws://127.0.0.1:7880", "http://127.0.0.1:7880"}, {"wss://x.example/", "https://x.example"},
		{"http://a//", "http://a"}, {"https://a", "https://a"}, {"a", NULL}, {"ftp://a", NULL}, {"ws://", NULL},
		{"ws:///", NULL}, {"", NULL},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		char *http = client_http_url(cases[i].url);
		CHECK_EQ(!http, !cases[i].http);
		if (http)
			CHECK_STR(http, cases[i].http);
		mem_free(http);
	}
	CHECK_EQ(mem_live(), 0);
}

static void options_are_read(void)
{
	const char *room = NULL, *words[8];
	bool join = false;
	const struct option list[] = {{"--room", "NAME", "", &room, NULL}, {"--join", NULL, "", NULL, &join}};
	struct options o = {.usage = "u", .about = "a", .list = list, .count = 2, .words = words, .words_max = COUNT_OF(words)};
	char *good[] = {"c", "x", "--room=r", "--join", "-", "--", "--room"};
	CHECK_EQ(options_read(&o, 7, good), 0);
	CHECK_STR(room, "r");
	CHECK(join);
	CHECK_EQ(o.word_count, 3);
	CHECK_STR(words[1], "-");
	CHECK_STR(words[2], "--room");

	char *unknown[] = {"c", "--rom", "x"}, *missing[] = {"c", "--room"}, *valued[] = {"c", "--join=1"};
	CHECK_EQ(options_read(&o, 3, unknown), OPTIONS_E_USAGE);
	CHECK_EQ(options_read(&o, 2, missing), OPTIONS_E_USAGE);
	CHECK_EQ(options_read(&o, 2, valued), OPTIONS_E_USAGE);
	o.word_count = 0;
	char *many[] = {"c", "1", "2", "3", "4", "5", "6", "7", "8", "9"}; /* room for eight */
	CHECK_EQ(options_read(&o, 9, many), 0);
	o.word_count = 0;
	CHECK_EQ(options_read(&o, 10, many), OPTIONS_E_USAGE);
	char *help[] = {"c", "--help"};
	CHECK_EQ(options_read(&o, 2, help), OPTIONS_E_HELP);
}

int main(void)
{
	urls_become_http();
	options_are_read();
	return 0;
}

/* cli/calls.c - `ringdown calls`: the phone calls and how they ended. */
#include "cli/calls.h"

#include "base/clock.h"
#include "base/writer.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { WORDS_MAX = 64, PATH_SIZE = 1024, ANSWER_MAX = 64 << 20 };

/* ---- what both commands say ---- */

const char *calls_time(char out[CALLS_TIME_SIZE], int64_t unix_ms)
{
	time_t seconds = (time_t)(unix_ms / 1000);
	struct tm tm;
	out[0] = 0;
	if (unix_ms && localtime_r(&seconds, &tm))
		strftime(out, CALLS_TIME_SIZE, "%Y-%m-%d %H:%M:%S", &tm);
	return out;
}

static const json_t *at(const json_t *call, const char *name, const char *inner)
{
	const json_t *value = json_object_get(call, name);
	return inner ? json_object_get(value, inner) : value;
}

const char *calls_text(const json_t *call, const char *name, const char *inner)
{
	const char *text = json_string_value(at(call, name, inner));
	return text ? text : "";
}

int64_t calls_number(const json_t *call, const char *name, const char *inner)
{
	return json_integer_value(at(call, name, inner));
}

const char *calls_outcome(char *out, size_t size, const json_t *call)
{
	const char *code = calls_text(call, "ending", "code");
	int64_t status = calls_number(call, "ending", "sip_status");
	if (!*code)
		snprintf(out, size, "%s", calls_text(call, "state", NULL));
	else if (status)
		snprintf(out, size, "%s (%" PRId64 ")", code, status);
	else
		snprintf(out, size, "%s", code);
	return out;
}

const char *calls_talk(char *out, size_t size, const json_t *call)
{
	int64_t answered = calls_number(call, "times", "answered"), ended = calls_number(call, "times", "ended");
	int64_t s = ((ended ? ended : clock_unix_ms()) - answered) / 1000;
	out[0] = 0;
	if (answered)
		snprintf(out, size, "%" PRId64 ":%02" PRId64, s / 60, s % 60);
	return out;
}

/* ---- the command ---- */

struct command {
	struct client client;
	struct proto_arena arena;
	const char *words[WORDS_MAX];
	const char *room, *trunk, *number, *since, *limit;
	bool failed, refused, json;
};

/* "90s", "30m", "12h", "7d" before now; -1 = neither. */
static int64_t since_ms(const char *text)
{
	char *end = NULL;
	long long count = strtoll(text, &end, 10);
	int64_t unit = *end == 's' ? 1 : *end == 'm' ? 60 : *end == 'h' ? 3600 : *end == 'd' ? 86400 : 0;
	bool good = end != text && unit && !end[1] && count > 0 && count < 100000;
	return good ? clock_unix_ms() - count * unit * 1000 : -1;
}

static bool write_path(char path[PATH_SIZE], const struct command *c, int64_t since)
{
	struct writer w = writer_of(path, PATH_SIZE);
	char text[24];
	write_text(&w, "/livekit/sip/calls?format=json");
	client_query(&w, "room", c->room);
	client_query(&w, "trunk", c->trunk);
	client_query(&w, "number", c->number);
	client_query(&w, "limit", c->limit);
	client_query(&w, "failed", c->failed ? "1" : NULL);
	client_query(&w, "refused", c->refused ? "1" : NULL);
	snprintf(text, sizeof text, "%" PRId64, since);
	client_query(&w, "since", since ? text : NULL);
	write_u8(&w, 0);
	return !w.bad;
}

static bool print_table(struct command *c, const json_t *calls)
{
	static const char *const titles[] = {"Call", "Began", "Number", "Trunk", "Room", "Outcome", "Talked"};
	struct table table;
	if (!table_init(&table, &c->arena, titles, COUNT_OF(titles), json_array_size(calls)))
		return false;
	for (size_t i = 0; i < json_array_size(calls); ++i) {
		const json_t *call = json_array_get(calls, i);
		char began[CALLS_TIME_SIZE], outcome[80], talk[24];
		calls_time(began, calls_number(call, "times", "asked"));
		const char *trunk = calls_text(call, "trunk", "name");
		const char *cells[] = {
			calls_text(call, "id", NULL),
			proto_text(&c->arena, began),
			calls_text(call, "number", NULL),
			*trunk ? trunk : calls_text(call, "trunk", "address"),
			calls_text(call, "room", NULL),
			proto_text(&c->arena, calls_outcome(outcome, sizeof outcome, call)),
			proto_text(&c->arena, calls_talk(talk, sizeof talk, call)),
		};
		table_add(&table, cells);
	}
	table_print(&table);
	return true;
}

static bool print_calls(struct command *c, const struct buf *answer)
{
	json_t *whole = json_loadb((const char *)answer->data, answer->size, 0, NULL);
	const json_t *calls = json_object_get(whole, "calls");
	bool ok = json_is_array(calls);
	if (!ok)
		fprintf(stderr, "ringdown: the server's answer could not be read. Is it Ringdown?\n");
	else if (c->json)
		ok = json_dumpf(calls, stdout, JSON_INDENT(2)) == 0 && putchar('\n') != EOF;
	else
		ok = print_table(c, calls);
	json_decref(whole);
	return ok;
}

static int list_calls(struct command *c, const struct options *o)
{
	char path[PATH_SIZE];
	struct buf answer = {.max = ANSWER_MAX};
	int64_t since = c->since ? since_ms(c->since) : 0;
	if (since < 0)
		return options_complain(o, "--since: expected a time such as 90s, 30m, 12h or 7d, read \"%s\"", c->since);
	if (!write_path(path, c, since))
		return options_complain(o, "an option is too long");
	bool ok = client_open(&c->client) && client_download(&c->client, CLIENT_SIP_ADMIN, path, &answer) &&
		  print_calls(c, &answer);
	buf_fini(&answer);
	client_close(&c->client);
	proto_arena_fini(&c->arena);
	return ok ? CLI_OK : CLI_FAILED;
}

int cli_calls_list(int argc, char **argv)
{
	struct command c = {0};
	const struct option list[] = {
		CLIENT_OPTIONS(&c.client),
		{"--room", "NAME", "only calls into this room", &c.room, NULL},
		{"--trunk", "TRUNK", "... through this trunk (name or ID)", &c.trunk, NULL},
		{"--number", "NUMBER", "... to this number", &c.number, NULL},
		{"--failed", NULL, "... that were not answered, or were cut off", NULL, &c.failed},
		{"--refused", NULL, "... attempts that the policy refused; they are no calls", NULL, &c.refused},
		{"--since", "TIME", "... that began at most so long ago: 90s, 30m, 12h, 7d", &c.since, NULL},
		{"--limit", "COUNT", "at most so many, newest first; default: 50", &c.limit, NULL},
		{"--json", NULL, "as JSON instead of a table", NULL, &c.json},
	};
	struct options o = {
		.usage = "ringdown calls [options]",
		.about = "Shows phone calls, newest first. `ringdown calls show ID` tells all about one.",
		.list = list,
		.count = COUNT_OF(list),
		.words = c.words,
		.words_max = COUNT_OF(c.words),
	};
	int r = options_read(&o, argc, argv);
	if (r)
		return options_status(r);
	if (o.word_count)
		return options_complain(&o, "unexpected \"%s\"", c.words[0]);
	return list_calls(&c, &o);
}

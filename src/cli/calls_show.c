/* cli/calls_show.c - `ringdown calls show ID`: one phone call. */
#include "cli/calls.h"

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

enum { ANSWER_MAX = 64 << 20 };

struct command {
	struct client client;
	const char *words[1];
	const char *pcap;
	bool ladder, json;
};

static void line(const char *name, const char *text)
{
	if (*text)
		printf("%-12s %s\n", name, text);
}

static void print_who(const json_t *call)
{
	char text[400], began[CALLS_TIME_SIZE];
	line(strcmp(calls_text(call, "state", NULL), "refused") ? "Call" : "Refused", calls_text(call, "id", NULL));
	line("Began", calls_time(began, calls_number(call, "times", "asked")));
	snprintf(text, sizeof text, "%s from %s", calls_text(call, "number", NULL), calls_text(call, "caller", NULL));
	line("Number", text);
	snprintf(text, sizeof text, "%s (%s) at %s", calls_text(call, "trunk", "name"), calls_text(call, "trunk", "id"),
		calls_text(call, "trunk", "address"));
	line("Trunk", text);
	snprintf(text, sizeof text, "%s%s%s%s", calls_text(call, "asked_by", "identity"),
		*calls_text(call, "asked_by", "identity") ? " " : "", *calls_text(call, "asked_by", "api_key") ? "with API key " : "",
		calls_text(call, "asked_by", "api_key"));
	line("Asked by", text);
	line("Transfer of", calls_text(call, "transfer_of", NULL));
	snprintf(text, sizeof text, "%s as %s", calls_text(call, "room", NULL), calls_text(call, "participant_identity", NULL));
	line("Room", text);
	line("SIP Call-ID", calls_text(call, "sip_call_id", NULL));
	snprintf(text, sizeof text, "%s %s to %s", calls_text(call, "transport", NULL), calls_text(call, "local_address", NULL),
		calls_text(call, "remote_address", NULL));
	if (*calls_text(call, "transport", NULL))
		line("Path", text);
}

static void print_ending(const json_t *call)
{
	char text[200];
	line("Outcome", calls_outcome(text, sizeof text, call));
	line("", calls_text(call, "ending", "message"));
	line("They said", calls_text(call, "ending", "sip_reason"));
	line("Carrier", calls_text(call, "ending", "carrier_code"));
	line("Ended by", calls_text(call, "ending", "ended_by"));
	int64_t q850 = calls_number(call, "ending", "q850"), after = calls_number(call, "ending", "retry_after");
	snprintf(text, sizeof text, "%" PRId64, q850);
	line("Q.850", q850 ? text : "");
	snprintf(text, sizeof text, after ? "%s, after %" PRId64 " s" : "%s", calls_text(call, "ending", "retry"), after);
	line("Call again", text);
}

/* Each moment as seconds after it was asked for. */
static void print_times(const json_t *call)
{
	const char *name;
	const json_t *value;
	int64_t asked = calls_number(call, "times", "asked");
	json_object_foreach((json_t *)json_object_get(call, "times"), name, value)
		if (strcmp(name, "asked"))
			printf("%-20s %9.3f s\n", name, (double)(json_integer_value(value) - asked) / 1000);
}

static void print_sound(const json_t *call)
{
	char text[200];
	snprintf(text, sizeof text, "%s/%" PRId64 " over %s", calls_text(call, "codec", "name"),
		calls_number(call, "codec", "clock_rate"), calls_text(call, "codec", "protocol"));
	if (*calls_text(call, "codec", "name"))
		line("Sound", text);
	line("Encryption", calls_text(call, "encryption", NULL));
	const json_t *quality = json_object_get(call, "quality");
	char *dumped = quality ? json_dumps(quality, JSON_COMPACT | JSON_REAL_PRECISION(4)) : NULL;
	line("Quality", dumped ? dumped : "");
	json_free_t release;
	json_get_alloc_funcs(NULL, &release);
	release(dumped);
}

static bool print_call(const struct command *c, const struct buf *answer)
{
	json_t *whole = json_loadb((const char *)answer->data, answer->size, 0, NULL);
	const json_t *call = json_object_get(whole, "call");
	bool ok = json_is_object(call);
	if (!ok) {
		fprintf(stderr, "ringdown: the server's answer could not be read. Is it Ringdown?\n");
	} else if (c->json) {
		ok = json_dumpf(call, stdout, JSON_INDENT(2)) == 0 && putchar('\n') != EOF;
	} else {
		print_who(call);
		print_ending(call);
		print_sound(call);
		print_times(call);
	}
	json_decref(whole);
	return ok;
}

static bool write_file(const char *path, const struct buf *bytes)
{
	FILE *f = fopen(path, "wb");
	bool ok = f && fwrite(bytes->data, 1, bytes->size, f) == bytes->size;
	if (f && fclose(f))
		ok = false;
	if (!ok)
		fprintf(stderr, "ringdown: %s: %s\n", path, strerror(errno));
	return ok;
}

static bool print_answer(const struct command *c, const struct buf *answer)
{
	if (c->pcap)
		return write_file(c->pcap, answer);
	if (!c->ladder)
		return print_call(c, answer);
	if (!answer->size)
		printf("No SIP messages were kept of this call.\n");
	return fwrite(answer->data ? answer->data : (const uint8_t *)"", 1, answer->size, stdout) == answer->size;
}

static int show(struct command *c, const char *id)
{
	struct buf answer = {.max = ANSWER_MAX};
	const char *format = c->pcap ? "pcap" : c->ladder ? "ladder" : "json";
	char *path = mem_format("/livekit/sip/calls/%s?format=%s", id, format);
	bool ok = path && client_open(&c->client) &&
		  client_download(&c->client, CLIENT_SIP_ADMIN, path, &answer) && print_answer(c, &answer);
	mem_free(path);
	buf_fini(&answer);
	client_close(&c->client);
	return ok ? CLI_OK : CLI_FAILED;
}

static bool is_id(const char *text)
{
	return *text && strlen(text) < 64 &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == strlen(text);
}

int cli_calls_show(int argc, char **argv)
{
	struct command c = {0};
	const struct option list[] = {
		CLIENT_OPTIONS(&c.client),
		{"--ladder", NULL, "its SIP messages as arrows", NULL, &c.ladder},
		{"--pcap", "FILE", "its SIP messages as a file for Wireshark", &c.pcap, NULL},
		{"--json", NULL, "all of it, messages too, as JSON", NULL, &c.json},
	};
	struct options o = {
		.usage = "ringdown calls show [options] ID",
		.about = "Tells about one phone call: how it ended and what to do, its times and its sound.\n"
			 "Passwords, keys and tokens in its messages are masked.",
		.list = list,
		.count = COUNT_OF(list),
		.words = c.words,
		.words_max = COUNT_OF(c.words),
	};
	int r = options_read(&o, argc, argv);
	if (r)
		return options_status(r);
	if (o.word_count != 1 || !is_id(c.words[0]))
		return options_complain(&o, "which call? Give its id (SCL_...), as `ringdown calls` lists it");
	return show(&c, c.words[0]);
}

/* cli/policy.c - `ringdown policy check`: may this number be called, and which rule says so. */
#include "cli/cli.h"

#include "api/policy_json.h"
#include "base/clock.h"
#include "base/writer.h"
#include "cli/client.h"
#include "cli/server.h"

#include <stdio.h>

enum { PATH_SIZE = 1024, WORDS_MAX = 16, PROBLEMS_MAX = 4096 };

struct command {
	struct client client;
	const char *words[WORDS_MAX];
	const char *trunk, *from, *key, *identity, *config;
	bool json;
};

/* ---- who is asked ---- */

/* The server that runs. */
static json_t *ask_server(struct command *c, const char *number)
{
	char path[PATH_SIZE];
	struct writer w = writer_of(path, sizeof path);
	json_t *answer = NULL;

	write_text(&w, "/livekit/sip/policy?check=1");
	client_query(&w, "number", number);
	client_query(&w, "trunk", c->trunk);
	client_query(&w, "from", c->from);
	client_query(&w, "key", c->key);
	client_query(&w, "identity", c->identity);
	write_u8(&w, 0);
	if (w.bad) {
		fprintf(stderr, "ringdown: that is too long\n");
		return NULL;
	}
	if (!client_open(&c->client) || !client_get(&c->client, CLIENT_SIP_ADMIN, path, &answer))
		return NULL;
	if (!answer)
		fprintf(stderr, "ringdown: the server knows no trunk \"%s\"\n", c->trunk ? c->trunk : "");
	return answer;
}

/* The configuration alone: minutes and calls are those of nobody, and the trunk is one with this number. */
static json_t *ask_policy(const struct command *c, const struct config *config, const char *number)
{
	Livekit__SIPOutboundTrunkInfo trunk = LIVEKIT__SIPOUTBOUND_TRUNK_INFO__INIT;
	struct policy_config settings = server_policy_config(config);
	struct policy *p = NULL;
	json_t *answer = NULL;

	if (policy_new(&p, &settings, clock_unix_s()) == 0)
		answer = policy_json(p, &(struct policy_request){.number = number, .caller = c->from, .trunk = &trunk,
						.identity = c->identity}, clock_ms());
	policy_free(p);
	return answer;
}

static json_t *ask_config(const struct command *c, const char *number)
{
	struct config config;
	struct buf problems = {.max = PROBLEMS_MAX};
	struct env env = {0};
	json_t *answer = NULL;
	const struct config_source from = {.path = c->config, .dev = c->client.dev, .env = &env};

	if (config_load(&config, &from, &problems))
		fprintf(stderr, "%.*s\n", (int)problems.size, problems.size ? (const char *)problems.data : "ringdown: out of memory");
	else
		answer = ask_policy(c, &config, number);
	config_fini(&config);
	env_fini(&env);
	buf_fini(&problems);
	return answer;
}

/* ---- the answer ---- */

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

static void print_rules(const json_t *answer)
{
	size_t i;
	json_t *rule;

	json_array_foreach(json_object_get(answer, "rules"), i, rule) {
		const char *setting = text_of(rule, "setting");
		printf("  %-4s %-9s %s%s%s%s\n", json_is_true(json_object_get(rule, "allowed")) ? "ok" : "NO", text_of(rule, "rule"),
			text_of(rule, "says"), *setting ? " [" : "", setting, *setting ? "]" : "");
	}
}

/* 0 = allowed, 1 = refused. */
static int print_answer(const struct command *c, const json_t *answer)
{
	bool allowed = json_is_true(json_object_get(answer, "allowed"));
	const char *trunk = text_of(answer, "trunk"), *number = text_of(answer, "number");

	if (c->json) {
		json_dumpf(answer, stdout, JSON_INDENT(2));
		printf("\n");
		return allowed ? CLI_OK : CLI_FAILED;
	}
	printf("%s%s%s: %s\n", *number ? number : c->words[0], *trunk ? " through " : "", trunk,
		allowed ? "may be called" : text_of(answer, "reason"));
	print_rules(answer);
	return allowed ? CLI_OK : CLI_FAILED;
}

int cli_policy_check(int argc, char **argv)
{
	struct command c = {0};
	const struct option list[] = {
		CLIENT_OPTIONS(&c.client),
		{"--trunk", "NAME", "name or id; default: the server's, else the only one", &c.trunk, NULL},
		{"--from", "NUMBER", "who calls; counts for a trunk without numbers", &c.from, NULL},
		{"--key", "NAME", "the API key whose minutes and calls are counted; default: the one that asks", &c.key, NULL},
		{"--identity", "NAME", "the identity whose calls are counted", &c.identity, NULL},
		{"--config", "FILE", "ask this configuration alone, no server", &c.config, NULL},
		{"--json", NULL, "all of it as JSON", NULL, &c.json},
	};
	struct options o = {
		.usage = "ringdown policy check [options] NUMBER",
		.about = "Says whether a number may be called, what each rule says to it, and where that is configured.\n"
			 "Nothing is dialled. Exit status: 0 allowed, 1 refused, 2 nobody could be asked.",
		.list = list,
		.count = COUNT_OF(list),
		.words = c.words,
		.words_max = COUNT_OF(c.words),
	};
	int r = options_read(&o, argc, argv);
	if (r)
		return options_status(r);
	if (o.word_count != 1)
		return options_complain(&o, "which number? One, for example +14155550123");
	json_t *answer = c.config ? ask_config(&c, c.words[0]) : ask_server(&c, c.words[0]);
	int status = answer ? print_answer(&c, answer) : CLI_USAGE;
	json_decref(answer);
	client_close(&c.client);
	return status;
}

/* cli/token.c - `ringdown token create`: an access token on stdout. */
#include "cli/cli.h"

#include "cli/client.h"

#include "base/clock.h"
#include "base/mem.h"
#include "wire/jwt.h"

#include <stdio.h>
#include <stdlib.h>

enum { LIFE_S = 6 * 3600, LIFE_S_MAX = 10 * 365 * 24 * 3600, WORDS_MAX = 32 };

struct wishes {
	struct client client;
	const char *words[WORDS_MAX];
	const char *room, *identity, *name, *metadata, *valid_for;
	bool join, admin, create, list, sip_admin, sip_call, json;
};

/* "6h", "30m", "90s", "90"; 0 = not understood. */
static int64_t life(const char *text)
{
	char *end;
	if (!text)
		return LIFE_S;
	if (*text < '0' || *text > '9')
		return 0;
	unsigned long long value = strtoull(text, &end, 10);
	unsigned unit = !*end || !strcmp(end, "s") ? 1 : !strcmp(end, "m") ? 60
		: !strcmp(end, "h") ? 3600 : !strcmp(end, "d") ? 86400 : 0;
	return unit && value && value <= LIFE_S_MAX / unit ? (int64_t)value * unit : 0;
}

static void set_flag(json_t *object, const char *name, bool yes)
{
	if (yes)
		json_object_set_new(object, name, json_true());
}

static json_t *claims_of(const struct wishes *w, int64_t life_s)
{
	int64_t now = clock_unix_s();
	json_t *video = json_object(), *sip = json_object();
	set_flag(video, "roomJoin", w->join);
	set_flag(video, "roomAdmin", w->admin);
	set_flag(video, "roomCreate", w->create);
	set_flag(video, "roomList", w->list);
	if (w->room)
		json_object_set_new(video, "room", json_string(w->room));
	set_flag(sip, "admin", w->sip_admin);
	set_flag(sip, "call", w->sip_call);
	json_t *claims = json_pack("{s:s, s:I, s:I}", "iss", w->client.key, "nbf", (json_int_t)now, "exp",
		(json_int_t)(now + life_s));
	if (w->identity)
		json_object_set_new(claims, "sub", json_string(w->identity));
	if (w->name)
		json_object_set_new(claims, "name", json_string(w->name));
	if (w->metadata)
		json_object_set_new(claims, "metadata", json_string(w->metadata));
	json_object_set_new(claims, "video", video);
	json_object_set_new(claims, "sip", sip);
	return claims;
}

static int print_token(struct wishes *w, int64_t life_s)
{
	char *token = NULL;
	json_t *claims = claims_of(w, life_s);
	int r = claims ? jwt_sign(&token, claims, w->client.secret) : -1;
	json_decref(claims);
	if (r < 0) {
		fprintf(stderr, "ringdown: the token could not be signed\n");
		return CLI_FAILED;
	}
	printf(w->json ? "{\"token\": \"%s\"}\n" : "%s\n", token);
	mem_free(token);
	return CLI_OK;
}

static int create(struct wishes *w, const struct options *o)
{
	int64_t life_s = life(w->valid_for);
	if (o->word_count)
		return options_complain(o, "unexpected \"%s\"", w->words[0]);
	if (!life_s)
		return options_complain(o, "--valid-for: expected a time such as 90s, 30m, 6h or 7d");
	if (w->join && (!w->identity || !w->room))
		return options_complain(o, "--join needs --identity and --room");
	if (w->admin && !w->room)
		return options_complain(o, "--admin needs --room");
	if (!w->join && !w->admin && !w->create && !w->list && !w->sip_admin && !w->sip_call)
		return options_complain(o, "a token for what? Give --join, --sip-call or another permission");
	return client_keys(&w->client) ? print_token(w, life_s) : CLI_FAILED;
}

int cli_token_create(int argc, char **argv)
{
	struct wishes w = {0};
	const struct option list[] = {
		{"--join", NULL, "may join --room as --identity", NULL, &w.join},
		{"--room", "NAME", "the room", &w.room, NULL},
		{"--identity", "TEXT", "of the participant", &w.identity, NULL},
		{"--name", "TEXT", "of the participant, as people see it", &w.name, NULL},
		{"--metadata", "TEXT", "of the participant", &w.metadata, NULL},
		{"--admin", NULL, "may administrate --room", NULL, &w.admin},
		{"--create", NULL, "may make and delete rooms", NULL, &w.create},
		{"--list", NULL, "may list rooms", NULL, &w.list},
		{"--sip-call", NULL, "may call phones", NULL, &w.sip_call},
		{"--sip-admin", NULL, "may change trunks", NULL, &w.sip_admin},
		{"--valid-for", "TIME", "default: 6h", &w.valid_for, NULL},
		{"--api-key", "KEY", "default: LIVEKIT_API_KEY", &w.client.key_option, NULL},
		{"--api-secret", "SECRET", "default: LIVEKIT_API_SECRET", &w.client.secret_option, NULL},
		{"--dev", NULL, "the key of a server in development mode (devkey)", NULL, &w.client.dev},
		{"--json", NULL, "as JSON", NULL, &w.json},
	};
	struct options o = {
		.usage = "ringdown token create --join --room NAME --identity TEXT [options]",
		.about = "Prints an access token, signed with the API key.",
		.list = list,
		.count = COUNT_OF(list),
		.words = w.words,
		.words_max = COUNT_OF(w.words),
	};
	int r = options_read(&o, argc, argv);
	int status = r ? options_status(r) : create(&w, &o);
	client_close(&w.client);
	return status;
}

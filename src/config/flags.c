#include "config/flags.h"

#include "config/value.h"
#include "config/yaml.h"

#include <ctype.h>
#include <stdio.h>

enum { NAME_SIZE = 96 };

/* LiveKit's own flags, and what their variable is called where it is not LIVEKIT_ and the path. */
static const struct {
	const char *flag, *path, *variable;
} short_names[] = {
	{"bind", "bind_addresses", NULL},
	{"key-file", "key_file", NULL},
	{"keys", "keys", NULL}, /* its variable is read with the other keys */
	{"region", "region", NULL},
	{"node-ip", "rtc.node_ip", "NODE_IP"},
	{"udp-port", "rtc.udp_port", "UDP_PORT"},
	{"redis-host", "redis.address", "REDIS_HOST"},
	{"redis-password", "redis.password", "REDIS_PASSWORD"},
	{"turn-cert", "turn.cert_file", "LIVEKIT_TURN_CERT"},
	{"turn-key", "turn.key_file", "LIVEKIT_TURN_KEY"},
};

/* Flags that are no key. */
static const char *const other_flags[] = {"config", "config-body", "dev", "disable-strict-config", "cpuprofile",
	"memprofile", "help", "bind", "key-file", "node-ip", "udp-port", "redis-host", "redis-password", "turn-cert",
	"turn-key", NULL};

/* ---- one setting ---- */

static int invalid(struct buf *problems, int r)
{
	return r < 0 ? r : CONFIG_E_INVALID;
}

static int note_unused(struct config *c, const char *origin, const char *why)
{
	char text[256];
	snprintf(text, sizeof text, "%s has no effect: %s", origin, why);
	return value_add_text(&c->notes, text);
}

/* "redis.address" -> the key "redis", which has no effect; NULL when there is none. */
static const struct schema_key *find_above(const char *path)
{
	char group[NAME_SIZE];
	const char *dot = strrchr(path, '.');
	if (!dot || dot - path >= NAME_SIZE)
		return NULL;
	snprintf(group, sizeof group, "%.*s", (int)(dot - path), path);
	const struct schema_key *key = schema_find(group);
	return key && key->kind == SCHEMA_UNUSED && schema_is_known_below(group, dot + 1) ? key : NULL;
}

static const struct schema_key *find_key(const char *path)
{
	const struct schema_key *key = schema_find(path);
	return key ? key : find_above(path);
}

static bool is_single(const struct schema_key *key)
{
	return key->kind != SCHEMA_TEXTS && key->kind != SCHEMA_PREFIXES && key->kind != SCHEMA_KEYS &&
		key->kind != SCHEMA_BANKS && key->kind != SCHEMA_CODECS && key->kind != SCHEMA_PRESETS &&
		key->kind != SCHEMA_NETS && key->kind != SCHEMA_TURNS && key->kind != SCHEMA_CERTS;
}

/* `origin`: what the operator wrote, "--port" or "LIVEKIT_PORT". The value is not told: it may be a secret. */
static int set(struct config *c, const struct schema_key *key, const char *value, const char *origin,
	struct buf *problems)
{
	char why[VALUE_WHY_SIZE];
	if (key->kind == SCHEMA_UNUSED)
		return note_unused(c, origin, key->note);
	if (key->kind == SCHEMA_KEYS)
		return yaml_read_keys(c, span_text(value), origin, problems);
	if (key->kind == SCHEMA_TEXTS)
		return value_add_text((struct config_texts *)((char *)c + key->offset), value);
	int r = value_set(c, key, value, why);
	return r > 0 ? invalid(problems, buf_format(problems, "%s: %s\n", origin, why)) : r;
}

/* ---- the environment ---- */

/* "rtc.tcp_port" -> "LIVEKIT_RTC_TCP_PORT" */
static void variable_name(char out[NAME_SIZE], const char *path)
{
	snprintf(out, NAME_SIZE, "LIVEKIT_%s", path);
	for (char *at = out; *at; ++at)
		*at = *at == '.' ? '_' : (char)toupper((unsigned char)*at);
}

static int take_variable(struct config *c, const struct env *env, const char *path, const char *variable,
	struct buf *problems)
{
	const struct schema_key *key = find_key(path);
	const char *value = env_get(env, variable);
	return value && key && is_single(key) ? set(c, key, value, variable, problems) : 0;
}

int flags_from_env(struct config *c, const struct env *env, struct buf *problems)
{
	char name[NAME_SIZE], path[NAME_SIZE];
	int result = 0, r = 0;
	for (size_t i = 0; i < schema_count && r >= 0; ++i) {
		variable_name(name, schema_keys[i].path);
		r = take_variable(c, env, schema_keys[i].path, name, problems);
		result = r ? r : result;
	}
	for (size_t i = 0; r >= 0 && schema_below_at(i, path, sizeof path); ++i) {
		variable_name(name, path);
		r = schema_find(path) ? 0 : take_variable(c, env, path, name, problems);
		result = r ? r : result;
	}
	for (size_t i = 0; i < COUNT_OF(short_names) && r >= 0; ++i) {
		if (short_names[i].variable)
			r = take_variable(c, env, short_names[i].path, short_names[i].variable, problems);
		result = r ? r : result;
	}
	return result;
}

/* ---- the command line ---- */

static const char *long_name(const char *flag)
{
	for (size_t i = 0; i < COUNT_OF(short_names); ++i)
		if (!strcmp(short_names[i].flag, flag))
			return short_names[i].path;
	return flag;
}

/* A switch may stand without a value. */
static bool is_switch(const char *flag)
{
	const struct schema_key *key = find_key(flag);
	return !strcmp(flag, "dev") || !strcmp(flag, "disable-strict-config") || !strcmp(flag, "help") ||
		(key && key->kind == SCHEMA_BOOL);
}

static bool is_known(const char *flag)
{
	for (size_t i = 0; other_flags[i]; ++i)
		if (!strcmp(other_flags[i], flag))
			return true;
	const struct schema_key *key = find_key(long_name(flag));
	return key && (is_single(key) || key->kind == SCHEMA_KEYS);
}

static int complain_unknown(struct buf *problems, const char *flag)
{
	char near[NAME_SIZE];
	const char *hint = schema_suggest_path(near, sizeof near, flag, other_flags);
	int r = hint ? buf_format(problems, "unknown flag --%.60s; did you mean --%s?\n", flag, hint)
		     : buf_format(problems, "unknown flag --%.60s\n", flag);
	return r < 0 ? r : FLAGS_E_INVALID;
}

/* Those that are no key go where they belong; the rest is kept. */
static int keep(struct config_source *from, struct config_flag *flags, const struct config_flag *f, const char *name,
	struct buf *problems)
{
	bool off = !strcasecmp(f->value, "false");
	if (!strcmp(name, "config"))
		from->path = f->value;
	else if (!strcmp(name, "config-body"))
		from->body = f->value;
	else if (!strcmp(name, "dev"))
		from->dev = !off;
	else if (!strcmp(name, "disable-strict-config"))
		from->lenient = !off;
	else if (!strcmp(name, "help"))
		return FLAGS_E_HELP;
	else if (from->flag_count < CONFIG_FLAGS_MAX)
		flags[from->flag_count++] = *f;
	else
		return invalid(problems, buf_add_text(problems, "there are too many flags\n"));
	return 0;
}

static int read_one(struct config_source *from, struct config_flag *flags, int argc, char **argv, int *at,
	struct buf *problems)
{
	const char *word = argv[*at];
	if (!strcmp(word, "-h"))
		word = "--help";
	if (strncmp(word, "--", 2) || !word[2]) {
		int r = buf_format(problems, "unknown word \"%.60s\": flags begin with --\n", word);
		return r < 0 ? r : FLAGS_E_INVALID;
	}
	struct config_flag f = {.name = word + 2, .name_size = strcspn(word + 2, "="), .value = "true"};
	char name[NAME_SIZE];
	snprintf(name, sizeof name, "%.*s", (int)f.name_size, f.name);
	if (!is_known(name))
		return complain_unknown(problems, name);
	if (f.name[f.name_size])
		f.value = f.name + f.name_size + 1;
	else if (!is_switch(name) && *at + 1 < argc)
		f.value = argv[++*at];
	else if (!is_switch(name)) {
		int r = buf_format(problems, "--%s needs a value\n", name);
		return r < 0 ? r : FLAGS_E_INVALID;
	}
	return keep(from, flags, &f, name, problems);
}

int flags_read(struct config_source *from, struct config_flag *flags, int argc, char **argv, struct buf *problems)
{
	int result = 0;
	from->flags = flags;
	for (int i = 1; i < argc; ++i) {
		int r = read_one(from, flags, argc, argv, &i, problems);
		if (r < 0 || r == FLAGS_E_HELP)
			return r;
		result = r ? r : result;
	}
	return result;
}

static int apply(struct config *c, const struct config_flag *f, struct buf *problems)
{
	char name[NAME_SIZE], origin[NAME_SIZE + 2];
	snprintf(name, sizeof name, "%.*s", (int)f->name_size, f->name);
	snprintf(origin, sizeof origin, "--%s", name);
	const struct schema_key *key = find_key(long_name(name));
	if (!key)
		return note_unused(c, origin, "it profiles LiveKit's own program");
	return set(c, key, f->value, origin, problems);
}

int flags_apply(struct config *c, const struct config_flag *flags, size_t count, struct buf *problems)
{
	bool bound = false;
	int result = 0;
	for (size_t i = 0; i < count; ++i) {
		/* The first --bind replaces the file's list, the others add to it. */
		if (!bound && flags[i].name_size == 4 && !memcmp(flags[i].name, "bind", 4)) {
			bound = c->binds_chosen = true;
			value_clear_texts(&c->bind_addresses);
		}
		int r = apply(c, &flags[i], problems);
		if (r < 0)
			return r;
		result = r ? r : result;
	}
	return result;
}

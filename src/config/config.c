#include "config/config.h"

#include "config/flags.h"
#include "config/presets.h"
#include "config/read_file.h"
#include "config/turns.h"
#include "config/value.h"
#include "config/yaml.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <sys/stat.h>

enum { SECRET_BYTES_GOOD = 32 };

static int set_texts(struct config_texts *list, const char *a, const char *b)
{
	value_clear_texts(list);
	int r = value_add_text(list, a);
	return r == 0 && b ? value_add_text(list, b) : r;
}

static void default_numbers(struct config *c)
{
	c->port = 7880;
	c->rtc.allow_tcp_fallback = true;
	c->rtc.tcp_port = 7881;
	c->room.auto_create = true;
	c->room.empty_timeout_s = 300;
	c->room.departure_timeout_s = 20;
	c->limit.max_metadata_size = LIMIT_METADATA_BYTES;
	c->limit.max_attributes_size = LIMIT_ATTRIBUTES_BYTES;
	c->limit.max_room_name_length = LIMIT_NAME_BYTES;
	c->limit.max_participant_identity_length = LIMIT_NAME_BYTES;
	c->limit.max_participant_name_length = LIMIT_NAME_BYTES;
	c->audio.active_level = 35;
	c->audio.min_percentile = 40;
	c->audio.update_interval_ms = 400;
	c->audio.smooth_intervals = 2;
	c->log_level = -1;
	c->logging.level = LOG_INFO;
	c->sip.sip_port = 5060;
	c->sip.tls.port = 5061;
	c->sip.rtp_port = (struct config_ports){10000, 20000};
	c->sip.media_timeout_ms = 15000;
	c->sip.records.enabled = c->sip.records.ladder = true;
	c->sip.records.max_age_s = 30 * 24 * 3600;
	c->sip.records.max_size_mb = 100;
	c->sip.media_timeout_initial_ms = 30000;
	c->sip.call_queue_wait_ms = 10000;
	c->backend.port = 8000;
	c->simulator.sip_port = 5070;
}

/* LiveKit's --dev, and ours: nothing is reachable from outside, everything is open inside. */
static int dev_preset(struct config *c)
{
	static const char loopback[] = "127.0.0.1";
	int r = set_texts(&c->bind_addresses, loopback, "::1");
	c->dev = c->development = true;
	c->rtc.enable_loopback_candidate = true;
	c->simulator.enabled = true;
	if (r == 0)
		r = set_texts(&c->rtc.node_ip, loopback, NULL);
	if (r == 0)
		r = value_text(&c->sip.listen_ip, loopback);
	if (r == 0)
		r = value_text(&c->backend.bind_address, loopback);
	return r;
}

int config_defaults(struct config *c, bool dev)
{
	memset(c, 0, sizeof *c);
	default_numbers(c);
	int r = value_text(&c->data_dir, "./data");
	if (r == 0)
		r = value_text(&c->simulator.username, "simulator");
	if (r == 0)
		r = value_text(&c->simulator.password, "simulator");
	return r == 0 && dev ? dev_preset(c) : r;
}

int config_parse(struct config *c, struct span yaml, const char *name, struct buf *problems)
{
	return yaml_read(c, yaml, name, problems);
}

/* ---- file and environment ---- */

static int invalid(int r)
{
	return r < 0 ? r : CONFIG_E_INVALID;
}

static int read_whole(struct buf *text, const char *path, struct buf *problems)
{
	int r = read_file(text, path);
	if (r <= 0)
		return r;
	const char *why = r == READ_FILE_E_MISSING ? "is not there"
		: r == READ_FILE_E_DENIED ? "cannot be read" : "is too long";
	return invalid(buf_format(problems, "%s %s\n", path, why));
}

static int read_config_file(struct config *c, const char *path, struct buf *problems)
{
	struct buf text = {.max = LIMIT_CONFIG_BYTES};
	int r = read_whole(&text, path, problems);
	if (r == 0)
		r = config_parse(c, buf_span(&text), path, problems);
	buf_fini(&text);
	return r;
}

/* ---- keys ---- */

static void clear_keys(struct config_keys *keys)
{
	for (size_t i = 0; i < keys->count; ++i) {
		mem_free(keys->items[i].name);
		mem_free(keys->items[i].secret);
	}
	mem_free(keys->items);
	*keys = (struct config_keys){0};
}

static int copy_keys(struct config_keys *to, const struct config_keys *from)
{
	int r = 0;
	for (size_t i = 0; i < from->count && r == 0; ++i)
		r = value_add_key(to, from->items[i].name, from->items[i].secret);
	return r;
}

/* As livekit-server: a file of secrets that any user of the machine can read is a mistake. */
static int check_key_file(const char *path, struct buf *problems)
{
	struct stat st;
	if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_mode & S_IRWXO)
		return invalid(buf_format(problems, "%s: key file others permissions must be set to 0: "
			"chmod o= %s\n", path, path));
	return 0;
}

/* Adds what is in key_file to `keys`. */
static int read_key_file(struct config *c, struct buf *problems)
{
	struct buf text = {.max = LIMIT_CONFIG_BYTES};
	int r = check_key_file(c->key_file, problems);
	if (r == 0)
		r = read_whole(&text, c->key_file, problems);
	if (r == 0)
		r = yaml_read_keys(c, buf_span(&text), c->key_file, problems);
	if (text.data)
		OPENSSL_cleanse(text.data, text.size);
	buf_fini(&text);
	return r;
}

int config_reload_keys(struct config *c, struct buf *problems)
{
	struct config_keys old = c->keys;
	c->keys = (struct config_keys){0};
	int r = copy_keys(&c->keys, &c->own_keys);
	if (r == 0 && c->key_file)
		r = read_key_file(c, problems);
	if (r == 0 && c->keys.count == 0)
		r = invalid(buf_add_text(problems, "no API key is left\n"));
	clear_keys(r == 0 ? &old : &c->keys);
	if (r)
		c->keys = old;
	return r;
}

/* LiveKit's advice: HMAC-SHA256 is as strong as its key is long. */
static int note_short_secrets(struct config *c)
{
	char text[200];
	int r = 0;
	for (size_t i = 0; i < c->keys.count && r == 0 && !c->development; ++i) {
		if (strlen(c->keys.items[i].secret) >= SECRET_BYTES_GOOD)
			continue;
		snprintf(text, sizeof text, "the secret of the key \"%.100s\" is too short, should be at least %d "
			"characters for security", c->keys.items[i].name, SECRET_BYTES_GOOD);
		r = value_add_text(&c->notes, text);
	}
	return r;
}

static int read_settings(struct config *c, const struct config_source *from, struct buf *problems)
{
	const char *path = from->path, *body = from->body;
	if (!path && !body && from->env) {
		path = env_get(from->env, "LIVEKIT_CONFIG_FILE");
		body = env_get(from->env, "LIVEKIT_CONFIG_BODY");
		/* LiveKit's LIVEKIT_CONFIG is the body itself; a single line without ':' is a path. */
		const char *either = env_get(from->env, "LIVEKIT_CONFIG");
		if (!path && !body && either)
			*(strpbrk(either, ":\n") ? &body : &path) = either;
	}
	if (body)
		return config_parse(c, span_text(body), "config", problems);
	return path ? read_config_file(c, path, problems) : 0;
}

static int read_env_keys(struct config *c, const struct env *env, struct buf *problems)
{
	const char *keys = env_get(env, "LIVEKIT_KEYS");
	const char *key = env_get(env, "LIVEKIT_API_KEY"), *secret = env_get(env, "LIVEKIT_API_SECRET");
	int r = keys ? yaml_read_keys(c, span_text(keys), "LIVEKIT_KEYS", problems) : 0;
	if (r == 0 && key && secret)
		r = value_add_key(&c->keys, key, secret);
	return r;
}

/* "http://host" -> "ws://host": what a client connects to. */
static int server_url_from(char **slot, const char *url)
{
	bool is_http = !strncmp(url, "http://", 7) || !strncmp(url, "https://", 8);
	char *text = mem_format("%s%s", is_http ? "ws" : "", is_http ? url + 4 : url);
	if (!text)
		return err_new(-ENOMEM);
	mem_free(*slot);
	*slot = text;
	return 0;
}

static int read_server_url(struct config *c, const struct env *env)
{
	const char *url = env_get(env, "LIVEKIT_URL");
	/* --dev is about this machine, whatever the shell's LIVEKIT_URL is. */
	return url && !c->dev && !c->backend.server_url ? server_url_from(&c->backend.server_url, url) : 0;
}

/* LiveKit's udp_port wins over its port range. */
static void settle_ports(struct config *c)
{
	enum { UDP_PORT = 7882 };
	struct config_ports *p = &c->rtc.udp_port;

	if (!p->first && c->rtc.port_range_start)
		*p = (struct config_ports){c->rtc.port_range_start,
			c->rtc.port_range_end ? c->rtc.port_range_end : UINT16_MAX};
	if (!p->first)
		*p = (struct config_ports){UDP_PORT, UDP_PORT};
}

/* Keys that say the same as others, as LiveKit has them. */
static void settle(struct config *c)
{
	settle_ports(c);
	if (c->log_level >= 0)
		c->logging.level = c->log_level;
	if (c->room.max_metadata_size)
		c->limit.max_metadata_size = c->room.max_metadata_size;
	if (c->room.max_room_name_length)
		c->limit.max_room_name_length = c->room.max_room_name_length;
	if (c->room.max_participant_identity_length)
		c->limit.max_participant_identity_length = c->room.max_participant_identity_length;
}

/* LiveKit's keys of development, which everybody knows: so for this machine only, unless it is said. */
static int use_dev_key(struct config *c)
{
	int r = value_add_key(&c->keys, "devkey", "secret");
	return r == 0 && !c->binds_chosen ? set_texts(&c->bind_addresses, "127.0.0.1", "::1") : r;
}

int config_load(struct config *ret, const struct config_source *from, struct buf *problems)
{
	int r = config_defaults(ret, from->dev);
	ret->lenient = from->lenient;
	if (r == 0)
		r = read_settings(ret, from, problems);
	if (r == 0 && from->env)
		r = flags_from_env(ret, from->env, problems);
	if (r == 0)
		r = flags_apply(ret, from->flags, from->flag_count, problems);
	if (r == 0 && from->env)
		r = read_env_keys(ret, from->env, problems);
	if (r == 0)
		r = copy_keys(&ret->own_keys, &ret->keys);
	if (r == 0 && ret->key_file)
		r = read_key_file(ret, problems);
	if (r == 0 && from->env)
		r = read_server_url(ret, from->env);
	if (r == 0 && ret->development && ret->keys.count == 0)
		r = use_dev_key(ret);
	if (r == 0)
		r = note_short_secrets(ret);
	settle(ret);
	return r == 0 ? config_check(ret, problems) : r;
}

void config_fini(struct config *c)
{
	for (size_t i = 0; i < schema_count; ++i) {
		void *slot = (char *)c + schema_keys[i].offset;
		enum schema_kind kind = schema_keys[i].kind;
		if (kind == SCHEMA_TEXT || kind == SCHEMA_IP)
			mem_free(*(char **)slot);
		else if (kind == SCHEMA_TEXTS || kind == SCHEMA_PREFIXES || kind == SCHEMA_IPS ||
			kind == SCHEMA_NETS || kind == SCHEMA_CODECS)
			value_clear_texts(slot);
	}
	clear_keys(&c->keys);
	clear_keys(&c->own_keys);
	for (size_t i = 0; i < c->banks.count; ++i) {
		mem_free(c->banks.items[i].id);
		mem_free(c->banks.items[i].name);
		mem_free(c->banks.items[i].phone_number);
	}
	mem_free(c->banks.items);
	presets_clear(&c->room.presets);
	turns_clear(&c->rtc.turn_servers);
	value_clear_texts(&c->notes);
	memset(c, 0, sizeof *c);
}

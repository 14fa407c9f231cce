#include "config/yaml.h"

#include "config/presets.h"
#include "config/turns.h"
#include "config/value.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <yaml.h>

enum { PATH_SIZE = 96, MAPPING_KEYS_MAX = 1000, BANKS_MAX = 200, CODECS_MAX = 50 };

struct reading {
	struct config *c;
	yaml_document_t document;
	const char *name;
	struct buf *problems;
	bool invalid;
	int broken; /* a negative error, once */
};

static void note_result(struct reading *r, int result)
{
	if (result < 0 && !r->broken)
		r->broken = result;
}

PRINTF(3, 4) static void problem(struct reading *r, size_t line, const char *format, ...)
{
	char text[320];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	r->invalid = true;
	/* When the list of problems is full, what is in it is enough. */
	note_result(r, buf_format(r->problems, "%s:%zu: %s\n", r->name, line, text));
}

static size_t line_of(const yaml_node_t *node)
{
	return node->start_mark.line + 1;
}

/* The scalar's text, NULL when it is none or holds a zero byte. */
static const char *scalar(const yaml_node_t *node)
{
	if (!node || node->type != YAML_SCALAR_NODE)
		return NULL;
	const char *text = (const char *)node->data.scalar.value;
	return strlen(text) == node->data.scalar.length ? text : NULL;
}

static bool is_null(const yaml_node_t *node)
{
	const char *text = scalar(node);
	return text && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
		(!*text || !strcmp(text, "~") || !strcasecmp(text, "null"));
}

static yaml_node_t *node_at(struct reading *r, int id)
{
	return yaml_document_get_node(&r->document, id);
}

/* ---- values that are no scalars ---- */

static void read_texts(struct reading *r, const struct schema_key *key, const yaml_node_t *node)
{
	struct config_texts *list = (struct config_texts *)((char *)r->c + key->offset);
	value_clear_texts(list);
	r->c->binds_chosen |= list == &r->c->bind_addresses;
	for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; ++i) {
		const yaml_node_t *item = node_at(r, *i);
		const char *text = scalar(item);
		if (!text)
			problem(r, line_of(item), "%s: expected a list of texts", key->path);
		else if (key->kind == SCHEMA_IPS && !value_is_ip(text))
			problem(r, line_of(item), "%s: expected an IP address, read \"%.40s\"",
				key->path, text);
		else if (key->kind == SCHEMA_NETS && !value_is_net(text))
			problem(r, line_of(item), "%s: expected an IP address or a net such as "
				"10.0.0.0/8, read \"%.40s\"", key->path, text);
		else if (key->kind == SCHEMA_PREFIXES && !value_is_prefix(text))
			problem(r, line_of(item), "%s: expected a country prefix such as \"+49\", or \"*\", "
				"read \"%.40s\"", key->path, text);
		else
			note_result(r, value_add_text(list, text));
	}
}

static void read_keys(struct reading *r, const yaml_node_t *node)
{
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; ++p) {
		const yaml_node_t *name = node_at(r, p->key), *secret = node_at(r, p->value);
		const char *name_text = scalar(name), *secret_text = scalar(secret);
		if (!name_text || !*name_text || !secret_text || !*secret_text)
			problem(r, line_of(name), "keys: expected NAME: SECRET");
		else if (r->c->keys.count >= MAPPING_KEYS_MAX)
			problem(r, line_of(name), "keys: there are more than %d", MAPPING_KEYS_MAX);
		else
			note_result(r, value_add_key(&r->c->keys, name_text, secret_text));
	}
}

static void bank_clear(struct config_bank *b)
{
	mem_free(b->id);
	mem_free(b->name);
	mem_free(b->phone_number);
	memset(b, 0, sizeof *b);
}

static void read_bank(struct reading *r, const yaml_node_t *node)
{
	struct config_bank bank = {0};
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; ++p) {
		const yaml_node_t *key = node_at(r, p->key);
		const char *name = scalar(key), *text = scalar(node_at(r, p->value));
		char **slot = !name ? NULL
			: !strcmp(name, "id") ? &bank.id
			: !strcmp(name, "name") ? &bank.name
			: !strcmp(name, "phone_number") ? &bank.phone_number
							: NULL;
		if (!slot || !text)
			problem(r, line_of(key), "banks: expected id, name and phone_number, each a text");
		else
			note_result(r, value_text(slot, text));
	}
	if (!bank.id || !bank.name || !bank.phone_number)
		problem(r, line_of(node), "banks: each needs id, name and phone_number");
	struct config_banks *banks = &r->c->banks;
	struct config_bank *grown = NULL;
	if (!r->invalid && !r->broken) {
		grown = mem_realloc(banks->items, (banks->count + 1) * sizeof *grown);
		note_result(r, grown ? 0 : err_new(-ENOMEM));
	}
	if (!grown) {
		bank_clear(&bank);
		return;
	}
	banks->items = grown;
	banks->items[banks->count++] = bank;
}

static void read_banks(struct reading *r, const yaml_node_t *node)
{
	for (size_t i = 0; i < r->c->banks.count; ++i)
		bank_clear(&r->c->banks.items[i]);
	r->c->banks.count = 0;
	for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; ++i) {
		const yaml_node_t *item = node_at(r, *i);
		if (item->type != YAML_MAPPING_NODE)
			problem(r, line_of(item), "banks: expected {id, name, phone_number}");
		else if (r->c->banks.count >= BANKS_MAX)
			problem(r, line_of(item), "banks: there are more than %d", BANKS_MAX);
		else
			read_bank(r, item);
	}
}

static const char *read_mime(struct reading *r, const yaml_node_t *node)
{
	const char *mime = NULL;
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; ++p) {
		const yaml_node_t *key = node_at(r, p->key);
		const char *name = scalar(key), *text = scalar(node_at(r, p->value));
		if (name && text && !strcmp(name, "mime"))
			mime = text;
		else if (!name || !text || strcmp(name, "fmtp_line"))
			problem(r, line_of(key), "room.enabled_codecs: expected mime and fmtp_line, each a text");
	}
	return mime;
}

static void read_codecs(struct reading *r, const yaml_node_t *node)
{
	struct config_texts *list = &r->c->room.enabled_codecs;
	bool opus = false;
	value_clear_texts(list);
	for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; ++i) {
		const yaml_node_t *item = node_at(r, *i);
		const char *mime = item->type == YAML_MAPPING_NODE ? read_mime(r, item) : NULL;
		if (!mime || list->count >= CODECS_MAX) {
			problem(r, line_of(item), "room.enabled_codecs: expected at most %d of {mime}", CODECS_MAX);
			return;
		}
		opus |= !strcasecmp(mime, "audio/opus");
		note_result(r, value_add_text(list, mime));
	}
	if (!opus)
		problem(r, line_of(node), "room.enabled_codecs: audio/opus must be among them: nothing works without");
}

static void read_presets(struct reading *r, const yaml_node_t *node)
{
	char why[PRESETS_WHY_SIZE];
	presets_clear(&r->c->room.presets);
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; ++p) {
		const yaml_node_t *name = node_at(r, p->key);
		const char *text = scalar(name);
		int result = text && *text
			? presets_add(&r->c->room.presets, text, &r->document, node_at(r, p->value), why) : 0;
		if (!text || !*text)
			problem(r, line_of(name), "room.room_configurations: expected a name");
		else if (result > 0)
			problem(r, line_of(name), "room.room_configurations: %s", why);
		note_result(r, result);
	}
}

/* {v4: 192.0.2.1, v6: "2001:db8::1"} */
static void read_ip_pair(struct reading *r, const struct schema_key *key, const yaml_node_t *node)
{
	struct config_texts *list = (struct config_texts *)((char *)r->c + key->offset);
	value_clear_texts(list);
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; ++p) {
		const char *name = scalar(node_at(r, p->key)), *text = scalar(node_at(r, p->value));
		bool v4 = name && !strcmp(name, "v4"), v6 = name && !strcmp(name, "v6");
		if (text && !*text)
			continue;
		if ((!v4 && !v6) || !text || !value_is_ip(text) || v6 != (strchr(text, ':') != NULL))
			problem(r, line_of(node_at(r, p->key)), "%s: expected {v4: ADDRESS, v6: ADDRESS}",
				key->path);
		else
			note_result(r, value_add_text(list, text));
	}
}

static void read_turns(struct reading *r, const yaml_node_t *node)
{
	char why[TURNS_WHY_SIZE];
	turns_clear(&r->c->rtc.turn_servers);
	for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; ++i) {
		const yaml_node_t *item = node_at(r, *i);
		int result = turns_add(&r->c->rtc.turn_servers, &r->document, item, why);
		if (result > 0)
			problem(r, line_of(item), "rtc.turn_servers: %s", why);
		note_result(r, result);
	}
}

/* livekit-sip's way to write one certificate; it too shows everybody the first. */
static void read_certs(struct reading *r, const struct schema_key *key, const yaml_node_t *node)
{
	struct config_sip_tls *tls = &r->c->sip.tls;
	yaml_node_item_t *first = node->data.sequence.items.start;
	bool one = node->data.sequence.items.top - first == 1;
	const yaml_node_t *item = one ? node_at(r, *first) : node;

	if (!one || item->type != YAML_MAPPING_NODE) {
		problem(r, line_of(node), "%s: expected a list of one {cert_file, key_file}", key->path);
		return;
	}
	for (yaml_node_pair_t *p = item->data.mapping.pairs.start; p < item->data.mapping.pairs.top; ++p) {
		const char *name = scalar(node_at(r, p->key)), *text = scalar(node_at(r, p->value));
		char **slot = !name ? NULL
			: !strcmp(name, "cert_file") ? &tls->cert_file
			: !strcmp(name, "key_file") ? &tls->key_file : NULL;
		if (!slot || !text)
			problem(r, line_of(node_at(r, p->key)), "%s: expected cert_file and key_file", key->path);
		else
			note_result(r, value_text(slot, text));
	}
}

/* ---- the walk ---- */

static void unknown(struct reading *r, const yaml_node_t *key, const char *group, const char *name)
{
	char near[PATH_SIZE];
	const char *in = *group ? " in " : "";
	if (r->c->lenient) {
		char text[256];
		snprintf(text, sizeof text, "%s:%zu: unknown key \"%.60s\"%s%s is ignored", r->name, line_of(key),
			name, in, group);
		note_result(r, value_add_text(&r->c->notes, text));
	} else if (schema_suggest(near, sizeof near, group, name))
		problem(r, line_of(key), "unknown key \"%.60s\"%s%s; did you mean \"%s\"?", name, in, group,
			near);
	else
		problem(r, line_of(key), "unknown key \"%.60s\"%s%s", name, in, group);
}

/* It has no effect, but a mistake in it should not wait until it has. */
static void read_unused(struct reading *r, const struct schema_key *key, const yaml_node_t *node)
{
	char text[256];
	snprintf(text, sizeof text, "%s:%zu: %s has no effect: %s", r->name, line_of(node), key->path, key->note);
	note_result(r, value_add_text(&r->c->notes, text));
	if (node->type != YAML_MAPPING_NODE)
		return;
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; ++p) {
		const char *name = scalar(node_at(r, p->key));
		if (name && !schema_is_known_below(key->path, name))
			unknown(r, node_at(r, p->key), key->path, name);
	}
}

static bool takes_list(const struct schema_key *key)
{
	return key->kind == SCHEMA_TEXTS || key->kind == SCHEMA_PREFIXES || key->kind == SCHEMA_NETS ||
	       key->kind == SCHEMA_BANKS || key->kind == SCHEMA_TURNS || key->kind == SCHEMA_CODECS ||
	       key->kind == SCHEMA_CERTS;
}

static bool takes_mapping(const struct schema_key *key)
{
	return key->kind == SCHEMA_KEYS || key->kind == SCHEMA_PRESETS;
}

static void read_list(struct reading *r, const struct schema_key *key, const yaml_node_t *node)
{
	if (key->kind == SCHEMA_BANKS)
		read_banks(r, node);
	else if (key->kind == SCHEMA_TURNS)
		read_turns(r, node);
	else if (key->kind == SCHEMA_CODECS)
		read_codecs(r, node);
	else if (key->kind == SCHEMA_CERTS)
		read_certs(r, key, node);
	else
		read_texts(r, key, node);
}

static void read_value(struct reading *r, const struct schema_key *key, const yaml_node_t *node)
{
	bool ips = key->kind == SCHEMA_IPS;
	char why[VALUE_WHY_SIZE];

	if (key->kind == SCHEMA_UNUSED) {
		read_unused(r, key, node);
		return;
	}
	if (is_null(node))
		return; /* the default stays */
	if (node->type == YAML_SEQUENCE_NODE && (ips || takes_list(key))) {
		read_list(r, key, node);
	} else if (node->type == YAML_MAPPING_NODE && ips) {
		read_ip_pair(r, key, node);
	} else if (node->type == YAML_MAPPING_NODE && key->kind == SCHEMA_KEYS) {
		read_keys(r, node);
	} else if (node->type == YAML_MAPPING_NODE && key->kind == SCHEMA_PRESETS) {
		read_presets(r, node);
	} else if (!scalar(node)) {
		problem(r, line_of(node), "%s: expected %s", key->path,
			takes_list(key) ? "a list" : takes_mapping(key) ? "a mapping" : "a single value");
	} else {
		int result = value_set(r->c, key, scalar(node), why);
		if (result > 0)
			problem(r, line_of(node), "%s: %s", key->path, why);
		note_result(r, result);
	}
}

static bool is_twice(struct reading *r, const yaml_node_t *mapping, const yaml_node_pair_t *pair)
{
	const char *name = scalar(node_at(r, pair->key));
	for (yaml_node_pair_t *p = mapping->data.mapping.pairs.start; p < pair; ++p) {
		const char *earlier = scalar(node_at(r, p->key));
		if (earlier && !strcmp(earlier, name))
			return true;
	}
	return false;
}

/* `group`: "" at the top, else one or two levels down; the schema has no more. */
static void read_mapping(struct reading *r, const yaml_node_t *mapping, const char *group)
{
	yaml_node_pair_t *start = mapping->data.mapping.pairs.start, *top = mapping->data.mapping.pairs.top;
	for (yaml_node_pair_t *p = start; p < top && p - start < MAPPING_KEYS_MAX; ++p) {
		const yaml_node_t *key = node_at(r, p->key), *value = node_at(r, p->value);
		const char *name = scalar(key);
		char path[2 * PATH_SIZE];
		if (!name || strlen(group) + strlen(name) + 2 > PATH_SIZE || strchr(name, '.')) {
			problem(r, line_of(key), "expected the name of a setting");
			continue;
		}
		snprintf(path, sizeof path, "%s%s%.95s", group, *group ? "." : "", name);
		const struct schema_key *known = schema_find(path);
		if (is_twice(r, mapping, p))
			problem(r, line_of(key), "%s is set twice", path);
		else if (known)
			read_value(r, known, value);
		else if (!schema_is_group(path))
			unknown(r, key, group, name);
		else if (value->type == YAML_MAPPING_NODE)
			read_mapping(r, value, path);
		else if (!is_null(value))
			problem(r, line_of(value), "%s: expected settings below it, indented", path);
	}
	if (top - start >= MAPPING_KEYS_MAX)
		problem(r, line_of(mapping), "more than %d keys in one place", MAPPING_KEYS_MAX);
}

static void read_document(struct reading *r, bool keys_only)
{
	const yaml_node_t *root = yaml_document_get_root_node(&r->document);
	if (!root || is_null(root))
		return; /* an empty file */
	if (root->type != YAML_MAPPING_NODE)
		problem(r, line_of(root), keys_only ? "expected NAME: SECRET" : "expected `key: value` lines");
	else if (keys_only)
		read_keys(r, root);
	else
		read_mapping(r, root, "");
}

static void parse(struct reading *r, yaml_parser_t *parser, bool keys_only)
{
	if (!yaml_parser_load(parser, &r->document)) {
		if (parser->error == YAML_MEMORY_ERROR)
			note_result(r, err_new(-ENOMEM));
		else
			problem(r, parser->problem_mark.line + 1, "not YAML: %s",
				parser->problem ? parser->problem : "unreadable");
		return;
	}
	read_document(r, keys_only);
	yaml_document_delete(&r->document);
}

static int read_text(struct config *c, struct span text, const char *name, struct buf *problems,
	bool keys_only)
{
	struct reading r = {.c = c, .name = name, .problems = problems};
	yaml_parser_t parser;

	if (text.size > LIMIT_CONFIG_BYTES) {
		problem(&r, 1, "longer than %d bytes", LIMIT_CONFIG_BYTES);
		return r.broken ? r.broken : CONFIG_E_INVALID;
	}
	if (!yaml_parser_initialize(&parser))
		return err_new(-ENOMEM);
	yaml_parser_set_input_string(&parser, text.data ? text.data : (const uint8_t *)"", text.size);
	parse(&r, &parser, keys_only);
	yaml_parser_delete(&parser);
	return r.broken ? r.broken : r.invalid ? CONFIG_E_INVALID : 0;
}

int yaml_read(struct config *c, struct span text, const char *name, struct buf *problems)
{
	return read_text(c, text, name, problems, false);
}

int yaml_read_keys(struct config *c, struct span text, const char *name, struct buf *problems)
{
	return read_text(c, text, name, problems, true);
}

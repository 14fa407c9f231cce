#include "config/env_file.h"

#include "config/read_file.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>

struct env_entry {
	char *name, *value;
};

static struct env_entry *find(const struct env *e, const char *name)
{
	for (size_t i = 0; i < e->count; ++i)
		if (!strcmp(e->entries[i].name, name))
			return &e->entries[i];
	return NULL;
}

/* Takes both texts. */
static int set(struct env *e, char *name, char *value)
{
	struct env_entry *old = name && value ? find(e, name) : NULL;
	if (old) {
		mem_free(name);
		mem_free(old->value);
		old->value = value;
		return 0;
	}
	int r = name && value ? 0 : -ENOMEM;
	if (r == 0 && e->count >= ENV_ENTRIES_MAX)
		r = ENV_E_LIMIT;
	struct env_entry *grown = NULL;
	if (r == 0) {
		grown = mem_realloc(e->entries, (e->count + 1) * sizeof *grown);
		r = grown ? 0 : -ENOMEM;
	}
	if (r) {
		mem_free(name);
		mem_free(value);
		return r < 0 ? err_new(r) : r;
	}
	e->entries = grown;
	e->entries[e->count++] = (struct env_entry){.name = name, .value = value};
	return 0;
}

static bool is_name_char(char c, bool first)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
		(!first && c >= '0' && c <= '9');
}

static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t' || *at == '\r'))
		++at;
	return at;
}

/* Nothing but blanks or a comment until the end of the line. */
static bool is_rest_empty(const char *at, const char *end)
{
	at = skip_blanks(at, end);
	return at == end || *at == '#';
}

/* Between quotes. NULL when the closing one is missing or something follows it. */
static char *quoted_value(const char *at, const char *end, bool *syntax)
{
	char quote = *at++;
	char *value = mem_zalloc((size_t)(end - at) + 1);
	size_t used = 0;
	if (!value)
		return NULL;
	for (; at < end && *at != quote; ++at) {
		if (quote == '"' && *at == '\\' && at + 1 < end) {
			++at;
			value[used++] = *at == 'n' ? '\n' : *at == 't' ? '\t' : *at;
			continue;
		}
		value[used++] = *at;
	}
	if (at == end || !is_rest_empty(at + 1, end)) {
		mem_free(value);
		*syntax = true;
		return NULL;
	}
	return value;
}

static char *bare_value(const char *at, const char *end)
{
	const char *stop = at;
	while (stop < end && !(*stop == '#' && (stop == at || stop[-1] == ' ' || stop[-1] == '\t')))
		++stop;
	while (stop > at && (stop[-1] == ' ' || stop[-1] == '\t' || stop[-1] == '\r'))
		--stop;
	return mem_strndup(at, (size_t)(stop - at));
}

static int parse_line(struct env *e, const char *at, const char *end)
{
	bool syntax = false;
	at = skip_blanks(at, end);
	if (at == end || *at == '#')
		return 0;
	if (end - at > 7 && !strncmp(at, "export", 6) && (at[6] == ' ' || at[6] == '\t'))
		at = skip_blanks(at + 7, end);
	const char *name = at;
	while (at < end && is_name_char(*at, at == name))
		++at;
	size_t name_size = (size_t)(at - name);
	at = skip_blanks(at, end);
	if (!name_size || at == end || *at != '=')
		return ENV_E_SYNTAX;
	at = skip_blanks(at + 1, end);
	char *value = at < end && (*at == '"' || *at == '\'') ? quoted_value(at, end, &syntax)
							       : bare_value(at, end);
	if (syntax)
		return ENV_E_SYNTAX;
	return set(e, mem_strndup(name, name_size), value);
}

int env_parse(struct env *e, struct span text, unsigned *line)
{
	const char *at = (const char *)text.data, *end = at + text.size;

	if (text.size && memchr(text.data, 0, text.size)) {
		*line = 1;
		return ENV_E_SYNTAX;
	}
	for (*line = 1; at < end; ++*line) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		int r = parse_line(e, at, stop ? stop : end);
		if (r)
			return r;
		at = stop ? stop + 1 : end;
	}
	return 0;
}

int env_load(struct env *e, const char *path, unsigned *line)
{
	struct buf text = {.max = LIMIT_CONFIG_BYTES};
	int r = read_file(&text, path);
	if (r == READ_FILE_E_MISSING)
		r = 0;
	else if (r > 0)
		r = ENV_E_LIMIT;
	else if (r == 0)
		r = env_parse(e, buf_span(&text), line);
	buf_fini(&text);
	return r;
}

const char *env_get(const struct env *e, const char *name)
{
	const char *own = e->ignore_process ? NULL : getenv(name);
	if (own && *own)
		return own;
	const struct env_entry *entry = find(e, name);
	return entry && *entry->value ? entry->value : NULL;
}

void env_fini(struct env *e)
{
	for (size_t i = 0; i < e->count; ++i) {
		mem_free(e->entries[i].name);
		mem_free(e->entries[i].value);
	}
	mem_free(e->entries);
	memset(e, 0, sizeof *e);
}

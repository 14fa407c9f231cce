#include "call/headers.h"

#include "base/err.h"
#include "base/mem.h"
#include "trunk/check.h"
#include "wire/sip_write.h"
#include "wire/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>

int header_rules_copy(struct header_rules *ret, struct proto_arena *a,
	const Livekit__SIPOutboundTrunkInfo *trunk)
{
	struct attribute *maps = proto_alloc(a, (trunk->n_headers_to_attributes + 1) * sizeof *maps);
	struct attribute *back = proto_alloc(a, (trunk->n_attributes_to_headers + 1) * sizeof *back);
	bool whole = maps && back;

	for (size_t i = 0; whole && i < trunk->n_headers_to_attributes; ++i) {
		maps[i].key = proto_text(a, trunk->headers_to_attributes[i]->key);
		maps[i].value = proto_text(a, trunk->headers_to_attributes[i]->value);
		whole = maps[i].key && maps[i].value;
	}
	for (size_t i = 0; whole && i < trunk->n_attributes_to_headers; ++i) {
		back[i].key = proto_text(a, trunk->attributes_to_headers[i]->key);
		back[i].value = proto_text(a, trunk->attributes_to_headers[i]->value);
		whole = back[i].key && back[i].value;
	}
	*ret = (struct header_rules){.include = trunk->include_headers};
	if (!whole)
		return err_new(-ENOMEM);
	ret->maps = maps;
	ret->map_count = trunk->n_headers_to_attributes;
	ret->to_headers = back;
	ret->to_header_count = trunk->n_attributes_to_headers;
	return 0;
}

/* ---- attributes ---- */

/* How providers name a call in their own books: what their support asks for. */
static const struct attribute known[] = {
	{"X-Twilio-AccountSid", "sip.twilio.accountSid"},
	{"X-Twilio-CallSid", "sip.twilio.callSid"},
	{"X-call_leg_id", "sip.telnyx.callLegID"},
	{"X-call_session_id", "sip.telnyx.callSessionID"},
	{"X-Telnyx-Leg-ID", "sip.telnyx.callLegID"},
	{"X-Telnyx-Session-ID", "sip.telnyx.callSessionID"},
	{"X-Amzn-ConnectContactId", "sip.amazon.contactId"},
	{"X-Amzn-ConnectInitialContactId", "sip.amazon.initialContactId"},
	{"X-Amzn-SourceAccount", "sip.amazon.sourceAccount"},
	{"X-Amzn-SourceArn", "sip.amazon.sourceArn"},
	{"X-Amzn-TargetArn", "sip.amazon.targetArn"},
	{"X-Lk-Test-Id", "lktest.id"},
};

struct gathering {
	struct proto_arena *arena;
	struct attribute *all;
	size_t count;
	bool failed;
};

/* `key` must live as long as the arena. */
static void add(struct gathering *g, const char *key, struct span value)
{
	char *text = proto_alloc(g->arena, value.size + 1);
	if (!text || !key) {
		g->failed = true;
		return;
	}
	headers_copy_text(text, value.size + 1, value);
	g->all[g->count++] = (struct attribute){key, text};
}

static bool is_included(const struct sip_header_line *line, Livekit__SIPHeaderOptions include)
{
	if (include == LIVEKIT__SIPHEADER_OPTIONS__SIP_ALL_HEADERS)
		return true;
	return include == LIVEKIT__SIPHEADER_OPTIONS__SIP_X_HEADERS && line->name.size > 2 &&
	       !strncasecmp((const char *)line->name.data, "X-", 2);
}

static const char *key_of(struct proto_arena *a, const struct sip_header_line *line)
{
	static const char prefix[] = "sip.h.";
	/* Compact forms are shown by their long names: apps ask for "from", not for "f". */
	const char *usual = line->id == SIP_H_OTHER ? NULL : sip_header_text(line->id);
	struct span name = usual ? span_text(usual) : line->name;
	char *key = proto_alloc(a, sizeof prefix + name.size);
	if (!key)
		return NULL;
	memcpy(key, prefix, sizeof prefix - 1);
	for (size_t i = 0; i < name.size; ++i)
		key[sizeof prefix - 1 + i] = (char)tolower(name.data[i]);
	return key;
}

static bool is_first(const struct sip_message *m, const struct sip_header_line *line)
{
	for (const struct sip_header_line *l = m->headers; l < line; ++l)
		if (line->id == SIP_H_OTHER ? l->name.size == line->name.size &&
				    !strncasecmp((const char *)l->name.data, (const char *)line->name.data,
					    line->name.size)
					    : l->id == line->id)
			return false;
	return true;
}

static void add_included(struct gathering *g, const struct sip_message *m, Livekit__SIPHeaderOptions include)
{
	for (size_t i = 0; i < m->header_count; ++i) {
		const struct sip_header_line *line = &m->headers[i];
		if (is_included(line, include) && is_first(m, line))
			add(g, key_of(g->arena, line), line->value);
	}
}

static void add_mapped(struct gathering *g, const struct sip_message *m, const struct attribute *maps, size_t count)
{
	for (size_t i = 0; i < count; ++i) {
		const struct sip_header_line *line = sip_message_header_named(m, maps[i].key);
		if (line)
			add(g, maps[i].value, line->value);
	}
}

int headers_to_attributes(struct attribute **ret, size_t *ret_count, struct proto_arena *a,
	const struct sip_message *m, const struct header_rules *rules)
{
	size_t most = m->header_count + COUNT_OF(known) + rules->map_count;
	struct gathering g = {.arena = a, .all = proto_alloc(a, most * sizeof *g.all)};
	if (!g.all)
		return err_new(-ENOMEM);
	add_included(&g, m, rules->include);
	add_mapped(&g, m, known, COUNT_OF(known));
	add_mapped(&g, m, rules->maps, rules->map_count);
	if (g.failed)
		return err_new(-ENOMEM);
	*ret = g.count ? g.all : NULL;
	*ret_count = g.count;
	return 0;
}

/* ---- as JSON ---- */

int headers_keep(struct attribute **ret, size_t *ret_count, struct proto_arena *a, const struct sip_message *m)
{
	struct gathering g = {.arena = a, .all = proto_alloc(a, (m->header_count + 1) * sizeof *g.all)};
	if (!g.all)
		return err_new(-ENOMEM);
	for (size_t i = 0; i < m->header_count; ++i)
		if (is_first(m, &m->headers[i]))
			add(&g, proto_text_span(a, m->headers[i].name), m->headers[i].value);
	if (g.failed)
		return err_new(-ENOMEM);
	*ret = g.all;
	*ret_count = g.count;
	return 0;
}

static bool names(const json_t *list, const char *name)
{
	size_t i;
	json_t *item;
	json_array_foreach (list, i, item) {
		const char *text = json_string_value(item);
		if (text && !strcasecmp(text, name))
			return true;
	}
	return false;
}

static bool is_list_or_nothing(const json_t *list)
{
	return !list || json_is_null(list) || json_is_array(list);
}

static char *dump(json_t *headers)
{
	json_t *whole = json_pack("{s:o}", "headers", headers);
	char *text = whole ? json_dumps(whole, JSON_COMPACT) : NULL;
	char *copy = text ? mem_strdup(text) : NULL;
	json_free_t release; /* jansson's memory, not one of ours */
	json_get_alloc_funcs(NULL, &release);
	release(text);
	json_decref(whole);
	return copy;
}

int headers_to_json(char **ret, const struct attribute *headers, size_t count, const char *request)
{
	json_t *wish = *request ? json_loads(request, 0, NULL) : json_object();
	const json_t *include = json_object_get(wish, "include"), *exclude = json_object_get(wish, "exclude");
	json_t *chosen = json_object();
	bool good = json_is_object(wish) && is_list_or_nothing(include) && is_list_or_nothing(exclude);
	for (size_t i = 0; good && i < count; ++i) {
		const char *name = headers[i].key;
		if ((!json_array_size(include) || names(include, name)) && !names(exclude, name))
			json_object_set_new(chosen, name, json_string(headers[i].value));
	}
	*ret = good && chosen ? dump(chosen) : NULL;
	if (!good)
		json_decref(chosen);
	json_decref(wish);
	if (!good)
		return HEADERS_E_REQUEST;
	return *ret ? 0 : err_new(-ENOMEM);
}

static int keep_named(struct attribute **ret, size_t *ret_count, struct proto_arena *a, const json_t *object)
{
	char why[TRUNK_WHY_SIZE];
	const char *name;
	json_t *value;
	size_t count = 0;
	struct attribute *all = proto_alloc(a, (json_object_size(object) + 1) * sizeof *all);

	if (!all)
		return err_new(-ENOMEM);
	json_object_foreach((json_t *)object, name, value) {
		const char *text = json_string_value(value);
		if (!text || !check_request_header(name, text, why))
			return HEADERS_E_REQUEST;
		all[count].key = proto_text(a, name);
		all[count].value = proto_text(a, text);
		if (!all[count].key || !all[count].value)
			return err_new(-ENOMEM);
		++count;
	}
	*ret = all;
	*ret_count = count;
	return 0;
}

int headers_from_json(struct attribute **ret, size_t *ret_count, struct proto_arena *a, const char *request)
{
	json_t *wish = *request ? json_loads(request, 0, NULL) : json_object();
	const json_t *headers = json_object_get(wish, "headers");
	int r = HEADERS_E_REQUEST;

	*ret_count = 0;
	if (json_is_object(wish) && (!headers || json_is_object(headers)))
		r = headers ? keep_named(ret, ret_count, a, headers) : 0;
	json_decref(wish);
	return r;
}

/* ---- words ---- */

static bool is_plain_text(const struct sip_message *m)
{
	static const char type[] = "text/plain";
	struct span value = sip_message_value(m, SIP_H_CONTENT_TYPE);
	return value.size >= sizeof type - 1 && !strncasecmp((const char *)value.data, type, sizeof type - 1);
}

static struct span first_line(struct span text)
{
	text = sip_trim(text);
	size_t n = 0;
	while (n < text.size && text.data[n] != '\r' && text.data[n] != '\n')
		++n;
	return span_of(text.data, n);
}

void headers_far_words(char *out, size_t size, const struct sip_message *response)
{
	struct span words = sip_message_value_named(response, "X-Twilio-Error");
	if (!words.size && is_plain_text(response))
		words = first_line(response->body);
	headers_copy_text(out, size, words.size ? words : response->reason);
}

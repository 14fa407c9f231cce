#include "api/backend.h"

#include "api/auth.h"

#include "call/call.h"

#include "base/limits.h"
#include "wire/e164.h"
#include "wire/utf8.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char content_type[] = "application/json";

/* ---- answers ---- */

static void send_json(struct http_exchange *x, unsigned status, const char *headers, json_t *body)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	http_reply(x, text ? status : 500, content_type, headers,
		span_text(text ? text
			       : "{\"success\":false,\"error\":{\"code\":\"internal\",\"message\":\"Out of "
				 "memory.\"}}"));
	free(text); /* jansson's */
	json_decref(body);
}

void backend_answer(struct http_exchange *x, unsigned status, json_t *body)
{
	send_json(x, status, "Cache-Control: no-store\r\n", body);
}

json_t *backend_error(const char *code, const char *message)
{
	return json_pack("{s:b, s:{s:s, s:s+}}", "success", 0, "error", "code", code, "message", message, "");
}

void backend_fail(struct backend *b, unsigned status, const char *code, const char *format, ...)
{
	char text[1024], message[sizeof text];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	/* What was read is quoted: it may be no UTF-8, and a cut may have split a character. */
	text[utf8_cut(span_text(text), sizeof text)] = 0;
	utf8_printable(message, sizeof message, span_text(text));
	backend_answer(b->x, status, backend_error(code, message));
}

void backend_denied(struct backend *b, const char *what)
{
	char message[512];
	snprintf(message, sizeof message, "%s", what);
	send_json(b->x, 401, "Cache-Control: no-store\r\nWWW-Authenticate: Bearer\r\n",
		backend_error("unauthenticated", message));
}

/* ---- the body ---- */

bool backend_read(struct backend *b)
{
	struct span text = http_body(b->x);
	json_error_t error;

	if (text.size > LIMIT_BACKEND_BODY_BYTES) {
		backend_fail(b, 413, "body_too_large", "The body has %zu bytes; at most %d are read.", text.size,
			LIMIT_BACKEND_BODY_BYTES);
		return false;
	}
	if (text.size == 0) {
		backend_fail(b, 400, "invalid_json", "The body is empty. Send a JSON object.");
		return false;
	}
	b->body = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
		&error);
	if (!b->body) {
		backend_fail(b, 400, "invalid_json", "The body is not JSON: line %d, column %d: %s.", error.line,
			error.column, error.text);
		return false;
	}
	if (!json_is_object(b->body)) {
		backend_fail(b, 400, "invalid_json", "The body must be a JSON object, such as "
			"{\"room\": \"my-room\", \"phone_number\": \"+14155550123\"}.");
		return false;
	}
	return true;
}

static bool wrong_type(struct backend *b, const char *name, const char *expected)
{
	backend_fail(b, 400, "invalid_field", "%s must be %s.", name, expected);
	return false;
}

bool backend_text(struct backend *b, const char *name, const char **value)
{
	const json_t *field = json_object_get(b->body, name);
	*value = NULL;
	if (!field || json_is_null(field))
		return true;
	if (!json_is_string(field))
		return wrong_type(b, name, "a text in quotes");
	*value = json_string_value(field);
	return true;
}

bool backend_name(struct backend *b, const char *name, const char **value)
{
	if (!backend_text(b, name, value))
		return false;
	const struct room_limits *limits = rooms_limits(b->api->config.rooms);
	uint32_t max = strstr(name, "identity") ? limits->identity : strstr(name, "room") ? limits->room_name : limits->name;
	if (*value && strlen(*value) > max) {
		backend_fail(b, 400, "invalid_field", "%s has %zu bytes; at most %u are allowed.", name,
			strlen(*value), max);
		return false;
	}
	return true;
}

bool backend_flag(struct backend *b, const char *name, bool *value)
{
	const json_t *field = json_object_get(b->body, name);
	*value = json_is_true(field);
	return !field || json_is_null(field) || json_is_boolean(field) ? true
								       : wrong_type(b, name, "true or false");
}

bool backend_seconds(struct backend *b, const char *name, double max_s, uint32_t *value_ms)
{
	const json_t *field = json_object_get(b->body, name);
	*value_ms = 0;
	if (!field || json_is_null(field))
		return true;
	double value = json_is_number(field) ? json_number_value(field) : -1;
	if (!(value > 0 && value <= max_s)) {
		backend_fail(b, 400, "invalid_field", "%s must be a number of seconds, more than 0 and at most "
			"%g.", name, max_s);
		return false;
	}
	*value_ms = value * 1000 < 1 ? 1 : (uint32_t)llround(value * 1000);
	return true;
}

bool backend_texts(struct backend *b, const char *name, const json_t **value)
{
	const char *key;
	json_t *item, *field = json_object_get(b->body, name);
	size_t bytes = 0;

	*value = NULL;
	if (!field || json_is_null(field))
		return true;
	if (!json_is_object(field))
		return wrong_type(b, name, "an object of texts");
	json_object_foreach(field, key, item) {
		if (!json_is_string(item))
			return wrong_type(b, name, "an object of texts");
		bytes += strlen(key) + json_string_length(item);
	}
	if (bytes > rooms_limits(b->api->config.rooms)->attributes) {
		backend_fail(b, 400, "invalid_field", "%s has %zu bytes; at most %u are allowed.", name, bytes,
			rooms_limits(b->api->config.rooms)->attributes);
		return false;
	}
	*value = field;
	return true;
}

bool backend_number(struct backend *b, const char *text, char out[17])
{
	if (e164_parse(out, span_text(text), NULL) == E164_OK)
		return true;
	backend_fail(b, 400, "invalid_phone_number", "phone_number: read \"%.60s\". Expected is E.164: + and "
		"country code, then the number, for example +14155550123.", text);
	return false;
}

/* ---- endpoints ---- */

void backend_config(struct backend *b)
{
	char url[API_URL_SIZE];
	json_t *banks = json_array();
	for (size_t i = 0; banks && i < b->api->config.bank_count; ++i) {
		const struct api_bank *bank = &b->api->config.banks[i];
		json_array_append_new(banks, json_pack("{s:s, s:s, s:s}", "id", bank->id, "name", bank->name,
						     "phone_number", bank->phone_number));
	}
	backend_answer(b->x, 200, json_pack("{s:o*, s:s}", "banks", banks, "server_url",
					  api_server_url(url, b->api, b->x)));
}

void backend_hang_up(struct backend *b)
{
	const char *room, *identity, *id;
	struct calls *calls = b->api->config.calls;

	if (!b->open && !b->grants.sip.call) {
		backend_denied(b, "The token lacks the permission sip.call.");
		return;
	}
	if (!backend_read(b) || !backend_text(b, "room", &room) ||
		!backend_text(b, "participant_identity", &identity) || !backend_text(b, "sip_call_id", &id))
		return;
	if (!id && (!room || !identity)) {
		backend_fail(b, 400, "missing_field",
			"Say which call: sip_call_id, or room and participant_identity.");
		return;
	}
	struct call *c = id ? calls_find(calls, id) : calls_find_participant(calls, room, identity);
	if (!c) {
		backend_fail(b, 404, "call_not_found", "There is no such call. It may have ended already.");
		return;
	}
	json_t *body = json_pack("{s:b, s:s, s:s, s:s}", "success", 1, "sip_call_id", call_id(c), "room",
		call_room(c), "participant_identity", call_participant_identity(c));
	backend_answer(b->x, 200, body);
	call_hang_up(c);
}

static const struct endpoint {
	const char *path; /* ending in '/': and a name after it */
	void (*serve)(struct backend *b);
	const char *methods, *hint;
} endpoints[] = {
	{"/livekit/sip/outbound", backend_dial, "POST", "This endpoint takes POST."},
	{"/livekit/sip/hangup", backend_hang_up, "POST", "This endpoint takes POST."},
	{"/livekit/sip/calls", backend_calls, "GET", "This endpoint takes GET."},
	{"/livekit/sip/calls/", backend_call, "GET", "This endpoint takes GET."},
	{"/livekit/sip/policy", backend_policy, "GET", "This endpoint takes GET."},
	{"/livekit/sip/trunks", backend_trunks, "GET, POST", "This endpoint takes GET."},
	{"/livekit/token", backend_token, "GET, POST", "This endpoint takes POST."},
	{"/app/config", backend_config, "GET, POST", "This endpoint takes POST."},
};

static bool is_at(const struct endpoint *e, const char *path)
{
	size_t size = strlen(e->path);
	if (e->path[size - 1] != '/')
		return !strcmp(path, e->path);
	return !strncmp(path, e->path, size) && path[size];
}

bool api_is_backend_path(const char *path)
{
	return !strncmp(path, "/livekit/", 9) || !strncmp(path, "/app/", 5);
}

bool api_is_operator_path(const char *path)
{
	return !strcmp(path, "/livekit/sip/trunks") || !strcmp(path, "/livekit/sip/policy") ||
		 !strncmp(path, "/livekit/sip/calls", 18);
}

/* Fills `open` and `grants`; false: 401 was sent. */
static bool admit(struct backend *b)
{
	const char *why = NULL;
	int r = auth_read(&b->grants, b->api, b->x, &why);
	b->open = auth_is_open(b->api, b->x);
	if (r < 0)
		backend_fail(b, 500, "internal", "Something is broken here; the log says what.");
	else if (r == AUTH_E_BAD)
		backend_denied(b, why);
	else if (r == AUTH_E_NONE && !b->open)
		backend_denied(b, "A LiveKit access token is needed here: send the header "
				  "\"Authorization: Bearer TOKEN\".");
	else
		return true;
	return false;
}

static void serve(struct backend *b, const struct endpoint *e)
{
	char allow[64];
	const char *method = http_method(b->x);
	bool known = !strcmp(method, "GET") || !strcmp(method, "POST");
	snprintf(allow, sizeof allow, "Allow: %s\r\n", e->methods);
	if (!known || !strstr(e->methods, method))
		send_json(b->x, 405, allow, backend_error("method_not_allowed", e->hint));
	else if (b->api->closed)
		backend_fail(b, 503, "shutting_down", "The server is shutting down.");
	else if (admit(b))
		e->serve(b);
}

void api_backend(struct api *a, struct http_exchange *x)
{
	struct backend b = {.api = a, .x = x};
	const struct endpoint *found = NULL;
	for (size_t i = 0; i < COUNT_OF(endpoints); ++i)
		if (is_at(&endpoints[i], http_path(x)))
			found = &endpoints[i];
	if (found)
		serve(&b, found);
	else
		backend_fail(&b, 404, "not_found", "There is no endpoint %.200s.", http_path(x));
	json_decref(b.body);
	grants_fini(&b.grants);
}

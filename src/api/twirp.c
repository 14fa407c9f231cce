#include "api/twirp.h"

#include "api/auth.h"

#include "base/limits.h"
#include "wire/proto_json.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char prefix[] = "/twirp/livekit.";
static const char type_json[] = "application/json", type_proto[] = "application/protobuf";

enum { MESSAGE_SIZE = 1024, STRANGER_BODY_BYTES = 64 << 10 };

/* ---- answers ---- */

unsigned twirp_http_status(const char *code)
{
	static const struct {
		const char *code;
		unsigned status;
	} statuses[] = {
		{"canceled", 408}, {"unknown", 500}, {"invalid_argument", 400}, {"malformed", 400},
		{"deadline_exceeded", 408}, {"not_found", 404}, {"bad_route", 404}, {"already_exists", 409},
		{"permission_denied", 403}, {"unauthenticated", 401}, {"resource_exhausted", 429},
		{"failed_precondition", 412}, {"aborted", 409}, {"out_of_range", 400},
		{"unimplemented", 501}, {"internal", 500}, {"unavailable", 503}, {"data_loss", 500},
	};
	for (size_t i = 0; i < COUNT_OF(statuses); ++i)
		if (!strcmp(code, statuses[i].code))
			return statuses[i].status;
	return 500;
}

void twirp_send_error(struct http_exchange *x, const char *code, const char *msg,
	const struct twirp_meta *meta, size_t meta_count)
{
	json_t *body = json_pack("{s:s, s:s}", "code", code, "msg", msg);
	if (body && meta_count) {
		json_t *object = json_object();
		for (size_t i = 0; object && i < meta_count; ++i)
			json_object_set_new(object, meta[i].key, json_string(meta[i].value));
		json_object_set_new(body, "meta", object);
	}
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	http_reply(x, twirp_http_status(code), type_json, NULL,
		span_text(text ? text : "{\"code\":\"internal\",\"msg\":\"out of memory\"}"));
	free(text); /* jansson's */
	json_decref(body);
}

void twirp_send(struct http_exchange *x, bool as_json, const ProtobufCMessage *out)
{
	struct buf body = {0};
	int r = as_json ? proto_json_write(&body, out, PROTO_JSON_TWIRP) : proto_pack(&body, out);
	if (r)
		twirp_send_error(x, "internal", "the answer could not be written", NULL, 0);
	else
		http_reply(x, 200, as_json ? type_json : type_proto, NULL, buf_span(&body));
	buf_fini(&body);
}

static void answered(struct twirp *t)
{
	t->answered = true;
}

void twirp_answer(struct twirp *t, const ProtobufCMessage *out)
{
	answered(t);
	if (out)
		twirp_send(t->x, t->as_json, out);
	else
		twirp_send_error(t->x, "internal", "out of memory", NULL, 0);
}

void twirp_fail_with(struct twirp *t, const char *code, const char *msg, const struct twirp_meta *meta,
	size_t meta_count)
{
	answered(t);
	twirp_send_error(t->x, code, msg, meta, meta_count);
}

void twirp_fail(struct twirp *t, const char *code, const char *format, ...)
{
	char msg[MESSAGE_SIZE];
	va_list args;
	va_start(args, format);
	vsnprintf(msg, sizeof msg, format, args);
	va_end(args);
	twirp_fail_with(t, code, msg, NULL, 0);
}

void twirp_denied(struct twirp *t)
{
	twirp_fail(t, "unauthenticated", "permissions denied");
}

bool may_admin(struct twirp *t, const char *room)
{
	const struct grants *g = &t->grants;
	if (g->video.room_admin && *g->video.room && !strcmp(g->video.room, room))
		return true;
	twirp_denied(t);
	return false;
}

struct room *find_room(struct twirp *t, const char *name)
{
	struct room *r = rooms_find(t->api->config.rooms, name);
	if (!r)
		twirp_fail(t, "not_found", "requested room does not exist");
	return r;
}

void twirp_broken(struct twirp *t)
{
	twirp_fail(t, "internal", "something is broken here; the log says what");
}

struct http_exchange *twirp_detach(struct twirp *t)
{
	answered(t);
	return t->x;
}

/* ---- the request ---- */

static bool is_type(const char *header, const char *type)
{
	size_t size = strcspn(header, ";");
	while (size && header[size - 1] == ' ')
		--size;
	return size == strlen(type) && !strncasecmp(header, type, size);
}

static void bad_route(struct twirp *t, const char *format, const char *what)
{
	char msg[MESSAGE_SIZE], route[MESSAGE_SIZE];
	snprintf(route, sizeof route, "%s %.900s", http_method(t->x), http_path(t->x));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(msg, sizeof msg, format, what);
#pragma GCC diagnostic pop
	const struct twirp_meta meta = {"twirp_invalid_route", route};
	twirp_fail_with(t, "bad_route", msg, &meta, 1);
}

static const struct {
	const struct twirp_method *list;
	const size_t *count;
} services[] = {
	{room_methods, &room_method_count},
	{sip_methods, &sip_method_count},
	{agent_methods, &agent_method_count},
};

static bool is_service(const char *at, size_t size)
{
	for (size_t i = 0; i < COUNT_OF(services); ++i)
		if (span_is(span_of(at, size), services[i].list[0].service))
			return true;
	return false;
}

/* Services of LiveKit that this program does not have: a Twirp error says so better than a page. */
static bool is_absent(struct span service)
{
	return span_is(service, "Egress") || span_is(service, "Ingress");
}

static const struct twirp_method *find_method(struct span service, const char *name)
{
	for (size_t i = 0; i < COUNT_OF(services); ++i)
		for (size_t k = 0; k < *services[i].count; ++k) {
			const struct twirp_method *m = &services[i].list[k];
			if (span_is(service, m->service) && !strcmp(name, m->name))
				return m;
		}
	return NULL;
}

static void read_json(struct twirp *t, const struct twirp_method *m)
{
	struct proto_json_error why = {.text = "unreadable"};
	json_error_t error;
	struct span body = http_body(t->x);
	ProtobufCMessage *in = NULL;
	/* As LiveKit reads: what follows the object does not matter. */
	json_t *json = json_loadb((const char *)body.data, body.size,
		JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, &error);
	int r = json ? proto_json_take(&in, &t->arena, m->request, json, 0, &why) : 1;
	bool had_json = json;
	json_decref(json);
	if (r < 0)
		twirp_broken(t);
	else if (r)
		twirp_fail(t, "malformed", "the json request could not be decoded: %.500s",
			had_json ? why.text : error.text);
	t->in = in;
}

static void read_proto(struct twirp *t, const struct twirp_method *m)
{
	ProtobufCMessage *in = NULL;
	int r = proto_unpack(&in, &t->arena, m->request, http_body(t->x));
	if (r < 0)
		twirp_broken(t);
	else if (r)
		twirp_fail(t, "malformed", "the protobuf request could not be decoded");
	t->in = in;
}

static void run(struct twirp *t, const struct twirp_method *m)
{
	const char *type = http_header(t->x, "Content-Type");
	t->as_json = type && is_type(type, type_json);
	if (!t->as_json && !(type && is_type(type, type_proto))) {
		bad_route(t, "unexpected Content-Type: \"%.200s\"", type ? type : "");
		return;
	}
	/* Parsed, a large body is larger still: only for somebody who has a key. */
	if (!t->grants.claims && http_body(t->x).size > STRANGER_BODY_BYTES) {
		twirp_denied(t);
		return;
	}
	if (t->as_json)
		read_json(t, m);
	else
		read_proto(t, m);
	if (!t->answered)
		m->serve(t);
}

/* False: it was answered. *method points behind the service's name. */
static bool find_service(struct twirp *t, struct span *service, const char **method)
{
	const char *path = http_path(t->x);
	bool ours = !strncmp(path, prefix, sizeof prefix - 1);
	const char *name = ours ? path + sizeof prefix - 1 : "";
	size_t size = strcspn(name, "/");

	*service = span_of(name, size);
	*method = name + size + 1;
	if (ours && name[size] && is_service(name, size))
		return true;
	if (is_absent(*service)) {
		bad_route(t, "there is no such service here%s", "");
	} else {
		answered(t);
		api_not_found(t->x);
	}
	return false;
}

static void route(struct twirp *t)
{
	struct span service;
	const char *method;

	if (!find_service(t, &service, &method))
		return;
	if (strcmp(http_method(t->x), "POST")) {
		bad_route(t, "unsupported method \"%.20s\" (only POST is allowed)", http_method(t->x));
		return;
	}
	const struct twirp_method *m = find_method(service, method);
	if (!m)
		bad_route(t, "no handler for path \"%.900s\"", http_path(t->x));
	else if (t->api->closed)
		twirp_fail(t, "unavailable", "the server is shutting down");
	else
		run(t, m);
}

void api_twirp(struct api *a, struct http_exchange *x)
{
	struct twirp t = {.api = a, .x = x};
	const char *why = NULL;
	int r = auth_read(&t.grants, a, x, &why);
	if (r < 0)
		twirp_broken(&t);
	else if (r == AUTH_E_BAD)
		api_text(x, 401, why); /* plain, as LiveKit refuses before it looks at the path */
	else
		route(&t);
	grants_fini(&t.grants);
	proto_arena_fini(&t.arena);
}

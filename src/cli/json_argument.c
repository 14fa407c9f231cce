#include "cli/json_argument.h"

#include "base/limits.h"
#include "config/read_file.h"
#include "wire/proto_json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The text is JSON itself when it begins so; nobody names a file "{...". */
static bool load(struct buf *text, const char *argument)
{
	int r;
	if (argument[strspn(argument, " \t\r\n")] == '{')
		r = buf_add_text(text, argument);
	else
		r = read_file(text, argument);
	if (r == 0)
		return true;
	fprintf(stderr, "ringdown: %s %s\n", argument,
		r == READ_FILE_E_MISSING ? "is not there, and it is no JSON either"
		: r == READ_FILE_E_DENIED ? "cannot be read"
		: r > 0 ? "is too long" : strerror(-r));
	return false;
}

ProtobufCMessage *json_argument(struct proto_arena *a, const ProtobufCMessageDescriptor *type,
	const char *argument, const char *wrapper)
{
	struct buf text = {.max = LIMIT_CONFIG_BYTES};
	struct proto_json_error why = {.text = "unreadable"};
	ProtobufCMessage *m = NULL;
	json_error_t error;
	json_t *json = NULL;

	if (load(&text, argument)) {
		json = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &error);
		if (!json)
			fprintf(stderr, "ringdown: not JSON: line %d, column %d: %s\n", error.line, error.column,
				error.text);
	}
	const json_t *inner = wrapper ? json_object_get(json, wrapper) : NULL;
	if (json && proto_json_take(&m, a, type, json_is_object(inner) ? inner : json, PROTO_JSON_STRICT, &why)) {
		fprintf(stderr, "ringdown: %s\n", why.text);
		m = NULL;
	}
	json_decref(json);
	buf_fini(&text);
	return m;
}

json_t *json_of(const ProtobufCMessage *m)
{
	struct buf text = {0};
	json_t *json = proto_json_write(&text, m, PROTO_JSON_TWIRP) == 0
		? json_loadb((const char *)text.data, text.size, 0, NULL)
		: NULL;
	buf_fini(&text);
	return json;
}

bool json_print_taken(json_t *json)
{
	char *pretty = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
	if (pretty)
		printf("%s\n", pretty);
	free(pretty); /* jansson's */
	json_decref(json);
	return pretty;
}

bool json_print(const ProtobufCMessage *m)
{
	return json_print_taken(json_of(m));
}

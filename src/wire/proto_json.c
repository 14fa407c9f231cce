#include "wire/proto_json.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/writer.h"
#include "wire/base64.h"
#include "wire/proto_time.h"
#include "wire/utf8.h"

#include "livekit_models.pb-c.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

struct in {
	struct proto_arena *a;
	unsigned flags;
	struct proto_json_error *error;
};

/* Where we are, for the error's sentence: a chain over the stack. */
struct place {
	const struct place *outer;
	const char *name; /* of a field or a map's key; NULL: an element of a list */
	size_t index;
};

/* What a value came to, inside this file; negative is an error number. */
enum {
	TAKEN = 0,
	SKIP = 1000, /* an enum name that we do not know, and may ignore */
};

static void write_place(struct writer *w, const struct place *p)
{
	if (!p)
		return;
	write_place(w, p->outer);
	if (!p->name) {
		write_format(w, "[%zu]", p->index);
		return;
	}
	/* Keys of a stranger may be long. */
	int size = (int)utf8_cut(span_text(p->name), 60);
	write_format(w, "%s%.*s", p->outer ? "." : "", size, p->name);
}

static int refuse(struct in *in, const struct place *p, const char *why)
{
	if (in->error) {
		struct writer w = writer_of(in->error->text, sizeof in->error->text - 1);
		write_place(&w, p);
		if (w.bad)
			w = writer_of(in->error->text, sizeof in->error->text - 1);
		write_format(&w, "%s%s", w.used ? ": " : "", why);
		in->error->text[w.bad ? 0 : w.used] = 0;
	}
	return PROTO_JSON_E_FIELD;
}

static int no_memory(const struct in *in)
{
	return in->a->full ? PROTO_JSON_E_LIMIT : err_new(-ENOMEM);
}

/* ---- single values ---- */

static bool text_to_int(int64_t *value, const char *text, bool is_unsigned)
{
	char *end;
	if (*text != '-' && (*text < '0' || *text > '9'))
		return false;
	errno = 0;
	if (is_unsigned && *text != '-')
		*value = (int64_t)strtoull(text, &end, 10);
	else
		*value = strtoll(text, &end, 10);
	return !errno && end != text && !*end;
}

/* A whole number: 3, 3.0, "3". Values of uint64 above INT64_MAX come only as text. */
static bool to_int(int64_t *value, const json_t *j, bool is_unsigned64)
{
	if (json_is_string(j))
		return text_to_int(value, json_string_value(j), is_unsigned64) &&
		       !(is_unsigned64 && *json_string_value(j) == '-');
	if (json_is_integer(j)) {
		*value = json_integer_value(j);
		return !is_unsigned64 || *value >= 0;
	}
	double real = json_real_value(j);
	if (!json_is_real(j) || real != floor(real) || fabs(real) > 9007199254740992.0)
		return false;
	*value = (int64_t)real;
	return !is_unsigned64 || *value >= 0;
}

static int take_number(
	struct in *in, const struct place *p, ProtobufCType type, const json_t *j, void *at)
{
	bool wide_unsigned = type == PROTOBUF_C_TYPE_UINT64 || type == PROTOBUF_C_TYPE_FIXED64;
	int64_t value;
	if (!to_int(&value, j, wide_unsigned))
		return refuse(in, p, "not a whole number");
	if (proto_value_size(type) == 8) {
		memcpy(at, &value, 8);
		return TAKEN;
	}
	bool is_unsigned = type == PROTOBUF_C_TYPE_UINT32 || type == PROTOBUF_C_TYPE_FIXED32;
	if (is_unsigned ? value < 0 || value > UINT32_MAX : value < INT32_MIN || value > INT32_MAX)
		return refuse(in, p, "out of range");
	uint32_t narrow = (uint32_t)value;
	memcpy(at, &narrow, 4);
	return TAKEN;
}

static bool to_real(double *value, const json_t *j)
{
	if (json_is_number(j)) {
		*value = json_number_value(j);
		return true;
	}
	const char *text = json_string_value(j);
	if (!text)
		return false;
	if (!strcmp(text, "NaN") || !strcmp(text, "Infinity") || !strcmp(text, "-Infinity")) {
		*value = strtod(text, NULL);
		return true;
	}
	char *end;
	*value = strtod(text, &end);
	return (*text == '-' || (*text >= '0' && *text <= '9')) && !*end &&
	       !strpbrk(text, "xXnN") && isfinite(*value);
}

static int take_real(
	struct in *in, const struct place *p, ProtobufCType type, const json_t *j, void *at)
{
	double value;
	if (!to_real(&value, j))
		return refuse(in, p, "not a number");
	if (type == PROTOBUF_C_TYPE_DOUBLE) {
		memcpy(at, &value, sizeof value);
		return TAKEN;
	}
	if (isfinite(value) && fabs(value) > 3.4028234663852886e38)
		return refuse(in, p, "out of range");
	float narrow = (float)value;
	memcpy(at, &narrow, sizeof narrow);
	return TAKEN;
}

static int take_enum(struct in *in, const struct place *p, const ProtobufCEnumDescriptor *type,
	const json_t *j, void *at)
{
	if (!json_is_string(j))
		return json_is_number(j) ? take_number(in, p, PROTOBUF_C_TYPE_INT32, j, at)
					 : refuse(in, p, "not a name or a number");
	const ProtobufCEnumValue *v =
		protobuf_c_enum_descriptor_get_value_by_name(type, json_string_value(j));
	if (!v)
		return in->flags & PROTO_JSON_STRICT ? refuse(in, p, "an unknown name") : SKIP;
	memcpy(at, &v->value, sizeof v->value);
	return TAKEN;
}

static int take_bytes(struct in *in, const struct place *p, const json_t *j, void *at)
{
	if (!json_is_string(j))
		return refuse(in, p, "not text (base64)");
	struct span text = span_of(json_string_value(j), json_string_length(j));
	ProtobufCBinaryData *data = at;
	uint8_t *bytes = proto_alloc(in->a, text.size / 4 * 3 + 3);
	size_t size;
	if (!bytes)
		return no_memory(in);
	if (base64_decode(bytes, &size, text) != 0)
		return refuse(in, p, "not base64");
	*data = (ProtobufCBinaryData){.len = size, .data = bytes};
	return TAKEN;
}

static int take_string(struct in *in, const struct place *p, const json_t *j, void *at)
{
	if (!json_is_string(j))
		return refuse(in, p, "not text");
	char *text = proto_text_span(in->a, span_of(json_string_value(j), json_string_length(j)));
	if (!text)
		return no_memory(in);
	memcpy(at, &text, sizeof text);
	return TAKEN;
}

static int take_message(struct in *in, const struct place *p,
	const ProtobufCMessageDescriptor *type, const json_t *j, ProtobufCMessage **ret);

static int take_value(struct in *in, const struct place *p, const ProtobufCFieldDescriptor *f,
	const json_t *j, void *at)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_BOOL:
		if (!json_is_boolean(j))
			return refuse(in, p, "not true or false");
		*(protobuf_c_boolean *)at = json_is_true(j);
		return TAKEN;
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
		return take_real(in, p, f->type, j, at);
	case PROTOBUF_C_TYPE_ENUM:
		return take_enum(in, p, f->descriptor, j, at);
	case PROTOBUF_C_TYPE_STRING:
		return take_string(in, p, j, at);
	case PROTOBUF_C_TYPE_BYTES:
		return take_bytes(in, p, j, at);
	case PROTOBUF_C_TYPE_MESSAGE:
		return take_message(in, p, f->descriptor, j, at);
	default:
		return take_number(in, p, f->type, j, at);
	}
}

/* ---- lists and maps ---- */

static int take_map_key(struct in *in, const struct place *p, const ProtobufCFieldDescriptor *f,
	const char *key, void *at)
{
	int64_t number;
	if (f->type == PROTOBUF_C_TYPE_STRING) {
		char *text = proto_text(in->a, key);
		if (!text)
			return no_memory(in);
		memcpy(at, &text, sizeof text);
		return TAKEN;
	}
	if (!text_to_int(&number, key, f->type == PROTOBUF_C_TYPE_UINT64))
		return refuse(in, p, "not a whole number");
	json_t *j = json_integer(number);
	int r = j ? take_number(in, p, f->type, j, at) : err_new(-ENOMEM);
	json_decref(j);
	return r;
}

static int take_map(struct in *in, const struct place *p, const ProtobufCFieldDescriptor *f,
	const json_t *j, ProtobufCMessage **array, size_t *count)
{
	const ProtobufCMessageDescriptor *type = f->descriptor;
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)j, key, value)
	{
		struct place here = {.outer = p, .name = key};
		ProtobufCMessage *entry = proto_new(in->a, type);
		if (!entry)
			return no_memory(in);
		int r = take_map_key(
			in, &here, &type->fields[0], key, (char *)entry + type->fields[0].offset);
		if (r == TAKEN)
			r = take_value(in, &here, &type->fields[1], value,
				(char *)entry + type->fields[1].offset);
		if (r == SKIP)
			continue;
		if (r != TAKEN)
			return r;
		array[(*count)++] = entry;
	}
	return TAKEN;
}

static int take_elements(struct in *in, const struct place *p, const ProtobufCFieldDescriptor *f,
	const json_t *j, char *array, size_t *count)
{
	size_t size = proto_value_size(f->type), index;
	json_t *value;
	json_array_foreach(j, index, value)
	{
		struct place here = {.outer = p, .index = index};
		int r = take_value(in, &here, f, value, array + *count * size);
		if (r == SKIP)
			continue;
		if (r != TAKEN)
			return r;
		++*count;
	}
	return TAKEN;
}

static int take_list(struct in *in, const struct place *p, const ProtobufCFieldDescriptor *f,
	const json_t *j, ProtobufCMessage *m)
{
	bool map = proto_is_map(f);
	if (map ? !json_is_object(j) : !json_is_array(j))
		return refuse(in, p, map ? "not an object" : "not a list");
	size_t *count = (size_t *)(void *)((char *)m + f->quantifier_offset);
	size_t most = map ? json_object_size(j) : json_array_size(j);
	if (most == 0)
		return TAKEN;
	char *array = proto_alloc(in->a, most * proto_value_size(f->type));
	if (!array)
		return no_memory(in);
	memcpy((char *)m + f->offset, &array, sizeof array);
	return map ? take_map(in, p, f, j, (ProtobufCMessage **)(void *)array, count)
		   : take_elements(in, p, f, j, array, count);
}

/* ---- messages ---- */

static const ProtobufCFieldDescriptor *find_field(
	const ProtobufCMessageDescriptor *type, const char *key)
{
	for (unsigned i = 0; i < type->n_fields; ++i) {
		char camel[64];
		proto_json_camel(camel, type->fields[i].name);
		if (!strcmp(type->fields[i].name, key) || !strcmp(camel, key))
			return &type->fields[i];
	}
	return NULL;
}

static int take_field(struct in *in, const struct place *p, const ProtobufCFieldDescriptor *f,
	const json_t *j, ProtobufCMessage *m)
{
	if (json_is_null(j))
		return TAKEN;
	if (f->label == PROTOBUF_C_LABEL_REPEATED)
		return take_list(in, p, f, j, m);
	if (!(f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
		return take_value(in, p, f, j, (char *)m + f->offset);

	uint32_t *which = (uint32_t *)(void *)((char *)m + f->quantifier_offset);
	if (*which)
		return refuse(in, p, "excludes another field that is set");
	int r = take_value(in, p, f, j, (char *)m + f->offset);
	if (r == TAKEN)
		*which = f->id;
	return r;
}

static int take_object(struct in *in, const struct place *p, const json_t *j, ProtobufCMessage *m)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)j, key, value)
	{
		struct place here = {.outer = p, .name = key};
		const ProtobufCFieldDescriptor *f = find_field(m->descriptor, key);
		if (!f && in->flags & PROTO_JSON_STRICT)
			return refuse(in, &here, "no such field");
		int r = f ? take_field(in, &here, f, value, m) : SKIP;
		if (r != TAKEN && r != SKIP)
			return r;
	}
	return TAKEN;
}

/* Duration and Timestamp: the same two fields, another text. */
static int take_time(struct in *in, const struct place *p, const json_t *j, ProtobufCMessage *m)
{
	bool duration = m->descriptor == &livekit__duration__descriptor;
	const char *text = json_string_value(j);
	int64_t seconds;
	int32_t nanos;
	if (!text || !(duration ? proto_duration_read(&seconds, &nanos, text)
				: proto_timestamp_read(&seconds, &nanos, text)))
		return refuse(in, p,
			duration ? "not a duration (like \"3.5s\")" : "not a time (RFC 3339)");
	if (duration) {
		((Livekit__Duration *)m)->seconds = seconds;
		((Livekit__Duration *)m)->nanos = nanos;
	} else {
		((Livekit__Timestamp *)m)->seconds = seconds;
		((Livekit__Timestamp *)m)->nanos = nanos;
	}
	return TAKEN;
}

static int take_message(struct in *in, const struct place *p,
	const ProtobufCMessageDescriptor *type, const json_t *j, ProtobufCMessage **ret)
{
	bool time =
		type == &livekit__duration__descriptor || type == &livekit__timestamp__descriptor;
	if (!time && !json_is_object(j))
		return refuse(in, p, "not an object");
	ProtobufCMessage *m = proto_new(in->a, type);
	if (!m)
		return no_memory(in);
	int r = time ? take_time(in, p, j, m) : take_object(in, p, j, m);
	if (r == TAKEN)
		*ret = m;
	return r;
}

int proto_json_take(ProtobufCMessage **ret, struct proto_arena *a,
	const ProtobufCMessageDescriptor *type, const json_t *json, unsigned flags,
	struct proto_json_error *error)
{
	struct in in = {.a = a, .flags = flags, .error = error};
	if (error)
		error->text[0] = 0;
	a->failed = a->full = false;
	if (!json_is_object(json)) {
		refuse(&in, NULL, "not an object");
		return PROTO_JSON_E_SYNTAX;
	}
	return take_message(&in, NULL, type, json, ret);
}

int proto_json_read(ProtobufCMessage **ret, struct proto_arena *a,
	const ProtobufCMessageDescriptor *type, struct span text, unsigned flags,
	struct proto_json_error *error)
{
	struct in in = {.a = a, .flags = flags, .error = error};
	if (text.size > LIMIT_JSON_BYTES) {
		refuse(&in, NULL, "too long");
		return PROTO_JSON_E_SYNTAX;
	}
	json_error_t why = {0};
	json_t *json = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &why);
	/* jansson says nothing at all of most allocations that fail. */
	if (!json && (!*why.text || json_error_code(&why) == json_error_out_of_memory))
		return err_new(-ENOMEM);
	if (!json) {
		refuse(&in, NULL, "not JSON");
		return PROTO_JSON_E_SYNTAX;
	}
	int r = proto_json_take(ret, a, type, json, flags, error);
	json_decref(json);
	return r;
}

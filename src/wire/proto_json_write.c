#include "wire/proto_json.h"

#include "wire/base64.h"
#include "wire/proto_time.h"

#include "livekit_models.pb-c.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct out {
	struct buf *b;
	enum proto_json_form form;
	int r; /* of the first write that failed */
};

static void put(struct out *o, const void *bytes, size_t size)
{
	if (o->r == 0)
		o->r = buf_add(o->b, bytes, size);
}

static void put_text(struct out *o, const char *text)
{
	put(o, text, strlen(text));
}

static void put_string(struct out *o, const char *text)
{
	put_text(o, "\"");
	for (const char *p = text; *p;) {
		size_t plain = 0;
		while ((unsigned char)p[plain] >= 0x20 && p[plain] != '"' && p[plain] != '\\')
			++plain;
		put(o, p, plain);
		p += plain;
		if (!*p)
			break;
		char escaped[8];
		if (*p == '"' || *p == '\\')
			snprintf(escaped, sizeof escaped, "\\%c", *p);
		else if (*p == '\n')
			snprintf(escaped, sizeof escaped, "\\n");
		else
			snprintf(escaped, sizeof escaped, "\\u%04x", (unsigned)(unsigned char)*p);
		put_text(o, escaped);
		++p;
	}
	put_text(o, "\"");
}

static void put_base64(struct out *o, const ProtobufCBinaryData *value)
{
	enum {
		CHUNK = 192
	}; /* a multiple of 3: only the last one is padded */
	char text[BASE64_TEXT_SIZE(CHUNK)];
	put_text(o, "\"");
	for (size_t i = 0; i < value->len; i += CHUNK) {
		size_t size = value->len - i < CHUNK ? value->len - i : CHUNK;
		put(o, text, base64_encode(text, span_of(value->data + i, size)));
	}
	put_text(o, "\"");
}

/* The shortest digits that read back as the same number. */
static void put_real(struct out *o, double value, bool is_float)
{
	char text[40];
	if (isnan(value) || isinf(value)) {
		put_text(o, isnan(value) ? "\"NaN\""
			    : value > 0  ? "\"Infinity\""
					 : "\"-Infinity\"");
		return;
	}
	int digits = is_float ? 6 : 15, most = is_float ? 9 : 17;
	for (; digits <= most; ++digits) {
		snprintf(text, sizeof text, "%.*g", digits, value);
		if (is_float ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value)
			break;
	}
	put_text(o, text);
}

static void put_enum(struct out *o, const ProtobufCEnumDescriptor *type, int value)
{
	const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(type, value);
	char number[16];
	snprintf(number, sizeof number, "%d", value);
	if (v)
		put_string(o, v->name);
	else
		put_text(o, number);
}

static void put_message(struct out *o, const ProtobufCMessage *m);

static void put_number(struct out *o, ProtobufCType type, const void *at)
{
	char text[32];
	switch (type) {
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		snprintf(text, sizeof text, "%" PRIu32, *(const uint32_t *)at);
		break;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		snprintf(text, sizeof text, "\"%" PRId64 "\"", *(const int64_t *)at);
		break;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		snprintf(text, sizeof text, "\"%" PRIu64 "\"", *(const uint64_t *)at);
		break;
	default:
		snprintf(text, sizeof text, "%" PRId32, *(const int32_t *)at);
		break;
	}
	put_text(o, text);
}

static void put_value(struct out *o, const ProtobufCFieldDescriptor *f, const void *at)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_BOOL:
		put_text(o, *(const protobuf_c_boolean *)at ? "true" : "false");
		break;
	case PROTOBUF_C_TYPE_FLOAT:
		put_real(o, *(const float *)at, true);
		break;
	case PROTOBUF_C_TYPE_DOUBLE:
		put_real(o, *(const double *)at, false);
		break;
	case PROTOBUF_C_TYPE_ENUM:
		put_enum(o, f->descriptor, *(const int *)at);
		break;
	case PROTOBUF_C_TYPE_STRING:
		put_string(o, *(char *const *)at ? *(char *const *)at : "");
		break;
	case PROTOBUF_C_TYPE_BYTES:
		put_base64(o, at);
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		put_message(o, *(ProtobufCMessage *const *)at);
		break;
	default:
		put_number(o, f->type, at);
		break;
	}
}

/* Keys of objects are text, whatever their type. */
static void put_map_entry(struct out *o, const ProtobufCMessage *entry)
{
	const ProtobufCFieldDescriptor *key = &entry->descriptor->fields[0];
	const ProtobufCFieldDescriptor *value = &entry->descriptor->fields[1];
	const void *at = (const char *)entry + key->offset;
	/* 64-bit numbers bring their own quotes. */
	bool quoted = key->type == PROTOBUF_C_TYPE_STRING || proto_value_size(key->type) == 8;
	put_text(o, quoted ? "" : "\"");
	put_value(o, key, at);
	put_text(o, quoted ? ":" : "\":");
	put_value(o, value, (const char *)entry + value->offset);
}

static void put_list(
	struct out *o, const ProtobufCFieldDescriptor *f, const void *array, size_t count)
{
	bool map = proto_is_map(f);
	size_t size = proto_value_size(f->type);
	put_text(o, map ? "{" : "[");
	for (size_t i = 0; i < count; ++i) {
		const char *at = (const char *)array + i * size;
		put_text(o, i ? "," : "");
		if (map)
			put_map_entry(o, *(ProtobufCMessage *const *)(const void *)at);
		else
			put_value(o, f, at);
	}
	put_text(o, map ? "}" : "]");
}

static bool is_zero(const ProtobufCFieldDescriptor *f, const void *at)
{
	if (f->type == PROTOBUF_C_TYPE_STRING)
		return !*(char *const *)at || !**(char *const *)at;
	if (f->type == PROTOBUF_C_TYPE_BYTES)
		return ((const ProtobufCBinaryData *)at)->len == 0;
	static const uint8_t zeros[8];
	return memcmp(at, zeros, proto_value_size(f->type)) == 0;
}

static bool is_written(
	const struct out *o, const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
	const char *base = (const char *)m;
	const void *count = base + f->quantifier_offset;
	if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		return *(const uint32_t *)count == f->id;
	if (o->form == PROTO_JSON_TWIRP)
		return true;
	if (f->label == PROTOBUF_C_LABEL_REPEATED)
		return *(const size_t *)count > 0;
	return !is_zero(f, base + f->offset);
}

static void put_fields(struct out *o, const ProtobufCMessage *m)
{
	const char *separator = "";
	for (unsigned i = 0; i < m->descriptor->n_fields; ++i) {
		const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
		if (!is_written(o, m, f))
			continue;
		char camel[64];
		proto_json_camel(camel, f->name);
		put_text(o, separator);
		separator = ",";
		put_string(o, o->form == PROTO_JSON_TWIRP ? f->name : camel);
		put_text(o, ":");
		const char *base = (const char *)m, *at = base + f->offset;
		if (f->label == PROTOBUF_C_LABEL_REPEATED)
			put_list(o, f, *(void *const *)(const void *)at,
				*(const size_t *)(const void *)(base + f->quantifier_offset));
		else
			put_value(o, f, at);
	}
}

static void put_message(struct out *o, const ProtobufCMessage *m)
{
	char text[PROTO_TIME_BYTES] = "";
	if (!m) {
		put_text(o, "null");
	} else if (m->descriptor == &livekit__duration__descriptor) {
		const Livekit__Duration *d = (const Livekit__Duration *)m;
		proto_duration_write(text, d->seconds, d->nanos);
		put_string(o, *text ? text : "0s");
	} else if (m->descriptor == &livekit__timestamp__descriptor) {
		const Livekit__Timestamp *t = (const Livekit__Timestamp *)m;
		proto_timestamp_write(text, t->seconds, t->nanos);
		put_string(o, *text ? text : "1970-01-01T00:00:00Z");
	} else {
		put_text(o, "{");
		put_fields(o, m);
		put_text(o, "}");
	}
}

int proto_json_write(struct buf *b, const ProtobufCMessage *m, enum proto_json_form form)
{
	size_t before = b->size;
	struct out o = {.b = b, .form = form};
	put_message(&o, m);
	if (o.r != 0) {
		b->size = before;
		if (b->data)
			b->data[before] = 0;
	}
	return o.r;
}

void proto_json_camel(char *out, const char *name)
{
	for (; *name; ++name) {
		if (name[0] == '_' && name[1] >= 'a' && name[1] <= 'z')
			*out++ = (char)(*++name - 'a' + 'A');
		else if (name[0] != '_')
			*out++ = *name;
	}
	*out = 0;
}

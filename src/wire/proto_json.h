/* wire/proto_json.h - protobuf messages as JSON and back, by their descriptors (the proto3 JSON
 * mapping). Pure. Thread: any.
 *
 * livekit.Duration is "3s", livekit.Timestamp RFC 3339; 64-bit numbers are text; enums are names;
 * bytes are base64; maps are objects. A one-field oneof of proto/ is an optional field: absent when
 * it is not set, in both forms.
 */
#pragma once

#include "wire/proto.h"

struct json_t; /* jansson's */

enum proto_json_form {
	/* What Twirp answers with: original (snake_case) names, zero values written, messages that
	 * are not set null, members of a oneof only when set. */
	PROTO_JSON_TWIRP,
	/* What webhooks and text frames carry: camelCase names, zero values left out. */
	PROTO_JSON_SHORT,
};

/* Appends to `b`. Outcomes: BUF_E_FULL; on failure `b` is as it was. */
MUST_USE int proto_json_write(struct buf *b, const ProtobufCMessage *m, enum proto_json_form form);

/* For proto_json_read(): otherwise unknown fields and unknown enum names are ignored, as LiveKit's
 * own server does. */
enum {
	PROTO_JSON_STRICT = 1,
};

/* A sentence that names the place: "trunk.numbers[2]: not a string". */
struct proto_json_error {
	char text[256];
};

/* Outcomes of proto_json_read(), proto_json_take(); `error` (may be NULL) says why. */
enum {
	PROTO_JSON_E_SYNTAX = 1, /* not JSON, or not an object, or longer than LIMIT_JSON_BYTES */
	PROTO_JSON_E_FIELD,      /* a field of the wrong type or range; strict: an unknown one */
	PROTO_JSON_E_LIMIT,      /* would need more memory than the arena may have */
};
/* Original and camelCase names are taken, null is the default, base64 of either alphabet. */
MUST_USE int proto_json_read(ProtobufCMessage **ret, struct proto_arena *a,
	const ProtobufCMessageDescriptor *type, struct span text, unsigned flags,
	struct proto_json_error *error);
/* The same from JSON that is parsed already (a claim of a token). `json` is only looked at. */
MUST_USE int proto_json_take(ProtobufCMessage **ret, struct proto_arena *a,
	const ProtobufCMessageDescriptor *type, const struct json_t *json, unsigned flags,
	struct proto_json_error *error);

/* "audio_features" -> "audioFeatures"; `out` as large as `name` with its zero. */
void proto_json_camel(char *out, const char *name);

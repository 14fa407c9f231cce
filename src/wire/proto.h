/* wire/proto.h - protobuf-c with bounds: memory that is freed at once, strings that are strings.
 *
 * Owner:   whoever embeds the arena. Zeroed memory is a valid empty arena (with the usual limit).
 * Owns:    every message, string and array that was made in it, until proto_arena_fini().
 * Thread:  its owner's.
 *
 * protobuf-c alone cuts a string at its first zero byte, takes any bytes for UTF-8 and lets two
 * bytes of input cost two hundred of memory. The messages of proto/ do not contain themselves, so
 * depth is bounded by the schema.
 */
#pragma once

#include "base/buf.h"

#include <protobuf-c/protobuf-c.h>

struct proto_arena {
	struct proto_block *first;
	size_t used; /* bytes handed out */
	size_t max;  /* 0: LIMIT_PROTO_ARENA_BYTES */
	bool failed; /* an allocation was refused since the last proto_unpack() */
	bool full;   /* ... because of `max` */
};

/* Zeroed, aligned for anything. NULL when out of memory or past the limit. */
void *proto_alloc(struct proto_arena *a, size_t size);
/* Copies; NULL text stays the empty string. */
char *proto_text(struct proto_arena *a, const char *text);
char *proto_text_span(struct proto_arena *a, struct span text);
void proto_arena_fini(struct proto_arena *a);

/* A message with its defaults; NULL when out of memory. */
ProtobufCMessage *proto_new(struct proto_arena *a, const ProtobufCMessageDescriptor *type);

/* Outcomes of proto_unpack(). */
enum {
	PROTO_E_MALFORMED = 1, /* not this message, or a string that is not UTF-8 */
	PROTO_E_LIMIT,         /* would need more memory than the arena may have */
};
/* Unknown fields are kept in the message and packed again. Enums may hold numbers we do not know.
 */
MUST_USE int proto_unpack(ProtobufCMessage **ret, struct proto_arena *a,
	const ProtobufCMessageDescriptor *type, struct span bytes);

/* Outcomes: BUF_E_FULL. Appends to `b`; on failure `b` is as it was. */
MUST_USE int proto_pack(struct buf *b, const ProtobufCMessage *m);

/* How fields look in memory, for code that walks over them. */
bool proto_is_map(const ProtobufCFieldDescriptor *f); /* a repeated message of key and value */
size_t proto_value_size(ProtobufCType type);

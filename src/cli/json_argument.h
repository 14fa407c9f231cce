/* cli/json_argument.h - JSON that is given to a command: a file, '-' for standard input, or the text
 * itself; and messages as JSON on stdout.
 *
 * Owner:   the command. Owns: nothing; messages live in the arena. Thread: the main thread.
 */
#pragma once

#include "wire/proto.h"

#include <jansson.h>

/* Strict: unknown fields are errors. `wrapper` (may be NULL): {"trunk": {...}} and the bare {...} are
 * both understood. NULL: what is wrong was said on stderr. */
ProtobufCMessage *json_argument(struct proto_arena *a, const ProtobufCMessageDescriptor *type,
	const char *argument, const char *wrapper);
bool json_print(const ProtobufCMessage *m);
/* The same in two steps, for who adds something in between. NULL, false: out of memory. */
json_t *json_of(const ProtobufCMessage *m);
bool json_print_taken(json_t *json);

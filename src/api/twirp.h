/* api/twirp.h - one call of a Twirp method: the request as a message, the answer as JSON or protobuf,
 * errors as Twirp words them.
 *
 * Owner:   the exchange it answers; api/twirp.c makes it, and it ends with the answer.
 * Owns:    the grants and the arena that the request lives in.
 * Thread:  the control thread.
 */
#pragma once

#include "api/api_private.h"

#include "wire/grants.h"
#include "wire/proto.h"

struct twirp {
	struct api *api;
	struct http_exchange *x;
	struct grants grants; /* zeroed when no token came */
	struct proto_arena arena;
	const ProtobufCMessage *in;
	bool as_json;
	bool answered;
};

struct twirp_meta {
	const char *key, *value;
};

struct twirp_method {
	const char *service, *name; /* "RoomService", "CreateRoom" */
	const ProtobufCMessageDescriptor *request;
	/* Answers now, or takes the exchange over by twirp_detach(). */
	void (*serve)(struct twirp *t);
};

extern const struct twirp_method agent_methods[];
extern const size_t agent_method_count;
extern const struct twirp_method room_methods[];
extern const size_t room_method_count;
extern const struct twirp_method sip_methods[];
extern const size_t sip_method_count;

void twirp_answer(struct twirp *t, const ProtobufCMessage *out);
/* `code`: "invalid_argument" ... */
void twirp_fail(struct twirp *t, const char *code, const char *format, ...) PRINTF(3, 4);
void twirp_fail_with(struct twirp *t, const char *code, const char *msg, const struct twirp_meta *meta,
	size_t meta_count);
void twirp_denied(struct twirp *t); /* unauthenticated, "permissions denied" */
/* Has the grant roomAdmin of this room; false: the refusal was sent. */
bool may_admin(struct twirp *t, const char *room);
/* NULL: not_found was sent. */
struct room *find_room(struct twirp *t, const char *name);
void twirp_broken(struct twirp *t); /* a negative error was logged: internal */

/* For answers that come later: the exchange is the caller's from now on. */
struct http_exchange *twirp_detach(struct twirp *t);
void twirp_send(struct http_exchange *x, bool as_json, const ProtobufCMessage *out);
void twirp_send_error(struct http_exchange *x, const char *code, const char *msg,
	const struct twirp_meta *meta, size_t meta_count);
unsigned twirp_http_status(const char *code);

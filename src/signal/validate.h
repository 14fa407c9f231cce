/* signal/validate.h - who wants to join which room, and may they? All that is refused by an HTTP
 * status, before any WebSocket.
 *
 * Pure: header, query and time in; facts or a refusal out.
 *
 * Owner:   the caller; a session takes its struct join over.
 * Owns:    struct join owns its texts and the client's join request.
 * Thread:  the control thread.
 */
#pragma once

#include "room/room.h"
#include "wire/grants.h"
#include "wire/proto.h"

#include "livekit_rtc.pb-c.h"

struct join {
	struct proto_arena arena;      /* everything below that is text */
	struct grants grants;          /* the token's claims */
	json_t *query_attributes;      /* v0: what the query brought, or NULL */
	Livekit__TrackSource sources[GRANT_SOURCES_MAX];
	const char *room, *identity, *name, *metadata;
	struct attribute *attributes;
	size_t attribute_count;
	int64_t expires_s;             /* of the token; 0 = never */
	bool may_create;               /* the room, when it is not there */
	bool can_subscribe;
	bool single;                   /* one peer connection */
	bool subscriber_primary;       /* two, and ours is the one that counts */
	bool reconnect;                /* wants to go on with an old session */
	bool auto_subscribe;
	int32_t protocol, client_protocol;
	Livekit__JoinRequest *request; /* v1; NULL = none */
};

struct join_input {
	const char *authorization; /* the header, or NULL */
	const char *(*query)(void *owner, const char *name); /* decoded, or NULL */
	void *query_owner;
	const char *(*secret)(void *owner, const char *api_key); /* or NULL */
	void *secret_owner;
	int64_t now_s; /* unix time */
	const struct room_limits *limits; /* NULL = LiveKit's defaults */
	bool single;   /* the path is /rtc/v1 */
	bool strict;   /* validate: also what joining would forgive */
};

struct refusal {
	unsigned status;
	const char *text;
	char *made; /* the text when it is no constant; freed by refusal_fini() */
};
void refusal_fini(struct refusal *why); /* safe on zeroed memory */

/* Outcome of join_validate(): `why` says what to answer. */
enum {
	JOIN_E_REFUSED = 1,
};
MUST_USE int join_validate(struct join **ret, struct refusal *why, const struct join_input *in);
struct join *join_free(struct join *j);

Livekit__ParticipantInfo__Kind join_kind(const struct join *j);
/* Both point into `j`. */
void join_participant_config(struct participant_config *ret, struct join *j);
/* Outcomes of join_room_options(). */
enum {
	JOIN_E_PRESET = 1, /* the token names settings that nobody knows */
};
MUST_USE int join_room_options(struct room_options *ret, struct join *j, const struct rooms *rooms);

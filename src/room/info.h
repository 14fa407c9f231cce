/* room/info.h - rooms, participants and tracks as LiveKit's protobuf, for doors that send them.
 *
 * Owner:   the caller. Owns: everything it returned, until info_arena_fini().
 * Thread:  the control thread.
 *
 * Texts and permissions point into the objects themselves: pack the message before anything
 * changes.
 */
#pragma once

#include "room/room.h"
#include "wire/proto.h"

#include "livekit_rtc.pb-c.h"

/* A few pages that messages are built in, freed at once. Zeroed memory is an empty one. */
struct info_arena {
	struct proto_arena pages;
};
void *info_alloc(struct info_arena *a, size_t size); /* zeroed; NULL when out of memory */
char *info_text(struct info_arena *a, const char *text);
void info_arena_fini(struct info_arena *a);

/* NULL when out of memory. */
Livekit__Room *room_info(struct info_arena *a, const struct room *r);
Livekit__ParticipantInfo *participant_info(struct info_arena *a, const struct participant *p);
Livekit__TrackInfo *track_info(struct info_arena *a, const struct track *t);

/* room/limits.h - what an operator allows people to say of themselves and to take of the machine:
 * LiveKit's `limit`.
 *
 * Owner:   struct rooms has the one that counts, see rooms_limits(). Owns: nothing. Thread: any.
 */
#pragma once

#include "base/limits.h"

#include <stddef.h>
#include <stdint.h>

struct room_limits {
	/* Bytes. 0 = LiveKit's default, where they are given; never 0 in rooms_limits(). */
	uint32_t room_name, identity, name, metadata, attributes;
	uint32_t tracks;        /* of all rooms, those that are heard counted again; 0 = no limit */
	uint32_t subscriptions; /* of one listener; 0 = no limit */
};

static inline uint32_t room_limit_or(uint32_t value, uint32_t otherwise)
{
	return value ? value : otherwise;
}

/* With the defaults filled in; NULL = all of them. */
static inline struct room_limits room_limits_of(const struct room_limits *given)
{
	const struct room_limits none = {0}, *l = given ? given : &none;
	return (struct room_limits){
		.room_name = room_limit_or(l->room_name, LIMIT_NAME_BYTES),
		.identity = room_limit_or(l->identity, LIMIT_NAME_BYTES),
		.name = room_limit_or(l->name, LIMIT_NAME_BYTES),
		.metadata = room_limit_or(l->metadata, LIMIT_METADATA_BYTES),
		.attributes = room_limit_or(l->attributes, LIMIT_ATTRIBUTES_BYTES),
		.tracks = l->tracks,
		.subscriptions = l->subscriptions,
	};
}

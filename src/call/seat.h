/* call/seat.h - a phone's place in a room: all that a call knows of rooms.
 *
 * Owner:    the call.
 * Owns:     its participant (kind SIP) and the one track that carries the phone's voice.
 * Thread:   the control thread.
 * Life:     seat_join() -> events... -> seat_leave(), or events.removed, once and last.
 * Words:    "voice" = somebody else's audio track, as the media plane names it.
 */
#pragma once

#include "room/room.h"

struct seat;

/* Somebody in the room, or the API, calls a method of the phone's. Texts are gone after the event. */
struct seat_rpc {
	const char *id, *from, *method, *payload;
};

/* All members must be set. */
struct seat_events {
	void (*voice_began)(void *owner, uint32_t media_source);
	void (*voice_ended)(void *owner, uint32_t media_source);
	void (*digit)(void *owner, char digit); /* somebody in the room pressed a key for the phone */
	void (*rpc)(void *owner, const struct seat_rpc *rpc); /* owes seat_rpc_answer(), inside */
	void (*muted)(void *owner, bool muted); /* the API silenced the phone, or lets it speak */
	void (*removed)(void *owner, Livekit__DisconnectReason why); /* not after seat_leave() */
};

struct seat_config {
	const char *identity, *name, *metadata;
	const struct attribute *attributes;
	size_t attribute_count;
	uint32_t media_source;  /* the phone's voice */
	const char *mime_type;  /* what it sends: "audio/PCMU" */
};

/* Outcome of seat_join(): the room takes nobody more. */
enum {
	SEAT_E_ROOM_FULL = 1,
};
MUST_USE int seat_join(struct seat **ret, struct room *r, const struct seat_config *config,
	const struct seat_events *events, void *owner);
const char *seat_sid(const struct seat *s);
const char *seat_identity(const struct seat *s);
/* NULL when the phone has none of that name. Inside `removed`, too. */
const char *seat_attribute(const struct seat *s, const char *key);
void seat_set_attributes(struct seat *s, const struct attribute *attributes, size_t count);
void seat_send_digit(struct seat *s, char digit); /* the phone pressed a key: all are told */
/* RPC errors as LiveKit's clients number them. */
enum {
	SEAT_RPC_OK = 0, /* `text` is the payload; else the message */
	SEAT_RPC_UNSUPPORTED = 1400,
	SEAT_RPC_APPLICATION = 1500,
};
void seat_rpc_answer(struct seat *s, const struct seat_rpc *rpc, unsigned error, const char *text);
/* How loud the phone was in the last window (struct media_level). */
void seat_level(struct seat *s, uint8_t level, uint16_t active_ms, uint16_t observed_ms);
/* How good its line is. */
void seat_quality(struct seat *s, const struct connection_quality *q);
void seat_leave(struct seat *s, Livekit__DisconnectReason why); /* frees it; no event after this */

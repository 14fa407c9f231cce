/* room/room.h - rooms, participants, tracks and who hears whom: LiveKit's words, no I/O, no media.
 *
 * Owner:    struct rooms is the server's; it owns rooms; a room owns participants; a participant
 *           owns the tracks it publishes and the subscriptions it has.
 * Thread:   the control thread. No locks.
 * Words:    as in the LiveKit protocol: sid, identity, attributes, track, subscription, "active".
 *
 * Down: direct calls. Up: struct participant_events, implemented by whoever sits on the
 * participant: a LiveKit session (signal/) or a phone call (call/). Events are called last, and
 * never about a participant whose participant_join() has not returned. A participant that is
 * removed hears `removed`, once, last.
 * Anything may be called from inside an event. What is removed meanwhile (participants, tracks,
 * subscriptions, rooms) stays readable until the next rooms_tick() or rooms_free().
 * Time is given: rooms_new() takes a clock, rooms_tick() is called every 400 ms.
 */
#pragma once

#include "base/list.h"
#include "base/map.h"
#include "base/rng.h"
#include "room/quality.h"
#include "room/speakers.h"
#include "room/limits.h"

#include "livekit_room.pb-c.h"
#include "livekit_rtc.pb-c.h"

struct rooms;
struct room;
struct participant;
struct track;
struct subscription;

struct data_packet;

/* ---- what the outside (webhooks, call/) may want to know about all rooms ---- */
/* Members may be NULL. */
struct rooms_events {
	void (*room_started)(void *owner, struct room *r);
	void (*room_finished)(void *owner, struct room *r); /* still whole; freed after */
	void (*participant_active)(void *owner, struct participant *p);
	/* It left, or never was quite here: see participant_was_active(). */
	void (*participant_left)(void *owner, struct participant *p);
	/* Only of those who are, or were, ACTIVE: after participant_active, before participant_left. */
	void (*track_published)(void *owner, struct track *t);
	void (*track_unpublished)(void *owner, struct track *t);
	/* An RPC's ack or response, addressed to nobody in the room: the API's own calls. */
	void (*rpc_answer)(void *owner, struct room *r, const struct data_packet *d);
};

struct room_preset {
	const char *name;
	const Livekit__RoomConfiguration *settings;
};

struct rooms_config {
	uint32_t empty_timeout_s;     /* LiveKit: 300 */
	uint32_t departure_timeout_s; /* LiveKit: 20 */
	uint32_t max_participants;    /* 0 = no limit but ours */
	bool auto_create;
	/* Mime types that may be used; none: all that we have. Borrowed, must outlive the rooms. */
	const char *const *codecs;
	size_t codec_count;
	struct room_limits limits; /* 0 = LiveKit's defaults */
	/* Settings that a token or CreateRoom may name. Borrowed, must outlive the rooms. */
	const struct room_preset *presets;
	size_t preset_count;
	struct speakers_config speakers; /* zeroed: the default */
	uint64_t (*now_ms)(void *clock_owner); /* monotonic; wall clock times are clock_unix_ms() */
	void *clock_owner;
	unsigned (*pick_worker)(void *owner); /* the media worker of a new room; may be NULL */
	void *worker_owner;
};

MUST_USE int rooms_new(struct rooms **ret, const struct rooms_config *config,
	const struct rooms_events *events, void *owner); /* events may be NULL */
/* One more who hears of all rooms, for as long as they are; `l` is the listener's memory. Who came
 * first hears first. None may end a room or remove a participant from inside an event. */
struct rooms_listener {
	struct list link;
	const struct rooms_events *events;
	void *owner;
};
void rooms_listen(struct rooms *rs, struct rooms_listener *l, const struct rooms_events *events,
	void *owner);
struct rooms *rooms_free(struct rooms *rs);
void rooms_tick(struct rooms *rs); /* timeouts, speakers, batched updates */
/* New levels have come (track_level()): who speaks is told now and not with the next tick. */
void rooms_levels_came(struct rooms *rs);
struct room *rooms_find(struct rooms *rs, const char *name);
struct room *rooms_next(struct rooms *rs, struct room *after); /* NULL starts */
size_t rooms_count(const struct rooms *rs);
bool rooms_auto_create(const struct rooms *rs);
const struct room_limits *rooms_limits(const struct rooms *rs);
/* limits.tracks is reached, or the machine was said to be busy: nobody more may join. */
bool rooms_are_full(const struct rooms *rs);
void rooms_set_busy(struct rooms *rs, bool busy);
/* NULL when nothing has that name. */
const Livekit__RoomConfiguration *rooms_preset(const struct rooms *rs, const char *name);

struct room_options {
	uint32_t empty_timeout_s, departure_timeout_s, max_participants; /* 0 = default */
	const char *metadata;                                            /* NULL = "" */
	Livekit__RoomAgentDispatch *const *agents; /* for who listens: room_opened_with() */
	size_t agent_count;
};
/* Fills in what is not set yet; NULL adds nothing. Texts are borrowed. */
void room_options_add(struct room_options *o, const Livekit__RoomConfiguration *c);
/* Outcomes of rooms_open(). */
enum {
	ROOMS_E_LIMIT = 1, /* LIMIT_ROOMS */
};
/* Finds or makes. `made` (may be NULL) says which; options count only when made. */
MUST_USE int rooms_open(struct room **ret, bool *made, struct rooms *rs, const char *name,
	const struct room_options *options);

/* LiveKit's room.enabled_codecs; Opus always is. */
bool room_codec_enabled(const struct room *r, const char *mime);
/* Inside of `room_started` only: what was asked for. */
const struct room_options *room_opened_with(const struct room *r);

const char *room_name(const struct room *r);
const char *room_sid(const struct room *r);
int64_t room_created_unix_ms(const struct room *r);
unsigned room_worker(const struct room *r);
/* What a frame of ours ends with in an encrypted track ("server injected frame"), as its listeners
 * are told when they join: the silence after a mute. A text, its zero not counted. */
enum { ROOM_TRAILER_SIZE = 33 };
const char *room_sif_trailer(const struct room *r);
struct participant *room_find(struct room *r, const char *identity);
struct participant *room_find_sid(struct room *r, const char *sid);
/* In the order of joining, hidden ones included; NULL starts. */
struct participant *room_next(struct room *r, struct participant *after);
struct track *room_find_track(struct room *r, const char *track_sid);
void room_set_metadata(struct room *r, const char *metadata);
/* Everybody is removed with `reason`, then the room is gone. */
void room_close(struct room *r, Livekit__DisconnectReason reason);

/* ---- participants ---- */
struct data_packet {
	struct participant *from;          /* NULL: the server's API */
	const Livekit__DataPacket *packet; /* sender fields filled in; valid during the call */
	struct span bytes;                 /* the same, packed, ready to be sent */
	bool reliable;
};

struct speaker {
	struct participant *participant;
	float level;
	bool active;
};

/* Members may be NULL. */
struct participant_events {
	/* Participants whose info this one must be told (others, or itself). */
	void (*update)(void *owner, struct participant *const *who, size_t count);
	void (*room_update)(void *owner);
	void (*speakers)(void *owner, const struct speaker *speakers, size_t count);
	/* The connection of `p`, which may be itself, is called otherwise than before. */
	void (*quality)(void *owner, struct participant *p);
	/* Begin / end to hear s->track. After `unsubscribed` the subscription is gone. */
	void (*subscribed)(void *owner, struct subscription *s);
	void (*unsubscribed)(void *owner, struct subscription *s);
	/* May or may not hear t any more, as its publisher wishes; before (un)subscribed. */
	void (*subscription_allowed)(void *owner, struct track *t, bool allowed);
	/* A track that we asked for has not come to be within a minute. */
	void (*subscription_failed)(void *owner, const char *track_sid);
	/* Somebody hears our track for the first time. */
	void (*track_subscribed)(void *owner, struct track *own);
	/* The server (API) muted our track, or dropped it. */
	void (*track_muted)(void *owner, struct track *own);
	void (*track_unpublished)(void *owner, struct track *own);
	void (*data)(void *owner, const struct data_packet *d);
	void (*removed)(void *owner, Livekit__DisconnectReason why); /* last */
};

struct attribute {
	const char *key, *value; /* value "" deletes, where something is changed */
};

struct participant_config {
	const char *identity, *name, *metadata;
	const struct attribute *attributes;
	size_t attribute_count;
	Livekit__ParticipantInfo__Kind kind;
	bool can_publish, can_subscribe, can_publish_data, can_update_metadata, hidden, recorder,
		agent;
	bool can_subscribe_metrics, can_manage_agent_session;
	const Livekit__TrackSource *can_publish_sources; /* count 0 = all */
	size_t can_publish_source_count;
	bool auto_subscribe;
	int32_t client_protocol; /* copied into the info, like the next two */
	const Livekit__ClientInfo__Capability *capabilities;
	size_t capability_count;
	const Livekit__ParticipantInfo__KindDetail *kind_details;
	size_t kind_detail_count;
	int32_t protocol; /* of the signalling, 17 for our own seats */
};

/* Outcomes of participant_join(). */
enum {
	PARTICIPANT_E_ROOM_FULL = 1,
};
/* State JOINING; a participant of the same identity is removed (DUPLICATE_IDENTITY). Metadata and
 * attributes past the limits are an error here: doors check what strangers give them. */
MUST_USE int participant_join(struct participant **ret, struct room *r,
	const struct participant_config *config, const struct participant_events *events,
	void *owner);
void participant_joined(struct participant *p); /* -> JOINED: the join response was written */
/* JOINED, and its subscriptions need not wait for its media: they are part of what its first
 * answer describes (one peer connection). */
void participant_subscribe_early(struct participant *p);
/* -> ACTIVE: media is connected; subscriptions begin. */
void participant_active(struct participant *p);
/* -> DISCONNECTED: it hears `unsubscribed` of all it heard, others are told, its tracks end; then
 * it hears `removed`. Harmless when it is out already (as long as p is readable, see above). Who is
 * not ACTIVE a minute after joining is removed by rooms_tick() with JOIN_FAILURE. */
void participant_leave(struct participant *p, Livekit__DisconnectReason why);

struct room *participant_room(const struct participant *p);
const char *participant_sid(const struct participant *p);
const char *participant_identity(const struct participant *p);
Livekit__ParticipantInfo__Kind participant_kind(const struct participant *p);
Livekit__ParticipantInfo__State participant_state(const struct participant *p);
/* How good its connection is; EXCELLENT until somebody measures. When its name changes, it and those
 * who hear it are told. */
void participant_set_quality(struct participant *p, const struct connection_quality *q);
struct connection_quality participant_quality(const struct participant *p);
const char *participant_attribute(const struct participant *p, const char *key); /* or NULL */
const char *participant_name(const struct participant *p);
int64_t participant_joined_unix_ms(const struct participant *p);
const char *participant_metadata(const struct participant *p);
/* The i-th attribute, or NULL past the last. */
const struct attribute *participant_attributes(const struct participant *p, size_t i);
bool participant_was_active(const struct participant *p); /* "left", not "connection aborted" */
/* Egress, agent: does not keep a room open. */
bool participant_is_dependent(const struct participant *p);
/* May `to` know of p: p is not hidden, or they are the same. For lists in join responses. */
bool participant_is_visible(const struct participant *p, const struct participant *to);
/* Highest sequence of the reliable packets that it sent (ReconnectResponse.last_message_seq). */
uint32_t participant_last_sequence(const struct participant *p);

/* Outcomes of participant_set(). */
enum {
	PARTICIPANT_E_LIMIT = 1, /* metadata or attributes too large; nothing changed */
};
/* NULL = leave as it is. If there is something to tell, everybody is told at once, unless it changes
 * all the time (LIMIT_TELL_BYTES): then within BATCH_MS. */
MUST_USE int participant_set(struct participant *p, const char *name, const char *metadata,
	const struct attribute *attributes, size_t attribute_count);
/* The same again changes, and tells, nothing. */
void participant_set_permission(struct participant *p, const Livekit__ParticipantPermission *perm);
const Livekit__ParticipantPermission *participant_permission(const struct participant *p);
bool participant_may_publish(const struct participant *p, Livekit__TrackSource source);

/* Data from this participant to others: permission, repeated sequence numbers and kinds that are
 * not for others are checked here. The packet given is not changed: receivers get a copy with the
 * sender's fields filled in. */
void participant_send_data(struct participant *p, Livekit__DataPacket *packet, bool reliable);
/* Data from the server's API: nobody's name is put in, everybody ACTIVE may get it.
 * Of user packets with the same nonce (16 bytes) a room gets the first, whoever sends it. */
void room_send_data(struct room *r, const Livekit__DataPacket *packet, bool reliable);

/* ---- tracks ---- */
struct track_config {
	const char *name, *cid, *stream, *mime_type, *mid;
	const char *sid; /* NULL: made here */
	Livekit__TrackType type;
	Livekit__TrackSource source;
	bool muted, disable_red, stereo, disable_dtx;
	Livekit__Encryption__Type encryption;
	const Livekit__AudioTrackFeature *features;
	size_t feature_count;
	uint32_t media_source; /* media_id of the voice; what sinks are opened on */
	/* What others can be given: for a phone also its own codec, see call/. Opaque to room/. */
	void *user;
};
/* A new track sid: "TR_AM..." by type and source (for a pending track, before it is published). */
void track_sid_make(char out[RNG_ID_SIZE], Livekit__TrackType type, Livekit__TrackSource source);
/* Outcomes of track_publish(). */
enum {
	TRACK_E_NOT_ALLOWED = 1,
	TRACK_E_LIMIT,
};
MUST_USE int track_publish(
	struct track **ret, struct participant *p, const struct track_config *config);
void track_unpublish(struct track *t);
void track_set_muted(struct track *t, bool muted, bool by_server);
/* Also what older clients read as `stereo` and `disable_dtx`. */
void track_set_features(struct track *t, const Livekit__AudioTrackFeature *features, size_t count);
/* Each feature once; returns how many were written to `to`. */
size_t track_features(Livekit__AudioTrackFeature *to, size_t max,
	const Livekit__AudioTrackFeature *from, size_t count);
bool track_has_feature(
	const Livekit__AudioTrackFeature *f, size_t count, Livekit__AudioTrackFeature feature);
const char *track_sid(const struct track *t);
/* The first of its publisher that `track_published` told of. */
bool track_is_first(const struct track *t);
bool track_muted(const struct track *t);
struct participant *track_owner(const struct track *t);
uint32_t track_media_source(const struct track *t);
size_t track_listener_count(const struct track *t);
/* As kept; strings live with the track. */
const struct track_config *track_facts(const struct track *t);
struct track *participant_next_track(struct participant *p, struct track *after); /* NULL starts */
/* Loudness of one window from media; see room/speakers.h. */
void track_level(struct track *t, uint8_t level, uint16_t active_ms, uint16_t observed_ms);

/* Tells it and those who hear it that it speaks (level 0: no more), whatever is heard: clients may
 * ask for that to try themselves (SimulateScenario). */
void participant_pretend_speaking(struct participant *p, float level);

/* ---- subscriptions ---- */
struct subscription {
	struct list track_link, listener_link;
	struct track *track;
	struct participant *listener;
	void *user;    /* the listener's own (a sink, a mixer input) */
	bool disabled; /* track_setting: keep the section, pause the sound */
};
/* What the client asked for: `subscribe` false ends, true begins, or is remembered for a minute
 * when there is no such track yet. */
void participant_subscribe(struct participant *p, const char *track_sid, bool subscribe);
/* Who may hear this one's tracks (SubscriptionPermission). */
void participant_allow(struct participant *p, const Livekit__TrackPermission *const *list,
	size_t count, bool all_participants);
bool participant_hears(const struct participant *p, const struct track *t);

/* As protobuf: room/info.h. */

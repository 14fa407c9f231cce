/* room/inside.h - the objects of this folder, for its own files only.
 *
 *   rooms -> room -> participant -> track
 *                        |            |
 *                        +- subscription (listener -> track; owned by the listener)
 *
 * Owner:   as drawn; struct rooms is the server's.
 * Owns:    each what is right of it, and the texts it points to.
 * Thread:  the control thread.
 * Life:    what is removed goes to the graveyard of `rooms` and is freed by the next tick: it may
 * be on the stack of an event that is running.
 *
 * Loops that call events walk by join order (participants_after()), so that anybody may come or go
 * meanwhile; lists of tracks and subscriptions are walked the same way, by serial number.
 */
#pragma once

#include "base/budget.h"
#include "base/buf.h"
#include "room/room.h"
#include "room/speakers.h"

enum room_state {
	ROOM_OPEN,
	ROOM_CLOSING, /* everybody is being removed; nobody finds it any more */
	ROOM_CLOSED,
};

struct rooms {
	struct rooms_config config;
	struct rooms_listener first; /* whoever made the rooms; events may be NULL */
	struct list listeners;
	struct map by_name;
	struct list list;
	uint64_t serials;
	bool busy; /* as said by rooms_set_busy() */
	struct buf packet; /* the data packet that is being sent */
	struct list dead_rooms, dead_participants, dead_tracks, dead_subscriptions;
};

enum {
	ROOM_NONCES = 100, /* as many as LiveKit remembers */
	ROOM_NONCE_BYTES = 16
};

struct room {
	struct list link;
	struct map_node by_name;
	struct rooms *rooms;
	enum room_state state;
	char *name, *metadata;
	char sid[RNG_ID_SIZE], sif_trailer[ROOM_TRAILER_SIZE];
	unsigned worker;
	uint32_t empty_timeout_s, departure_timeout_s, max_participants;
	int64_t created_unix_ms;
	const struct room_options *opened_with; /* inside of rooms_open() */
	bool idle; /* nobody here who keeps it open */
	uint64_t idle_since_ms;
	bool ever_joined;
	bool levels_came; /* since speakers were told */
	bool changed; /* a room_update is due */
	uint64_t told_ms, batch_due_ms;
	struct list
		held; /* reliable packets of the last moments, for those who are not ACTIVE yet */
	size_t held_bytes;
	uint8_t nonces[ROOM_NONCES][ROOM_NONCE_BYTES]; /* of data, the newest overwrites the oldest */
	size_t nonce_next;
	struct list participants; /* in the order of joining */
	size_t participant_count;
	struct map by_identity, by_sid, tracks;
};

/* Who may hear a publisher's tracks. Zeroed: nobody. */
struct allowance {
	bool everybody;
	struct map by_identity, by_sid; /* the first of each name */
	struct allowed {
		struct map_node by_name;
		struct allowed *same; /* another one for the same name */
		char *identity, *sid; /* "" = not by this */
		bool all_tracks;
		char **track_sids;
		size_t track_count;
	} * list;
	size_t count;
};

struct wish {
	struct list link;
	struct map_node by_sid; /* participant.wishes_by_sid */
	bool subscribe;
	uint64_t until_ms; /* 0: the track is (or was) there */
	char track_sid[RNG_ID_SIZE];
};

enum {
	PARTICIPANT_SOURCES = 8,
	PARTICIPANT_FACTS = 8
};

struct participant {
	bool told_track;    /* `track_published` was told of one */
	bool has_published; /* LiveKit's is_publisher: stays, also when the last track has gone */
	struct list link;
	struct map_node by_identity, by_sid;
	uint64_t serial;
	struct room *room;
	const struct participant_events *events;
	void *owner;
	Livekit__ParticipantInfo__State state;
	Livekit__DisconnectReason reason;
	Livekit__ParticipantInfo__Kind kind;
	char sid[RNG_ID_SIZE];
	char *identity, *name, *metadata;
	struct attribute *attributes; /* of memory of its own, as are its texts */
	size_t attribute_count;
	uint32_t version;
	int64_t joined_unix_ms;
	uint64_t joined_ms;
	Livekit__ParticipantPermission permission;
	Livekit__TrackSource sources[PARTICIPANT_SOURCES];
	Livekit__ClientInfo__Capability capabilities[PARTICIPANT_FACTS];
	size_t capability_count;
	Livekit__ParticipantInfo__KindDetail kind_details[PARTICIPANT_FACTS];
	size_t kind_detail_count;
	int32_t protocol, client_protocol;
	bool auto_subscribe, was_active;
	bool subscribes_early; /* does not wait for its media: participant_subscribe_early() */
	bool batched;  /* others have yet to be told */
	bool replaced; /* its identity joined anew */
	bool gone; /* `removed` was called: no event after that, whatever is still on the stack */
	uint32_t last_sequence;
	struct allowance allowance;
	struct list tracks, subscriptions, wishes;
	struct map wishes_by_sid;
	size_t track_count;
	bool complained; /* of what it asked for: one line in the log is enough */
	uint64_t last_packet; /* serial of the data packet that it got last, when names were listed */
	struct budget telling; /* LIMIT_TELL_BYTES */
	float spoken; /* the level that others were told; 0: not speaking */
	bool speaking_changed;
	struct connection_quality quality;
	bool quality_known; /* else it is the best */
};

enum track_state {
	TRACK_PUBLISHED,
	TRACK_GONE,
};

struct track {
	struct list link;
	struct map_node by_sid;
	uint64_t serial;
	struct participant *owner;
	enum track_state state;
	char sid[RNG_ID_SIZE];
	struct track_config config; /* strings and features of memory of its own */
	Livekit__AudioTrackFeature features[PARTICIPANT_FACTS];
	bool first; /* track_is_first() */
	bool heard; /* the publisher was told of its first listener */
	int64_t version_us;
	struct loudness loudness;
	struct list listeners;
};

/* ---- rooms.c ---- */
uint64_t rooms_now_ms(const struct rooms *rs);

/* ---- room.c ---- */
void room_changed(struct room *r, bool now);
void room_tick(struct room *r, uint64_t now_ms);
void room_free(struct room *r);
/* The one that joined next after serial number `after`, or NULL; 0 starts. */
struct participant *participants_after(struct room *r, uint64_t after);
/* p has changed: version up, and all who may know are told, itself included when `self`; those who
 * change all the time are told of as by room_tell_later(). */
void room_tell(struct participant *p, bool self);
/* As room_tell(), within BATCH_MS, together with others. */
void room_tell_later(struct participant *p);
void room_left(struct room *r); /* after somebody is out: does anybody keep it open? */
size_t room_keepers(const struct room *r);

/* ---- participant.c ---- */
void participant_free(struct participant *p);
bool participant_hears_events(const struct participant *p); /* JOINED or ACTIVE */

/* ---- attributes.c ---- */
/* The old ones that are not named again, then the new ones that are not empty; all copied. */
MUST_USE int attributes_merge(struct attribute **ret, size_t *ret_count,
	const struct attribute *old, size_t old_count, const struct attribute *changes,
	size_t change_count);
size_t attributes_size(const struct attribute *list, size_t count); /* of keys and values */
void attributes_free(struct attribute *list, size_t count);

/* ---- permission.c ---- */
bool allowance_allows(
	const struct allowance *a, const struct participant *listener, const char *track_sid);
void allowance_fini(struct allowance *a);
void permission_init(struct participant *p, const struct participant_config *config);

/* ---- track.c ---- */
void track_drop(struct track *t, bool by_server); /* by_server: its owner hears of it */
void track_free(struct track *t);
void track_tell_all(struct track *t); /* `track_published`; its owner is, or was, ACTIVE */
struct track *tracks_after(struct participant *p, uint64_t after);

/* ---- subscription.c ---- */
void subscriptions_offer(struct track *t);       /* to everybody who is ready to subscribe */
void subscriptions_begin(struct participant *p); /* p is ready now, or may subscribe again */
/* Does `listener` hear any track of p? */
bool subscriptions_reach(const struct participant *listener, const struct participant *p);
void subscriptions_consider(struct participant *p, struct track *t);
void subscriptions_fill_up(struct participant *p); /* where their number is limited */
struct subscription *subscription_find(const struct participant *p, const struct track *t);
void subscription_end(struct subscription *s);
void subscriptions_end_all(struct participant *p);
bool subscription_wished(const struct participant *p, const struct track *t);
void wishes_tick(struct participant *p, uint64_t now_ms);
void wishes_forget(struct room *r, const char *track_sid);
void wishes_free(struct participant *p);

/* ---- data.c ---- */
void data_catch_up(struct participant *p); /* it is ACTIVE: what it would have got a moment ago */
void data_tick(struct room *r, uint64_t now_ms);
void data_forget(struct room *r);

/* ---- speaking.c ---- */
void speaking_tick(struct room *r, uint64_t now_ms);
/* `listener` begins or ends to hear `p`. */
void speaking_began(struct participant *listener, struct participant *p);
/* `listener` hears nobody's events of this kind before it is ACTIVE; now it is. */
void speaking_catch_up(struct participant *listener);
void speaking_ended(struct participant *listener, struct participant *p);

/* Call an event if its owner listens to it. */
#define TELL(who, event, ...)                                                                      \
	do {                                                                                       \
		const struct participant *told_ = (who);                                           \
		if (!told_->gone && told_->events->event)                                          \
			told_->events->event(told_->owner, ##__VA_ARGS__);                         \
	} while (0)

#define TELL_ALL(rooms_, event, ...)                                                               \
	do {                                                                                       \
		const struct list *listeners_ = &(rooms_)->listeners;                              \
		list_each(it_, listeners_)                                                         \
		{                                                                                  \
			const struct rooms_listener *told_ =                                       \
				container_of(it_, struct rooms_listener, link);                    \
			if (told_->events->event)                                                  \
				told_->events->event(told_->owner, ##__VA_ARGS__);                 \
		}                                                                                  \
	} while (0)

/* signal/session.h - one LiveKit session: a WebSocket, a participant, one or two peer connections.
 * Shared by the files of signal/ only; the door to the outside is signal/door.h.
 *
 * Owner:   the door's list of sessions.
 * Owns:    its peers (with their sections), announced tracks ("pubs"), and hearings; the
 *          participant in the room until the room says `removed`.
 * Thread:  the control thread.
 * Words:   v0 = two peer connections: "publisher" is offered by the client, "subscriber" by us;
 *          v1 = one, always offered by the client, which then is `publisher` and carries both ways;
 *          section = one m-line, found again by its mid;
 *          pub     = a track the client announced; hearing = a track we send it.
 *
 *   JOINING --> OPEN <--> LOST --> GONE      LOST: the WebSocket is away, media may live on
 *      |          |                  ^
 *      '----------'------------------'       GONE: out of the room; freed at the end of the turn
 */
#pragma once

#include "base/budget.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/rng.h"
#include "media/media.h"
#include "media/sctp.h"
#include "net/http_server.h"
#include "room/info.h"
#include "room/room.h"
#include "signal/door.h"
#include "signal/validate.h"
#include "signal/way.h"
#include "wire/proto.h"
#include "wire/proto_json.h"
#include "wire/sdp.h"

#include <errno.h>

struct session;
struct pub;
struct hearing;

enum section_kind {
	SECTION_AUDIO,
	SECTION_DATA,
	SECTION_OTHER, /* video and whatever else: answered inactive */
};

enum { SECTION_MID_MAX = 16, SECTION_CID_MAX = 127 };

struct section {
	struct list link; /* peer.sections, in the order of m-lines */
	char mid[SECTION_MID_MAX + 1];
	enum section_kind kind;
	/* What the client's last offer said about its voice here. */
	char cid[SECTION_CID_MAX + 1]; /* the track of a=msid */
	uint32_t ssrc;
	uint8_t opus_pt, red_pt, mid_ext, level_ext;
	bool nack; /* of Opus */ /* 0 = not offered */
	struct pub *pub;         /* the client sends this here, or NULL */
	struct hearing *hearing; /* we send this here, or NULL */
	bool client_sends;       /* as the last offer said */
	bool begins;             /* and it did not before */
	bool client_receives;
	bool red;                /* our answer put RED before Opus for what it sends */
	bool was_used;           /* carried a hearing before: inactive until it carries one again */
	bool offered;            /* v0: `hearing` is in an offer under way or accepted */
};

enum channel {
	CHANNEL_RELIABLE,
	CHANNEL_LOSSY,
	CHANNEL_TRACK, /* "_data_track": opened for the client's sake, nothing travels on it */
	CHANNEL__COUNT,
};

struct peer {
	struct session *session;
	struct map_node by_transport; /* door.peers */
	media_id transport;           /* 0 = not open */
	struct media_ice ice;
	struct media_remote remote;
	bool has_remote;
	enum media_transport_state state;
	bool was_connected;
	struct list sections;
	size_t section_count;
	uint64_t origin_id, origin_version;
	struct sctp_association *sctp;
	bool channels_asked;
	struct {
		bool open;
		uint16_t id;
	} channels[CHANNEL__COUNT];
};

enum pub_state {
	PUB_QUEUED,  /* another one with its cid lives: waits for its end */
	PUB_PENDING, /* announced; no m-line yet */
	PUB_MATCHED, /* its m-line is known; media is not connected yet */
	PUB_LIVE,    /* others are told */
};

struct pub {
	struct list link; /* session.pubs */
	struct session *session;
	enum pub_state state;
	char sid[RNG_ID_SIZE];
	struct proto_arena arena;
	Livekit__AddTrackRequest *request; /* a copy, in `arena` */
	bool muted;
	struct section *section;
	media_id source;
	struct map_node by_source; /* door.sources */
	struct track *track; /* when LIVE */
	struct quality quality;
};

struct hearing {
	struct list link; /* session.hearings */
	struct session *session;
	struct subscription *subscription;
	struct section *section; /* NULL: waits for one */
	uint32_t ssrc;
	media_id sink; /* 0 until it is negotiated */
	struct quality quality;
	bool refused;  /* the client takes none of our codecs, and knows */
};

enum session_state {
	SESSION_JOINING,
	SESSION_OPEN,
	SESSION_LOST,
	SESSION_GONE,
	SESSION__COUNT,
};

/* The door itself (signal/door.h). Scratch arrays serve one description at a time. */
struct signal_door {
	struct loop *loop;
	struct rooms *rooms;
	struct media *media;
	struct signal_config config; /* copied; its pointers are the caller's */
	char **node_ips;
	size_t node_ip_count;
	struct list sessions;
	size_t session_count, session_max;
	struct map peers;   /* by media_id of the transport */
	struct map sources; /* pubs, by media_id */
	struct sdp_media *media_scratch;       /* LIMIT_SDP_MEDIA of each */
	struct section **sections;
	struct describe_section *descriptions;
	struct buf frame; /* what is being sent */
	struct ways ways;
};

/* What is under way between us and the client about what it hears. */
struct negotiation {
	bool outstanding; /* v0: our offer waits for its answer; v1: we asked for an offer */
	bool again;       /* something changed meanwhile */
	uint32_t id;      /* v0: of the last offer */
	uint64_t last_ms;
	struct timer debounce, patience;
};

/* What a client wanted to be tried on it (simulate.c). */
struct simulation {
	uint64_t cut_until_ms; /* the next resume until then is cut off */
	bool wordless;         /* ... before its first message */
	struct timer quiet;    /* it does not speak any more */
};

struct session {
	struct list link; /* door.sessions */
	struct signal_door *door;
	enum session_state state;
	bool single; /* v1 */
	bool text;   /* it speaks JSON */
	bool told_to_leave;   /* by the last word on this socket */
	bool must_start_over; /* and not resume */
	struct budget requests, request_bytes;
	struct simulation simulation;
	enum way way;
	uint64_t heard_ms; /* its last message */
	struct websocket *ws;
	struct participant *participant;
	struct join *join;
	struct peer publisher, subscriber; /* v1 uses only the first */
	struct list pubs, hearings;
	size_t pub_count;
	struct list missed; /* who left lately, for a client that resumes */
	size_t missed_count;
	struct negotiation negotiation;
	uint64_t claims_hash; /* of what the last refresh token said */
	struct buf held; /* reliable data that waits for its channel: u32 size, bytes, ... */
	struct timer refresh, deadline, quality;
	uint32_t rtt_us; /* to the client, 0 = not known */
	struct deferred reap;
};

/* ---- session.c ---- */
/* Takes `join` over when it succeeds. The participant is in the room, nothing is sent yet. Outcome:
 * PARTICIPANT_E_ROOM_FULL. */
MUST_USE int session_new(
	struct session **ret, struct signal_door *d, struct room *r, struct join *join);
struct session *session_free(struct session *s);
void session_open(struct session *s, struct http_exchange *x); /* 101, join, the first offer */
/* A new socket in place of the old one. Fails only by ending the exchange. */
MUST_USE int session_take_socket(struct session *s, struct http_exchange *x);
/* Media must be connected within `ms` (0: no hurry), or the participant goes. */
void session_watch_media(struct session *s, uint64_t ms);
void session_send(struct session *s, Livekit__SignalResponse *m);
void session_close_socket(struct session *s); /* without a word: the client may resume */
/* A last word (`action` 0 = the client shall go for good), then the socket closes. */
void session_say_leave(
	struct session *s, Livekit__DisconnectReason why, Livekit__LeaveRequest__Action action);
/* The client must start over: LEAVE RECONNECT; the participant goes with the new one. */
void session_start_over(struct session *s);
/* As if this server had died: no word, the socket breaks, others see it leave. */
void session_vanish(struct session *s, Livekit__DisconnectReason why);
void session_removed(struct session *s, Livekit__DisconnectReason why); /* the room's last event */
void session_end(struct session *s, Livekit__DisconnectReason why); /* out of the room */
void session_peer_state(struct session *s, struct peer *p, enum media_transport_state state);
static inline struct peer *session_hearing_peer(struct session *s)
{
	return s->single ? &s->publisher : &s->subscriber;
}

/* ---- join.c ---- */
void session_send_join(struct session *s);
void session_describe_server(Livekit__ServerInfo *server, const struct signal_config *c);

/* ---- ice_servers.c ---- */
/* How many. What has no memory is left out. */
size_t session_ice_servers(Livekit__ICEServer ***ret, struct session *s, struct info_arena *a);
/* NULL: nothing to say. Else `c`, filled in. */
Livekit__ClientConfiguration *session_client_configuration(
	struct session *s, Livekit__ClientConfiguration *c);

/* ---- resume.c ---- */
struct session *resume_find(struct signal_door *d, const struct join *j);
void resume(struct session *s, struct http_exchange *x, struct join *j); /* takes `j` over */
void resume_sync(struct session *s, const Livekit__SyncState *m);
void resume_note_left(struct session *s, const Livekit__ParticipantInfo *info);
void resume_forget(struct session *s);

/* ---- refresh.c: the token that is good for coming back ---- */
void session_send_refresh(struct session *s);
uint64_t session_claims_hash(struct session *s);
void session_claims_changed(struct session *s); /* a new token if what is in it did change */

/* ---- request.c: what the client asks ---- */
void session_request(struct session *s, Livekit__SignalRequest *m);
/* `r` has its oneof set; reason and message are filled in here. */
void session_respond(struct session *s, Livekit__RequestResponse *r,
	Livekit__RequestResponse__Reason reason, const char *message);

/* ---- simulate.c: trouble that a client asks for, to see what comes of it ---- */
MUST_USE int simulate_init(struct session *s);
void simulate_fini(struct session *s);
void simulate_request(struct session *s, const Livekit__SimulateScenario *m);
/* A resume was taken: is it cut off now? Asked before its first message and after its last. */
bool simulate_cuts(struct session *s, bool before);

/* ---- events.c: what the room tells ---- */
extern const struct participant_events session_participant_events;

/* ---- peer.c ---- */
MUST_USE int peer_open(struct peer *p, struct session *s);
void peer_fini(struct peer *p);
void peer_make_ice(struct peer *p); /* new credentials, to be told both sides */
/* ICE and DTLS facts of the client's description. Outcome PEER_E_BAD: there are none. */
enum {
	PEER_E_BAD = 1,
};
MUST_USE int peer_set_remote(struct peer *p, const struct sdp *remote, bool we_answer);
struct section *peer_find(struct peer *p, struct span mid);
MUST_USE int peer_add_section(
	struct section **ret, struct peer *p, struct span mid, enum section_kind kind);
void peer_drop_section(struct peer *p, struct section *c);

/* ---- publish.c ---- */
void publish_request(struct session *s, Livekit__AddTrackRequest *request);
void publish_mute(struct session *s, Livekit__MuteTrackRequest *m);
void publish_features(struct session *s, Livekit__UpdateLocalAudioTrack *m);
/* The m-line `c` sends: find its pub and open its source. `any` = when no cid fits, take the first
 * that waits (browsers may change ids). */
void publish_match(struct session *s, struct section *c, bool any);
void publish_stop(struct session *s, struct section *c); /* it sends no more */
void publish_go_live(struct session *s); /* media is connected: tell the room */
struct pub *publish_find(struct session *s, const char *sid);
void publish_dropped(struct session *s, struct track *t); /* the room took it away */
void publish_free_all(struct session *s);

/* ---- subscribe.c ---- */
void subscribe_begin(struct session *s, struct subscription *sub);
void subscribe_end(struct session *s, struct subscription *sub);
void subscribe_request(struct session *s, Livekit__UpdateSubscription *m);
void subscribe_disable(struct session *s, const char *track_sid, bool disabled);
void subscribe_settings(struct session *s, Livekit__UpdateTrackSettings *m);
/* Puts waiting hearings into free sections. Returns how many still wait. */
size_t subscribe_assign(struct session *s);
size_t subscribe_missing(struct session *s); /* sections that waiting hearings lack */
struct codec_choice;
void subscribe_start(struct hearing *h, const struct codec_choice *c); /* it is negotiated */
/* The client is told that it will not hear this track. */
void subscribe_failed(
	struct session *s, const char *track_sid, Livekit__SubscriptionError why);
void subscribe_free_all(struct session *s);

/* ---- negotiate.c: the client offers ---- */
void negotiate_offer(struct session *s, const Livekit__SessionDescription *offer);
/* The mids we send on -> track sids, for SessionDescription.mid_to_track_id. */
MUST_USE int negotiate_mids(Livekit__SessionDescription *d, struct info_arena *a, struct peer *p);
struct describe;
struct describe_section;
/* Completes `d` (sections and setup are set), writes it and sends it. `type`: "offer", "answer". */
MUST_USE int negotiate_send(struct session *s, struct peer *p, struct describe *d,
	struct info_arena *a, const char *type, uint32_t id);
void negotiate_describe_sender(struct describe_section *d, struct hearing *h, struct info_arena *a);

/* ---- offer.c: v0, we offer; v1, we ask the client to ---- */
MUST_USE int offer_init(struct session *s);
void offer_fini(struct session *s);
void offer_first(struct session *s);
void offer_wanted(struct session *s); /* what it hears has changed */
void offer_answered(struct session *s, const Livekit__SessionDescription *answer);
void offer_restart(struct session *s); /* v0: new ICE credentials, after a resume */
void offer_fulfilled(struct session *s); /* v1: an offer of the client was answered */

/* ---- quality.c: how good connections are ---- */
MUST_USE int quality_init(struct session *s);
void quality_fini(struct session *s);
/* In a while, its own and those whom it hears: for one who is active or hears one more. */
void quality_tell_later(struct session *s);
void quality_tell(struct session *s, struct participant *of); /* now */
void quality_measured(
	struct session *s, const struct media_voice_stats *stats, size_t count);

/* ---- data.c ---- */
void data_connected(struct peer *p);
void data_input(struct peer *p, struct span packet);
void data_send(struct session *s, const struct data_packet *d);
void data_fini(struct peer *p);

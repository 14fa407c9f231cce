/* call/call.h - phone calls: one call in one room, from the request to the hang-up.
 *
 * Owner:   struct calls is the server's; it owns every call.
 * Owns:    a call owns its SIP call, its media leg and its seat in the room.
 * Thread:  the control thread.
 * Life:    calls_dial() -> the participant is in the room and the INVITE has left -> settled (answered
 *          or failed, once) -> ended. The call frees itself after it ended.
 */
#pragma once

#include "media/media.h"
#include "room/room.h"
#include "sip/agent.h"
#include "trunk/explain.h"
#include "trunk/policy.h"
#include "trunk/trunk.h"

struct calls;
struct call;
struct records;
struct call_quality; /* call/quality.h */
struct lines;

struct calls_config {
	struct media *media;
	struct rooms *rooms;
	struct sip_agent *sip;
	struct policy *policy;
	struct lines *lines;   /* NULL = nothing is known of trunks */
	const char *media_ip;  /* for the SDP */
	const char *media_ip6; /* for the SDP of calls over IPv6; NULL = they are told media_ip */
	const char *sip_host;  /* of our From, where the trunk names none */
	bool symmetric_rtp;
	uint32_t media_timeout_initial_ms, media_timeout_ms;
	struct records *records; /* NULL: nothing is kept of calls */
	bool keep_ladder;        /* their SIP messages too */
};
MUST_USE int calls_new(struct calls **ret, struct loop *l, const struct calls_config *config);
struct calls *calls_free(struct calls *cs);
/* Hangs up everything; `done` when the last one is gone (or after a bounded time). */
void calls_close(struct calls *cs, void (*done)(void *owner), void *owner);
size_t calls_count(const struct calls *cs);

struct call_request {
	const char *room;
	const char *number;                       /* E.164; checked against the policy, and dialled */
	const char *shown_number;                 /* in To and in the room; NULL = `number` */
	const char *to_user;                      /* in To only; NULL = `shown_number` */
	const char *address;                      /* "host" or "host:port" to send to; NULL = the trunk's */
	const char *uri_params;                   /* of the Request-URI, "x=y;z"; NULL = none */
	const Livekit__SIPOutboundTrunkInfo *trunk; /* copied */
	const Livekit__SIPOutboundTrunkInfo *rules; /* the trunk whose rules count; NULL = `trunk` */
	const char *caller_number;                /* NULL: one of the trunk's numbers */
	const char *identity, *name, *metadata;   /* NULL: "sip_<number>", "", "" */
	const struct attribute *attributes;
	size_t attribute_count;
	const char *dtmf;                         /* sent after the answer; NULL = none */
	const char *from_host;                    /* "host" or "host:port"; NULL = the trunk's, or ours */
	const char *display_name;                 /* NULL = the number, "" = none */
	const struct attribute *headers;          /* extra INVITE headers */
	size_t header_count;
	const char *api_key, *asker;              /* whose request it is: NULL = nobody known */
	bool hide_phone_number;
	bool ringback; /* the room hears a ringing tone until the far end is heard itself */
	uint32_t ringing_timeout_ms, max_duration_ms; /* 0 = 3 min, 24 h */
};

/* Named outcomes of calls_dial(), each with a sentence in `why`. */
enum call_outcome {
	CALL_OK,
	CALL_E_NUMBER,      /* policy: not E.164 */
	CALL_E_COUNTRY,
	CALL_E_BLOCKED,
	CALL_E_RATE,        /* and too many wait already */
	CALL_E_ALREADY,     /* this number is already being dialled into this room */
	CALL_E_LIMIT,       /* the policy's, LIMIT_CALLS, LIMIT_CALLS_PER_ROOM, room full */
	CALL_E_MINUTES,     /* policy: the key's minutes of today */
	CALL_E_NO_CALLER,   /* no caller number on trunk or request */
	CALL_E_INVALID,     /* another field of the request */
	CALL_E_CODEC,       /* only codecs are allowed that we do not have */
};
enum { CALL_WHY_SIZE = 320 };
struct call_refusal {
	char why[CALL_WHY_SIZE];
	uint32_t retry_after_ms;
	struct call *existing; /* for CALL_E_ALREADY */
};
/* Returns 0, a call_outcome, or a negative error. */
MUST_USE int calls_dial(struct call **ret, struct calls *cs, const struct call_request *request,
	struct call_refusal *refusal);

/* `answered` false: `e` says why; sip_status and its text are in it. Called once per watcher, or never
 * after call_unwatch(). */
struct call_watch {
	struct list link;
	void (*settled)(struct call_watch *w, struct call *c, bool answered);
};
void call_watch(struct call *c, struct call_watch *w); /* settled already: called deferred */
void call_unwatch(struct call_watch *w);               /* twice is fine */

const char *call_id(const struct call *c); /* "SCL_..." */
const char *call_room(const struct call *c);
const char *call_participant_sid(const struct call *c);
const char *call_participant_identity(const struct call *c);
const char *call_trunk_id(const struct call *c);
const char *call_address(const struct call *c); /* "host" or "host:port" that was called */
bool call_settled(const struct call *c, bool *answered);
const struct call_explanation *call_explanation(const struct call *c); /* after a failure */
int call_sip_status(const struct call *c);         /* of the failure, 0 = none */
/* NULL: nothing was measured, there was no media yet. Also after its end, until it is gone. */
const struct call_quality *call_quality(const struct call *c);
const char *call_sip_reason(const struct call *c); /* far end's words, may be "" */
struct call *calls_find(struct calls *cs, const char *call_id);
struct call *calls_find_participant(struct calls *cs, const char *room, const char *identity);
void call_hang_up(struct call *c);

/* From struct sip_agent_events: a message that may belong to a call. */
void calls_sip_message(struct calls *cs, const struct sip_traced *t);
/* What is known of the calls that are up, into config.records: for who reads there. */
void calls_write_records(struct calls *cs);

/* What media reports of phone legs (struct media_events), for the calls they belong to. */
void calls_leg_event(struct calls *cs, uint32_t leg, enum media_leg_event event);
void calls_leg_digit(struct calls *cs, uint32_t leg, char digit);
void calls_leg_key(struct calls *cs, uint32_t leg, char digit);
void calls_leg_digits_done(struct calls *cs, uint32_t leg);
void calls_leg_stats(struct calls *cs, uint32_t leg, const struct media_leg_stats *stats);
/* Loudness of the phones' voices. */
void calls_levels(struct calls *cs, const struct media_level *levels, size_t count);

/* call/call_private.h - one call as the files of this folder see it.
 *
 * Owner:    struct calls, until the call has ended and its SIP part is done.
 * Owns:     the SIP call, the media leg, the seat, its timers; all three may end in any order.
 * Thread:   the control thread.
 */
#pragma once

#include "call/call.h"
#include "call/early.h"
#include "call/headers.h"
#include "call/record.h"
#include "call/quality.h"
#include "call/negotiate.h"
#include "call/queue.h"
#include "call/refused.h"
#include "call/seat.h"
#include "media/media.h"
#include "net/loop.h"
#include "sip/call.h"

/*
 *   DIALING --> RINGING --> ACTIVE --> ENDED
 *      |  \________|__________^         ^
 *      '-----------'--------------------'      (refused, no answer, hung up before the answer)
 *
 * ENDED means: the room has seen the last of it. The SIP part may still be finishing (BYE, CANCEL).
 */
enum call_state {
	CALL_DIALING,
	CALL_RINGING,
	CALL_ACTIVE,
	CALL_ENDED,
	CALL__COUNT,
};

/* How a key of the phone came. */
enum call_key_way {
	CALL_KEY_NONE,
	CALL_KEY_MEDIA, /* RFC 4733, or a tone */
	CALL_KEY_INFO,
};

struct calls {
	struct loop *loop;
	struct calls_config config;
	struct map by_id;   /* struct call.id_node: every call until it is freed */
	struct map by_sip_id; /* struct call.record: the Call-ID */
	struct map by_leg;  /* struct call.leg_node: media events name the leg */
	struct list all;    /* struct call.link */
	void (*closed)(void *owner);
	void *closed_owner;
	struct timer close_timer, write_timer, flush_timer, tidy_timer;
	uint64_t ends_flushed_at_ms; /* records of calls that ended */
	struct refused refused;
};

struct call {
	struct calls *calls;
	struct list link;
	struct map_node id_node, leg_node;
	char id[RNG_ID_SIZE];
	enum call_state state;

	char *room, *number, *identity, *dtmf, *trunk_id;
	char *shown_number; /* as the room and the far end see it: mostly `number` */
	char dialled[64];   /* the user of the Request-URI */
	struct option_list redirect_hosts;
	char *address;      /* where the INVITE goes */
	char *trunk_name, *caller;
	bool hide_phone_number; /* from the room */
	char participant_sid[RNG_ID_SIZE];

	struct seat *seat;         /* NULL after the end, once nothing is played any more */
	media_id leg;              /* 0 after the end, once nothing is played any more */
	struct offer_security security; /* of `talk` */
	struct negotiation talk;   /* what was offered and agreed */
	struct media_leg_remote connected_to; /* what the leg was told, once `connected` */
	bool connected;
	unsigned media_family; /* enum trunk_media_family */
	struct {
		enum call_key_way way; /* of the last key that came */
		uint64_t at_ms;
	} keys;
	struct call_meter meter; /* outlives the leg */
	struct sip_call *sip;      /* NULL once its last event came */
	struct timer ringing, longest;
	struct call_transfer *transfer; /* under way, or NULL */
	struct list watches;       /* struct call_watch.link */
	struct timer ending; /* after CALL_ENDED, see call/ending.c */
	struct deferred settle_later, free_later, end_later;
	bool heard; /* anything at all, of the trunk */
	bool settled, answered, has_credentials;
	bool finishing; /* something is still played out before the line is closed */
	struct call_early early;
	struct call_queue queue;
	struct policy_call allowed; /* its place in the counts of the policy */

	struct proto_arena kept;   /* what `rules` points to */
	struct header_rules rules;
	struct attribute *far_headers; /* of the answer, for lk.sip.GetRemoteHeaders */
	size_t far_header_count;
	struct attribute *end_headers; /* of the BYE, by lk.sip.EndCall */
	size_t end_header_count;

	struct call_explanation explanation;
	int sip_status;
	char sip_reason[128];
	uint64_t asked_ms;
	struct call_record record;
};

void call_move(struct call *c, enum call_state next);
/* The one way to end: tells the room, gives back the leg, ends SIP, settles the watchers. */
void call_finish(struct call *c, const struct call_explanation *why, int sip_status, const char *sip_reason);
void call_settle(struct call *c, bool answered);
void call_leave_room(struct call *c);
void call_drop_media(struct call *c);

/* call/last_words.c: what comes between the end and the last packet. `from` is the state before it. */
void call_end_line(struct call *c, enum call_state from);
MUST_USE int call_ending_init(struct call *c);
void call_ending_fini(struct call *c);
/* The leg has played what it had, or SIP is over. */
void call_line_done(struct call *c);

/* call/ending.c: the same with an explanation from the table. `bye` may be NULL. */
void call_end_as(struct call *c, enum call_end end, const struct sip_message *bye);
void call_fail_as(struct call *c, enum call_failure_kind kind, const char *reason);
void call_refused(struct call *c, const struct sip_failure *failure, enum call_failure_kind kind);
/* What sentences may name. */
void call_values(struct call_failure *f, const struct call *c);
/* A sentence for the log, which is read by more people than may know who was called. */
void call_hide_numbers(char *out, size_t size, const struct call *c, const char *sentence);
/* Frees now; call_free_soon() when somebody up the stack still holds it. */
void call_free(struct call *c);
void call_free_soon(struct call *c);

/* call/dial.c: SIP side. */
MUST_USE int call_invite(struct call *c, const struct call_request *request, const char *caller,
	uint16_t rtp_port);
/* call/renegotiate.c: the far end changes its mind. Handlers of struct sip_call_events. */
void call_on_offer(void *owner, const struct sip_message *request);
void call_on_acked(void *owner, const struct sip_message *ack);
void call_on_reanswered(void *owner, const struct sip_message *response);
/* The leg works by these terms from now on; nothing happens when it does so already. */
void call_connect_media(struct call *c, const struct media_leg_remote *terms);
/* call/family.c: the offer names an address of the family that the INVITE goes to. */
struct span call_on_aimed(void *owner, int family);
/* call/media_side.c: the room hears what this 18x describes. */
void call_hear_early(struct call *c, const struct sip_message *response);
/* call/transfer.c. `moved`: the far end left for whom it was sent to. */
void call_on_referred(void *owner, const struct sip_refer_result *r);
void call_transfer_over(struct call *c, bool moved);
/* call/keys.c */
enum media_leg_keys call_keys_of(const struct trunk_options *options);
void call_key_came(struct call *c, enum call_key_way way, char digit);
void call_on_info(void *owner, const struct sip_message *request);
void call_send_key(struct call *c, char digit); /* by INFO */
/* call/calls.c: the policy refused this. */
void call_note_refused(struct calls *cs, const struct policy_verdict *v, struct refused_attempt *a);
/* call/rpc.c: the methods that a phone has for those in its room. */
void call_rpc(struct call *c, const struct seat_rpc *rpc);
/* call/room_side.c */
MUST_USE int call_sit_down(struct call *c, struct room *room, const struct call_request *request,
	const char *caller);
void call_show_status(struct call *c, const char *status);
/* The phone's attributes that the trunk wants in our requests, as headers: at most rules.to_header_count,
 * their texts live as long as the attributes. Returns how many. */
size_t call_own_headers(struct sip_extra *out, const struct call *c);
/* The BYE shall carry them, and those of lk.sip.EndCall: while the phone still has its attributes. */
void call_give_headers(struct call *c);
/* The headers of the far end's response that the trunk wants to be seen. */
void call_show_headers(struct call *c, const struct sip_message *m, const struct header_rules *rules);

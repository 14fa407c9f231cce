/* call/record.h - what is kept of one call: its facts and its ladder of SIP messages, put into the store as
 * they come.
 *
 * Owner:   struct call; zeroed memory is a record that keeps nothing.
 * Owns:    its texts.
 * Thread:  the control thread.
 * Life:    record_begin (before the INVITE) -> messages, changes: written within a quarter of a second ->
 *          record_end (at the call's end: is written when it returns) -> a few messages more -> record_fini.
 */
#pragma once

#include "base/map.h"
#include "media/media.h"
#include "sip/agent.h"
#include "store/records.h"
#include "trunk/explain.h"

struct call;
struct calls;

/* Moments of a call. */
enum record_time {
	RECORD_ASKED,
	RECORD_INVITE,         /* left */
	RECORD_FIRST_RESPONSE,
	RECORD_RINGING,        /* 180 to 183 */
	RECORD_EARLY_MEDIA,    /* 18x with SDP */
	RECORD_ANSWERED,       /* 200 */
	RECORD_FIRST_RTP_SENT,
	RECORD_FIRST_RTP_RECEIVED,
	RECORD_ENDED,
	RECORD_TIME__COUNT,
};

enum { RECORD_CALL_ID_SIZE = 33 };

struct call_record {
	bool on;
	struct map_node node; /* in calls.by_sip_id */
	char sip_call_id[RECORD_CALL_ID_SIZE];
	int64_t at_ms[RECORD_TIME__COUNT]; /* Unix time; 0 = not yet */
	char local[SIP_LOCAL_SIZE], remote[64], protocol[8]; /* of the latest message */
	char *offer, *answer;              /* SDP, secrets masked; the latest */
	char detail[320];                  /* what SIP says of a failure */
	size_t message_count, message_bytes, dropped;
	uint32_t answer_cseq;
	unsigned answers_again; /* repetitions of the 200: it has not seen our ACK */
	bool dirty;
};

/* Names the Call-ID that the INVITE is to have. 0 or a negative error. */
MUST_USE int record_begin(struct call *c);
/* Puts the call into the store. Errors are logged: a call goes on without its record. */
void record_save(struct call *c);
void record_time(struct call *c, enum record_time what); /* the first time counts */
/* The far end repeated its answer several times, and not long ago: it waits for an ACK in vain. */
bool record_ack_unseen(const struct call *c);
void record_end(struct call *c);
void record_fini(struct call *c); /* of a call that is freed */

/* call/record_facts.c: all that is known, as JSON. A mem_ text, or NULL without memory. */
char *record_facts(const struct call *c);
/* The facts of a call that was found open after a crash, with its ending. The same. */
char *record_interrupted(struct span facts, int64_t now_ms);

/* call/record_keep.c: of all calls. */
MUST_USE int records_keep_start(struct calls *cs);
void records_keep_stop(struct calls *cs);
void records_keep_soon(struct calls *cs); /* something waits to be written */
/* It is written now; where many calls end, within 20 ms, together with the others. */
void records_keep_now(struct calls *cs);

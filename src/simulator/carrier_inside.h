/* simulator/carrier_inside.h - what the carrier's own files know of each other.
 *
 * Owner:   struct carrier owns the calls, nonces and bindings; a call owns its forks and its voice.
 * Owns:    see each. Thread: the carrier's loop's.
 */
#pragma once

#include "base/list.h"
#include "simulator/bank.h"
#include "simulator/carrier.h"
#include "simulator/carrier_log.h"
#include "simulator/carrier_random.h"
#include "simulator/carrier_resend.h"
#include "simulator/carrier_sdp.h"
#include "simulator/voice.h"
#include "wire/sip_message.h"
#include "wire/sip_write.h"

enum {
	CARRIER_MESSAGE_MAX = 16 << 10,
	CARRIER_CALLS_MAX = 2000,  /* ended ones that linger included */
	CARRIER_FORKS_MAX = 3,
	CARRIER_NONCES_MAX = 128,
	CARRIER_SOURCES_MAX = 64,  /* whose OPTIONS are counted */
	CARRIER_BINDINGS_MAX = 64,
	CARRIER_TAG_SIZE = 20,
	CARRIER_URI_SIZE = 192,
	CARRIER_SCRIPT_MAX = 512,
	CARRIER_ROUTES_MAX = 2,
};

struct carrier_nonce {
	char text[33];
	uint64_t born_ms;
	bool old_at_once; /* quirk nonce-s=0: the first one is no good */
};

struct carrier_source {
	struct sockaddr_storage ip;
	uint64_t options_ms; /* when the last came; 0 = never */
	bool banned;
};

struct carrier_binding {
	char aor[96], contact[CARRIER_URI_SIZE];
	uint64_t until_ms; /* 0 = free */
	struct carrier_way way;
};

struct carrier_number {
	char number[24];
	char script[CARRIER_SCRIPT_MAX];
};

struct carrier {
	struct loop *loop;
	struct carrier_wire *wire;
	struct carrier_log log;
	void (*message)(void *owner, const char *from, const char *to, struct span bytes);
	void *owner;
	struct carrier_random random;
	struct carrier_trunk *trunks; /* CARRIER_TRUNKS_MAX of them; the first takes every other host */
	size_t trunk_count;
	struct carrier_number *numbers; /* CARRIER_NUMBERS_MAX */
	size_t number_count;
	struct list calls; /* struct carrier_call.link */
	size_t call_count;
	struct carrier_nonce nonces[CARRIER_NONCES_MAX];
	size_t nonce_next;
	struct carrier_source sources[CARRIER_SOURCES_MAX];
	struct carrier_binding bindings[CARRIER_BINDINGS_MAX];
};

/*
 *   TRYING -> REFUSED -----------------> ENDED  (64 T1 later the call is forgotten)
 *     '--> RINGING -> ANSWERED -> UP ------^
 *                \---------------'  (a CANCEL, a BYE, a timeout at any place)
 */
enum carrier_call_state {
	CALL_TRYING,   /* no more than 100 was said */
	CALL_RINGING,  /* an early dialog is there */
	CALL_ANSWERED, /* 200 was sent, its ACK has not come */
	CALL_UP,
	CALL_REFUSED, /* a final answer of 300 or more; its ACK has not come */
	CALL_ENDED,
	CALL__COUNT,
};

/* One early dialog, and what becomes of it: a call that rings in several places has several. */
struct carrier_fork {
	char tag[CARRIER_TAG_SIZE];
	bool used, answered, acked, gone;
	uint32_t rseq;            /* of the reliable response that waits for its PRACK; 0 = none */
	struct carrier_resend said; /* 2xx or reliable 1xx */
	struct carrier_call *call;
};

/* A request of the carrier's in a dialog; one at a time. */
struct carrier_asked {
	struct carrier_resend said;
	enum sip_method method;
	char branch[32];
	uint32_t cseq;
	bool then_end;    /* BYE: the call is over when it is answered */
	bool wants_answer; /* our offer is in it */
	bool no_offer;     /* a re-INVITE without SDP: their 200 brings the offer */
};

struct carrier_call {
	struct list link;
	struct carrier *carrier;
	struct carrier_trunk *trunk;
	enum carrier_call_state state;
	char *bytes; /* of the INVITE: what `invite` points into */
	struct sip_message invite;
	char id[72]; /* Call-ID as the log has it */
	char number[24];
	struct carrier_way way;

	struct carrier_fork forks[CARRIER_FORKS_MAX];
	size_t fork; /* the one that lives */
	struct carrier_resend refusal;
	char contact[CARRIER_URI_SIZE];
	char routes[CARRIER_ROUTES_MAX][CARRIER_URI_SIZE]; /* Record-Route in the order of the response */
	size_t route_count;
	char peer_contact[CARRIER_URI_SIZE]; /* where our requests go: the caller's Contact */
	uint32_t cseq, peer_cseq;
	uint32_t rseq; /* of the last reliable response; 0 = none yet */
	struct carrier_asked asked;
	struct carrier_resend reply; /* to the last request in the dialog: kept for who asks again */
	char reply_branch[72];

	struct carrier_media media;
	struct voice *voice;
	struct sdp_crypto crypto; /* ours: one key for the whole call */
	uint64_t sdp_id, sdp_version;
	enum sdp_direction direction; /* ours */
	bool zero_hold;
	bool counted; /* one of the trunk's calls at once */

	char script[CARRIER_SCRIPT_MAX];
	size_t step; /* offset of the next one */
	enum script_wait { WAIT_NOT, WAIT_TIME, WAIT_CANCEL, WAIT_PRACK, WAIT_ACK, WAIT_ANSWER, WAIT_BYE, WAIT_KEY,
		WAIT_SOUND } waits;
	struct timer wait, session, duration, linger;
	uint64_t session_ms;
	bool cancelled;
	unsigned cancels_ignored;
	bool owes_answer; /* their ACK is to bring the answer to the offer of our 2xx */
	struct bank bank;
	bool bank_is_there;
	struct deferred free_later;
};

/* --- carrier_reply.c: responses --------------------------------------------------------------- */

struct carrier_reply {
	unsigned status;
	const char *reason;  /* NULL = the usual words */
	const char *to_tag;  /* NULL = none */
	const char *extra;   /* "Name: value|Name: value"; NULL = none */
	const struct carrier_call *call; /* its Contact and Record-Route, when it makes or keeps a dialog */
	bool edge;           /* from the edge: its Server header */
	struct span body;
};
/* Empty when it did not fit. `out` holds the bytes. */
struct span carrier_reply_write(struct carrier *c, const struct carrier_trunk *t, const struct carrier_way *way,
	const struct sip_message *request, const struct carrier_reply *reply, uint8_t out[CARRIER_MESSAGE_MAX]);
/* Once, unreliably. */
void carrier_reply(struct carrier *c, const struct carrier_trunk *t, const struct carrier_way *way,
	const struct sip_message *request, const struct carrier_reply *reply);
/* To a request in the dialog; kept, so that who asks again hears the same. */
void carrier_call_reply(struct carrier_call *call, const struct carrier_way *way, const struct sip_message *request,
	const struct carrier_reply *reply);
/* To the INVITE. `reliably` 1xx (RFC 3262); a 2xx and refusals are repeated anyway. */
struct carrier_say {
	unsigned status;
	const char *reason, *extra;
	size_t fork;
	bool sdp, reliably;
};
void carrier_call_say(struct carrier_call *call, const struct carrier_say *say);
void carrier_call_refuse(struct carrier_call *call, enum refusal why);
void carrier_write_extra(struct writer *w, const char *extra);
void carrier_sent(struct carrier *c, const char *call, const struct carrier_way *way, struct span bytes);

/* --- carrier_admission.c ----------------------------------------------------------------------- */

/* What the trunk says to an INVITE before any telephone rings. */
enum refusal carrier_admit(struct carrier *c, struct carrier_trunk *t, const struct carrier_way *way,
	const struct sip_message *invite, struct carrier_media *media);
/* 401 or 407 for a request; empty: the challenge did not fit. */
struct span carrier_challenge(struct carrier *c, const struct carrier_trunk *t, bool stale, char out[512]);
/* REFUSE_NOT, REFUSE_CHALLENGE or REFUSE_CREDENTIALS. `stale` is set for a fresh challenge after an old nonce. */
enum refusal carrier_authenticate(struct carrier *c, const struct carrier_trunk *t, const struct sip_message *m, bool *stale);
struct carrier_source *carrier_source(struct carrier *c, const struct carrier_way *way);
struct carrier_trunk *carrier_trunk_for(struct carrier *c, const struct sip_message *m);

/* --- carrier_call.c ------------------------------------------------------------------------------ */

void carrier_call_invite(struct carrier *c, struct carrier_trunk *t, const struct carrier_way *way,
	const struct sip_message *m, struct span bytes);
/* The call whose dialog, or whose INVITE, a request is about; NULL = none. */
struct carrier_call *carrier_call_find(struct carrier *c, const struct sip_message *m);
void carrier_call_move(struct carrier_call *call, enum carrier_call_state next);
void carrier_call_end(struct carrier_call *call, const char *why); /* no BYE: it is over */
struct carrier_call *carrier_call_free(struct carrier_call *call);
void carrier_call_event(const struct carrier_call *call, const char *event, json_t *fields);

/* --- carrier_dialog.c: requests of the caller in a dialog ------------------------------------------ */

void carrier_dialog_request(
	struct carrier_call *call, const struct carrier_way *way, const struct sip_message *m);
/* Why a request does not belong into the dialog ("uri", "route", "connection"); NULL = it does. Pure. */
const char *carrier_dialog_fault(const struct carrier_call *call, const struct carrier_way *way, const struct sip_message *m);

/* --- carrier_ask.c: requests of the carrier in a dialog -------------------------------------------- */

struct carrier_ask {
	enum sip_method method;
	const char *extra, *content_type;
	bool offer, no_offer;
	struct span body;
};
void carrier_ask(struct carrier_call *call, const struct carrier_ask *ask);
void carrier_answered(struct carrier_call *call, const struct carrier_way *way, const struct sip_message *m);
void carrier_bye(struct carrier_call *call, const char *reason); /* of a Reason header; NULL = none */

/* --- carrier_media.c ------------------------------------------------------------------------------- */

MUST_USE int carrier_media_open(struct carrier_call *call);
/* Starts, or goes on with what was agreed on anew. */
void carrier_media_apply(struct carrier_call *call);
void carrier_media_close(struct carrier_call *call);
void carrier_bank_begin(struct carrier_call *call, enum bank_script script);
/* Our SDP now, as an offer or an answer. */
struct span carrier_media_sdp(struct carrier_call *call, char *out, size_t size);

/* --- carrier_script.c ------------------------------------------------------------------------------- */

void carrier_script_run(struct carrier_call *call); /* from call->step, until something must be waited for */
void carrier_script_woken(struct carrier_call *call, enum script_wait by);
MUST_USE bool carrier_script_is_good(const char *script, char why[96]);

/* --- carrier_registrar.c ------------------------------------------------------------------------------ */

void carrier_register(struct carrier *c, struct carrier_trunk *t, const struct carrier_way *way, const struct sip_message *m);
bool carrier_is_registered(const struct carrier *c, const struct carrier_way *way);

/* --- carrier_nuisance.c ------------------------------------------------------------------------------- */

/* A message rewritten as the trunk's quirks want it: same meaning, uglier. Pure. */
void carrier_nuisance(struct writer *out, const struct quirks *q, bool over_udp, struct span message);

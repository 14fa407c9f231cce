/* sip/transaction.h - the four transaction machines of RFC 3261 section 17, with the Accepted
 * state of RFC 6026. They say when to send again and when to give up; the bytes, the socket and
 * the clock belong to somebody else (sip/exchange.h).
 *
 * Owner:   whoever embeds it.
 * Owns:    nothing. Pure: what happened and the time go in, what to do comes out.
 * Thread:  its owner's.
 *
 *   client INVITE:   CALLING -> PROCEEDING -> COMPLETED (300-699) | ACCEPTED (2xx) -> DONE
 *   client other:    TRYING  -> PROCEEDING -> COMPLETED -> DONE
 *   server INVITE:   PROCEEDING -> COMPLETED -> CONFIRMED -> DONE, or -> ACCEPTED -> DONE
 *   server other:    TRYING  -> PROCEEDING -> COMPLETED -> DONE
 */
#pragma once

#include "base/base.h"

/* RFC 3261 section 17.1.1.1 and table 4. Zero means the RFC's value. */
struct sip_timers {
	uint32_t t1_ms; /* 500: round trip */
	uint32_t t2_ms; /* 4000: longest wait between two sendings */
	uint32_t t4_ms; /* 5000: longest life of a message in the network */
};

enum sip_transaction_kind {
	SIP_CLIENT_INVITE,
	SIP_CLIENT_OTHER,
	SIP_SERVER_INVITE,
	SIP_SERVER_OTHER,
	SIP_TRANSACTION_KIND__COUNT,
};

enum sip_transaction_state {
	SIP_TX_TRYING, /* "Calling" of a client INVITE */
	SIP_TX_PROCEEDING,
	SIP_TX_ACCEPTED,
	SIP_TX_COMPLETED,
	SIP_TX_CONFIRMED,
	SIP_TX_DONE,
	SIP_TX_STATE__COUNT,
};

struct sip_transaction {
	enum sip_transaction_kind kind;
	enum sip_transaction_state state;
	bool reliable; /* TCP: nothing is sent twice */
	bool quiet;    /* a client that was given up: waits for stragglers, sends nothing again */
	struct sip_timers timers;
	uint32_t resend_ms;   /* present interval of timer A, E or G */
	uint64_t resend_at;   /* UINT64_MAX: not running */
	uint64_t deadline_at; /* timer B, D, F, H, I, J, K, L or M, whichever the state has */
};

/* What to do; several bits together, carried out in this order. */
enum {
	SIP_DO_SEND = 1 << 0,    /* send the last message again (server: the last response) */
	SIP_DO_ACK = 1 << 1,     /* client INVITE: send the ACK for this 300-699 */
	SIP_DO_PASS = 1 << 2,    /* give the message to the user */
	SIP_DO_TIMEOUT = 1 << 3, /* tell the user: nobody answered (client), no ACK came (server) */
	SIP_DO_FAILED = 1 << 4,  /* tell the user: the transport failed */
	SIP_DO_END = 1 << 5,     /* it is over; forget it */
};

/* A client has just sent its request; a server has just received it. */
void sip_transaction_start(struct sip_transaction *t, enum sip_transaction_kind kind,
	const struct sip_timers *timers, bool reliable, uint64_t now_ms);

/* Client: a response came. */
MUST_USE unsigned sip_transaction_response(
	struct sip_transaction *t, unsigned status, uint64_t now_ms);
/* Server: the same request came again. */
MUST_USE unsigned sip_transaction_repeated(struct sip_transaction *t, uint64_t now_ms);
/* Server INVITE: an ACK with the INVITE's branch came. */
MUST_USE unsigned sip_transaction_ack(struct sip_transaction *t, uint64_t now_ms);
/* Server: the user answers. SIP_DO_SEND when it may; 0 when it is too late. */
MUST_USE unsigned sip_transaction_respond(
	struct sip_transaction *t, unsigned status, uint64_t now_ms);
MUST_USE unsigned sip_transaction_broken(struct sip_transaction *t); /* the transport failed */
MUST_USE unsigned sip_transaction_tick(struct sip_transaction *t, uint64_t now_ms);
/* When to tick. UINT64_MAX: never. */
uint64_t sip_transaction_deadline(const struct sip_transaction *t);
/* Client: send nothing again, but stay for late responses; a ringing INVITE too, at most 64*T1. */
void sip_transaction_hush(struct sip_transaction *t, uint64_t now_ms);

uint32_t sip_timers_64t1_ms(const struct sip_timers *timers);

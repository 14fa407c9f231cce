/* sip/agent.h - one SIP user agent: a port, the peers it listens to, its transactions and calls
 * (RFC 3261). Outgoing calls are in sip/call.h, incoming ones in sip/uas.h.
 *
 * Owner:   the gateway has one, the simulator has its own.
 * Owns:    the sockets, every transaction, every call until it has ended.
 * Thread:  its loop's.
 * Words:   a "peer" is a host that may send us requests: those added by sip_agent_add_peer() and
 *          those that a living call talks to. Requests of all others are dropped without a word
 *          and counted, so that a scanner finds nothing.
 */
#pragma once

#include "net/dns.h"
#include "net/loop.h"
#include "net/tls.h"
#include "sip/transaction.h"
#include "wire/sip_message.h"

#include <sys/socket.h>

struct sip_agent;
struct sip_incoming;
struct sip_path;

enum { SIP_BINDS_MAX = 4 };

struct sip_agent_config {
	const char *binds[SIP_BINDS_MAX]; /* literal addresses; none = "0.0.0.0" */
	size_t bind_optional;             /* the last so many of them may be missing */
	uint16_t port;                    /* UDP and TCP alike; 0 = any */
	const char *advertised;           /* host or ip in Via and Contact; NULL = local */
	uint16_t advertised_port;         /* 0 = the real one */
	struct tls_context *tls_server;   /* listens for TLS; NULL = not. Both outlive the agent */
	struct tls_context *tls_client;   /* calls by TLS; NULL = such calls fail */
	uint16_t tls_port;                /* 0 = any */
	const char *user_agent;           /* NULL = no User-Agent header */
	struct sip_timers timers;         /* zeros = RFC 3261 */
	uint32_t failover_ms;             /* first response of one target; 0 = 4000 */
	uint32_t ping_ms;                 /* keep-alive of a call's connection; 0 = 30 s */
	uint32_t datagram_ping_ms;        /* the same by UDP, for a NAT; 0 = none */
	bool open_to_all;                 /* the simulator: everybody is a peer */
};

/* One message on its way, for whoever keeps traces. Secrets are in it: see wire/sip_mask.h. */
struct sip_traced {
	bool sent;
	const char *protocol; /* "UDP", "TCP", "TLS" */
	const struct sockaddr *remote;
	const struct sip_path *path;        /* for sip_agent_local() */
	struct span bytes;                  /* of the whole message */
	const struct sip_message *message;  /* what came, taken apart; NULL of what is sent */
};

struct sip_agent_events {
	/* An INVITE outside any call. Call sip_incoming_accept() or sip_incoming_respond() or
	 * sip_incoming_drop() inside; `invite` is gone afterwards. NULL: 403. */
	void (*incoming)(void *owner, struct sip_incoming *in, const struct sip_message *invite);
	/* Every message of every call, repetitions too; from the middle of other work: keep, don't act. NULL:
	 * nobody traces. */
	void (*message)(void *owner, const struct sip_traced *t);
	/* An OPTIONS outside any call: false = say nothing. NULL: always answered 200. */
	bool (*options)(void *owner, const struct sip_message *m, const struct sockaddr *from);
};

struct sip_agent_counts {
	uint64_t strangers; /* requests dropped because nobody knows the sender */
	uint64_t dropped[SIP_DROP__COUNT];
	uint64_t responses_late; /* responses that belong to no transaction */
	uint64_t received, sent;
};

/* `events` may be NULL (no incoming calls); the texts of `config` are copied. */
MUST_USE int sip_agent_new(struct sip_agent **ret, struct loop *l, struct dns *d,
	const struct sip_agent_config *config, const struct sip_agent_events *events, void *owner);
/* Ends nothing politely: hang up first and run the loop. No event after this. Not from inside an
 * event of the agent or of its calls. Takes NULL, returns NULL. */
struct sip_agent *sip_agent_free(struct sip_agent *a);
/* "192.0.2.1:5060": how whoever is at the other end of `path` is told to name us. */
enum { SIP_LOCAL_SIZE = 280 };
void sip_agent_local(const struct sip_agent *a, const struct sip_path *path, char out[SIP_LOCAL_SIZE]);
uint16_t sip_agent_port(const struct sip_agent *a);
uint16_t sip_agent_tls_port(const struct sip_agent *a); /* 0: does not listen for TLS */
size_t sip_agent_calls(const struct sip_agent *a); /* both directions, lingering ones too */
/* Our address as the last answer said that the far end saw it (RFC 3581); of one family. False: nobody has
 * said so yet. Behind a NAT it is the outside's. */
bool sip_agent_seen_address(const struct sip_agent *a, int family, struct sockaddr_storage *ret);
const struct sip_agent_counts *sip_agent_counts(const struct sip_agent *a);

/* A network that may send us requests. `prefix_bits` 32 or 128 = one host. Returns 0, -EINVAL or
 * -ENOMEM. */
MUST_USE int sip_agent_add_peer(struct sip_agent *a, const char *ip, unsigned prefix_bits);
void sip_agent_clear_peers(struct sip_agent *a);

/* A header that somebody wants in a message. Both texts are copied. */
struct sip_extra {
	const char *name, *value;
};

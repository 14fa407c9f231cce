/* sip/core.h - what the files of this folder share and nobody else sees: the agent's insides, the
 * two kinds of transactions with their bytes and timers, and what a dialog is known by.
 *
 * Owner:   struct sip_agent is the root; it owns every client, server and usage.
 * Owns:    see each struct.
 * Thread:  the agent's loop.
 * Words:   a "client" is a request that we sent and wait about, a "server" one that we received
 *          and owe a response; a "usage" is a call, seen from the table of dialogs.
 */
#pragma once

#include "base/list.h"
#include "base/map.h"
#include "base/writer.h"
#include "sip/agent.h"
#include "sip/dead.h"
#include "sip/dialog.h"
#include "sip/transport.h"
#include "sip/uas.h"
#include "wire/sip_write.h"

struct sip_usage;
struct sip_client;
struct sip_server;

enum {
	SIP_BRANCH_SIZE = 28,     /* "z9hG4bK" and 20 random characters */
	SIP_PEERS_MAX = 1024,     /* networks that may speak unasked */
	SIP_SCRATCH = 64 << 10,   /* the largest message we write */
	SIP_KEY_MAX = 1024,       /* what identifies a transaction; a longer one is dropped */
	SIP_UDP_MAX = 1300,       /* RFC 3261 section 18.1.1: larger requests prefer TCP */
};

struct sip_usage_ops {
	/* A request within the dialog; `s` is owed a response. */
	void (*request)(struct sip_usage *u, struct sip_server *s, const struct sip_message *m);
	void (*ack)(struct sip_usage *u, const struct sip_message *m); /* of a 2xx */
	/* Where its requests go, and on which connection. */
	const struct sip_path *(*path)(const struct sip_usage *u);
	void (*free_now)(struct sip_usage *u); /* the agent goes; no events */
};

struct sip_usage {
	struct sip_agent *agent;
	const struct sip_usage_ops *ops;
	struct list link;     /* of the agent's usages; of those that linger when `over` */
	struct map_node node; /* in agent->dialogs */
	char *key;            /* call-id, line end, our tag; NULL = not in the map */
	bool over;            /* nobody's call any more: it answers what is repeated, for a while */
	struct sockaddr_storage remote; /* may speak to us while this lives */
};

struct sip_peer {
	struct sockaddr_storage address;
	unsigned bits;
};

struct sip_agent {
	struct loop *loop;
	struct dns *dns;
	const struct sip_agent_events *events;
	void *owner;
	struct sip_timers timers;
	uint32_t failover_ms;
	struct sip_dead dead;
	struct list keepers;
	struct timer datagram_ping;
	struct sockaddr_storage seen_v4, seen_v6; /* family 0: not yet */
	bool open_to_all;
	char *user_agent;

	struct sip_transport *transport;
	struct map clients; /* by "branch METHOD" */
	struct map servers; /* by everything that makes a request the same request */
	struct list orphans; /* clients that nobody waits for, the oldest first */
	struct list settled; /* servers other than INVITE's that have answered, the oldest first */
	struct map dialogs;
	struct list usages;    /* calls */
	struct list lingering; /* what is left of calls, the oldest first */
	size_t usage_count, lingering_count;

	struct sip_peer *peers;
	size_t peer_count;
	struct sip_agent_counts counts;
	uint8_t scratch[SIP_SCRATCH]; /* one message at a time is written here */
};

int sip_agent_send(struct sip_agent *a, struct sip_path *path, struct span bytes);
void sip_agent_write_via(
	struct sip_agent *a, struct writer *w, const struct sip_path *path, const char *branch);
/* "<sip:user@host:port;transport=udp>" as `remote` shall see us. 0 or -ENOMEM. */
MUST_USE int sip_agent_contact(
	struct sip_agent *a, const struct sip_path *path, const char *user, char **ret);
void sip_branch(char out[SIP_BRANCH_SIZE]);
/* As lines, for the caller to mem_free(). NULL: no memory, a line end in a value, or too many. */
char *sip_extra_text(const struct sip_extra *headers, size_t count);
extern const char sip_allow[];
extern const char sip_supported[]; /* option tags */

/* False: LIMIT_CALLS are there. Lets go of what lingers longest, if it is too much: nothing of a
 * call that is over may be on the stack. */
bool sip_usage_room(struct sip_agent *a);
void sip_usage_init(struct sip_usage *u, struct sip_agent *a, const struct sip_usage_ops *ops);
void sip_usage_over(struct sip_usage *u);
MUST_USE int sip_usage_publish(struct sip_usage *u, const char *call_id, const char *local_tag);
void sip_usage_fini(struct sip_usage *u);

/* --- keep-alive --------------------------------------------------------------------------- */

/* A place that is to stay reachable without a call: a registration's. Zeroed memory is a stopped one. */
struct sip_keeper {
	struct list link;
	struct sip_path path;
	void (*broken)(void *owner); /* its connection is gone, and the keeper stopped; no more than a note */
	void *owner;
};
void sip_keeper_start(struct sip_keeper *k, struct sip_agent *a, const struct sip_path *path,
	void (*broken)(void *owner), void *owner); /* anew, if it runs */
void sip_keeper_stop(struct sip_keeper *k);
MUST_USE int sip_keep_alive_init(struct sip_agent *a, uint32_t datagram_ping_ms);
bool sip_keep_alive_needs(const struct sip_agent *a, uint64_t connection);
void sip_keep_alive_failed(struct sip_agent *a, const struct sip_path *path);

/* --- client ----------------------------------------------------------------------------- */

/* None of them is called from inside a function below. */
struct sip_client_events {
	void (*response)(void *owner, struct sip_client *c, const struct sip_message *m);
	void (*failed)(void *owner, struct sip_client *c, bool timeout);
	void (*ended)(void *owner, struct sip_client *c); /* last; `c` is dead after it */
};

struct sip_client {
	struct sip_agent *agent;
	struct sip_transaction engine;
	enum sip_method method;
	struct map_node node;
	char *key;
	struct sip_path path;
	uint8_t *bytes;
	size_t size;
	bool cancelled;   /* CANCEL is out */
	bool retried;     /* on a new connection, because the old one was dead */
	char *tls_why;    /* why TLS could not be, for `failed`; or NULL */
	bool send_failed; /* inside sip_client_start(); told in the next turn */
	struct timer timer;
	unsigned busy; /* on the call stack */
	const struct sip_client_events *events; /* NULL: nobody waits */
	void *owner;
	struct list owner_link; /* the owner's list, or the agent's orphans */
};

/* Sends `bytes` (copied), which carry `branch`. */
MUST_USE int sip_client_start(struct sip_client **ret, struct sip_agent *a, enum sip_method method,
	const struct sip_path *path, const char *branch, struct span bytes,
	const struct sip_client_events *events, void *owner);
void sip_client_abandon(struct sip_client *c); /* goes on alone; no more events */
/* Stop repeating it; late responses are still told, `failed` comes after 64*T1 at most. */
void sip_client_hush(struct sip_client *c);
/* CANCEL for this INVITE, as a transaction of its own that nobody waits for; hushes it. A second
 * one is nothing. `reason` may be NULL. */
void sip_client_cancel(struct sip_client *c, const char *reason);
void sip_client_input(struct sip_client *c, const struct sip_message *response);
/* Whether it matters to it that its path failed. */
bool sip_client_waits(const struct sip_client *c);
void sip_client_broken(struct sip_client *c, const struct sip_trouble *why);
struct sip_client *sip_client_free(struct sip_client *c); /* at once; no events */
void sip_client_key(struct writer *w, struct span branch, struct span method);

/* --- server ----------------------------------------------------------------------------- */

struct sip_server_events {
	void (*cancelled)(void *owner, struct sip_server *s, const struct sip_message *cancel);
	void (*acked)(void *owner, struct sip_server *s); /* the ACK of a 300-699 */
	void (*no_ack)(void *owner, struct sip_server *s);
	void (*ended)(void *owner, struct sip_server *s); /* last; `s` is dead after it */
};

struct sip_server {
	struct sip_agent *agent;
	struct sip_transaction engine;
	enum sip_method method;
	struct map_node node;
	char *key;
	struct sip_path path; /* where responses go */
	struct sip_path from; /* where the request came from */
	uint8_t *request;
	size_t request_size;
	uint8_t *response; /* the last one */
	size_t response_size;
	unsigned status; /* of it; 0 = none */
	struct list link; /* of the agent's settled ones */
	char to_tag[SIP_TAG_SIZE];
	/* A 2xx to an INVITE is repeated by us, not by the transaction (RFC 3261 13.3.1.4). */
	uint32_t ok_ms;
	uint64_t ok_at, ok_deadline;
	bool ok_unacked;
	struct timer timer;
	unsigned busy;
	bool silent; /* dropped on purpose: absorbs the request's repetitions */
	const struct sip_server_events *events;
	void *owner;
};

MUST_USE int sip_server_new(struct sip_server **ret, struct sip_agent *a,
	const struct sip_message *m, const struct sip_path *from, const char *key);
/* `contact` is a header value or NULL. Returns 0, -EINVAL (too late, or a bad header), -ENOMEM. */
MUST_USE int sip_server_respond(
	struct sip_server *s, const struct sip_response *r, const char *contact);
/* The same without a body or headers, for whom nothing can be done if it fails. */
void sip_server_reply(struct sip_server *s, unsigned status);
void sip_server_owner(struct sip_server *s, const struct sip_server_events *events, void *owner);
void sip_server_repeated(struct sip_server *s);
void sip_server_acked(struct sip_server *s); /* ACK with the INVITE's branch */
void sip_server_ok_acked(struct sip_server *s); /* ACK of our 2xx, matched by its dialog */
struct sip_server *sip_server_free(struct sip_server *s);
/* The request, taken apart again. */
void sip_server_request(const struct sip_server *s, struct sip_message *ret);
/* False when it is too long to be kept. */
bool sip_server_key(const struct sip_message *m, enum sip_method method, char out[SIP_KEY_MAX]);
/* A response without a transaction. */
void sip_reply_stateless(struct sip_agent *a, const struct sip_message *m,
	const struct sip_path *from, unsigned status);

/* sip/uas.c: an INVITE outside any dialog. */
void sip_incoming_begin(struct sip_agent *a, struct sip_server *s, const struct sip_message *m);

/* sip/transport.h - SIP over UDP, TCP and TLS (RFC 3261 section 18): sockets, connections, and where a
 * message came from so that its answer finds back (RFC 3581).
 *
 * Owner:   the agent.
 * Owns:    for each address it is bound to one UDP socket and one TCP listener, one for TLS too if it
 *          has a certificate; and the connections, ours and theirs.
 * Thread:  its loop's.
 * Bounds:  LIMIT_SIP_CONNECTIONS (the one that is idle longest gives way), _PER_SOURCE of those that
 *          called us; LIMIT_SIP_CONNECT_S to be there, LIMIT_SIP_MESSAGE_S for a message to end,
 *          LIMIT_SIP_IDLE_S for one that nobody needs.
 */
#pragma once

#include "net/loop.h"
#include "net/tls.h"
#include "wire/sip_message.h"

#include <sys/socket.h>

struct sip_transport;

enum sip_protocol {
	SIP_UDP,
	SIP_TCP,
	SIP_TLS,
	SIP_PROTOCOL__COUNT,
};
static inline bool sip_is_stream(enum sip_protocol p)
{
	return p != SIP_UDP;
}
const char *sip_protocol_text(enum sip_protocol p); /* "UDP", as Via has it */
const char *sip_protocol_param(enum sip_protocol p); /* "udp", as a URI has it */
bool sip_protocol_find(enum sip_protocol *ret, struct span name); /* either; false: none of ours */
uint16_t sip_protocol_port(enum sip_protocol p); /* 5060 or 5061 */

enum { SIP_HOST_SIZE = 256 };

/* Where a message goes, or came from. */
struct sip_path {
	enum sip_protocol protocol;
	struct sockaddr_storage remote;
	uint64_t connection;      /* TCP, TLS: prefer this one; 0 = any to `remote` */
	char host[SIP_HOST_SIZE]; /* TLS: whom the far end must prove to be; "" = the address */
};

struct sip_transport_config {
	const char *const *binds; /* literal addresses */
	size_t bind_count;        /* at least 1 */
	size_t bind_optional;     /* the last so many may be missing: a machine without IPv6 */
	uint16_t port;            /* 0 = any; all binds and both protocols share it */
	const char *advertised;   /* NULL = the local address; so for peers of the other family, if
				   * it is an address */
	uint16_t advertised_port; /* 0 = the real one */
	struct tls_context *tls_server; /* listens for TLS; NULL = not */
	uint16_t tls_port;              /* 0 = any */
	struct tls_context *tls_client; /* calls by TLS; NULL = cannot */
	uint32_t ping_ms; /* silence after which a needed connection is kept alive; 0 = 30 s */
	uint32_t message_ms; /* for a message to come whole; 0 = LIMIT_SIP_MESSAGE_S */
	uint32_t idle_ms; /* for a connection that nobody needs; 0 = LIMIT_SIP_IDLE_S */
};

/* Why what was sent did not arrive. */
struct sip_trouble {
	const char *tls; /* TLS cannot be: the end of a sentence about the far end; else NULL */
	bool was_good;   /* the connection had worked: it was only old, a new one may be tried */
};

struct sip_transport_events {
	/* May this host speak to us unasked? `m` is NULL when it only connects. */
	bool (*known)(void *owner, const struct sockaddr *from, const struct sip_message *m);
	void (*message)(void *owner, const struct sip_message *m, const struct sip_path *from);
	void (*dropped)(void *owner, enum sip_drop why);
	/* After `dropped`: a peer's request of which enough can be read to refuse it. */
	void (*broken)(void *owner, const struct sip_message *m, const struct sip_path *from);
	void (*stranger)(void *owner);
	/* What was sent there did not arrive: refused, or the connection broke. */
	void (*failed)(void *owner, const struct sip_path *path, const struct sip_trouble *why);
	/* Is there a call, or anything else that is to last, on this connection? */
	bool (*needed)(void *owner, uint64_t connection);
};

MUST_USE int sip_transport_open(struct sip_transport **ret, struct loop *l,
	const struct sip_transport_config *config, const struct sip_transport_events *events,
	void *owner);
void sip_transport_close(struct sip_transport *t); /* no event after this; NULL is fine */
uint16_t sip_transport_port(const struct sip_transport *t);

/* Opens a connection when there is none; sets path->connection. Returns 0 or -errno. */
MUST_USE int sip_transport_send(struct sip_transport *t, struct sip_path *path, struct span bytes);
/* Nobody answers there: a connection on which nothing came since we spoke last is given up. */
void sip_transport_suspect(struct sip_transport *t, const struct sip_path *path);
size_t sip_transport_connections(const struct sip_transport *t);
uint16_t sip_transport_tls_port(const struct sip_transport *t); /* 0: does not listen */

/* "192.0.2.1:5060", "[2001:db8::1]:5060", "sip.example.org:5061": how whoever is at the other end of
 * `path` shall name us. */
enum { SIP_HOST_PORT_SIZE = 280 };
void sip_transport_host_port(const struct sip_transport *t, const struct sip_path *path,
	char out[SIP_HOST_PORT_SIZE]);

bool sip_path_same(const struct sip_path *a, const struct sip_path *b);

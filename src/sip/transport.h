/* sip/transport.h - SIP over UDP and TCP (RFC 3261 section 18): sockets, connections, and where a
 * message came from so that its answer finds back (RFC 3581).
 *
 * Owner:   the agent.
 * Owns:    one UDP socket and one TCP listener for each address it is bound to, and the
 *          connections, ours and theirs.
 * Thread:  its loop's.
 */
#pragma once

#include "net/loop.h"
#include "wire/sip_message.h"

#include <sys/socket.h>

struct sip_transport;

enum sip_protocol {
	SIP_UDP,
	SIP_TCP,
};

/* Where a message goes, or came from. */
struct sip_path {
	enum sip_protocol protocol;
	struct sockaddr_storage remote;
	uint64_t connection; /* TCP: prefer this one; 0 = any to `remote` */
};

struct sip_transport_config {
	const char *const *binds; /* literal addresses */
	size_t bind_count;        /* at least 1 */
	uint16_t port;            /* 0 = any; all binds and both protocols share it */
	const char *advertised;   /* NULL = the local address */
	uint16_t advertised_port; /* 0 = the real one */
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
	void (*failed)(void *owner, const struct sip_path *path);
};

MUST_USE int sip_transport_open(struct sip_transport **ret, struct loop *l,
	const struct sip_transport_config *config, const struct sip_transport_events *events,
	void *owner);
void sip_transport_close(struct sip_transport *t); /* no event after this; NULL is fine */
uint16_t sip_transport_port(const struct sip_transport *t);

/* Opens a connection when there is none; sets path->connection. Returns 0 or -errno. */
MUST_USE int sip_transport_send(struct sip_transport *t, struct sip_path *path, struct span bytes);

/* "192.0.2.1:5060", "[2001:db8::1]:5060", "sip.example.org:5060": how whoever is at `remote` shall
 * name us. */
enum { SIP_HOST_PORT_SIZE = 280 };
void sip_transport_host_port(const struct sip_transport *t, const struct sockaddr *remote,
	char out[SIP_HOST_PORT_SIZE]);

bool sip_path_same(const struct sip_path *a, const struct sip_path *b);

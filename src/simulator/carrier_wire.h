/* simulator/carrier_wire.h - the carrier's sockets: several addresses ("edges"), each with UDP, TCP and,
 * when there is a certificate, TLS; each can be killed or made a black hole while it runs.
 *
 * Owner:   struct carrier.
 * Owns:    the sockets and the connections.
 * Thread:  its loop's.
 * Words:   a "way" is where a message came from, and so where its answer goes.
 */
#pragma once

#include "net/address.h"
#include "net/loop.h"

struct carrier_wire;
struct tls_context;

enum carrier_transport { CARRIER_UDP, CARRIER_TCP, CARRIER_TLS };

struct carrier_way {
	size_t edge; /* index of the address that it came to */
	enum carrier_transport transport;
	uint64_t connection; /* 0 for UDP */
	struct sockaddr_storage peer;
};

struct carrier_wire_events {
	/* One whole message of a stream, or one datagram. */
	void (*message)(void *owner, const struct carrier_way *way, struct span bytes);
	/* What goes out, each time. */
	void (*sent)(void *owner, const struct carrier_way *way, struct span bytes);
	/* Blank lines; a double one wants its pong (RFC 5626 section 4.4.1). */
	void (*keepalive)(void *owner, const struct carrier_way *way, size_t bytes);
	void (*connection)(void *owner, const struct carrier_way *way, bool opened);
};

enum { CARRIER_EDGES_MAX = 8 };
struct carrier_wire_config {
	const char *ips[CARRIER_EDGES_MAX];
	size_t ip_count;
	uint16_t port;     /* UDP and TCP; 0 = any, the same for all edges */
	uint16_t tls_port; /* 0 = any */
	struct tls_context *tls; /* NULL = no TLS */
};

MUST_USE int carrier_wire_new(struct carrier_wire **ret, struct loop *l, const struct carrier_wire_config *config,
	const struct carrier_wire_events *events, void *owner);
struct carrier_wire *carrier_wire_free(struct carrier_wire *w);

/* Lost when the connection is gone, as by a network. `piece_ms` > 0: over a stream, in pieces so far apart. */
void carrier_wire_send(struct carrier_wire *w, const struct carrier_way *way, struct span bytes, long piece_ms);
uint16_t carrier_wire_port(const struct carrier_wire *w, enum carrier_transport t);
const char *carrier_wire_ip(const struct carrier_wire *w, size_t edge);
const char *carrier_transport_text(enum carrier_transport t); /* "UDP" */

enum carrier_edge_state {
	EDGE_ALIVE,
	EDGE_BLACK_HOLE, /* everything that comes vanishes */
	EDGE_DEAD,       /* nobody listens; its connections are reset */
};
/* Outcome of carrier_wire_set(). */
enum {
	WIRE_E_ADDRESS = 1, /* not one of ours */
};
MUST_USE int carrier_wire_set(struct carrier_wire *w, const char *ip, enum carrier_edge_state state);

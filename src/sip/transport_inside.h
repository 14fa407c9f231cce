/* sip/transport_inside.h - the transport as its two files see it: transport.c (sockets, names of
 * ours) and connections.c (TCP and TLS).
 *
 * Owner, owns, thread: see sip/transport.h.
 */
#pragma once

#include "base/list.h"
#include "sip/transport.h"

enum { SIP_TRANSPORT_BINDS_MAX = 4 };

struct sip_binding {
	struct udp *udp;
	struct tcp_listener *listener, *tls_listener;
	struct sockaddr_storage local;
};

struct sip_transport {
	struct loop *loop;
	const struct sip_transport_events *events;
	void *owner;

	struct sip_binding bindings[SIP_TRANSPORT_BINDS_MAX];
	size_t binding_count;
	char *advertised;
	int advertised_family; /* AF_UNSPEC: a name */
	uint16_t advertised_port, tls_port;
	struct tls_context *tls_server, *tls_client;
	uint32_t ping_ms, message_ms, idle_ms;

	struct list connections; /* the dead ones too, until their stream says `closed` */
	size_t connection_count; /* those that live */
	uint64_t last_id;
	struct timer tick; /* while there are connections */
};

/* sip/transport.c */
void sip_transport_deliver(struct sip_transport *t, struct span bytes, const struct sip_path *from);

/* sip/connections.c */
MUST_USE int sip_connections_init(struct sip_transport *t);
void sip_connections_fini(struct sip_transport *t); /* what was just written still arrives */
struct tcp;
void sip_connection_accepted(void *transport, struct tcp *tcp);
void sip_connection_accepted_tls(void *transport, struct tcp *tcp);
MUST_USE int sip_connection_send(struct sip_transport *t, struct sip_path *path, struct span bytes);

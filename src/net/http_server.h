/* net/http_server.h - HTTP/1.1 and WebSocket (RFC 9112, RFC 6455) on the control loop. The only
 * file pair that knows http-parser and wslay.
 *
 * Owner:   the api and signal doors share one server per port.
 * Owns:    its listeners, connections, exchanges and websockets.
 * Thread:  its loop's.
 * Words:   an "exchange" is one request and the reply that is owed to it.
 */
#pragma once

#include "net/loop.h"

#include <sys/socket.h>

struct http_server;
struct http_exchange;
struct websocket;

struct http_server_config {
	const struct sockaddr_storage *bind; /* one listener for each */
	size_t bind_count;
	const char *name;       /* "Server:" header */
	size_t body_bytes_max;  /* 0 = LIMIT_HTTP_BODY_BYTES; more is answered 413 */
};

struct http_events {
	/* Reply now or later (http_reply); the exchange lives until the reply or `gone`. */
	void (*request)(void *owner, struct http_exchange *x);
	/* A WebSocket upgrade: http_reply() refuses with a status, websocket_accept() takes it. */
	void (*upgrade)(void *owner, struct http_exchange *x);
};

MUST_USE int http_server_new(struct http_server **ret, struct loop *l,
	const struct http_server_config *config, const struct http_events *events, void *owner);
uint16_t http_server_port(const struct http_server *s); /* of the first listener */
/* Stops accepting; open exchanges finish, websockets are closed by 1001, then `closed`. */
void http_server_close(struct http_server *s, void (*closed)(void *owner), void *owner);

const char *http_method(const struct http_exchange *x);
const char *http_path(const struct http_exchange *x);  /* without query; not decoded */
/* Percent-decoded query argument or NULL; lives as long as the exchange. */
const char *http_query(struct http_exchange *x, const char *name);
const char *http_header(const struct http_exchange *x, const char *name); /* or NULL; case ignored */
struct span http_body(const struct http_exchange *x);
const struct sockaddr *http_peer(const struct http_exchange *x);
/* The client went away before the reply; afterwards x is dead. */
void http_on_gone(struct http_exchange *x, void (*gone)(void *owner), void *owner);

/* `headers` = more header lines, each ended by \r\n, or NULL. Ends the exchange. CORS headers as
 * LiveKit's (reference: any origin) are added by the server itself; OPTIONS preflights too. */
void http_reply(struct http_exchange *x, unsigned status, const char *content_type, const char *headers,
	struct span body);

struct websocket_events {
	void (*message)(void *owner, bool text, struct span message); /* whole, reassembled */
	void (*closed)(void *owner); /* once, and last: not after websocket_close() was asked by us */
};
/* Ends the exchange with 101. */
MUST_USE int websocket_accept(struct websocket **ret, struct http_exchange *x,
	const struct websocket_events *events, void *owner);
/* Queues; a queue over LIMIT_WS_QUEUE_BYTES closes the socket (`closed` comes deferred). */
void websocket_send(struct websocket *w, bool text, struct span message);
void websocket_close(struct websocket *w, uint16_t code); /* flushes first; no event after this */

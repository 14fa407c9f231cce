/* net/http_server.h - HTTP/1.1 and WebSocket (RFC 9112, RFC 6455) on the control loop. Nothing
 * outside http_*.c and websocket.c knows http-parser or wslay.
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
struct tls_context;

struct http_server_config {
	const struct sockaddr_storage *bind; /* one listener for each; IPv6 takes IPv6 only */
	size_t bind_count;                   /* 1..8 */
	size_t bind_optional; /* the last so many may fail: a machine without IPv6 */
	const char *name;       /* "Server:" header; copied */
	size_t body_bytes_max;  /* 0 = LIMIT_HTTP_BODY_BYTES; more is answered 413 */
	struct tls_context *tls; /* HTTPS only; NULL: plain HTTP. Must outlive the server */
	/* 0 = LIMIT_HTTP_HEADER_S, LIMIT_HTTP_IDLE_S, and 10 s between a WebSocket's pings. */
	unsigned header_ms, idle_ms, ping_ms;
};

struct http_events {
	/* Reply now or later (http_reply); the exchange lives until the reply or `gone`. Requests
	 * of one connection come one at a time: the next waits for this one's reply. */
	void (*request)(void *owner, struct http_exchange *x);
	/* A WebSocket upgrade, complete and of version 13: http_reply() refuses with a status,
	 * websocket_accept() takes it. Now or later. */
	void (*upgrade)(void *owner, struct http_exchange *x);
};

MUST_USE int http_server_new(struct http_server **ret, struct loop *l,
	const struct http_server_config *config, const struct http_events *events, void *owner);
uint16_t http_server_port(const struct http_server *s); /* of the first listener */
/* Stops accepting; open exchanges finish (five seconds are left to them), WebSockets are closed
 * by 1001 (their owners hear `closed`), then `closed`, from the loop: the server is dead then. */
void http_server_close(struct http_server *s, void (*closed)(void *owner), void *owner);

/* What these return lives as long as the exchange. HEAD is told as "GET": the server leaves the
 * body out by itself. */
const char *http_method(const struct http_exchange *x);
const char *http_path(const struct http_exchange *x); /* without query; as it came */
const char *http_query(struct http_exchange *x, const char *name); /* percent-decoded, or NULL */
const char *http_header(const struct http_exchange *x, const char *name); /* or NULL; any case */
struct span http_body(const struct http_exchange *x);
const struct sockaddr *http_peer(const struct http_exchange *x);
/* The client went away before the reply (also: it closed its sending half); afterwards x is dead.
 * Without it such a client still gets its reply. */
void http_on_gone(struct http_exchange *x, void (*gone)(void *owner), void *owner);

/* `headers` = more header lines, each ended by \r\n, or NULL. Ends the exchange: x is dead. CORS
 * headers as LiveKit's (any origin, when the request names one) are added by the server itself
 * unless `headers` has an Access-Control-Allow-Origin; preflights never reach `request`. */
void http_reply(struct http_exchange *x, unsigned status, const char *content_type,
	const char *headers, struct span body);

/* Fragments, pings and closes are handled inside. A message over LIMIT_WS_MESSAGE_BYTES or
 * in more than LIMIT_WS_FRAGMENTS pieces, a text that is not UTF-8, or a broken frame closes the socket with the code that RFC 6455 names. */
struct websocket_events {
	void (*message)(void *owner, bool text, struct span message); /* whole; valid in the call */
	void (*closed)(void *owner); /* once, and last; never after websocket_close() */
};
/* Ends the exchange with 101. Nothing is sent before websocket_send(), but a ping every 10 s from
 * then on; who misses two is cut off. On failure the exchange is still owed a reply. */
MUST_USE int websocket_accept(struct websocket **ret, struct http_exchange *x,
	const struct websocket_events *events, void *owner);
/* A queue over LIMIT_WS_QUEUE_BYTES cuts the socket off (`closed` comes later, from the loop). */
void websocket_send(struct websocket *w, bool text, struct span message);
void websocket_close(struct websocket *w, uint16_t code); /* flushes first; w is dead after it */

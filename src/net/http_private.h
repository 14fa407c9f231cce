/* net/http_private.h - what http_server.c and websocket.c share: one connection and its exchange.
 *
 * Owner:   the server, from accept until its TCP stream has closed.
 * Owns:    the stream, the parser, the request being read, the WebSocket that it may become.
 * Thread:  the loop's.
 */
#pragma once

#include "base/buf.h"
#include "base/limits.h"
#include "base/list.h"
#include "net/http_server.h"
#include "net/tcp.h"

#include <http_parser.h>
#include <wslay/wslay.h>

enum { HTTP_HEADERS_MAX = 64, HTTP_QUERY_MAX = 64 };

struct http_header_at {
	uint32_t name, value; /* offsets into `text`, each ended by a zero */
};

/*
 *   READING -> OWED (the request is whole, a reply is owed) -> READING (keep-alive) or CLOSING
 *        \-> UPGRADED (a WebSocket from here on)
 */
enum http_state {
	HTTP_READING,
	HTTP_OWED,
	HTTP_UPGRADED,
	HTTP_CLOSING,
};

struct http_exchange {
	struct list link; /* server->connections */
	struct http_server *server;
	struct tcp *tcp;
	struct timer deadline;
	http_parser parser;
	enum http_state state;
	bool keep_alive, in_value, is_upgrade;

	struct buf url, text, body, pending; /* `pending`: bytes read while a reply is owed */
	struct http_header_at headers[HTTP_HEADERS_MAX];
	size_t header_count;
	char *path;
	char *queries[HTTP_QUERY_MAX]; /* decoded values already handed out */
	size_t query_count;
	struct sockaddr_storage peer;
	void (*gone)(void *owner);
	void *gone_owner;
	struct websocket *websocket;
	struct deferred resume;
};

struct http_server {
	struct loop *loop;
	const struct http_events *events;
	void *owner;
	struct http_server_config config;
	char name[64];
	struct tcp_listener *listeners[8];
	size_t listener_count;
	struct list connections;
	size_t connection_count;
	void (*closed)(void *owner);
	void *closed_owner;
	struct timer closed_timer;
};

/* Frees the WebSocket of a connection whose stream is gone, telling its owner. */
void websocket_gone(struct websocket *w);
void websocket_input(struct websocket *w, struct span bytes);
void websocket_beat(struct websocket *w); /* every LIMIT_HTTP_HEADER_S seconds: ping, notice the dead */
void websocket_shutdown(struct websocket *w);

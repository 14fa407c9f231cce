/* net/http_private.h - what http_server.c, http_exchange.c, http_reply.c and websocket.c share:
 * one connection, the exchange on it, the WebSocket that it may become.
 *
 * Owner:   the server, from accept until its TCP stream has closed.
 * Owns:    the stream, the parser, the request being read, the WebSocket.
 * Thread:  the loop's.
 */
#pragma once

#include "base/buf.h"
#include "base/limits.h"
#include "base/list.h"
#include "net/http_server.h"
#include "net/tcp.h"

#include <http_parser.h>

enum {
	HTTP_HEADERS_MAX = 64,
	HTTP_LISTENERS_MAX = 8,
	HTTP_WRITE_QUEUE_BYTES = 64 << 20,  /* one reply */
	HTTP_BODIES_BYTES = 256 << 20,      /* all requests under way together */
	HTTP_PENDING_BYTES = 256 << 10,     /* read ahead of a reply; then the client must wait */
	HTTP_BODY_STEP_BYTES = 16 << 10,    /* so much in LIMIT_HTTP_HEADER_S counts as progress */
	HTTP_SHUTDOWN_MS = 5000,            /* for owed replies when the server closes */
	WS_PING_MS = 10000,
	WS_MISSED_PINGS_MAX = 2,
};

struct http_header_at {
	uint32_t name, value; /* offsets into `text`, each ended by a zero */
};

/* A decoded query argument that was handed out: lives as long as the request. */
struct http_decoded {
	struct http_decoded *next;
	char text[];
};

/*
 *   READING -> OWED (the request is whole, a reply is owed) -> READING (keep-alive) or CLOSING
 *      |         \-> UPGRADED (a WebSocket from here on)
 *      \-> CLOSING (the last reply is being flushed)
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
	struct deferred resume; /* look at `pending` again */
	enum http_state state;
	struct sockaddr_storage peer;

	/* The request */
	http_parser parser;
	struct buf url, text, body;
	struct http_header_at headers[HTTP_HEADERS_MAX];
	size_t header_count;
	size_t body_mark; /* size at which the deadline was last put off */
	char *path;
	struct http_decoded *decoded;
	bool began, in_value, headers_done, upgrade, keep_alive;
	unsigned refusal; /* status that a parser callback stopped for, or 0 */
	void (*gone)(void *owner);
	void *gone_owner;

	/* Bytes behind the request, read before its reply. */
	struct buf pending;
	size_t pending_at; /* parsed so far */
	bool peer_ended;   /* the client will send no more, but waits for replies */
	bool draining;     /* it reads its replies slower than it asks */
	size_t queued_before; /* when the deadline last looked */

	struct websocket *websocket;
};

struct http_server {
	struct loop *loop;
	const struct http_events *events;
	void *owner;
	size_t body_bytes_max;
	unsigned header_ms, idle_ms, ping_ms;
	char name[64];
	struct tcp_listener *listeners[HTTP_LISTENERS_MAX];
	size_t listener_count;
	struct list connections;
	size_t connection_count;
	size_t body_bytes; /* held by all requests together */
	int64_t date_s;    /* what `date` says */
	char date[40];
	void (*closed)(void *owner); /* not NULL: closing */
	void *closed_owner;
	struct deferred finish;
};

/* http_exchange.c */
void http_exchange_start(struct http_server *s, struct tcp *t);
void http_exchange_next(struct http_exchange *x); /* the reply is out and the stream stays */
void http_exchange_upgraded(struct http_exchange *x);
void http_exchange_shutdown(struct http_exchange *x);
void http_exchange_deadline(struct http_exchange *x, unsigned ms);
/* http_server.c */
void http_server_lost(struct http_server *s); /* a connection is gone */
/* http_reply.c: plain text in the server's own words */
void http_refuse(struct http_exchange *x, unsigned status);
void http_preflight(struct http_exchange *x);
/* websocket.c */
unsigned websocket_check(const struct http_exchange *x); /* 0, or the status that refuses it */
void websocket_input(struct websocket *w, struct span bytes);
void websocket_beat(struct websocket *w); /* every `ping_ms`: ping, notice the dead */
void websocket_shutdown(struct websocket *w);
void websocket_gone(struct websocket *w); /* the stream has closed: frees it, tells its owner */

/* test/unit/http_talk.h - a client that says raw bytes to a server on the same loop, and a server
 * whose handlers do what their paths say. */
#pragma once

#include "base/buf.h"
#include "base/mem.h"
#include "loop_wait.h"
#include "net/address.h"
#include "net/http_server.h"
#include "net/tcp.h"

static struct loop loop;
static struct http_server *server;
static bool server_closed;

/* ---- the client ---- */

struct talk {
	struct tcp *tcp; /* NULL once closed */
	struct buf in;
	bool ready, ended;
};

static void talk_ready(void *owner)
{
	((struct talk *)owner)->ready = true;
}

static void talk_data(void *owner, struct span bytes)
{
	struct talk *t = owner;
	CHECK_EQ(buf_add(&t->in, bytes.data, bytes.size), 0);
}

static void talk_ended(void *owner)
{
	struct talk *t = owner;
	t->ended = true;
	tcp_end(t->tcp);
}

static void talk_closed(void *owner, int error)
{
	struct talk *t = owner;
	t->tcp = NULL;
	t->ended = true;
}

static const struct tcp_events talk_events = {
	.ready = talk_ready, .data = talk_data, .ended = talk_ended, .closed = talk_closed};

static inline void talk_open(struct talk *t)
{
	struct sockaddr_storage at;
	*t = (struct talk){0};
	CHECK_EQ(address_parse(&at, "127.0.0.1", http_server_port(server)), 0);
	CHECK_EQ(tcp_connect(&t->tcp, &loop, (struct sockaddr *)&at, &talk_events, t, 64 << 20), 0);
	LOOP_WAIT(&loop, t->ready);
}

/* In pieces of `step` bytes, each of its own in the server's loop; 0 = all at once. */
static inline void talk_say(struct talk *t, struct span bytes, size_t step)
{
	while (bytes.size && t->tcp) {
		size_t n = step && step < bytes.size ? step : bytes.size;
		if (tcp_write(t->tcp, span_of(bytes.data, n)) < 0)
			return;
		bytes = span_of(bytes.data + n, bytes.size - n);
		if (step)
			uv_run(&loop.uv, UV_RUN_NOWAIT);
	}
}

static inline void talk_text(struct talk *t, const char *text)
{
	talk_say(t, span_text(text), 0);
}

static inline void talk_drop(struct talk *t)
{
	if (t->tcp)
		tcp_abort(t->tcp);
	LOOP_WAIT(&loop, !t->tcp);
	buf_fini(&t->in);
}

/* Takes one reply off the front of what arrived, as "status body". Returns false while it is not
 * whole. */
static inline bool talk_take(struct talk *t, bool head, char *out, size_t size)
{
	const char *text = (char *)t->in.data;
	const char *end = t->in.size ? strstr(text, "\r\n\r\n") : NULL;
	if (!end)
		return false;
	CHECK(!strncmp(text, "HTTP/1.1 ", 9));
	unsigned long status = strtoul(text + 9, NULL, 10);
	const char *length = strstr(text, "Content-Length: ");
	size_t head_size = (size_t)(end + 4 - text);
	size_t body = length && length < end && !head ? strtoul(length + 16, NULL, 10) : 0;
	if (t->in.size < head_size + body)
		return false;
	snprintf(out, size, "%lu %.*s", status, (int)(body < 200 ? body : 200), end + 4);
	buf_drop_front(&t->in, head_size + body);
	return true;
}

#define TALK_EXPECT(t, want)                                                                       \
	do {                                                                                       \
		char got_[256] = "";                                                               \
		LOOP_WAIT(&loop, talk_take((t), false, got_, sizeof got_) || (t)->ended);          \
		CHECK_STR(got_, (want));                                                           \
	} while (0)

/* ---- frames of a WebSocket, by hand: RFC 6455 section 5.2 ---- */

static inline void add_frame(struct buf *out, uint8_t first, struct span payload, bool mask)
{
	static const uint8_t key[4] = {0x12, 0x34, 0x56, 0x78};
	uint8_t head[14] = {first}, bit = mask ? 0x80 : 0;
	size_t n = 2;
	if (payload.size < 126) {
		head[1] = (uint8_t)payload.size | bit;
	} else if (payload.size < 65536) {
		head[1] = 126 | bit;
		head[n++] = (uint8_t)(payload.size >> 8);
		head[n++] = (uint8_t)payload.size;
	} else {
		head[1] = 127 | bit;
		for (int shift = 56; shift >= 0; shift -= 8)
			head[n++] = (uint8_t)((uint64_t)payload.size >> shift);
	}
	CHECK_EQ(buf_add(out, head, n), 0);
	if (mask)
		CHECK_EQ(buf_add(out, key, sizeof key), 0);
	size_t at = out->size;
	CHECK_EQ(buf_add(out, payload.data, payload.size), 0);
	for (size_t i = 0; mask && i < payload.size; ++i)
		out->data[at + i] ^= key[i % 4];
}

static inline void say_frame(struct talk *t, uint8_t first, struct span payload)
{
	struct buf b = {0};
	add_frame(&b, first, payload, true);
	talk_say(t, buf_span(&b), 0);
	buf_fini(&b);
}

/* ---- the server ---- */

static struct http_exchange *later; /* a request that waits for the test to answer it */
static int gone_count, upgrades;
static const struct websocket_events *socket_events;
static struct websocket *accepted;

static void on_gone(void *owner)
{
	++gone_count;
	later = NULL;
}

static void describe(struct http_exchange *x)
{
	char text[256];
	const char *a = http_query(x, "a"), *b = http_query(x, "b");
	snprintf(text, sizeof text, "%s %s a=%s b=%s", http_method(x), http_path(x),
		a ? a : "-", b ? b : "-");
	http_reply(x, 200, "text/plain", NULL, span_text(text));
}

static void on_request(void *owner, struct http_exchange *x)
{
	const char *path = http_path(x);
	if (!strcmp(path, "/echo")) {
		http_reply(x, 200, "text/plain", "X-Own: 1\r\n", http_body(x));
	} else if (!strcmp(path, "/header")) {
		const char *value = http_header(x, "x-test");
		http_reply(x, 200, "text/plain", NULL, span_text(value ? value : "none"));
	} else if (!strcmp(path, "/nothing")) {
		http_reply(x, 204, NULL, NULL, (struct span){0});
	} else if (!strcmp(path, "/large")) {
		static char large[8 << 20];
		http_reply(x, 200, "text/plain", NULL, span_of(large, sizeof large));
	} else if (!strcmp(path, "/later") || !strcmp(path, "/later-gone")) {
		CHECK(!later);
		later = x;
		if (path[6])
			http_on_gone(x, on_gone, NULL);
	} else {
		describe(x);
	}
}

static void on_upgrade(void *owner, struct http_exchange *x)
{
	++upgrades;
	if (!strcmp(http_path(x), "/refuse"))
		http_reply(x, 401, "text/plain", NULL, span_text("no"));
	else if (!strcmp(http_path(x), "/later"))
		later = x;
	else
		CHECK_EQ(websocket_accept(&accepted, x, socket_events, &accepted), 0);
}

static inline void talk_serve(struct http_server_config config)
{
	static const struct http_events events = {.request = on_request, .upgrade = on_upgrade};
	struct sockaddr_storage at;
	CHECK_EQ(address_parse(&at, "127.0.0.1", 0), 0);
	config.bind = &at;
	config.bind_count = 1;
	CHECK_EQ(http_server_new(&server, &loop, &config, &events, NULL), 0);
}

static void on_server_closed(void *owner)
{
	server_closed = true;
	server = NULL;
}

static inline void talk_stop_serving(void)
{
	server_closed = false;
	http_server_close(server, on_server_closed, NULL);
	CHECK(!server_closed);
	LOOP_WAIT(&loop, server_closed);
}

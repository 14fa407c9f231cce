/* Whatever a client sends: the server answers in whole replies and frames or ends the stream, and
 * keeps nothing of it. The first byte says in how large pieces the rest arrives. */
#include "base/buf.h"
#include "base/mem.h"
#include "net/address.h"
#include "net/http_server.h"
#include "net/loop.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TURNS_MAX = 200000 };

struct socket {
	struct websocket *ws;
};

static struct loop loop;
static struct http_server *server;
static struct sockaddr_storage at;
static int sockets;

static void on_message(void *owner, bool text, struct span message)
{
	struct socket *s = owner;
	websocket_send(s->ws, text, message);
	if (span_is(message, "x")) {
		websocket_close(s->ws, 1000);
		mem_free(s);
		--sockets;
	}
}

static void on_closed(void *owner)
{
	mem_free(owner);
	--sockets;
}

static const struct websocket_events socket_events = {.message = on_message, .closed = on_closed};

static void on_request(void *owner, struct http_exchange *x)
{
	const char *a = http_query(x, "a"), *h = http_header(x, "x-test");
	char text[100];
	/* Begins so that no body looks like the next reply (see check_replies). */
	int n = snprintf(text, sizeof text, "%s %.20s %.20s %.20s %zu", http_method(x),
		http_path(x), a ? a : "", h ? h : "", http_body(x).size);
	http_reply(x, 200, "text/plain", NULL, span_of(text, (size_t)n));
}

static void on_upgrade(void *owner, struct http_exchange *x)
{
	struct socket *s = mem_zalloc(sizeof *s);
	if (!strcmp(http_path(x), "/no") || websocket_accept(&s->ws, x, &socket_events, s)) {
		mem_free(s);
		http_reply(x, 401, NULL, NULL, span_text("no"));
		return;
	}
	++sockets;
}

static void set_up(void)
{
	static const struct http_events events = {.request = on_request, .upgrade = on_upgrade};
	if (server)
		return;
	if (loop_init(&loop) < 0 || address_parse(&at, "127.0.0.1", 0) < 0)
		abort();
	struct http_server_config config = {.bind = &at, .bind_count = 1, .body_bytes_max = 5000};
	if (http_server_new(&server, &loop, &config, &events, NULL) < 0)
		abort();
	address_set_port(&at, http_server_port(server));
}

static int open_client(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* No connection of a million others may wait in TIME_WAIT. */
	const struct linger at_once = {.l_onoff = 1};
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, address_size((struct sockaddr *)&at)) < 0)
		abort();
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	return fd;
}

/* Reads what is there. Returns false at the end of the stream. */
static bool collect(int fd, struct buf *in)
{
	uint8_t bytes[4096];
	ssize_t n;
	while ((n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
		if (buf_add(in, bytes, (size_t)n))
			abort();
	return n < 0 && errno == EAGAIN;
}

static void say(int fd, struct buf *in, const uint8_t *data, size_t size, size_t step)
{
	while (size) {
		size_t n = step && step < size ? step : size;
		ssize_t sent = send(fd, data, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN)
			return; /* refused meanwhile */
		if (sent > 0) {
			data += sent;
			size -= (size_t)sent;
		}
		uv_run(&loop.uv, UV_RUN_NOWAIT);
		collect(fd, in);
	}
}

static void check_frames(const uint8_t *p, size_t size)
{
	while (size) {
		size_t head = 2, length;
		assert(size >= 2 && !(p[1] & 0x80) && p[0] & 0x80 && !(p[0] & 0x70));
		length = p[1];
		if (length == 126) {
			head = 4;
			length = (size_t)p[2] << 8 | p[3];
		}
		assert(length < 65536 && size >= head + length);
		p += head + length;
		size -= head + length;
	}
}

/* Lengths are trusted here, because that is what a client does. */
static void check_replies(const struct buf *in)
{
	size_t at_byte = 0;
	while (at_byte < in->size) {
		const char *reply = (const char *)in->data + at_byte;
		size_t left = in->size - at_byte;
		const char *end = memmem(reply, left, "\r\n\r\n", 4);
		assert(left > 12 && !strncmp(reply, "HTTP/1.1 ", 9) && end);
		size_t head = (size_t)(end + 4 - reply);
		const char *length = memmem(reply, head, "Content-Length: ", 16);
		if (!strncmp(reply + 9, "101", 3)) {
			check_frames((const uint8_t *)reply + head, left - head);
			return;
		}
		size_t body = length ? strtoul(length + 16, NULL, 10) : 0;
		/* A reply to HEAD names the length of a body that does not come. */
		bool bare = left - head < body || !strncmp(reply + head, "HTTP/1.1 ", 9);
		at_byte += head + (bare ? 0 : body);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	set_up();
	if (size < 1 || size > 60000)
		return 0;
	struct buf in = {0};
	size_t before = mem_live();
	int fd = open_client(), turns = 0;
	say(fd, &in, data + 1, size - 1, data[0] % 64);
	shutdown(fd, SHUT_WR);
	while (collect(fd, &in) && turns++ < TURNS_MAX)
		uv_run(&loop.uv, UV_RUN_NOWAIT);
	assert(turns < TURNS_MAX);
	close(fd);
	check_replies(&in);
	buf_fini(&in);
	for (turns = 0; mem_live() != before && turns < TURNS_MAX; ++turns)
		uv_run(&loop.uv, UV_RUN_NOWAIT);
	assert(mem_live() == before && sockets == 0);
	return 0;
}

/* The HTTP server and its WebSocket over real sockets: raw bytes in, raw bytes out, one loop. */
#include "base/buf.h"
#include "base/mem.h"
#include "net/address.h"
#include "net/http_server.h"
#include "net/tcp.h"
#include "test/check.h"

static struct loop loop;
static struct http_server *server;
static struct http_exchange *held; /* a request that is answered later */
static bool held_gone;
static int upgrades_closed;

static void on_gone(void *owner)
{
	held = NULL;
	held_gone = true;
}

static void on_request(void *owner, struct http_exchange *x)
{
	if (!strcmp(http_path(x), "/later")) {
		held = x;
		http_on_gone(x, on_gone, NULL);
		return;
	}
	const char *q = http_query(x, "q");
	char reply[4096];
	int n = snprintf(reply, sizeof reply, "%s %s q=%s h=%s body=%.*s", http_method(x), http_path(x), q ? q : "-",
		http_header(x, "x-test") ? http_header(x, "x-test") : "-", (int)http_body(x).size,
		(const char *)http_body(x).data);
	http_reply(x, 200, "text/plain", NULL, span_of(reply, (size_t)n));
}

static struct websocket *ws;

static void on_message(void *owner, bool text, struct span message)
{
	websocket_send(ws, text, message);
	if (span_is(message, "close"))
		websocket_close(ws, 1000);
}

static void on_ws_closed(void *owner)
{
	++upgrades_closed;
}

static const struct websocket_events ws_events = {on_message, on_ws_closed};

static void on_upgrade(void *owner, struct http_exchange *x)
{
	if (!strcmp(http_path(x), "/no"))
		http_reply(x, 401, "text/plain", NULL, span_text("no token"));
	else
		CHECK_EQ(websocket_accept(&ws, x, &ws_events, NULL), 0);
}

static const struct http_events http_events = {on_request, on_upgrade};

/* ---- a client that sends bytes and collects what comes ---- */

struct client {
	struct tcp *tcp;
	struct buf in;
	const char *send;
	size_t send_size;
	bool closed;
};

static void on_ready(void *owner)
{
	struct client *c = owner;
	CHECK_EQ(tcp_write(c->tcp, span_of(c->send, c->send_size)), 0);
}

static void on_data(void *owner, struct span bytes)
{
	struct client *c = owner;
	CHECK_EQ(buf_add(&c->in, bytes.data, bytes.size), 0);
}

static void on_closed(void *owner, int error)
{
	((struct client *)owner)->closed = true;
}

static const struct tcp_events client_events = {.ready = on_ready, .data = on_data, .closed = on_closed};

static void open_client(struct client *c, const char *send, size_t size)
{
	struct sockaddr_storage to;
	*c = (struct client){.send = send, .send_size = size};
	CHECK_EQ(address_parse(&to, "127.0.0.1", http_server_port(server)), 0);
	CHECK_EQ(tcp_connect(&c->tcp, &loop, (struct sockaddr *)&to, &client_events, c, 32 << 20), 0);
}

static bool has(const struct client *c, const char *text)
{
	/* Not strstr: frames hold zeros. */
	return c->in.data && memmem(c->in.data, c->in.size, text, strlen(text));
}

static void run_until(bool (*done)(struct client *c, const void *arg), struct client *c, const void *arg)
{
	uint64_t end = uv_hrtime() + 5000000000u;
	while (!done(c, arg) && uv_hrtime() < end)
		uv_run(&loop.uv, UV_RUN_ONCE);
	if (!done(c, arg))
		fprintf(stderr, "got: %s\n", c->in.data ? (char *)c->in.data : "(nothing)");
	CHECK(done(c, arg));
}

static bool got(struct client *c, const void *text)
{
	return has(c, text);
}

static bool is_closed(struct client *c, const void *none)
{
	return c->closed;
}

static void finish(struct client *c)
{
	if (!c->closed)
		tcp_abort(c->tcp);
	run_until(is_closed, c, NULL);
	buf_fini(&c->in);
}

static void talk(const char *send, const char *want)
{
	struct client c;
	open_client(&c, send, strlen(send));
	run_until(got, &c, want);
	finish(&c);
}

static void requests_are_answered(void)
{
	talk("GET /a?x=1&q=b%20c+d HTTP/1.1\r\nHost: h\r\nX-Test: yes\r\n\r\n", "GET /a q=b c d h=yes");
	talk("GET //rtc HTTP/1.1\r\nHost: h\r\n\r\n", "GET /rtc q=-");
	talk("POST /p HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", "body=hello");
	talk("POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "body=abcde");
	talk("POST /p HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nhi", "100 Continue");
	talk("HEAD / HTTP/1.1\r\n\r\n", "200 OK");
	talk("OPTIONS /x HTTP/1.1\r\nOrigin: http://app\r\nAccess-Control-Request-Method: POST\r\n\r\n",
		"Access-Control-Max-Age: 86400");
	talk("GET / HTTP/1.1\r\nOrigin: http://app\r\n\r\n", "Access-Control-Allow-Origin: http://app");
	talk("nonsense\r\n\r\n", "400 Bad Request");
	talk("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "Connection: close");
}

static void pipelined_requests_keep_their_order(void)
{
	talk("POST /1 HTTP/1.1\r\nContent-Length: 1\r\n\r\naPOST /2 HTTP/1.1\r\nContent-Length: 1\r\n\r\nbGET /3 "
	     "HTTP/1.1\r\n\r\n",
		"GET /3");
}

static void too_much_is_refused_by_name(void)
{
	static char big[64 << 10];
	memset(big, 'a', sizeof big - 1);
	char *url = mem_format("GET /%.*s HTTP/1.1\r\n\r\n", 50000, big);
	talk(url, "414");
	mem_free(url);
	char *header = mem_format("GET / HTTP/1.1\r\nA: %.*s\r\nB: %.*s\r\n\r\n", 40000, big, 40000, big);
	talk(header, "431");
	mem_free(header);
	talk("POST / HTTP/1.1\r\nContent-Length: 3000\r\n\r\n" /* limit of this server: 2000 */
	     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
		"413");
}

static bool is_held(struct client *c, const void *none)
{
	return held != NULL;
}

static bool is_gone(struct client *c, const void *none)
{
	return held_gone;
}

static void a_reply_may_come_later_or_never(void)
{
	struct client c;
	const char *ask = "GET /later HTTP/1.1\r\n\r\n";
	open_client(&c, ask, strlen(ask));
	run_until(is_held, &c, NULL);
	http_reply(held, 200, "text/plain", NULL, span_text("at last"));
	held = NULL;
	run_until(got, &c, "at last");
	finish(&c);

	open_client(&c, ask, strlen(ask));
	run_until(is_held, &c, NULL);
	tcp_abort(c.tcp);
	run_until(is_gone, &c, NULL);
	finish(&c);
}

#define UPGRADE(path)                                                                              \
	"GET " path " HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"   \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

static void websockets_open_echo_and_close(void)
{
	talk(UPGRADE("/no"), "401 Unauthorized");
	/* RFC 6455, 1.3: the sample nonce and its answer. */
	talk(UPGRADE("/yes"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");

	/* "Hel" + ping + "lo", masked by zeros, sent along with the request. */
	static const char frames[] = UPGRADE("/yes") "\x01\x83\0\0\0\0Hel\x89\x80\0\0\0\0\x80\x82\0\0\0\0lo";
	struct client c;
	open_client(&c, frames, sizeof frames - 1);
	run_until(got, &c, "Hello");
	CHECK(has(&c, "\x8a")); /* the pong */
	finish(&c);

	/* An unmasked frame is a protocol error: the socket ends, nothing else does. */
	static const char unmasked[] = UPGRADE("/yes") "\x81\x02hi";
	open_client(&c, unmasked, sizeof unmasked - 1);
	run_until(is_closed, &c, NULL);
	finish(&c);

	static const char closing[] = UPGRADE("/yes") "\x81\x85\0\0\0\0close";
	open_client(&c, closing, sizeof closing - 1);
	run_until(got, &c, "\x88\x02\x03\xe8"); /* 1000 */
	finish(&c);
}

static bool stopped;

static void on_stopped(void *owner)
{
	stopped = true;
}

int main(void)
{
	struct sockaddr_storage bind;
	CHECK_EQ(loop_init(&loop), 0);
	CHECK_EQ(address_parse(&bind, "127.0.0.1", 0), 0);
	const struct http_server_config config = {.bind = &bind, .bind_count = 1, .name = "test", .body_bytes_max = 2000};
	CHECK_EQ(http_server_new(&server, &loop, &config, &http_events, NULL), 0);
	requests_are_answered();
	pipelined_requests_keep_their_order();
	too_much_is_refused_by_name();
	a_reply_may_come_later_or_never();
	websockets_open_echo_and_close();
	http_server_close(server, on_stopped, NULL);
	loop_run(&loop);
	CHECK(stopped);
	loop_fini(&loop);
	CHECK_EQ(upgrades_closed, 3);
	CHECK_EQ(mem_live(), 0);
	return 0;
}

#include "net/http_server.h"

#include "base/limits.h"
#include "http_talk.h"

#include <unistd.h>

#define H "Host: x\r\n"

/* ---- what is said, and all replies to it ---- */

static const struct {
	const char *name, *say, *replies; /* "!" at the end: and the stream ends */
} scripts[] = {
	{"a request", "GET /x HTTP/1.1\r\n" H "\r\n", "200 GET /x a=- b=-|"},
	{"query arguments are decoded", "GET /x?a=1%202+3&b=%e4%b&c HTTP/1.1\r\n" H "\r\n",
		"200 GET /x a=1 2 3 b=\xe4%b|"},
	{"slashes at the start are one", "GET //x?a HTTP/1.1\r\n" H "\r\n", "200 GET /x a= b=-|"},
	{"absolute form", "GET http://me:80/x HTTP/1.1\r\n" H "\r\n", "200 GET /x a=- b=-|"},
	{"three requests at once",
		"POST /echo HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\none"
		"POST /echo HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\ntwo"
		"GET /x HTTP/1.1\r\n" H "Connection: close\r\n\r\n",
		"200 one|200 two|200 GET /x a=- b=-|!"},
	{"a chunked body with trailers",
		"POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
		"4\r\nabcd\r\n2;x=y\r\nef\r\n0\r\nX-Test: late\r\n\r\n"
		"GET /header HTTP/1.1\r\n" H "\r\n",
		"200 abcdef|200 none|"},
	{"a header's value is trimmed", "GET /header HTTP/1.1\r\n" H "X-TEST: \t a b \t\r\n\r\n",
		"200 a b|"},
	{"an empty header", "GET /header HTTP/1.1\r\n" H "X-Test:\r\nA: b\r\n\r\n", "200 |"},
	{"no body and no length", "GET /nothing HTTP/1.1\r\n" H "\r\nGET /x HTTP/1.1\r\n" H "\r\n",
		"204 |200 GET /x a=- b=-|"},
	{"empty lines before a request", "\r\n\r\nGET /x HTTP/1.1\r\n" H "\r\n",
		"200 GET /x a=- b=-|"},
	{"HTTP/1.0 closes", "GET /x HTTP/1.0\r\n\r\n", "200 GET /x a=- b=-|!"},
	{"another protocol in Upgrade is an offer only",
		"GET /x HTTP/1.1\r\n" H "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
		"HTTP2-Settings: AAMA\r\n\r\nGET /x HTTP/1.1\r\n" H "\r\n",
		"200 GET /x a=- b=-|200 GET /x a=- b=-|"},
	{"OPTIONS that is no preflight", "OPTIONS /x HTTP/1.1\r\n" H "\r\n",
		"200 OPTIONS /x a=- b=-|"},

	{"not HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "400 bad request|!"},
	{"a method that is none", "FETCH /x HTTP/1.1\r\n\r\n", "400 bad request|!"},
	{"no Host", "GET /x HTTP/1.1\r\n\r\n", "400 bad request|!"},
	{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400 bad request|!"},
	{"HTTP/3.0", "GET /x HTTP/3.0\r\n" H "\r\n", "505 this server speaks HTTP/1.1|!"},
	{"CONNECT", "CONNECT a.example:443 HTTP/1.1\r\n" H "\r\n", "405 method not allowed|!"},
	{"a length that is no number", "POST /echo HTTP/1.1\r\n" H "Content-Length: x\r\n\r\n",
		"400 bad request|!"},
	{"two lengths",
		"POST /echo HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
		"400 bad request|!"},
	{"length and chunks",
		"POST /echo HTTP/1.1\r\n" H "Content-Length: 1\r\n"
		"Transfer-Encoding: chunked\r\n\r\n",
		"400 bad request|!"},
	{"a chunk that is no number",
		"POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
		"400 bad request|!"},
	{"a good request, then nonsense", "GET /x HTTP/1.1\r\n" H "\r\n\x01\x02\x03",
		"200 GET /x a=- b=-|400 bad request|!"},
	{"an expectation that nobody knows",
		"POST /echo HTTP/1.1\r\n" H "Content-Length: 1\r\nExpect: tea\r\n\r\nx",
		"417 only 100-continue can be expected|!"},
	{"a body that says it is too large",
		"POST /echo HTTP/1.1\r\n" H "Content-Length: 1001\r\nExpect: 100-continue\r\n\r\n",
		"413 request body too large|!"},
	{"a WebSocket without a key",
		"GET /ws HTTP/1.1\r\n" H "Connection: Upgrade\r\nUpgrade: websocket\r\n"
		"Sec-WebSocket-Version: 13\r\n\r\n",
		"400 bad request|!"},
	{"a WebSocket of another version",
		"GET /ws HTTP/1.1\r\n" H "Connection: Upgrade\r\nUpgrade: websocket\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n",
		"426 WebSocket version 13 is needed|!"},
	{"a WebSocket that its handler refuses",
		"GET /refuse HTTP/1.1\r\n" H "Connection: keep-alive, Upgrade\r\n"
		"Upgrade: WebSocket\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
		"401 no|!"},
};

static void play(size_t i, size_t step)
{
	char all[1024] = "", one[256];
	struct talk t;
	const char *want = scripts[i].replies;
	size_t size = strlen(want);
	bool ends = want[size - 1] == '!';
	talk_open(&t);
	talk_say(&t, span_text(scripts[i].say), step);
	while (strlen(all) + ends < size) {
		LOOP_WAIT(&loop, talk_take(&t, false, one, sizeof one) || t.ended);
		if (t.ended && !t.in.size && !one[0])
			break;
		strcat(strcat(all, one), "|");
		one[0] = 0;
	}
	if (ends) {
		LOOP_WAIT(&loop, t.ended);
		CHECK_EQ(t.in.size, 0);
		strcat(all, "!");
	}
	if (strcmp(all, want))
		fprintf(stderr, "script \"%s\" in steps of %zu:\n", scripts[i].name, step);
	CHECK_STR(all, want);
	CHECK_EQ(ends, t.ended);
	talk_drop(&t);
}

static void scripts_are_answered_however_they_arrive(void)
{
	static const size_t steps[] = {0, 1, 7};
	for (size_t s = 0; s < COUNT_OF(steps); ++s)
		for (size_t i = 0; i < COUNT_OF(scripts); ++i)
			play(i, steps[s]);
}

/* ---- limits ---- */

static void too_much_is_refused(void)
{
	static char url[LIMIT_HTTP_URL_BYTES + 100], header[LIMIT_HTTP_HEADER_BYTES + 100];
	struct talk t;
	memset(url, 'u', sizeof url);
	memset(header, 'h', sizeof header);
	talk_open(&t);
	talk_text(&t, "GET /");
	talk_say(&t, span_of(url, sizeof url), 0);
	TALK_EXPECT(&t, "414 request URI too long");
	talk_drop(&t);

	talk_open(&t);
	talk_text(&t, "GET / HTTP/1.1\r\n" H "X: ");
	talk_say(&t, span_of(header, sizeof header), 0);
	TALK_EXPECT(&t, "431 request headers too large");
	talk_drop(&t);

	talk_open(&t);
	talk_text(&t, "GET / HTTP/1.1\r\n" H);
	for (int i = 0; i < 100; ++i)
		talk_text(&t, "X: y\r\n");
	TALK_EXPECT(&t, "431 request headers too large");
	talk_drop(&t);

	talk_open(&t); /* an announced length is not the only way */
	talk_text(&t, "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n800\r\n");
	talk_say(&t, span_of(header, 0x800), 0);
	TALK_EXPECT(&t, "413 request body too large");
	talk_drop(&t);

	talk_open(&t); /* the longest URL that is allowed */
	talk_text(&t, "GET /x?a=");
	talk_say(&t, span_of(url, LIMIT_HTTP_URL_BYTES - 5), 0);
	talk_text(&t, " HTTP/1.1\r\n" H "\r\n");
	LOOP_WAIT(&loop, t.in.size > 12);
	CHECK(!strncmp((char *)t.in.data, "HTTP/1.1 200", 12));
	talk_drop(&t);
}

/* The client goes on sending its body while it is refused: the words still arrive. */
static void a_refusal_survives_the_bytes_behind_it(void)
{
	static char body[4 << 20];
	struct talk t;
	talk_open(&t);
	talk_text(&t, "POST /echo HTTP/1.1\r\n" H "Content-Length: 4194304\r\n\r\n");
	talk_say(&t, span_of(body, sizeof body), 0);
	TALK_EXPECT(&t, "413 request body too large");
	talk_drop(&t);
}

static void the_body_waits_for_100_continue(void)
{
	struct talk t;
	talk_open(&t);
	talk_text(&t, "POST /echo HTTP/1.1\r\n" H "Content-Length: 2\r\n"
		      "Expect: 100-continue\r\n\r\n");
	TALK_EXPECT(&t, "100 ");
	talk_text(&t, "hi");
	TALK_EXPECT(&t, "200 hi");
	/* Nothing to wait for. */
	talk_text(&t, "GET /x HTTP/1.1\r\n" H "Expect: 100-continue\r\n\r\n");
	TALK_EXPECT(&t, "200 GET /x a=- b=-");
	talk_drop(&t);
}

static void head_is_get_without_the_body(void)
{
	char got[64];
	struct talk t;
	talk_open(&t);
	talk_text(&t, "HEAD /x HTTP/1.1\r\n" H "\r\n");
	LOOP_WAIT(&loop, t.in.size && strstr((char *)t.in.data, "\r\n\r\n"));
	CHECK(strstr((char *)t.in.data, "Content-Length: 14\r\n"));
	CHECK(talk_take(&t, true, got, sizeof got));
	CHECK_STR(got, "200 ");
	talk_text(&t, "GET /x HTTP/1.1\r\n" H "\r\n");
	TALK_EXPECT(&t, "200 GET /x a=- b=-");
	talk_drop(&t);
}

/* ---- CORS ---- */

static void pages_of_any_origin_may_ask(void)
{
	static const struct {
		const char *say;
		const char *with[5], *without[3];
	} cases[] = {
		{"GET /x HTTP/1.1\r\n" H "Origin: https://a.example\r\n\r\n",
			{"Access-Control-Allow-Origin: https://a.example\r\n",
				"Access-Control-Expose-Headers: *\r\n", "Vary: Origin\r\n"},
			{"Credentials"}},
		{"GET /x HTTP/1.1\r\n" H "\r\n", {"Vary: Origin\r\n"}, {"Access-Control"}},
		/* Refused, but not hidden. */
		{"GET / HTTP/1.1\r\nOrigin: https://a.example\r\n\r\n",
			{"HTTP/1.1 400 ", "Access-Control-Allow-Origin: https://a.example\r\n"}},
		{"OPTIONS /x HTTP/1.1\r\n" H "Origin: https://a.example\r\n"
		 "Access-Control-Request-Method: POST\r\n"
		 "Access-Control-Request-Headers: authorization,content-type\r\n\r\n",
			{"HTTP/1.1 204 No Content\r\n", "Access-Control-Allow-Methods: POST\r\n",
				"Access-Control-Allow-Headers: authorization,content-type\r\n",
				"Access-Control-Max-Age: 86400\r\n",
				"Access-Control-Allow-Origin: https://a.example\r\n"},
			{"Content-Length", "Expose", "Content-Type"}},
		{"OPTIONS /x HTTP/1.1\r\n" H "Origin: https://a.example\r\n"
		 "Access-Control-Request-Method: PUT\r\n\r\n",
			{"HTTP/1.1 204 No Content\r\n"}, {"Access-Control-Allow"}},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct talk t;
		talk_open(&t);
		talk_text(&t, cases[i].say);
		LOOP_WAIT(&loop, t.in.size && strstr((char *)t.in.data, "\r\n\r\n"));
		const char *got = (char *)t.in.data;
		for (size_t k = 0; k < COUNT_OF(cases[i].with) && cases[i].with[k]; ++k)
			CHECK(strstr(got, cases[i].with[k]));
		for (size_t k = 0; k < COUNT_OF(cases[i].without) && cases[i].without[k]; ++k)
			CHECK(!strstr(got, cases[i].without[k]));
		talk_drop(&t);
	}
}

/* ---- later ---- */

static void a_reply_may_come_later_and_keeps_its_place(void)
{
	struct talk t;
	talk_open(&t);
	talk_text(&t, "GET /later HTTP/1.1\r\n" H "\r\nGET /x HTTP/1.1\r\n" H "\r\n");
	LOOP_WAIT(&loop, later);
	talk_text(&t, "GET /later HTTP/1.1\r\n" H "\r\n");
	uv_run(&loop.uv, UV_RUN_NOWAIT);
	CHECK_EQ(t.in.size, 0);
	struct http_exchange *x = later;
	later = NULL;
	http_reply(x, 200, NULL, NULL, span_text("first"));
	TALK_EXPECT(&t, "200 first");
	TALK_EXPECT(&t, "200 GET /x a=- b=-");
	LOOP_WAIT(&loop, later);
	x = later;
	later = NULL;
	http_reply(x, 200, NULL, NULL, span_text("third"));
	TALK_EXPECT(&t, "200 third");
	talk_drop(&t);
}

static void whoever_asks_hears_that_the_client_went_away(void)
{
	struct talk t;
	gone_count = 0;
	talk_open(&t);
	talk_text(&t, "GET /later-gone HTTP/1.1\r\n" H "\r\n");
	LOOP_WAIT(&loop, later);
	tcp_end(t.tcp);
	LOOP_WAIT(&loop, gone_count == 1);
	talk_drop(&t);

	talk_open(&t); /* answered: nobody is gone */
	talk_text(&t, "GET /later-gone HTTP/1.1\r\n" H "\r\n");
	LOOP_WAIT(&loop, later);
	struct http_exchange *x = later;
	later = NULL;
	http_reply(x, 200, NULL, NULL, span_text("here"));
	TALK_EXPECT(&t, "200 here");
	talk_drop(&t);
	CHECK_EQ(gone_count, 1);
}

/* `printf ... | nc -N`: the client closes its half and waits. */
static void a_half_closed_client_gets_its_replies(void)
{
	struct sockaddr_storage at;
	CHECK_EQ(address_parse(&at, "127.0.0.1", http_server_port(server)), 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(struct sockaddr_in)) == 0);
	static const char say[] = "GET /later HTTP/1.1\r\n" H "\r\nGET /x HTTP/1.1\r\n" H "\r\n";
	CHECK_EQ(send(fd, say, sizeof say - 1, 0), sizeof say - 1);
	CHECK_EQ(shutdown(fd, SHUT_WR), 0);
	LOOP_WAIT(&loop, later);
	for (int i = 0; i < 10; ++i)
		uv_run(&loop.uv, UV_RUN_NOWAIT); /* the end of its half is seen by now */
	struct http_exchange *x = later;
	later = NULL;
	http_reply(x, 200, NULL, NULL, span_text("late"));

	char got[4096] = "";
	size_t n = 0;
	ssize_t r = -1;
	LOOP_WAIT(&loop, (r = recv(fd, got + n, sizeof got - 1 - n, MSG_DONTWAIT)) == 0 ||
				 (r > 0 && (n += (size_t)r) && false));
	CHECK(strstr(got, "late") && strstr(got, "GET /x a=- b=-"));
	close(fd);
}

/* It asks and asks for 8 MB and reads nothing: the server must not keep all of it. */
static void whoever_does_not_read_gets_no_more(void)
{
	struct talk t;
	size_t size = 0;
	talk_open(&t);
	tcp_hold(t.tcp, true);
	for (int i = 0; i < 6; ++i)
		talk_text(&t, "GET /large HTTP/1.1\r\n" H "\r\n");
	for (int i = 0; i < 50; ++i)
		uv_run(&loop.uv, UV_RUN_NOWAIT);
	tcp_hold(t.tcp, false);
	while (size < 6 * (8u << 20)) { /* all come in the end */
		LOOP_WAIT(&loop, t.in.size);
		size += t.in.size;
		t.in.size = 0;
	}
	talk_drop(&t);
}

static void a_long_pipeline_is_held_not_kept(void)
{
	static const char ask[] = "GET /x HTTP/1.1\r\n" H "\r\n";
	struct talk t;
	enum { COUNT = 30000 }; /* 840 KB, three times what is kept */
	talk_open(&t);
	talk_text(&t, "GET /later HTTP/1.1\r\n" H "\r\n");
	LOOP_WAIT(&loop, later);
	for (int i = 0; i < COUNT; ++i)
		talk_text(&t, ask);
	for (int i = 0; i < 20; ++i)
		uv_run(&loop.uv, UV_RUN_NOWAIT);
	struct http_exchange *x = later;
	later = NULL;
	http_reply(x, 200, NULL, NULL, span_text("go"));
	TALK_EXPECT(&t, "200 go");
	for (int i = 0; i < COUNT;) {
		LOOP_WAIT(&loop, t.in.size);
		/* Count heads without taking them one by one off a large buffer. */
		struct buf all = t.in;
		size_t at = 0;
		const char *end;
		t.in = (struct buf){0};
		while ((end = strstr((char *)all.data + at, "\r\n\r\n")) &&
			(size_t)(end + 4 + 14 - (char *)all.data) <= all.size) {
			at = (size_t)(end + 4 + 14 - (char *)all.data);
			++i;
		}
		CHECK_EQ(buf_add(&t.in, all.data + at, all.size - at), 0);
		buf_fini(&all);
		if (i < COUNT) {
			size_t before = t.in.size;
			LOOP_WAIT(&loop, t.in.size > before);
		}
	}
	talk_drop(&t);
}

/* ---- deadlines, the end ---- */

static void slow_and_idle_clients_are_cut_off(void)
{
	struct talk slow, idle, silent;
	talk_stop_serving();
	talk_serve((struct http_server_config){.header_ms = 250, .idle_ms = 250});
	talk_open(&silent);
	talk_open(&slow);
	talk_text(&slow, "GET /x HT");
	talk_open(&idle);
	talk_text(&idle, "GET /x HTTP/1.1\r\n" H "\r\n");
	TALK_EXPECT(&idle, "200 GET /x a=- b=-");
	TALK_EXPECT(&slow, "408 the request took too long");
	LOOP_WAIT(&loop, slow.ended && idle.ended && silent.ended);
	CHECK_EQ(idle.in.size + silent.in.size, 0);
	talk_drop(&slow);
	talk_drop(&idle);
	talk_drop(&silent);

	talk_open(&slow); /* trickling does not help */
	uint64_t start = clock_ms();
	talk_text(&slow, "GET /x HTTP/1.1\r\n");
	while (!slow.ended && clock_ms() < start + 5000) {
		talk_text(&slow, "X: y\r\n");
		uv_run(&loop.uv, UV_RUN_ONCE);
	}
	CHECK(slow.ended);
	talk_drop(&slow);

	talk_open(&slow); /* nor for a body */
	talk_text(&slow, "POST /echo HTTP/1.1\r\n" H "Content-Length: 100\r\n\r\nx");
	TALK_EXPECT(&slow, "408 the request took too long");
	talk_drop(&slow);
}

static void closing_lets_owed_replies_out(void)
{
	struct talk owed, idle;
	talk_open(&owed);
	talk_open(&idle);
	talk_text(&owed, "GET /later HTTP/1.1\r\n" H "\r\n");
	LOOP_WAIT(&loop, later);
	server_closed = false;
	http_server_close(server, on_server_closed, NULL);
	LOOP_WAIT(&loop, idle.ended);
	CHECK(!server_closed);
	struct http_exchange *x = later;
	later = NULL;
	http_reply(x, 200, NULL, NULL, span_text("last words"));
	TALK_EXPECT(&owed, "200 last words");
	LOOP_WAIT(&loop, server_closed && owed.ended);
	talk_drop(&owed);
	talk_drop(&idle);
}

static void a_taken_address_is_an_answer(void)
{
	struct http_server *second = NULL;
	struct sockaddr_storage at[2];
	static const struct http_events none;
	CHECK_EQ(address_parse(&at[0], "127.0.0.1", 0), 0);
	CHECK_EQ(address_parse(&at[1], "127.0.0.1", http_server_port(server)), 0);
	struct http_server_config config = {.bind = at, .bind_count = 2};
	CHECK(http_server_new(&second, &loop, &config, &none, NULL) < 0);
	CHECK(!second);
}

/* Whatever fails, a client gets an answer or an end, and nothing is left behind. */
static void every_allocation_may_fail(void)
{
	for (int n = 0; n < 40; ++n) {
		struct talk t;
		talk_open(&t);
		/* The client's own side allocates nothing once its buffer is there. */
		static char room[8192];
		CHECK_EQ(buf_add(&t.in, room, sizeof room), 0);
		t.in.size = 0;
		talk_text(&t, "POST /echo?a=1 HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\none"
			      "GET /x?a=2 HTTP/1.1\r\n" H "Connection: close\r\n\r\n");
		mem_fail_after(n);
		uint64_t until = clock_ms() + 5000;
		while (!t.ended && clock_ms() < until)
			uv_run(&loop.uv, UV_RUN_ONCE);
		mem_fail_after(-1);
		CHECK(t.ended);
		talk_drop(&t);
	}
}

int main(void)
{
	CHECK_EQ(loop_init(&loop), 0);
	talk_serve((struct http_server_config){.body_bytes_max = 1000});
	scripts_are_answered_however_they_arrive();
	too_much_is_refused();
	a_refusal_survives_the_bytes_behind_it();
	the_body_waits_for_100_continue();
	head_is_get_without_the_body();
	pages_of_any_origin_may_ask();
	a_reply_may_come_later_and_keeps_its_place();
	whoever_asks_hears_that_the_client_went_away();
	a_half_closed_client_gets_its_replies();
	whoever_does_not_read_gets_no_more();
	a_long_pipeline_is_held_not_kept();
	a_taken_address_is_an_answer();
	slow_and_idle_clients_are_cut_off();
	every_allocation_may_fail();
	talk_stop_serving();
	talk_serve((struct http_server_config){0});
	closing_lets_owed_replies_out();
	loop_fini(&loop);
	CHECK_EQ(mem_live(), 0);
	return 0;
}

#include "base/limits.h"
#include "http_talk.h"

#define HANDSHAKE(path)                                                                            \
	"GET " path " HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"        \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"             \
	"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"

/* ---- the owner of the server's end ---- */

static int messages, closes;
static bool echo, last_text;
static size_t last_size;

static void on_message(void *owner, bool text, struct span message)
{
	++messages;
	last_text = text;
	last_size = message.size;
	if (span_is(message, "close me")) {
		websocket_send(accepted, true, span_text("bye"));
		websocket_close(accepted, 1000);
		accepted = NULL;
	} else if (echo) {
		websocket_send(accepted, text, message);
	}
}

static void on_socket_closed(void *owner)
{
	++closes;
	accepted = NULL;
}

static const struct websocket_events events = {.message = on_message, .closed = on_socket_closed};

static void start(struct talk *t)
{
	messages = closes = 0;
	accepted = NULL;
	echo = true;
	socket_events = &events;
	talk_open(t);
	talk_text(t, HANDSHAKE("/ws"));
	TALK_EXPECT(t, "101 ");
	LOOP_WAIT(&loop, accepted);
}

/* ---- frames by hand: RFC 6455 section 5.2 ---- */

/* As hex, payload as text up to 32 bytes: "81:hello 88:03e8". */
static bool take_frame(struct talk *t, char *out, size_t size)
{
	const uint8_t *p = t->in.data;
	size_t have = t->in.size, head = 2, length;
	if (have < 2)
		return false;
	length = p[1] & 0x7f;
	CHECK(!(p[1] & 0x80)); /* a server does not mask */
	if (length >= 126) {
		head = length == 126 ? 4 : 10;
		if (have < head)
			return false;
		length = 0;
		for (size_t i = 2; i < head; ++i)
			length = length << 8 | p[i];
		CHECK(length >= (head == 4 ? 126u : 65536u)); /* the shortest form */
	}
	if (have < head + length)
		return false;
	if (p[0] == 0x88)
		snprintf(out, size, "close %d", length >= 2 ? p[head] << 8 | p[head + 1] : 0);
	else if (length > 32)
		snprintf(out, size, "%02x %zu bytes", p[0], length);
	else
		snprintf(out, size, "%02x %.*s", p[0], (int)length, (const char *)p + head);
	buf_drop_front(&t->in, head + length);
	return true;
}

#define FRAME_EXPECT(t, want)                                                                      \
	do {                                                                                       \
		char frame_[64] = "";                                                              \
		LOOP_WAIT(&loop, take_frame((t), frame_, sizeof frame_) || (t)->ended);            \
		CHECK_STR(frame_, (want));                                                         \
	} while (0)

/* ---- scripts ---- */

struct frame {
	uint8_t first;
	const char *payload;
	size_t size; /* 0 = as text; else so many times 'x' */
	bool bare;   /* not masked */
};

static const struct {
	const char *name;
	struct frame say[6];
	const char *replies[6]; /* "end": and the stream ends */
} scripts[] = {
	{"text", {{0x81, "hello"}}, {"81 hello"}},
	{"binary", {{0x82, "\x01\x02"}}, {"82 \x01\x02"}},
	{"an empty message", {{0x82, ""}}, {"82 "}},
	{"sizes at the edges",
		{{0x82, NULL, 125}, {0x82, NULL, 126}, {0x82, NULL, 65535}, {0x82, NULL, 65536}},
		{"82 125 bytes", "82 126 bytes", "82 65535 bytes", "82 65536 bytes"}},
	{"the largest message", {{0x82, NULL, LIMIT_WS_MESSAGE_BYTES}}, {"82 2097152 bytes"}},
	{"fragments with a ping between",
		{{0x01, "one "}, {0x00, "two "}, {0x89, "?"}, {0x80, "three"}},
		{"8a ?", "81 one two three"}},
	{"pongs that nobody asked for", {{0x8a, "x"}, {0x81, "still here"}}, {"81 still here"}},
	{"close is answered with its code", {{0x88, "\x03\xe9"}, {0x81, "after the end"}},
		{"close 1001", "end"}},
	{"close without a code", {{0x88, ""}}, {"close 0", "end"}},
	{"the owner closes: data first", {{0x81, "close me"}, {0x81, "too late"}},
		{"81 bye", "close 1000", "end"}},

	{"not masked", {{0x81, "hello", 0, true}}, {"close 1002", "end"}},
	{"an opcode that is none", {{0x83, "hello"}}, {"close 1002", "end"}},
	{"a reserved bit (compression was declined)", {{0xc1, "hello"}}, {"close 1002", "end"}},
	{"a fragment of nothing", {{0x80, "hello"}}, {"close 1002", "end"}},
	{"a message inside a message", {{0x01, "one"}, {0x81, "two"}}, {"close 1002", "end"}},
	{"a fragmented ping", {{0x09, "?"}}, {"close 1002", "end"}},
	{"a ping that is too long", {{0x89, NULL, 126}}, {"close 1002", "end"}},
	{"text that is not UTF-8", {{0x81, "caf\xe9"}}, {"close 1007", "end"}},
	{"too large", {{0x82, NULL, LIMIT_WS_MESSAGE_BYTES + 1}}, {"close 1009", "end"}},
	{"too large in parts", {{0x02, NULL, LIMIT_WS_MESSAGE_BYTES}, {0x80, "x"}},
		{"close 1009", "end"}},
};

static void build(struct buf *out, const struct frame *frames)
{
	static uint8_t many[LIMIT_WS_MESSAGE_BYTES + 1];
	memset(many, 'x', sizeof many);
	for (size_t i = 0; i < COUNT_OF(scripts[0].say); ++i) {
		const struct frame *f = &frames[i];
		if (!f->payload && !f->size)
			return;
		struct span payload = f->size ? span_of(many, f->size) : span_text(f->payload);
		add_frame(out, f->first, payload, !f->bare);
	}
}

static void play(size_t i, size_t step)
{
	struct buf say = {0};
	struct talk t;
	bool ends = false, ours = false;
	build(&say, scripts[i].say);
	if (step && say.size > 1000)
		step = 60000;
	start(&t);
	talk_say(&t, buf_span(&say), step);
	for (size_t k = 0; k < COUNT_OF(scripts[i].replies) && scripts[i].replies[k]; ++k) {
		const char *want = scripts[i].replies[k];
		char got[64] = "";
		ends = !strcmp(want, "end");
		if (ends)
			break;
		LOOP_WAIT(&loop, take_frame(&t, got, sizeof got) || t.ended);
		if (strcmp(got, want))
			fprintf(stderr, "script \"%s\" in steps of %zu\n", scripts[i].name, step);
		CHECK_STR(got, want);
	}
	ours = !accepted && !closes;
	if (ends)
		LOOP_WAIT(&loop, t.ended);
	CHECK_EQ(t.in.size, 0);
	talk_drop(&t);
	LOOP_WAIT(&loop, !accepted);
	for (int turn = 0; turn < 5; ++turn)
		uv_run(&loop.uv, UV_RUN_NOWAIT);
	CHECK(closes <= 1);
	if (!ours)
		LOOP_WAIT(&loop, closes == 1);
	buf_fini(&say);
}

/* Pieces of nothing, or of a byte each, cost more than they bring. */
static void a_message_in_too_many_pieces_ends_it(const char *piece)
{
	struct talk t;
	struct buf say = {0};
	start(&t);
	add_frame(&say, 0x02, span_text("x"), true);
	for (int i = 1; i < LIMIT_WS_FRAGMENTS; ++i)
		add_frame(&say, i == LIMIT_WS_FRAGMENTS - 1 ? 0x80 : 0x00, span_text(piece), true);
	talk_say(&t, buf_span(&say), 0);
	char all[32];
	size_t size = 1 + (LIMIT_WS_FRAGMENTS - 1) * strlen(piece);
	snprintf(all, sizeof all, size > 32 ? "82 %zu bytes" : "82 x", size);
	FRAME_EXPECT(&t, all);

	buf_fini(&say);
	add_frame(&say, 0x02, span_text("x"), true);
	for (int i = 0; i < LIMIT_WS_FRAGMENTS; ++i)
		add_frame(&say, 0x00, span_text(piece), true);
	add_frame(&say, 0x81, span_text("not heard"), true);
	talk_say(&t, buf_span(&say), 0);
	FRAME_EXPECT(&t, "close 1009");
	LOOP_WAIT(&loop, t.ended);
	talk_drop(&t);
	LOOP_WAIT(&loop, !accepted);
	buf_fini(&say);
}

static void scripts_are_answered_however_they_arrive(void)
{
	static const size_t steps[] = {0, 1, 3};
	for (size_t s = 0; s < COUNT_OF(steps); ++s)
		for (size_t i = 0; i < COUNT_OF(scripts); ++i)
			play(i, steps[s]);
}

/* ---- the handshake ---- */

static void the_handshake_is_the_one_of_the_rfc(void)
{
	struct talk t;
	socket_events = &events;
	talk_open(&t);
	talk_text(&t, HANDSHAKE("/ws"));
	LOOP_WAIT(&loop, t.in.size && strstr((char *)t.in.data, "\r\n\r\n"));
	const char *got = (char *)t.in.data;
	CHECK(strstr(got, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
	CHECK(!strstr(got, "Extensions"));
	CHECK(!strcmp(strstr(got, "\r\n\r\n"), "\r\n\r\n")); /* silent until its owner speaks */
	talk_drop(&t);
	LOOP_WAIT(&loop, !accepted);
}

static void first_frames_may_come_with_the_request(void)
{
	struct buf say = {0};
	struct talk t;
	messages = closes = 0;
	socket_events = &events;
	talk_open(&t);
	CHECK_EQ(buf_add_text(&say, HANDSHAKE("/ws")), 0);
	add_frame(&say, 0x81, span_text("early"), true);
	talk_say(&t, buf_span(&say), 0);
	TALK_EXPECT(&t, "101 ");
	FRAME_EXPECT(&t, "81 early");
	talk_drop(&t);
	LOOP_WAIT(&loop, closes == 1);

	/* And before a handler that takes its time has said yes. */
	talk_open(&t);
	messages = closes = 0;
	say.size = 0;
	CHECK_EQ(buf_add_text(&say, HANDSHAKE("/later")), 0);
	add_frame(&say, 0x81, span_text("early"), true);
	talk_say(&t, buf_span(&say), 0);
	LOOP_WAIT(&loop, later);
	CHECK_EQ(t.in.size, 0);
	CHECK_EQ(websocket_accept(&accepted, later, &events, NULL), 0);
	later = NULL;
	websocket_send(accepted, true, span_text("join"));
	CHECK_EQ(messages, 0); /* not before the owner has come back to the loop */
	TALK_EXPECT(&t, "101 ");
	FRAME_EXPECT(&t, "81 join");
	FRAME_EXPECT(&t, "81 early");
	talk_drop(&t);
	LOOP_WAIT(&loop, closes == 1);
	buf_fini(&say);
}

/* ---- the owner's side ---- */

static void closing_flushes_first(void)
{
	static uint8_t large[1 << 20];
	struct talk t;
	start(&t);
	tcp_hold(t.tcp, true);
	for (int i = 0; i < 3; ++i)
		websocket_send(accepted, false, span_of(large, sizeof large));
	websocket_send(accepted, true, span_text("leave"));
	websocket_close(accepted, 1000);
	tcp_hold(t.tcp, false);
	for (int i = 0; i < 3; ++i)
		FRAME_EXPECT(&t, "82 1048576 bytes");
	FRAME_EXPECT(&t, "81 leave");
	FRAME_EXPECT(&t, "close 1000");
	LOOP_WAIT(&loop, t.ended);
	talk_drop(&t);
	uv_run(&loop.uv, UV_RUN_NOWAIT);
	CHECK_EQ(closes, 0); /* we asked: no event */
}

static void whoever_does_not_read_is_cut_off(void)
{
	static uint8_t large[1 << 20];
	struct talk t;
	int sent = 0;
	start(&t);
	tcp_hold(t.tcp, true);
	while (!closes && sent < 200) {
		if (accepted)
			websocket_send(accepted, false, span_of(large, sizeof large));
		CHECK(accepted || closes); /* `closed` never comes inside a call */
		++sent;
		uv_run(&loop.uv, UV_RUN_NOWAIT);
	}
	CHECK_EQ(closes, 1);
	CHECK(sent < 50);
	talk_drop(&t);
}

static void a_flood_of_pings_is_bounded_too(void)
{
	struct buf pings = {0};
	struct talk t;
	for (int i = 0; i < 1000; ++i)
		add_frame(&pings, 0x89, span_text("????????????????????????????????"), true);
	start(&t);
	talk_say(&t, buf_span(&pings), 0);
	for (int i = 0; i < 1000; ++i)
		FRAME_EXPECT(&t, "8a ????????????????????????????????");
	tcp_hold(t.tcp, true);
	for (int i = 0; i < 2000 && t.tcp && !closes; ++i) {
		talk_say(&t, buf_span(&pings), 0);
		uv_run(&loop.uv, UV_RUN_NOWAIT);
	}
	LOOP_WAIT(&loop, closes == 1 || !t.tcp);
	talk_drop(&t);
	buf_fini(&pings);
}

static void a_lost_client_is_told_once(void)
{
	struct talk t;
	start(&t);
	say_frame(&t, 0x01, span_text("half a mess")); /* and no more */
	talk_drop(&t);
	LOOP_WAIT(&loop, closes == 1);
	CHECK_EQ(messages, 0);
}

static void pings_find_the_dead(void)
{
	struct talk dead, alive;
	talk_stop_serving();
	talk_serve((struct http_server_config){.ping_ms = 100});
	start(&dead);
	FRAME_EXPECT(&dead, "89 ");
	FRAME_EXPECT(&dead, "89 ");
	LOOP_WAIT(&loop, closes == 1 && dead.ended);
	talk_drop(&dead);

	start(&alive);
	for (int i = 0; i < 6; ++i) {
		FRAME_EXPECT(&alive, "89 ");
		say_frame(&alive, 0x8a, span_text(""));
	}
	CHECK_EQ(closes, 0);
	talk_drop(&alive);
	LOOP_WAIT(&loop, closes == 1);
}

static void a_closing_server_says_so(void)
{
	struct talk t;
	start(&t);
	talk_stop_serving();
	FRAME_EXPECT(&t, "close 1001");
	LOOP_WAIT(&loop, closes == 1 && t.ended);
	talk_drop(&t);
}

static void every_allocation_may_fail(void)
{
	for (int n = 0;; ++n) {
		struct talk t;
		closes = 0;
		talk_open(&t);
		talk_text(&t, HANDSHAKE("/later"));
		LOOP_WAIT(&loop, later);
		size_t before = mem_live();
		mem_fail_after(n);
		int r = websocket_accept(&accepted, later, &events, NULL);
		mem_fail_after(-1);
		if (r < 0) {
			CHECK_EQ(mem_live(), before);
			http_reply(later, 500, NULL, NULL, (struct span){0}); /* still owed */
			TALK_EXPECT(&t, "500 ");
		}
		later = NULL;
		talk_drop(&t);
		if (r == 0) {
			LOOP_WAIT(&loop, closes == 1);
			return;
		}
	}
}

int main(void)
{
	CHECK_EQ(loop_init(&loop), 0);
	talk_serve((struct http_server_config){0});
	the_handshake_is_the_one_of_the_rfc();
	scripts_are_answered_however_they_arrive();
	a_message_in_too_many_pieces_ends_it("");
	a_message_in_too_many_pieces_ends_it("x");
	first_frames_may_come_with_the_request();
	closing_flushes_first();
	whoever_does_not_read_is_cut_off();
	a_flood_of_pings_is_bounded_too();
	a_lost_client_is_told_once();
	every_allocation_may_fail();
	pings_find_the_dead();
	a_closing_server_says_so();
	loop_fini(&loop);
	CHECK_EQ(mem_live(), 0);
	return 0;
}

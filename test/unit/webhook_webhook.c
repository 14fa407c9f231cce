/* Lanes and their queues, against a server of ours on the loopback that answers as it is told. */
#include "webhook/webhook.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/rng.h"
#include "loop_wait.h"
#include "net/address.h"
#include "net/http_server.h"
#include "wire/base64.h"

#include <openssl/sha.h>

enum { SEEN_MAX = 64 };

static struct loop loop;
static struct http_server *server;
static bool server_closed, closed;
static struct webhooks *hooks;
static const char *secret = "a secret of thirty-two characters";

/* ---- the server ---- */

static struct seen {
	char what[64]; /* path and body */
	struct http_exchange *x; /* until it is answered, or gone */
} seen[SEEN_MAX];
static size_t seen_count;
static unsigned answer_at_once; /* a status; 0: when the test says so */
static bool answer_b;           /* and /b in any case */

static const char *secret_of(void *owner, const char *key)
{
	CHECK_STR(key, "key");
	return secret;
}

static void check_signature(struct http_exchange *x)
{
	const char *token = http_header(x, "authorization");
	uint8_t hash[SHA256_DIGEST_LENGTH];
	char text[BASE64_TEXT_SIZE(sizeof hash)];
	json_t *claims = NULL;
	CHECK(token && strncmp(token, "Bearer", 6)); /* LiveKit sends the bare token */
	CHECK_EQ(jwt_verify(&claims, span_text(token), secret_of, NULL, clock_unix_s()), JWT_OK);
	SHA256(http_body(x).data, http_body(x).size, hash);
	base64_encode(text, span_of(hash, sizeof hash));
	CHECK_STR(json_string_value(json_object_get(claims, "sha256")), text);
	json_decref(claims);
	CHECK_STR(http_header(x, "content-type"), "application/webhook+json");
	CHECK_STR(http_header(x, "user-agent"), "LiveKit");
	CHECK_STR(http_method(x), "POST");
}

static void on_gone(void *owner)
{
	((struct seen *)owner)->x = NULL;
}

static void reply(size_t i, unsigned status)
{
	CHECK(i < seen_count && seen[i].x);
	struct http_exchange *x = seen[i].x;
	seen[i].x = NULL;
	http_reply(x, status, "text/plain", status == 302 ? "Location: /elsewhere\r\n" : NULL, span_text("seen"));
}

static void on_request(void *owner, struct http_exchange *x)
{
	struct span body = http_body(x);
	CHECK(seen_count < SEEN_MAX);
	check_signature(x);
	struct seen *s = &seen[seen_count++];
	s->x = x;
	snprintf(s->what, sizeof s->what, "%s %.*s", http_path(x), (int)(body.size < 40 ? body.size : 40),
		(const char *)body.data);
	http_on_gone(x, on_gone, s);
	if (answer_at_once || (answer_b && !strcmp(http_path(x), "/b")))
		reply(seen_count - 1, answer_at_once ? answer_at_once : 200);
}

static void on_server_closed(void *owner)
{
	server_closed = true;
}

/* ---- a test's frame ---- */

static int make(const char *const *urls, size_t count)
{
	const struct webhooks_config config = {
		.loop = &loop, .urls = urls, .url_count = count, .key = "key", .secret_of = secret_of};
	return webhooks_new(&hooks, &config);
}

static const char *url(const char *path)
{
	static char urls[2][64];
	static size_t turn;
	char *u = urls[turn++ % 2];
	snprintf(u, sizeof urls[0], "http://127.0.0.1:%u%s", http_server_port(server), path);
	return u;
}

static void serve(void)
{
	static const struct http_events events = {.request = on_request};
	struct sockaddr_storage at;
	CHECK_EQ(address_parse(&at, "127.0.0.1", 0), 0);
	const struct http_server_config config = {
		.bind = &at, .bind_count = 1, .name = "test", .body_bytes_max = 4 << 20};
	CHECK_EQ(loop_init(&loop), 0);
	CHECK_EQ(http_server_new(&server, &loop, &config, &events, NULL), 0);
	seen_count = 0;
	answer_at_once = 0;
	answer_b = server_closed = closed = false;
}

static void begin(const char *path)
{
	const char *urls[] = {(serve(), url(path))};
	CHECK_EQ(make(urls, 1), 0);
}

static void end(void)
{
	hooks = webhooks_free(hooks);
	for (size_t i = 0; i < seen_count; ++i)
		if (seen[i].x)
			reply(i, 200);
	http_server_close(server, on_server_closed, NULL);
	LOOP_WAIT(&loop, server_closed);
	loop_fini(&loop);
	CHECK_EQ(mem_live(), 0);
}

static void send_to(const char *room, const char *text)
{
	webhooks_send(hooks, room, span_text(text));
}

static void counts_are(uint64_t delivered, uint64_t refused, uint64_t dropped, uint64_t retried)
{
	const struct webhook_counts *c = webhooks_counts(hooks);
	CHECK_EQ(c->delivered, delivered);
	CHECK_EQ(c->refused, refused);
	CHECK_EQ(c->dropped, dropped);
	CHECK_EQ(c->retried, retried);
}

/* Nothing else comes of its own: several turns of the loop bring no request. */
static void nothing_more(size_t count)
{
	for (int i = 0; i < 20; ++i) {
		uv_run(&loop.uv, UV_RUN_NOWAIT);
		CHECK_EQ(seen_count, count);
	}
}

/* ---- the tests ---- */

static void a_room_keeps_its_order_and_holds_up_nobody(void)
{
	const char *urls[] = {(serve(), url("/a")), url("/b")};
	CHECK_EQ(make(urls, 2), 0);
	answer_b = true;
	send_to("RM_1", "1");
	send_to("RM_1", "2");
	send_to("RM_2", "x");
	LOOP_WAIT(&loop, webhooks_counts(hooks)->delivered == 3); /* all of /b */
	LOOP_WAIT(&loop, seen_count == 5);
	nothing_more(5);
	size_t first = 0, other = 0;
	for (size_t i = 0; i < seen_count; ++i) {
		CHECK(strcmp(seen[i].what, "/a 2"));
		if (!strcmp(seen[i].what, "/a 1"))
			first = i;
		if (!strcmp(seen[i].what, "/a x"))
			other = i;
	}
	reply(first, 204);
	LOOP_WAIT(&loop, seen_count == 6);
	CHECK_STR(seen[5].what, "/a 2");
	reply(5, 200);
	reply(other, 200);
	LOOP_WAIT(&loop, webhooks_counts(hooks)->delivered == 6);
	counts_are(6, 0, 0, 0);
	end();
}

static void what_fails_for_now_is_tried_again_before_the_next(void)
{
	begin("/h");
	send_to("RM_1", "1");
	send_to("RM_1", "2");
	LOOP_WAIT(&loop, seen_count == 1);
	uint64_t failed = clock_ms();
	reply(0, 503);
	LOOP_WAIT(&loop, seen_count == 2);
	CHECK(clock_ms() - failed >= 350);
	CHECK_STR(seen[1].what, "/h 1");
	reply(1, 200);
	LOOP_WAIT(&loop, seen_count == 3);
	CHECK_STR(seen[2].what, "/h 2");
	counts_are(1, 0, 0, 1);
	/* A refusal is final, and so is sending it elsewhere. */
	reply(2, 302);
	send_to("RM_1", "3");
	LOOP_WAIT(&loop, seen_count == 4);
	CHECK_STR(seen[3].what, "/h 3");
	reply(3, 410);
	LOOP_WAIT(&loop, webhooks_counts(hooks)->refused == 2);
	counts_are(1, 2, 0, 1);
	nothing_more(4);
	end();
}

static void nothing_is_sent_without_a_signature(void)
{
	begin("/h");
	const char *kept = secret;
	secret = NULL; /* the key was taken away */
	send_to("RM_1", "1");
	nothing_more(0);
	secret = kept;
	answer_at_once = 200;
	LOOP_WAIT(&loop, webhooks_counts(hooks)->delivered == 1);
	counts_are(1, 0, 0, 1);
	end();
}

static void what_waits_is_bounded(void)
{
	char room[RNG_ID_SIZE];
	begin("/h");
	for (unsigned i = 0; i < LIMIT_WEBHOOKS_QUEUED + 3; ++i) {
		snprintf(room, sizeof room, "RM_%u", i % 40);
		send_to(room, "x");
	}
	counts_are(0, 0, 3, 0);
	LOOP_WAIT(&loop, seen_count == LIMIT_WEBHOOKS_SENDING);
	nothing_more(LIMIT_WEBHOOKS_SENDING);
	/* A slot that becomes free goes to a room that has not had its turn. */
	reply(0, 200);
	LOOP_WAIT(&loop, seen_count == LIMIT_WEBHOOKS_SENDING + 1);
	send_to("RM_0", "x");
	counts_are(1, 0, 3, 0);
	end();

	begin("/h");
	static char large[(LIMIT_WEBHOOK_QUEUE_BYTES >> 2) + 1];
	memset(large, 'x', sizeof large - 1);
	for (int i = 0; i < 5; ++i)
		send_to("RM_1", large);
	counts_are(0, 0, 1, 0);
	end();
}

static void on_closed(void *owner)
{
	CHECK(!closed);
	closed = true;
}

static void closing_gives_everything_a_last_try(void)
{
	begin("/h");
	webhooks_close(hooks, on_closed, NULL);
	LOOP_WAIT(&loop, closed);
	end();

	begin("/h");
	answer_at_once = 500;
	send_to("RM_1", "1");
	send_to("RM_1", "2");
	LOOP_WAIT(&loop, webhooks_counts(hooks)->retried == 1);
	uint64_t began = clock_ms();
	webhooks_close(hooks, on_closed, NULL); /* does not wait for the pause */
	LOOP_WAIT(&loop, closed);
	CHECK(clock_ms() - began < 300);
	counts_are(0, 0, 2, 1);
	end();

	begin("/h");
	send_to("RM_1", "1"); /* never answered */
	LOOP_WAIT(&loop, seen_count == 1);
	began = clock_ms();
	webhooks_close(hooks, on_closed, NULL);
	LOOP_WAIT(&loop, closed);
	CHECK(clock_ms() - began < LIMIT_WEBHOOK_CLOSE_MS + 500);
	end();
}

/* Where memory ends, events are dropped and counted; what is under way is not sent twice. */
static void memory_runs_out(void)
{
	begin("/h");
	send_to("RM_1", "1");
	LOOP_WAIT(&loop, seen_count == 1);
	mem_fail_after(0);
	send_to("RM_1", "2");
	send_to("RM_2", "x");
	mem_fail_after(-1);
	counts_are(0, 0, 2, 0);
	send_to("RM_1", "3");
	nothing_more(1);
	answer_at_once = 200;
	reply(0, 200);
	LOOP_WAIT(&loop, webhooks_counts(hooks)->delivered == 2);
	CHECK_EQ(seen_count, 2);
	CHECK_STR(seen[1].what, "/h 3");
	end();

	bool done = false;
	for (int allowed = 0; !done; ++allowed) {
		const char *urls[] = {(serve(), url("/h"))};
		mem_fail_after(allowed);
		if (make(urls, 1) == 0) {
			send_to("RM_1", "1");
			const struct webhook_counts *c = webhooks_counts(hooks);
			done = !c->dropped && !c->retried;
		}
		mem_fail_after(-1);
		if (done) {
			answer_at_once = 200;
			LOOP_WAIT(&loop, webhooks_counts(hooks)->delivered == 1);
		}
		end();
	}
}

int main(void)
{
	a_room_keeps_its_order_and_holds_up_nobody();
	what_fails_for_now_is_tried_again_before_the_next();
	nothing_is_sent_without_a_signature();
	what_waits_is_bounded();
	closing_gives_everything_a_last_try();
	memory_runs_out();
	return 0;
}

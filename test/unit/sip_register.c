/* A binding at a registrar that is a bare socket in this process: every REGISTER is read here. */
#include "base/mem.h"
#include "net/address.h"
#include "sip/digest.h"
#include "sip/register.h"
#include "sip/request.h"
#include "wire/sip_write.h"
#include "test/check.h"
#include "loop_wait.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

/* 64*T1 = 640 ms. */
static const struct sip_timers fast = {.t1_ms = 10, .t2_ms = 40, .t4_ms = 20};

struct world {
	struct loop loop;
	struct dns *dns;
	struct sip_agent *agent;
	struct sip_registration *reg;
	int fd;
	uint16_t port;
	enum sip_protocol_choice protocol;
	struct sockaddr_in from;
	char bytes[65536];
	struct sip_message m; /* the last REGISTER */
	uint32_t seen;        /* its CSeq */
	int changed, stopped;
	struct sip_registration_info info;
};

static void on_changed(void *owner)
{
	struct world *w = owner;
	++w->changed;
}

static void on_stopped(void *owner)
{
	++((struct world *)owner)->stopped;
}

static const struct sip_registration_events events = {.changed = on_changed, .stopped = on_stopped};

static void world_open(struct world *w)
{
	struct sip_agent_config config = {.binds = {"127.0.0.1"}, .timers = fast, .failover_ms = 60};
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof at;

	memset(w, 0, sizeof *w);
	w->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	CHECK(bind(w->fd, (struct sockaddr *)&at, sizeof at) == 0);
	CHECK(getsockname(w->fd, (struct sockaddr *)&at, &size) == 0);
	w->port = ntohs(at.sin_port);
	CHECK_EQ(loop_init(&w->loop), 0);
	CHECK_EQ(dns_new(&w->dns, &w->loop), 0);
	CHECK_EQ(sip_agent_new(&w->agent, &w->loop, w->dns, &config, NULL, NULL), 0);
}

static void world_close(struct world *w)
{
	w->reg = sip_registration_free(w->reg);
	sip_agent_free(w->agent);
	dns_free(w->dns);
	loop_fini(&w->loop);
	close(w->fd);
	CHECK_EQ(mem_live(), 0);
}

static int start_with(struct world *w, const char *password, uint32_t expires_s, uint32_t wait_base_ms,
	uint32_t least_ms)
{
	char registrar[64], address[64];

	snprintf(registrar, sizeof registrar, "sip:127.0.0.1:%u", w->port);
	snprintf(address, sizeof address, "sip:2345678e0@127.0.0.1:%u", w->port);
	return sip_registration_new(&w->reg, w->agent,
		&(struct sip_registration_config){
			.registrar = registrar,
			.address = address,
			.contact_user = "2345678e0",
			.username = password ? "2345678e0" : NULL,
			.password = password,
			.expires_s = expires_s,
			.protocol = w->protocol,
			.wait_base_ms = wait_base_ms,
			.wait_max_ms = wait_base_ms > 500 ? 2 * wait_base_ms : 500,
			.least_ms = least_ms,
		},
		&events, w);
}

static int start(struct world *w, const char *password, uint32_t expires_s)
{
	return start_with(w, password, expires_s, 40, 400); /* one second may be granted */
}

/* A new one: a repetition, because we were slow to answer, does not count. */
static bool came(struct world *w)
{
	socklen_t size = sizeof w->from;
	ssize_t n = recvfrom(w->fd, w->bytes, sizeof w->bytes, 0, (struct sockaddr *)&w->from, &size);

	if (n <= 0)
		return false;
	CHECK_EQ(sip_message_parse(&w->m, span_of(w->bytes, (size_t)n)), SIP_OK);
	CHECK_EQ(w->m.method, SIP_REGISTER);
	if (w->m.cseq.number == w->seen)
		return false;
	w->seen = w->m.cseq.number;
	return true;
}

static void await(struct world *w)
{
	LOOP_WAIT(&w->loop, came(w));
}

static void answer(struct world *w, unsigned status, const char *headers)
{
	char text[8192];
	struct writer out = writer_of(text, sizeof text);
	struct sip_response_head head = {.status = status, .to_tag = "far"};

	sip_write_response_head(&out, &w->m, &head);
	write_text(&out, headers);
	sip_write_end(&out, NULL, (struct span){0});
	struct span bytes = writer_span(&out);
	CHECK(sendto(w->fd, bytes.data, bytes.size, 0, (struct sockaddr *)&w->from, sizeof w->from) > 0);
}

static bool is_now(struct world *w, enum sip_registration_state state)
{
	sip_registration_info(w->reg, &w->info);
	return w->info.state == state;
}

static void await_state(struct world *w, enum sip_registration_state state)
{
	LOOP_WAIT(&w->loop, is_now(w, state));
}

/* Grants as the registrar does that lists every phone of the user, ours in the middle. */
static void grant_among_others(struct world *w, unsigned seconds, const char *more)
{
	char headers[2048];
	struct span contact = sip_message_value(&w->m, SIP_H_CONTACT);

	snprintf(headers, sizeof headers,
		"Contact: <sip:2345678e0@192.0.2.7:5060;rinstance=abc>;expires=3500\r\n"
		"Contact: %.*s;expires=%u, \"Desk, upstairs\" <sip:2345678e0@192.0.2.8>;q=0.5;expires=7\r\n%s",
		(int)contact.size, (const char *)contact.data, seconds, more);
	answer(w, 200, headers);
}

static void stop(struct world *w)
{
	sip_registration_stop(w->reg);
	LOOP_WAIT(&w->loop, w->stopped || (came(w) && (answer(w, 200, ""), false)));
	CHECK_EQ(w->stopped, 1);
	w->reg = sip_registration_free(w->reg);
}

static void test_refreshed_among_other_bindings(void)
{
	struct world w;

	world_open(&w);
	CHECK_EQ(start(&w, NULL, 3), 0);
	await(&w);
	CHECK(span_is(sip_message_value_named(&w.m, "Expires"), "3"));
	uint32_t first = w.m.cseq.number;
	char call_id[64];
	snprintf(call_id, sizeof call_id, "%.*s", (int)w.m.call_id.size, (const char *)w.m.call_id.data);
	grant_among_others(&w, 1, "Service-Route: <sip:edge1.example.org;lr>, <sip:edge2.example.org;lr>\r\n");
	await_state(&w, SIP_REGISTRATION_HELD);
	CHECK(w.info.held);
	CHECK_EQ(w.info.expires_s, 1u);
	CHECK_EQ(w.info.bindings, 3u);
	CHECK_EQ(w.info.status, 200u);
	CHECK_EQ(w.info.route_count, 2u);
	CHECK(!strcmp(w.info.routes[1], "<sip:edge2.example.org;lr>"));
	CHECK(!strcmp(w.info.problem, ""));
	uint64_t since = clock_ms();
	await(&w); /* the refresh, half way */
	CHECK(clock_ms() - since < 900);
	CHECK(w.m.cseq.number > first);
	CHECK(span_is(w.m.call_id, call_id));
	CHECK(is_now(&w, SIP_REGISTRATION_REFRESHING) && w.info.held);
	grant_among_others(&w, 60, "");
	await_state(&w, SIP_REGISTRATION_HELD);
	CHECK_EQ(w.info.route_count, 0u);
	sip_registration_stop(w.reg);
	await(&w);
	CHECK(span_is(sip_message_value_named(&w.m, "Expires"), "0"));
	answer(&w, 200, "");
	LOOP_WAIT(&w.loop, w.stopped);
	CHECK(is_now(&w, SIP_REGISTRATION_GONE) && !w.info.held);
	world_close(&w);
}

static const char challenge[] =
	"WWW-Authenticate: Digest realm=\"sipgate.example\", nonce=\"n1\", qop=\"auth\", algorithm=MD5\r\n";
static const char next_challenge[] =
	"WWW-Authenticate: Digest realm=\"sipgate.example\", nonce=\"n2\", qop=\"auth\", algorithm=MD5\r\n";

static int verify(struct world *w, const char *nonce)
{
	return sip_digest_verify(
		&w->m, SIP_H_AUTHORIZATION, "sipgate.example", nonce, "2345678e0", "right");
}

/* The nonce is used again for the refresh; one that has grown old without "stale" is no refusal. */
static void test_challenged(void)
{
	struct world w;

	world_open(&w);
	CHECK_EQ(start(&w, "right", 3), 0);
	await(&w);
	CHECK(!sip_message_header(&w.m, SIP_H_AUTHORIZATION));
	answer(&w, 401, challenge);
	await(&w);
	CHECK_EQ(verify(&w, "n1"), 0);
	grant_among_others(&w, 1, "");
	await_state(&w, SIP_REGISTRATION_HELD);
	await(&w);
	CHECK_EQ(verify(&w, "n1"), 0);
	CHECK(strstr(w.bytes, "nc=00000002"));
	answer(&w, 401, next_challenge);
	await(&w);
	CHECK_EQ(verify(&w, "n2"), 0);
	grant_among_others(&w, 60, "");
	await_state(&w, SIP_REGISTRATION_HELD);
	sip_registration_stop(w.reg);
	await(&w);
	CHECK_EQ(verify(&w, "n2"), 0);
	answer(&w, 200, "");
	LOOP_WAIT(&w.loop, w.stopped);
	world_close(&w);
}

static void test_too_brief(void)
{
	struct world w;

	world_open(&w);
	CHECK_EQ(start(&w, NULL, 60), 0);
	await(&w);
	answer(&w, 423, "Min-Expires: 1800\r\n");
	await(&w);
	CHECK(span_is(sip_message_value_named(&w.m, "Expires"), "1800"));
	answer(&w, 423, "Min-Expires: 1800\r\n"); /* it contradicts itself: no third try at once */
	await_state(&w, SIP_REGISTRATION_WAITING);
	CHECK(strstr(w.info.problem, "1800 s"));
	await(&w);
	/* Rewritten by a NAT's helper, and alone: still ours. */
	answer(&w, 200, "Contact: <sip:x@203.0.113.5:40000>;expires=1700\r\n");
	await_state(&w, SIP_REGISTRATION_HELD);
	CHECK_EQ(w.info.expires_s, 1700u);
	CHECK_EQ(w.info.failures, 0u);
	stop(&w);
	world_close(&w);
}

static const struct refusal {
	unsigned status;
	const char *headers, *sentence;
	unsigned least_ms;
} refusals[] = {
	{403, "", "May \"sip:2345678e0@", 200},
	{404, "", "does not know \"sip:2345678e0@", 200},
	{503, "Retry-After: 1\r\n", "503 Service Unavailable", 1000},
	{480, "", "480 Temporarily Unavailable", 20},
	{401, "", "in a way that we do not know", 200},
	{302, "Contact: <sip:other.example.org>\r\n", "302 Moved Temporarily", 20},
	{200, "Contact: <sip:x@192.0.2.1>;expires=60, <sip:y@192.0.2.2>;expires=60\r\n",
		"does not list our binding", 20},
};

static void test_refused(void)
{
	for (size_t i = 0; i < COUNT_OF(refusals); ++i) {
		struct world w;
		world_open(&w);
		CHECK_EQ(start(&w, "right", 60), 0);
		await(&w);
		uint64_t since = loop_now_ms(&w.loop);
		answer(&w, refusals[i].status, refusals[i].headers);
		await_state(&w, SIP_REGISTRATION_WAITING);
		if (!strstr(w.info.problem, refusals[i].sentence))
			fprintf(stderr, "%u: %s\n", refusals[i].status, w.info.problem);
		CHECK(strstr(w.info.problem, refusals[i].sentence));
		CHECK(!w.info.held);
		CHECK_EQ(w.info.status, refusals[i].status);
		CHECK(w.info.next_ms >= since + refusals[i].least_ms);
		stop(&w); /* nothing is bound: nothing is asked */
		CHECK(!came(&w));
		world_close(&w);
	}
}

static void test_wrong_password(void)
{
	struct world w;

	world_open(&w);
	CHECK_EQ(start(&w, "wrong", 60), 0);
	await(&w);
	answer(&w, 401, challenge);
	await(&w);
	CHECK_EQ(verify(&w, "n1"), SIP_VERIFY_E_RESPONSE);
	answer(&w, 401, next_challenge); /* another nonce may mean that the first was too old: once more */
	await(&w);
	CHECK_EQ(verify(&w, "n2"), SIP_VERIFY_E_RESPONSE);
	answer(&w, 401, challenge);
	await_state(&w, SIP_REGISTRATION_WAITING);
	CHECK(strstr(w.info.problem, "does not accept the configured ones"));
	CHECK(strstr(w.info.problem, "\"2345678e0\""));
	CHECK(!strstr(w.info.problem, "wrong"));
	world_close(&w);
}

/* Nobody listens, then somebody does; while it is down the wait grows. */
static void test_back_off(void)
{
	struct world w;
	uint16_t port;

	world_open(&w);
	CHECK_EQ(start(&w, NULL, 60), 0);
	port = w.port;
	close(w.fd);
	await_state(&w, SIP_REGISTRATION_WAITING);
	CHECK(*w.info.problem);
	CHECK_EQ(w.info.status, 0u);
	LOOP_WAIT(&w.loop, (sip_registration_info(w.reg, &w.info), w.info.failures >= 3));
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	w.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	CHECK(bind(w.fd, (struct sockaddr *)&at, sizeof at) == 0);
	await(&w);
	answer(&w, 200, "Expires: 90\r\n");
	await_state(&w, SIP_REGISTRATION_HELD);
	CHECK_EQ(w.info.expires_s, 90u);
	stop(&w);
	world_close(&w);
}

/* Who always wants a little more is not asked for ever: after one 423 the next is a refusal. */
static void test_never_long_enough(void)
{
	struct world w;

	world_open(&w);
	CHECK_EQ(start(&w, NULL, 60), 0);
	await(&w);
	answer(&w, 423, "Min-Expires: 61\r\n");
	await(&w);
	answer(&w, 423, "Min-Expires: 62\r\n");
	await_state(&w, SIP_REGISTRATION_WAITING);
	CHECK(strstr(w.info.problem, "as too brief"));
	world_close(&w);
}

/* A registrar that answers every REGISTER alike: each try that comes to nothing is followed by a longer
 * pause, and is so many requests at most. */
static const struct hurry {
	unsigned status;
	const char *headers, *sentence;
	unsigned at_most;
} hurries[] = {
	{200, "Expires: 0\r\n", "does not list our binding", 1},
	{200, "Expires: 1\r\n", "grants 1 s only", 1},
	{200, "Expires: 3\r\n", "grants 3 s only", 1},
	{423, "Min-Expires: 1\r\n", "asks for 1 s, which makes no sense", 1},
	{423, "Min-Expires: 4294967295\r\n", "asks for 4294967295 s, which makes no sense", 1},
	{423, "", "makes no sense", 1},
	{401, "WWW-Authenticate: Digest realm=\"a\", nonce=\"n\", stale=true, qop=\"auth\"\r\n",
		"does not accept the configured ones", 2},
};

static bool failed_often(struct world *w, unsigned times)
{
	sip_registration_info(w->reg, &w->info);
	return w->info.failures >= times;
}

static void test_never_in_a_hurry(void)
{
	for (size_t i = 0; i < COUNT_OF(hurries); ++i) {
		const struct hurry *h = &hurries[i];
		struct world w;
		unsigned times = 0;

		world_open(&w);
		CHECK_EQ(start_with(&w, "right", 60, 1, 0), 0);
		LOOP_WAIT(&w.loop,
			(came(&w) && (answer(&w, h->status, h->headers), ++times, false)) || failed_often(&w, 4));
		CHECK(strstr(w.info.problem, h->sentence));
		CHECK_EQ(times, 4 * h->at_most);
		CHECK(w.info.next_ms - loop_now_ms(&w.loop) <= 10 * 8);
		world_close(&w);
	}
}

/* One that grants for ever is asked once a day all the same. */
static void test_granted_for_ever(void)
{
	struct world w;

	world_open(&w);
	CHECK_EQ(start(&w, NULL, 60), 0);
	await(&w);
	answer(&w, 200, "Expires: 4294967295\r\n");
	await_state(&w, SIP_REGISTRATION_HELD);
	CHECK_EQ(w.info.expires_s, 24u * 3600);
	CHECK(w.info.next_ms <= loop_now_ms(&w.loop) + 24u * 3600 * 1000);
	world_close(&w);
}

/* Grants what is asked by TCP, and hangs up. */
static void grant_and_hang_up(struct world *w, int listener)
{
	int fd = -1;

	LOOP_WAIT(&w->loop, (fd = accept(listener, NULL, NULL)) >= 0);
	ssize_t n = -1;
	LOOP_WAIT(&w->loop, (n = recv(fd, w->bytes, sizeof w->bytes, MSG_DONTWAIT)) > 0);
	CHECK_EQ(sip_message_parse(&w->m, span_of(w->bytes, (size_t)n)), SIP_OK);
	char text[4096];
	struct writer out = writer_of(text, sizeof text);
	struct sip_response_head head = {.status = 200, .to_tag = "far"};
	sip_write_response_head(&out, &w->m, &head);
	write_text(&out, "Expires: 600\r\n");
	sip_write_end(&out, NULL, (struct span){0});
	CHECK(send(fd, text, writer_span(&out).size, 0) > 0);
	await_state(w, SIP_REGISTRATION_HELD);
	close(fd);
	LOOP_WAIT(&w->loop, (sip_registration_info(w->reg, &w->info), w->info.next_ms < loop_now_ms(&w->loop) + 60000));
}

/* The first connection that ends is made anew at once; when the next ends as soon, it is not. */
static void test_connections_that_end(void)
{
	struct world w;
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof at;

	world_open(&w);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	CHECK(bind(listener, (struct sockaddr *)&at, sizeof at) == 0 && listen(listener, 8) == 0);
	CHECK(getsockname(listener, (struct sockaddr *)&at, &size) == 0);
	w.port = ntohs(at.sin_port);
	w.protocol = SIP_PROTOCOL_TCP;
	CHECK_EQ(start_with(&w, NULL, 600, 20000, 0), 0);
	grant_and_hang_up(&w, listener);
	CHECK(w.info.next_ms <= loop_now_ms(&w.loop) + 1000);
	grant_and_hang_up(&w, listener);
	CHECK(w.info.next_ms > loop_now_ms(&w.loop) + 9000);
	close(listener);
	world_close(&w);
}

struct asked {
	int done;
	enum sip_why why;
};

static void on_asked(void *owner, struct sip_request *r, const struct sip_request_end *e)
{
	struct asked *a = owner;
	a->why = e->why;
	++a->done;
}

/* Challenged, and then not answered: that takes no longer than not being answered at first. */
static void test_silent_after_the_challenge(void)
{
	struct world w;
	struct asked asked = {0};
	struct sip_request *r;
	char uri[64];

	world_open(&w);
	snprintf(uri, sizeof uri, "sip:127.0.0.1:%u", w.port);
	const struct sip_request_config config = {.method = SIP_REGISTER, .request_uri = uri, .from_uri = uri,
		.username = "2345678e0", .password = "right", .timeout_ms = 50};
	CHECK_EQ(sip_request_start(&r, w.agent, &config, on_asked, &asked), 0);
	await(&w);
	answer(&w, 401, challenge);
	await(&w);
	uint64_t since = clock_ms();
	LOOP_WAIT(&w.loop, asked.done);
	CHECK_EQ(asked.why, SIP_WHY_TIMEOUT);
	CHECK(clock_ms() - since < 500); /* and not 64*T1 */
	sip_request_free(r);
	world_close(&w);
}

static void test_bad_texts(void)
{
	struct world w;
	struct sip_registration *r;
	struct sip_registration_config c = {.registrar = "sip:a\r\nX: y", .address = "sip:b@a"};

	world_open(&w);
	CHECK_EQ(sip_registration_new(&r, w.agent, &c, &events, &w), -EINVAL);
	c.registrar = "sip:a";
	c.address = "nonsense";
	CHECK_EQ(sip_registration_new(&r, w.agent, &c, &events, &w), -EINVAL);
	world_close(&w);
}

static void test_without_memory(void)
{
	struct world w;

	world_open(&w);
	for (int n = 0; n < 100; ++n) {
		mem_fail_after(n);
		int r = start(&w, "right", 60);
		uv_run(&w.loop.uv, UV_RUN_NOWAIT);
		uv_run(&w.loop.uv, UV_RUN_NOWAIT);
		mem_fail_after(-1);
		if (r == 0)
			w.reg = sip_registration_free(w.reg);
	}
	world_close(&w);
}

int main(void)
{
	test_refreshed_among_other_bindings();
	test_challenged();
	test_too_brief();
	test_refused();
	test_wrong_password();
	test_back_off();
	test_never_long_enough();
	test_never_in_a_hurry();
	test_granted_for_ever();
	test_connections_that_end();
	test_silent_after_the_challenge();
	test_bad_texts();
	test_without_memory();
	return 0;
}

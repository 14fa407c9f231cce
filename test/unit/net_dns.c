#include "net/dns.h"

#include "base/mem.h"
#include "base/reader.h"
#include "base/writer.h"
#include "loop_wait.h"
#include "net/address.h"
#include "net/udp.h"

#include <errno.h>

static struct loop loop;
static struct dns *dns;

/* ---- a name server that knows three names (RFC 1035 section 4) ---- */

static struct udp *name_server;
static int asked;
static bool mute;

enum { TYPE_A = 1, TYPE_AAAA = 28, NAME_ERROR = 3 };

static void write_record(struct writer *w, uint16_t type, const void *data, uint16_t size)
{
	write_u16(w, 0xc00c); /* the name in the question */
	write_u16(w, type);
	write_u16(w, 1);
	write_u32(w, 60);
	write_u16(w, size);
	write_bytes(w, data, size);
}

static void on_question(void *owner, const struct sockaddr *from, struct span bytes)
{
	uint8_t out[512];
	struct writer w = writer_of(out, sizeof out);
	struct reader r = reader_of(bytes);
	uint16_t id = read_u16(&r);
	read_bytes(&r, 10);
	struct span question = span_of(r.pos, reader_left(&r));
	char kind = r.pos[0] ? (char)r.pos[1] : 0; /* the name's first letter decides the answer */
	for (uint8_t label; (label = read_u8(&r));)
		read_bytes(&r, label);
	uint16_t type = read_u16(&r);
	read_u16(&r);
	CHECK(!r.bad);
	question.size -= reader_left(&r); /* without EDNS */

	++asked;
	if (mute)
		return;
	bool v4 = (kind == 'b' || kind == 'f') && type == TYPE_A; /* both, four */
	bool v6 = kind == 'b' && type == TYPE_AAAA;
	write_u16(&w, id);
	write_u16(&w, 0x8180 | (kind == 'n' ? NAME_ERROR : 0));
	write_u16(&w, 1);
	write_u16(&w, v4 ? 2 : v6);
	write_u32(&w, 0);
	write_span(&w, question);
	if (v4) {
		write_record(&w, type, "\xc0\x00\x02\x01", 4);
		write_record(&w, type, "\xc0\x00\x02\x02", 4);
	} else if (v6) {
		write_record(&w, type, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
	}
	CHECK(!w.bad);
	CHECK_EQ(udp_send(name_server, from, writer_span(&w)), 0);
}

static const struct udp_events server_events = {.datagram = on_question};

static void serve(void)
{
	struct sockaddr_storage at;
	char text[ADDRESS_TEXT_SIZE];
	CHECK_EQ(address_parse(&at, "127.0.0.1", 0), 0);
	CHECK_EQ(udp_open(&name_server, &loop, (struct sockaddr *)&at, &server_events, NULL), 0);
	udp_local(name_server, &at);
	CHECK_EQ(dns_set_servers(dns, address_text(text, (struct sockaddr *)&at)), 0);
	CHECK(dns_set_servers(dns, "not a server") < 0);
	CHECK_EQ(dns_set_servers(dns, text), 0);
}

/* ---- answers as text ---- */

struct answer {
	struct dns_query *query;
	int calls;
	char text[512], why[128];
	bool free_dns;
};

static void on_answer(
	void *owner, const struct sockaddr_storage *addresses, size_t count, const char *why)
{
	struct answer *a = owner;
	++a->calls;
	a->query = NULL;
	snprintf(a->why, sizeof a->why, "%s", why ? why : "");
	CHECK_EQ(count == 0, why != NULL);
	for (size_t i = 0; i < count; ++i) {
		char one[ADDRESS_TEXT_SIZE];
		size_t n = strlen(a->text);
		address_text(one, (const struct sockaddr *)&addresses[i]);
		snprintf(a->text + n, sizeof a->text - n, "%s%s", n ? " " : "", one);
	}
	if (a->free_dns)
		dns = dns_free(dns);
}

static struct answer ask(const char *host)
{
	struct answer a = {0};
	CHECK_EQ(dns_resolve(&a.query, dns, host, 5060, on_answer, &a), 0);
	CHECK_EQ(a.calls, 0); /* never inside the call */
	CHECK(a.query);
	LOOP_WAIT(&loop, a.calls == 1);
	return a;
}

static void literals_are_answered_at_once(void)
{
	static const struct {
		const char *host, *text;
	} cases[] = {
		{"192.0.2.9", "192.0.2.9:5060"},
		{"2001:db8::9", "[2001:db8::9]:5060"},
		{"[2001:db8::9]", "[2001:db8::9]:5060"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct answer a = {0};
		CHECK_EQ(dns_resolve(&a.query, dns, cases[i].host, 5060, on_answer, &a), 0);
		CHECK_EQ(a.calls, 1);
		CHECK(!a.query);
		CHECK_STR(a.text, cases[i].text);
	}
	CHECK_EQ(asked, 0);
}

static void names_are_asked_for(void)
{
	struct answer a = ask("both.example");
	CHECK_STR(a.text, "192.0.2.1:5060 192.0.2.2:5060 [2001:db8::1]:5060");
	a = ask("four.example.");
	CHECK_STR(a.text, "192.0.2.1:5060 192.0.2.2:5060");
	a = ask("none.example");
	CHECK_STR(a.text, "");
	CHECK(a.why[0]);
	a = ask("empty.example");
	CHECK_STR(a.text, "");
	CHECK(a.why[0]);
}

static void localhost_needs_no_server(void)
{
	int before = asked;
	struct answer a = ask("localhost");
	CHECK(strstr(a.text, "127.0.0.1:5060"));
	a = ask("acme.pstn.Twilio.LOCALHOST");
	CHECK(strstr(a.text, "127.0.0.1:5060"));
	CHECK_EQ(asked, before);
}

static void nonsense_is_an_answer_too(void)
{
	char longest[400];
	memset(longest, 'x', sizeof longest);
	longest[sizeof longest - 1] = 0;
	const char *const hosts[] = {
		"", ".", "..", "a..b", longest, "no such host", "caf\xc3\xa9.example"};
	for (size_t i = 0; i < COUNT_OF(hosts); ++i) {
		struct answer a = ask(hosts[i]);
		CHECK_STR(a.text, "");
	}
}

static void a_cancelled_query_is_not_answered(void)
{
	struct answer a = {0}, b = {0};
	CHECK_EQ(dns_resolve(&a.query, dns, "both.example", 1, on_answer, &a), 0);
	CHECK_EQ(dns_resolve(&b.query, dns, "both.example", 2, on_answer, &b), 0);
	dns_cancel(a.query);
	dns_cancel(NULL);
	LOOP_WAIT(&loop, b.calls == 1);
	CHECK(strstr(b.text, ":2"));
	uv_run(&loop.uv, UV_RUN_NOWAIT);
	CHECK_EQ(a.calls, 0);
}

static void too_many_are_refused(void)
{
	static struct answer many[DNS_QUERIES_MAX + 1];
	mute = true;
	for (size_t i = 0; i < DNS_QUERIES_MAX; ++i) {
		struct dns_query **q = &many[i].query;
		CHECK_EQ(dns_resolve(q, dns, "both.example", 1, on_answer, &many[i]), 0);
	}
	struct dns_query **q = &many[DNS_QUERIES_MAX].query;
	CHECK_EQ(dns_resolve(q, dns, "both.example", 1, on_answer, NULL), -EBUSY);
	CHECK(!*q);
	dns = dns_free(dns); /* none of them is told */
	for (size_t i = 0; i < DNS_QUERIES_MAX; ++i)
		CHECK_EQ(many[i].calls, 0);
	mute = false;
}

static void the_resolver_may_be_freed_inside_an_answer(void)
{
	struct answer a = {.free_dns = true}, b = {0};
	CHECK_EQ(dns_resolve(&a.query, dns, "localhost", 1, on_answer, &a), 0);
	CHECK_EQ(dns_resolve(&b.query, dns, "localhost", 1, on_answer, &b), 0);
	LOOP_WAIT(&loop, a.calls == 1);
	CHECK(!dns);
	CHECK_EQ(b.calls, 0);
}

static void every_allocation_may_fail(void)
{
	uv_run(&loop.uv, UV_RUN_NOWAIT);
	for (int n = 0;; ++n) {
		uv_run(&loop.uv, UV_RUN_NOWAIT);
		size_t before = mem_live();
		mem_fail_after(n);
		int r = dns_new(&dns, &loop);
		mem_fail_after(-1);
		if (r == 0)
			break;
		CHECK_EQ(r, -ENOMEM);
		CHECK(!dns);
		uv_run(&loop.uv, UV_RUN_NOWAIT);
		CHECK_EQ(mem_live(), before);
	}
	struct answer a = {0};
	mem_fail_after(0);
	int r = dns_resolve(&a.query, dns, "both.example", 1, on_answer, &a);
	mem_fail_after(-1);
	CHECK_EQ(r, -ENOMEM);
	CHECK_EQ(a.calls, 0);
}

int main(void)
{
	CHECK_EQ(loop_init(&loop), 0);
	CHECK_EQ(dns_new(&dns, &loop), 0);
	serve();
	literals_are_answered_at_once();
	names_are_asked_for();
	localhost_needs_no_server();
	nonsense_is_an_answer_too();
	a_cancelled_query_is_not_answered();
	too_many_are_refused();
	every_allocation_may_fail();
	the_resolver_may_be_freed_inside_an_answer();
	CHECK(!dns_free(NULL));
	udp_close(name_server);
	loop_fini(&loop);
	CHECK_EQ(mem_live(), 0);
	return 0;
}

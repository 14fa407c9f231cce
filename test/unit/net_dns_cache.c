/* The cache alone, by a clock of the test's; and the resolver with it, against a name server that counts. */
#include "net/dns_cache.h"

#include "base/limits.h"
#include "base/mem.h"
#include "loop_wait.h"
#include "name_server.h"

#include <stdio.h>

static const struct dns_cached *get(struct dns_cache *c, const char *name, uint64_t at_s)
{
	return dns_cache_get(c, NS_A, name, at_s * 1000);
}

static void for_as_long_as_it_may_be(void)
{
	static const struct {
		uint32_t ttl_s, kept_s;
	} cases[] = {{60, 60}, {0, LIMIT_DNS_TTL_MIN_S}, {1, LIMIT_DNS_TTL_MIN_S}, {86400, LIMIT_DNS_TTL_MAX_S},
		{UINT32_MAX, LIMIT_DNS_TTL_MAX_S}};
	struct dns_cache c;

	dns_cache_init(&c);
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		dns_cache_put(&c, NS_A, "a.Example", 0, span_text("bytes"), cases[i].ttl_s, 100000);
		const struct dns_cached *one = get(&c, "A.example", 99 + cases[i].kept_s);
		CHECK(one && span_is(span_of(one->bytes, one->size), "bytes"));
		CHECK(!dns_cache_get(&c, NS_AAAA, "a.example", 100000));
		CHECK(!get(&c, "a.example", 100 + cases[i].kept_s));
	}
	dns_cache_put_none(&c, NS_A, "none", 4, 100000);
	CHECK_EQ(get(&c, "none", 99 + LIMIT_DNS_NEGATIVE_S)->status, 4);
	CHECK(!get(&c, "none", 100 + LIMIT_DNS_NEGATIVE_S));
	dns_cache_fini(&c);
	CHECK_EQ(mem_live(), 0);
}

static void no_more_than_so_many(void)
{
	static uint8_t large[LIMIT_DNS_CACHED_BYTES + 1];
	struct dns_cache c;
	char name[300];

	dns_cache_init(&c);
	for (int i = 0; i < 3 * LIMIT_DNS_CACHE; ++i) {
		snprintf(name, sizeof name, "%d.example", i);
		dns_cache_put(&c, NS_A, name, 0, span_text("x"), 60, 0);
		dns_cache_put(&c, NS_A, "0.example", 0, span_text("y"), 60, 0); /* ever anew */
	}
	CHECK_EQ(c.by_key.count, (size_t)LIMIT_DNS_CACHE);
	CHECK(get(&c, name, 1) && get(&c, "0.example", 1) && !get(&c, "1.example", 1));
	dns_cache_put(&c, NS_A, name, 0, span_of(large, sizeof large), 60, 0);
	CHECK(!get(&c, name, 1)); /* nor what was there before */
	memset(name, 'a', sizeof name - 1);
	name[sizeof name - 1] = 0;
	dns_cache_put(&c, NS_A, name, 0, span_text("x"), 60, 0);
	CHECK(!get(&c, name, 1));
	dns_cache_fini(&c);
	CHECK_EQ(mem_live(), 0);
}

static void without_memory(void)
{
	for (int n = 0; n < 4; ++n) {
		struct dns_cache c;
		dns_cache_init(&c);
		mem_fail_after(n);
		dns_cache_put(&c, NS_A, "a", 0, span_text("x"), 60, 0);
		dns_cache_put_none(&c, NS_A, "b", 4, 0);
		mem_fail_after(-1);
		dns_cache_fini(&c);
		CHECK_EQ(mem_live(), 0);
	}
}

/* --- the resolver -------------------------------------------------------------------------- */

static const struct ns_record records[] = {
	{"trunk.example", NS_A, "192.0.2.1"},
	{"trunk.example", NS_NAPTR, "10 50 s SIP+D2U _sip._udp.trunk.example"},
	{"_sip._udp.trunk.example", NS_SRV, "10 60 5070 trunk.example"},
	{"_sip._udp.trunk.example", NS_SRV, "20 60 5080 trunk.example"},
};

struct told {
	int answers;
	size_t count;
	uint16_t port;
};

static void on_addresses(void *owner, const struct sockaddr_storage *addresses, size_t count, const char *why)
{
	struct told *t = owner;
	++t->answers;
	t->count = count;
	t->port = count ? address_port((const struct sockaddr *)addresses) : 0;
	CHECK(!count == (why != NULL));
}

static void on_services(void *owner, const struct dns_service *services, size_t count, const char *why)
{
	struct told *t = owner;
	++t->answers;
	t->count = count;
	t->port = count ? services->port : 0;
}

static void on_pointers(void *owner, const struct dns_pointer *pointers, size_t count, const char *why)
{
	struct told *t = owner;
	++t->answers;
	t->count = count;
}

static void asked_once(void)
{
	struct loop loop;
	struct dns *dns;
	struct name_server server;
	struct dns_query *q;
	int asked = 0;

	CHECK_EQ(loop_init(&loop), 0);
	CHECK_EQ(dns_new(&dns, &loop), 0);
	name_server_open(&server, &loop, dns, records, COUNT_OF(records));
	for (int i = 0; i < 3; ++i) {
		struct told t = {0};
		CHECK_EQ(dns_resolve(&q, dns, i ? "TRUNK.example" : "trunk.example", (uint16_t)(5060 + i), on_addresses, &t), 0);
		CHECK_EQ(t.answers, 0); /* never at once */
		LOOP_WAIT(&loop, t.answers == 1);
		CHECK(t.count == 1 && t.port == 5060 + i);
		CHECK_EQ(dns_find_pointers(&q, dns, "trunk.example", on_pointers, &t), 0);
		LOOP_WAIT(&loop, t.answers == 2);
		CHECK_EQ(t.count, 1u);
		CHECK_EQ(dns_find_services(&q, dns, "_sip._udp.trunk.example", on_services, &t), 0);
		LOOP_WAIT(&loop, t.answers == 3);
		CHECK(t.count == 2 && t.port == 5070);
		/* Nothing of that kind, and no such name. */
		CHECK_EQ(dns_find_services(&q, dns, "_sips._tcp.trunk.example", on_services, &t), 0);
		LOOP_WAIT(&loop, t.answers == 4);
		CHECK_EQ(dns_resolve(&q, dns, "nobody.example", 5060, on_addresses, &t), 0);
		LOOP_WAIT(&loop, t.answers == 5);
		CHECK_EQ(t.count, 0u);
		CHECK(!i || server.asked == asked);
		asked = server.asked;
	}
	/* Cancelled before it is told, and after. */
	struct told t = {0};
	CHECK_EQ(dns_resolve(&q, dns, "trunk.example", 5060, on_addresses, &t), 0);
	dns_cancel(q);
	/* What was not answered is asked again: here by other servers. */
	char text[ADDRESS_TEXT_SIZE];
	struct sockaddr_storage at;
	udp_local(server.udp, &at);
	CHECK_EQ(dns_set_servers(dns, address_text(text, (struct sockaddr *)&at)), 0);
	CHECK_EQ(dns_find_pointers(&q, dns, "trunk.example", on_pointers, &t), 0);
	LOOP_WAIT(&loop, t.answers == 1);
	CHECK_EQ(server.asked, asked + 1);
	udp_close(server.udp);
	dns_free(dns);
	loop_fini(&loop);
	CHECK_EQ(mem_live(), 0);
}

int main(void)
{
	for_as_long_as_it_may_be();
	no_more_than_so_many();
	without_memory();
	asked_once();
	return 0;
}

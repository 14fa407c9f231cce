#include "media/tcp_places.h"

#include "base/limits.h"
#include "base/mem.h"
#include "net/address.h"
#include "test/check.h"

static struct sockaddr_storage at(const char *ip)
{
	struct sockaddr_storage a;
	CHECK_EQ(address_parse(&a, ip, 1), 0);
	return a;
}

static int take(struct tcp_places *p, const char *ip)
{
	struct sockaddr_storage from = at(ip);
	return tcp_places_take(p, (struct sockaddr *)&from);
}

/* A source that proves nothing gets few places, one that does gets many, and never all. */
static void a_source_has_its_share(void)
{
	struct tcp_places *p;
	int first = -1, last = -1;

	CHECK_EQ(tcp_places_new(&p), 0);
	for (int i = 0; i < LIMIT_ICE_TCP_UNPROVEN; ++i) {
		last = take(p, "192.0.2.1");
		CHECK(last >= 0);
		first = i ? first : last;
	}
	CHECK_EQ(take(p, "192.0.2.1"), -1);
	CHECK(take(p, "192.0.2.2") >= 0);
	tcp_places_leave(p, first);
	CHECK_EQ(take(p, "192.0.2.1"), first);

	tcp_places_prove(p, last);
	for (int i = LIMIT_ICE_TCP_UNPROVEN; i < LIMIT_ICE_TCP_PER_SOURCE; ++i) {
		last = take(p, "192.0.2.1");
		CHECK(last >= 0);
		tcp_places_prove(p, last);
	}
	CHECK_EQ(take(p, "192.0.2.1"), -1);
	p = tcp_places_free(p);
}

static void a_net_of_ipv6_is_one_source(void)
{
	struct tcp_places *p;

	CHECK_EQ(tcp_places_new(&p), 0);
	for (int i = 0; i < LIMIT_ICE_TCP_UNPROVEN; ++i)
		CHECK(take(p, i % 2 ? "2001:db8::1" : "2001:db8::2:3") >= 0);
	CHECK_EQ(take(p, "2001:db8::4"), -1);
	CHECK(take(p, "2001:db8:0:1::4") >= 0);
	p = tcp_places_free(p);
}

static void there_is_an_end_of_places(void)
{
	struct tcp_places *p;
	char ip[32];
	int place = -1;

	CHECK_EQ(tcp_places_new(&p), 0);
	for (int i = 0; i < LIMIT_ICE_TCP_CONNECTIONS; ++i) {
		snprintf(ip, sizeof ip, "10.0.%d.%d", i / 200, i % 200);
		place = take(p, ip);
		CHECK(place >= 0);
	}
	CHECK_EQ(take(p, "192.0.2.1"), -1);
	tcp_places_leave(p, place);
	CHECK_EQ(take(p, "192.0.2.1"), place);
	p = tcp_places_free(p);
}

int main(void)
{
	a_source_has_its_share();
	a_net_of_ipv6_is_one_source();
	there_is_an_end_of_places();
	CHECK_EQ(mem_live(), 0);
	return 0;
}

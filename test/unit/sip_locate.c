/* From a host to the addresses to try (RFC 3263), with a name server of our own; and which of them are dead. */
#include "sip/locate.h"

#include "base/mem.h"
#include "loop_wait.h"
#include "name_server.h"
#include "sip/dead.h"

#include <errno.h>

static struct loop loop;
static struct dns *dns;
static struct name_server server;

#define MANY_RECORDS(n) {"_sip._udp.many.x", NS_SRV, "1 1 5060 h" #n ".x"}, {"h" #n ".x", NS_A, "192.0.2.99"}

static const struct ns_record records[] = {
	{"plain.example", NS_A, "192.0.2.1"},
	{"both.example", NS_AAAA, "2001:db8::1"},
	{"both.example", NS_A, "192.0.2.1"},
	{"six.example", NS_AAAA, "2001:db8::6"},
	/* Priorities, ports, and a host of each family. */
	{"_sip._udp.srv.example", NS_SRV, "20 0 5070 second.example"},
	{"_sip._udp.srv.example", NS_SRV, "10 0 5080 both.example"},
	{"_sip._tcp.srv.example", NS_SRV, "10 0 5080 plain.example"},
	{"_sips._tcp.srv.example", NS_SRV, "10 0 443 plain.example"},
	{"second.example", NS_A, "192.0.2.2"},
	{"srv.example", NS_A, "192.0.2.77"},
	/* NAPTR: which protocol first, names of its own, a host, strangers. */
	{"naptr.example", NS_NAPTR, "20 10 s SIP+D2U _sip._udp.naptr.example"},
	{"naptr.example", NS_NAPTR, "10 20 s SIP+D2T _sip._tcp.naptr.example"},
	{"naptr.example", NS_NAPTR, "10 10 s SIP+D2S _sip._sctp.naptr.example"},
	{"naptr.example", NS_NAPTR, "5 10 u E2U+sip plain.example"},
	{"_sip._udp.naptr.example", NS_SRV, "1 1 5060 plain.example"},
	{"_sip._tcp.naptr.example", NS_SRV, "1 1 5062 second.example"},
	{"elsewhere.example", NS_NAPTR, "1 1 s SIPS+D2T _sips._tcp.edge.example"},
	{"_sips._tcp.edge.example", NS_SRV, "1 1 5061 second.example"},
	{"host.example", NS_NAPTR, "1 1 a SIP+D2T second.example"},
	{"astray.example", NS_NAPTR, "1 1 s SIP+D2T _sip._tcp.nowhere.example"},
	{"astray.example", NS_NAPTR, "2 1 s SIP+D2U _sip._udp.srv.example"},
	{"slow.example", NS_NAPTR, "1 1 s SIP+D2U _sip._udp.asleep.example"},
	{"slow.example", NS_NAPTR, "2 1 s SIP+D2U _sip._udp.srv.example"},
	{"slow.example", NS_A, "192.0.2.8"},
	{"_sip._udp.asleep.example", NS_SRV, "1 1 5060 plain.example"},
	{"round.example", NS_NAPTR, "1 1 s SIP+D2U round.example"},
	{"round.example", NS_A, "192.0.2.3"},
	/* Only TLS is known. */
	{"_sips._tcp.tls.example", NS_SRV, "1 1 5061 plain.example"},
	/* Lies. */
	{"_sip._udp.none.example", NS_SRV, "0 0 0 ."},
	{"_sip._tcp.none.example", NS_SRV, "1 1 5060 plain.example"},
	{"none.example", NS_A, "192.0.2.4"},
	{"_sip._udp.zero.example", NS_SRV, "1 1 0 plain.example"},
	{"zero.example", NS_A, "192.0.2.5"},
	{"_sip._udp.twice.example", NS_SRV, "1 1 5060 plain.example"},
	{"_sip._udp.twice.example", NS_SRV, "1 1 5060 PLAIN.example"},
	{"_sip._udp.lost.example", NS_SRV, "1 1 5060 nowhere.example"},
	{"_sip._udp.lost.example", NS_SRV, "2 1 5060 loop-a.example"},
	{"_sip._udp.lost.example", NS_SRV, "3 1 5060 second.example"},
	{"_sip._udp.gone.example", NS_SRV, "1 1 5060 nowhere.example"},
	{"gone.example", NS_A, "192.0.2.6"},
	{"loop-a.example", NS_CNAME, "loop-b.example"},
	{"loop-b.example", NS_CNAME, "loop-a.example"},
	{"loop-srv.example", NS_A, "192.0.2.7"},
	{"_sip._udp.loop-srv.example", NS_CNAME, "_sip._udp.loop-srv.example"},
	{"_sip._udp.weigh.example", NS_SRV, "1 90 5060 plain.example"},
	{"_sip._udp.weigh.example", NS_SRV, "1 10 5060 second.example"},
	MANY_RECORDS(0), MANY_RECORDS(1), MANY_RECORDS(2), MANY_RECORDS(3), MANY_RECORDS(4), MANY_RECORDS(5),
	MANY_RECORDS(6), MANY_RECORDS(7), MANY_RECORDS(8), MANY_RECORDS(9), MANY_RECORDS(a), MANY_RECORDS(b),
	MANY_RECORDS(c), MANY_RECORDS(d), MANY_RECORDS(e), MANY_RECORDS(f),
};

struct found {
	struct sip_location *location;
	int calls;
	size_t count;
	char text[1024], why[256];
};

static void on_found(void *owner, const struct sip_target *targets, size_t count, const char *why)
{
	struct found *f = owner;
	++f->calls;
	f->count = count;
	CHECK_EQ(count == 0, why != NULL);
	snprintf(f->why, sizeof f->why, "%s", why ? why : "");
	for (size_t i = 0; i < count; ++i) {
		char one[ADDRESS_TEXT_SIZE];
		size_t n = strlen(f->text);
		snprintf(f->text + n, sizeof f->text - n, "%s%s %s", n ? ", " : "", sip_protocol_param(targets[i].protocol),
			address_text(one, (const struct sockaddr *)&targets[i].address));
	}
}

static struct found locate(const char *host, uint16_t port, bool any, enum sip_protocol protocol)
{
	const struct sip_locate_wish wish = {.host = host, .port = port, .any_protocol = any, .protocol = protocol};
	struct found f = {0};
	CHECK_EQ(sip_locate(&f.location, &loop, dns, &wish, on_found, &f), 0);
	if (f.location)
		CHECK_EQ(f.calls, 0);
	LOOP_WAIT(&loop, f.calls == 1);
	return f;
}

enum { ANY = SIP_PROTOCOL__COUNT };

static void every_kind_of_domain(void)
{
	static const struct {
		const char *host;
		uint16_t port;
		int protocol;
		const char *text, *why;
	} cases[] = {
		{"plain.example", 0, ANY, "udp 192.0.2.1:5060", ""},
		{"plain.example.", 0, ANY, "udp 192.0.2.1:5060", ""},
		{"plain.example", 0, SIP_TCP, "tcp 192.0.2.1:5060", ""},
		{"plain.example", 0, SIP_TLS, "tls 192.0.2.1:5061", ""},
		{"plain.example", 5099, SIP_TLS, "tls 192.0.2.1:5099", ""},
		{"both.example", 0, ANY, "udp 192.0.2.1:5060, udp [2001:db8::1]:5060", ""},
		{"six.example", 0, ANY, "udp [2001:db8::6]:5060", ""},
		{"192.0.2.9", 0, ANY, "udp 192.0.2.9:5060", ""},
		{"[2001:db8::9]", 0, SIP_TLS, "tls [2001:db8::9]:5061", ""},
		{"2001:db8::9", 5070, SIP_UDP, "udp [2001:db8::9]:5070", ""},
		{"srv.example", 0, ANY, "udp 192.0.2.1:5080, udp [2001:db8::1]:5080, udp 192.0.2.2:5070", ""},
		{"srv.example", 0, SIP_TCP, "tcp 192.0.2.1:5080", ""},
		{"srv.example", 0, SIP_TLS, "tls 192.0.2.1:443", ""},
		{"srv.example", 5060, ANY, "udp 192.0.2.77:5060", ""}, /* a port: no SRV */
		{"naptr.example", 0, ANY, "tcp 192.0.2.2:5062", ""},
		{"naptr.example", 0, SIP_UDP, "udp 192.0.2.1:5060", ""}, /* the trunk says UDP */
		{"elsewhere.example", 0, ANY, "tls 192.0.2.2:5061", ""},
		{"host.example", 0, ANY, "tcp 192.0.2.2:5060", ""},
		{"astray.example", 0, ANY, "udp 192.0.2.1:5080, udp [2001:db8::1]:5080, udp 192.0.2.2:5070", ""},
		{"round.example", 0, ANY, "udp 192.0.2.3:5060", ""},
		{"tls.example", 0, ANY, "tls 192.0.2.1:5061", ""},
		{"none.example", 0, ANY, "tcp 192.0.2.1:5060", ""},
		{"none.example", 0, SIP_UDP, "", "says in its SRV records that it takes no calls by UDP"},
		{"zero.example", 0, ANY, "udp 192.0.2.5:5060", ""},
		{"twice.example", 0, ANY, "udp 192.0.2.1:5060", ""},
		{"lost.example", 0, ANY, "udp 192.0.2.2:5060", ""},
		{"gone.example", 0, ANY, "udp 192.0.2.6:5060", ""},
		{"loop-srv.example", 0, ANY, "udp 192.0.2.7:5060", ""},
		{"loop-a.example", 0, ANY, "", "has no address: "},
		{"nowhere.example", 0, ANY, "", "has no address: "},
		{"nowhere.example", 5060, SIP_TCP, "", "has no address: "},
		{"", 0, ANY, "", "has no address"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		bool any = cases[i].protocol == ANY;
		struct found f = locate(cases[i].host, cases[i].port, any, any ? SIP_UDP : (enum sip_protocol)cases[i].protocol);
		CHECK_STR(f.text, cases[i].text);
		CHECK(!strncmp(f.why, cases[i].why, strlen(cases[i].why)));
	}
}

static void nobody_else_knows_localhost(void)
{
	server.asked = 0;
	struct found f = locate("localhost", 0, true, SIP_UDP);
	CHECK(strstr(f.text, "udp 127.0.0.1:5060"));
	CHECK_EQ(server.asked, 0);
}

static void more_targets_than_are_tried(void)
{
	server.asked = 0;
	struct found f = locate("many.x", 0, true, SIP_UDP);
	CHECK_EQ(f.count, SIP_LOCATE_HOSTS_MAX);
	CHECK(server.asked < 30);
}

/* RFC 2782: nine of ten calls begin with the heavy one, give or take. */
static void weights_count(void)
{
	int heavy = 0;
	for (int i = 0; i < 100; ++i) {
		struct found f = locate("weigh.example", 0, false, SIP_UDP);
		CHECK_EQ(f.count, 2);
		heavy += strncmp(f.text, "udp 192.0.2.1:", 14) == 0;
	}
	CHECK(heavy > 70 && heavy < 100);
}

/* A name server that drops what it does not know costs a call two seconds and a half, not its life. */
static void the_late_are_not_waited_for(void)
{
	uint64_t begun = clock_ms();
	dns_forget(dns);
	server.only_addresses = true;
	struct found f = locate("srv.example", 0, true, SIP_UDP);
	server.only_addresses = false;
	CHECK_STR(f.text, "udp 192.0.2.77:5060");
	CHECK(clock_ms() - begun < 4000);
}

static void on_resolved(void *owner, const struct sockaddr_storage *addresses, size_t count, const char *why)
{
	++*(int *)owner;
}

/* A pointer was given up for the next one, of the same protocol, and then the caller gave up: the first
 * one's answer has nowhere to go. */
static void the_late_come_too_late(void)
{
	const struct sip_locate_wish wish = {.host = "slow.example", .any_protocol = true};
	struct found f = {0};
	dns_forget(dns);
	server.slow = "_sip._udp.asleep.example";
	server.awaited = "_sip._udp.srv.example";
	CHECK_EQ(sip_locate(&f.location, &loop, dns, &wish, on_found, &f), 0);
	LOOP_WAIT(&loop, !server.awaited);
	CHECK_EQ(f.calls, 0);
	sip_locate_cancel(f.location);
	ns_answer_slow(&server);
	struct dns_query *fence;
	int through = 0;
	CHECK_EQ(dns_resolve(&fence, dns, "six.example", 0, on_resolved, &through), 0);
	LOOP_WAIT(&loop, through);
}

static void a_cancelled_one_says_nothing(void)
{
	const struct sip_locate_wish wish = {.host = "srv.example", .any_protocol = true};
	for (int turns = 0; turns < 12; ++turns) {
		struct found f = {0};
		CHECK_EQ(sip_locate(&f.location, &loop, dns, &wish, on_found, &f), 0);
		for (int i = 0; i < turns && !f.calls; ++i)
			uv_run(&loop.uv, UV_RUN_ONCE);
		if (!f.calls)
			sip_locate_cancel(f.location);
	}
	sip_locate_cancel(NULL);
}

static void without_memory(void)
{
	const struct sip_locate_wish wish = {.host = "srv.example", .any_protocol = true};
	for (int i = 0; i < 16; ++i) {
		struct found f = {0};
		mem_fail_after(i);
		int r = sip_locate(&f.location, &loop, dns, &wish, on_found, &f);
		mem_fail_after(-1);
		CHECK(r == 0 || r == -ENOMEM);
		LOOP_WAIT(&loop, r || f.calls);
	}
}

/* ---- dead ones ---- */

static struct sip_target target(int n)
{
	struct sip_target t = {.protocol = SIP_UDP};
	CHECK_EQ(address_parse(&t.address, "192.0.2.1", (uint16_t)(5000 + n)), 0);
	return t;
}

static void the_dead_come_last(void)
{
	static struct sip_dead dead;
	struct sip_target t[4] = {target(0), target(1), target(2), target(3)};
	sip_dead_note(&dead, &t[0], 1000, 60000);
	sip_dead_note(&dead, &t[2], 1000, 500);
	sip_dead_last(&dead, t, 4, 1200);
	CHECK_EQ(address_port((struct sockaddr *)&t[0].address), 5001);
	CHECK_EQ(address_port((struct sockaddr *)&t[1].address), 5003);
	CHECK_EQ(address_port((struct sockaddr *)&t[2].address), 5000);
	CHECK_EQ(address_port((struct sockaddr *)&t[3].address), 5002);
	CHECK(!sip_dead_is(&dead, &t[3], 1500)); /* its time is over */
	struct sip_target tcp = t[2];
	tcp.protocol = SIP_TCP;
	CHECK(!sip_dead_is(&dead, &tcp, 1200)); /* another protocol is another target */
	sip_dead_forget(&dead, &t[2]);
	CHECK(!sip_dead_is(&dead, &t[2], 1200));
	sip_dead_forget(&dead, &t[2]);
	for (int i = 0; i < 3 * LIMIT_SIP_DEAD_TARGETS; ++i) {
		struct sip_target one = target(i);
		sip_dead_note(&dead, &one, (uint64_t)(2000 + i), 60000);
		CHECK(dead.count <= LIMIT_SIP_DEAD_TARGETS && sip_dead_is(&dead, &one, 2500));
	}
}

int main(void)
{
	CHECK_EQ(loop_init(&loop), 0);
	CHECK_EQ(dns_new(&dns, &loop), 0);
	name_server_open(&server, &loop, dns, records, COUNT_OF(records));
	every_kind_of_domain();
	nobody_else_knows_localhost();
	more_targets_than_are_tried();
	weights_count();
	the_late_are_not_waited_for();
	the_late_come_too_late();
	a_cancelled_one_says_nothing();
	without_memory();
	the_dead_come_last();
	udp_close(server.udp);
	dns = dns_free(dns);
	loop_run(&loop);
	loop_fini(&loop);
	CHECK_EQ(mem_live(), 0);
	return 0;
}

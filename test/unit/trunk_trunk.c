#include "trunk/trunk.h"

#include "trunk/check.h"

#include "base/mem.h"
#include "store/store.h"
#include "test/check.h"

static Livekit__SIPOutboundTrunkInfo wanted(const char *name)
{
	static char *numbers[] = {"+15550100", "+15550101"};
	Livekit__SIPOutboundTrunkInfo t = LIVEKIT__SIPOUTBOUND_TRUNK_INFO__INIT;
	t.name = (char *)name;
	t.address = "sip.example.com";
	t.numbers = numbers;
	t.n_numbers = COUNT_OF(numbers);
	t.auth_password = "secret";
	return t;
}

static void trunks_survive_a_restart(void)
{
	struct store *store = NULL;
	struct trunks *ts = NULL;
	const Livekit__SIPOutboundTrunkInfo *made = NULL;
	char why[TRUNK_WHY_SIZE], id[32];
	Livekit__SIPOutboundTrunkInfo t = wanted("bank");

	CHECK_EQ(store_open(&store, ":memory:"), 0);
	CHECK_EQ(trunks_new(&ts, store), 0);
	CHECK_EQ(trunks_create_outbound(&made, ts, &t, why), 0);
	CHECK(!strncmp(made->sip_trunk_id, "ST_", 3));
	snprintf(id, sizeof id, "%s", made->sip_trunk_id);
	trunks_free(ts);

	CHECK_EQ(trunks_new(&ts, store), 0);
	CHECK_EQ(trunks_count(ts), 1);
	made = trunks_find_id(ts, id);
	CHECK(made);
	CHECK_STR(made->name, "bank");
	CHECK_STR(made->numbers[1], "+15550101");
	CHECK_STR(made->auth_password, "secret");

	t.name = "renamed";
	CHECK_EQ(trunks_replace_outbound(&made, ts, made->sip_trunk_id, &t, why), 0);
	CHECK_STR(made->name, "renamed");
	CHECK_STR(made->sip_trunk_id, id);
	CHECK_EQ(trunks_replace_outbound(&made, ts, "ST_none", &t, why), TRUNK_E_NOT_FOUND);
	CHECK_EQ(trunks_delete(ts, id), 0);
	CHECK_EQ(trunks_delete(ts, id), TRUNK_E_NOT_FOUND);
	trunks_free(ts);
	CHECK_EQ(trunks_new(&ts, store), 0);
	CHECK_EQ(trunks_count(ts), 0);
	trunks_free(ts);
	store_close(store);
	CHECK_EQ(mem_live(), 0);
}

static void a_trunk_is_chosen_by_name_or_id(void)
{
	struct store *store = NULL;
	struct trunks *ts = NULL;
	const Livekit__SIPOutboundTrunkInfo *a = NULL, *b = NULL, *got = NULL;
	char why[TRUNK_WHY_SIZE];
	Livekit__SIPOutboundTrunkInfo one = wanted("one"), two = wanted("two");

	CHECK_EQ(store_open(&store, ":memory:"), 0);
	CHECK_EQ(trunks_new(&ts, store), 0);
	CHECK_EQ(trunks_choose(&got, ts, NULL, why), TRUNK_E_NOT_FOUND);
	CHECK(strstr(why, "ringdown sip outbound create"));
	CHECK_EQ(trunks_create_outbound(&a, ts, &one, why), 0);
	CHECK_EQ(trunks_choose(&got, ts, "", why), 0);
	CHECK(got == a);
	CHECK_EQ(trunks_create_outbound(&b, ts, &two, why), 0);
	CHECK_EQ(trunks_choose(&got, ts, "two", why), 0);
	CHECK(got == b);
	CHECK_EQ(trunks_choose(&got, ts, a->sip_trunk_id, why), 0);
	CHECK(got == a);
	CHECK_EQ(trunks_choose(&got, ts, NULL, why), TRUNK_E_CONFLICT);
	CHECK(strstr(why, "LIVEKIT_SIP_TRUNK") && strstr(why, "one ("));
	CHECK_EQ(trunks_choose(&got, ts, "three", why), TRUNK_E_NOT_FOUND);
	CHECK(strstr(why, "three") && strstr(why, "one (") && strstr(why, "two ("));
	CHECK_EQ(trunks_create_outbound(&b, ts, &two, why), 0);
	CHECK_EQ(trunks_choose(&got, ts, "two", why), TRUNK_E_CONFLICT);
	/* Where a call leads is where a trunk leads, however that is written. */
	static const char *const same[] = {"sip.example.com", "SIP.Example.com:5061", "sip.example.com."};
	static const char *const others[] = {"", "example.com", "sip.example.com.evil", "xsip.example.com", "[::1]:5060"};
	for (size_t i = 0; i < COUNT_OF(same); ++i)
		CHECK(trunk_is_at(a, same[i]) && trunks_find_host(ts, same[i]));
	for (size_t i = 0; i < COUNT_OF(others); ++i)
		CHECK(!trunk_is_at(a, others[i]) && !trunks_find_host(ts, others[i]));
	trunks_free(ts);
	store_close(store);
}

static void what_is_wrong_is_said(void)
{
	struct store *store = NULL;
	struct trunks *ts = NULL;
	const Livekit__SIPOutboundTrunkInfo *made = NULL;
	char why[TRUNK_WHY_SIZE];
	Livekit__SIPOutboundTrunkInfo__HeadersEntry header =
		LIVEKIT__SIPOUTBOUND_TRUNK_INFO__HEADERS_ENTRY__INIT;
	Livekit__SIPOutboundTrunkInfo__HeadersEntry *headers[] = {&header};

	CHECK_EQ(store_open(&store, ":memory:"), 0);
	CHECK_EQ(trunks_new(&ts, store), 0);
	static const struct {
		const char *address, *from_host, *name, *value, *why;
	} cases[] = {
		{"", "", "X-A", "1", "no outbound address specified"},
		{"sip:a.b", "", "X-A", "1", "trunk address should be a hostname or IP, not SIP URI"},
		{"a.b;transport=tcp", "", "X-A", "1", "trunk address should not contain transport parameter"},
		{"a.b", "u@b", "X-A", "1", "from_host should be a hostname or IP, not SIP URI"},
		{"a.b", "", "Contact", "1", "invalid header name: header name Contact not supported"},
		{"a.b", "", "f", "1", "invalid header name: header name f not supported"},
		{"a.b", "", "X A", "1",
			"invalid header name: header name X A contains invalid characters: char 32 not allowed"},
		{"a.b", "", "X-A", "1\r\nB: 2",
			"invalid header value for X-A: header X-A: value: char 13 not allowed"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		Livekit__SIPOutboundTrunkInfo t = wanted("x");
		t.address = (char *)cases[i].address;
		t.from_host = (char *)cases[i].from_host;
		header.key = (char *)cases[i].name;
		header.value = (char *)cases[i].value;
		t.headers = headers;
		t.n_headers = 1;
		CHECK_EQ(trunks_create_outbound(&made, ts, &t, why), TRUNK_E_INVALID);
		CHECK_STR(why, cases[i].why);
	}
	CHECK_EQ(trunks_count(ts), 0);
	trunks_free(ts);
	store_close(store);
}

/* A trunk is the operator's, and may route; whoever has a key may not. */
static void a_request_routes_nothing(void)
{
	static const char *const names[] = {"To", "t", "via", "ROUTE", "Record-Route", "v"};
	char why[TRUNK_WHY_SIZE];
	for (size_t i = 0; i < COUNT_OF(names); ++i) {
		CHECK(!check_request_header(names[i], "<sip:+19005550123@example.com>", why));
		CHECK(strstr(why, names[i]) && strstr(why, "not supported"));
	}
	CHECK(check_header("Route", "<sip:proxy.example.com;lr>", why));
	CHECK(check_request_header("X-Route", "1", why));
	CHECK(check_request_header("P-Asserted-Identity", "<sip:+14155550100@example.com>", why));
}

/* Every allocation fails once: an error, no leak, and what is there stays. */
static void memory_may_run_out(void)
{
	struct store *store = NULL;
	struct trunks *ts = NULL;
	const Livekit__SIPOutboundTrunkInfo *made = NULL;
	char why[TRUNK_WHY_SIZE];
	Livekit__SIPOutboundTrunkInfo t = wanted("bank");
	CHECK_EQ(store_open(&store, ":memory:"), 0);
	size_t live = mem_live();
	for (int left = 0;; ++left) {
		mem_fail_after(left);
		ts = NULL;
		int r = trunks_new(&ts, store);
		if (r == 0)
			r = trunks_create_outbound(&made, ts, &t, why);
		mem_fail_after(-1);
		CHECK(r <= 0);
		trunks_free(ts);
		CHECK_EQ(mem_live(), live);
		if (r == 0)
			break;
	}
	store_close(store);
	CHECK_EQ(mem_live(), 0);
}

int main(void)
{
	trunks_survive_a_restart();
	a_trunk_is_chosen_by_name_or_id();
	what_is_wrong_is_said();
	a_request_routes_nothing();
	memory_may_run_out();
	return 0;
}

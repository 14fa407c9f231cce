#include "trunk/policy_private.h"

#include "base/limits.h"
#include "base/mem.h"
#include "store/store.h"
#include "test/check.h"
#include "trunk/country.h"

static const int64_t today_s = 20000 * 86400;
static Livekit__SIPOutboundTrunkInfo trunk;

/* A trunk without numbers or country, known by this id. */
static const Livekit__SIPOutboundTrunkInfo *named(const char *id)
{
	trunk = (Livekit__SIPOutboundTrunkInfo)LIVEKIT__SIPOUTBOUND_TRUNK_INFO__INIT;
	trunk.sip_trunk_id = (char *)id;
	return &trunk;
}

static struct policy_verdict ask(struct policy *p, const char *number, const char *id, uint64_t now_ms)
{
	struct policy_verdict v;
	policy_check(&v, p, &(struct policy_request){.number = number, .trunk = named(id)}, now_ms);
	return v;
}

static struct policy *begin(const struct policy_config *config)
{
	struct policy *p = NULL;
	CHECK_EQ(policy_new(&p, config, today_s), 0);
	return p;
}

static void end(struct policy *p)
{
	policy_free(p);
	CHECK_EQ(mem_live(), 0);
}

static void the_right_numbers_get_through(void)
{
	static const char *const allowed[] = {"+1", "+49"}, *const blocked[] = {"+4930999"};
	static const struct {
		const char *number;
		enum policy_outcome outcome;
		const char *says;
	} cases[] = {
		{"+14155550123", POLICY_OK, ""},
		{"+1 (415) 555-0123", POLICY_OK, ""},
		{"+4930123456", POLICY_OK, ""},
		{"+4930999123", POLICY_BLOCKED, "sip.blocked_prefixes"},
		{"5550100", POLICY_NOT_E164, "\"5550100\""},
		{"004930123456", POLICY_NOT_E164, "write +4930123456"},
		{"bob", POLICY_NOT_E164, "\"b\" is not a digit"},
		{"", POLICY_NOT_E164, "no digits"},
		{"+1415555", POLICY_OK, ""},
		{"+141", POLICY_NOT_E164, "only 3 digits"},
		{"+3712025550", POLICY_COUNTRY, "Latvia (+371) are off. Add \"+371\" to sip.allowed_countries"},
		{"+18765550123", POLICY_COUNTRY, "Jamaica (+1876)"},
		/* A prefix behind the code, by which a switch that takes the code off would dial. */
		{"+4909001234567", POLICY_NOT_E164, "the 0 behind the country code"},
		{"+49 (0) 30 123456", POLICY_NOT_E164, "leave it out"},
		{"+490018005550123", POLICY_NOT_E164, "the 0 behind"},
		{"+10114930123456", POLICY_NOT_E164, "behind +1 no number begins with 0 or 1"},
		{"+119005550123", POLICY_NOT_E164, "behind +1"},
		/* Other spellings of a number that nobody may call. */
		{"+1-900-555-0123", POLICY_BLOCKED, "premium"},
		{"+1.900/555 (0123)", POLICY_BLOCKED, "premium"},
		{"19005550123", POLICY_NOT_E164, "does not begin with +"},
		{"9005550123", POLICY_NOT_E164, ""},
		{"01119005550123", POLICY_NOT_E164, ""},
		{"++19005550123", POLICY_NOT_E164, "\"+\" is not a digit"},
		{"1+9005550123", POLICY_NOT_E164, ""},
		{"%2B19005550123", POLICY_NOT_E164, "\"%\" is not a digit"},
		{"tel:+19005550123", POLICY_NOT_E164, "\"t\" is not a digit"},
		{"sip:19005550123@h", POLICY_NOT_E164, ""},
		{"+14155550123;isub=+19005550123", POLICY_NOT_E164, "\";\" is not a digit"},
		{"+14155550123,,19005550123", POLICY_NOT_E164, ""},
		{"+14155550123\r\nX: y", POLICY_NOT_E164, "character 13"},
		{"*6719005550123", POLICY_NOT_E164, ""},
		{"+1900MIXALOT", POLICY_NOT_E164, "\"M\" is not a digit"},
		{"\uff0b\uff11\uff19\uff10\uff10\uff15\uff15\uff15\uff10\uff11\uff12\uff13", POLICY_NOT_E164, "character 1 "},
		{"+1\u0669\u0660\u06605550123", POLICY_NOT_E164, "character 3 "},
		{"+1\u200b9005550123", POLICY_NOT_E164, "character 3 "},
		{"+2105550123", POLICY_COUNTRY, "no country"},
		{"911", POLICY_BLOCKED, "emergency"},
		{"+19005550123", POLICY_BLOCKED, "premium"},
		{"+881612345678", POLICY_BLOCKED, "satellite"},
	};
	struct policy *p = begin(&(struct policy_config){.allowed_prefixes = allowed, .allowed_count = 2,
		.blocked_prefixes = blocked, .blocked_count = 1});
	struct policy_verdict v;
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		v = ask(p, cases[i].number, "ST_a", 1000);
		CHECK_EQ(v.outcome, cases[i].outcome);
		CHECK(strstr(v.why, cases[i].says));
	}
	CHECK_STR(ask(p, "+1 415 555 0123", "ST_a", 1000).number, "+14155550123");
	end(p);

	static const char *const everywhere[] = {"*"};
	p = begin(&(struct policy_config){.allowed_prefixes = everywhere, .allowed_count = 1});
	CHECK_EQ(ask(p, "+18765550123", "", 0).outcome, POLICY_OK);
	CHECK_EQ(ask(p, "+881612345678", "", 0).outcome, POLICY_BLOCKED);
	end(p);
}

static void until_configured_a_trunk_calls_its_own_country(void)
{
	static char *german[] = {"+4930123456", "030"}, *two[] = {"+14155550100", "+442071234567"}, *none[] = {"1001"};
	static const struct {
		char **numbers;
		size_t count;
		const char *country, *caller, *metadata, *number;
		enum policy_outcome outcome;
		const char *says;
	} cases[] = {
		{german, 2, "", NULL, "", "+4989123456", POLICY_OK, ""},
		{german, 2, "", NULL, "", "+14155550123", POLICY_COUNTRY, "[\"+49\", \"+1\"]"},
		{two, 2, "", NULL, "", "+442071234568", POLICY_OK, ""},
		{two, 2, "", NULL, "", "+18765550123", POLICY_COUNTRY, "Jamaica"},
		{german, 2, "DO", NULL, "", "+18295550123", POLICY_OK, ""},
		{german, 2, "ca", NULL, "", "+16135550123", POLICY_OK, ""},
		{german, 2, "CA", NULL, "", "+4989123456", POLICY_COUNTRY, "its own country (+1)"},
		/* Nothing is said of the trunk: whoever calls has a country too. */
		{NULL, 0, "", "14155550100", "", "+14155550123", POLICY_OK, ""},
		{none, 1, "", "1001", "", "+14155550123", POLICY_COUNTRY, "destination_country"},
		/* Extensions of a PBX, where the trunk says so: but no detour to a number, and never for help. */
		{german, 2, "", NULL, "", "1001", POLICY_NOT_E164, "E.164"},
		{german, 2, "", NULL, "{\"ringdown\": {\"policy\": {\"extensions\": true}}}", "1001", POLICY_OK, ""},
		{german, 2, "", NULL, "{\"ringdown\": {\"policy\": {\"extensions\": true}}}", "reception.2", POLICY_OK, ""},
		{german, 2, "", NULL, "{\"ringdown\": {\"policy\": {\"extensions\": true}}}", "101", POLICY_OK, ""},
		{german, 2, "", NULL, "{\"ringdown\": {\"policy\": {\"extensions\": true}}}", "112", POLICY_BLOCKED, "emergency"},
		{german, 2, "", NULL, "{\"ringdown\": {\"policy\": {\"extensions\": true}}}", "0037120555012", POLICY_NOT_E164, ""},
		{german, 2, "", NULL, "{\"ringdown\": {\"policy\": {\"extensions\": true}}}", "0012-125-550-111", POLICY_NOT_E164, ""},
		{german, 2, "", NULL, "{\"ringdown\": {\"policy\": {\"extensions\": true}}}", "*72100", POLICY_NOT_E164, ""},
		{german, 2, "", NULL, "{\"ringdown\": {\"policy\": {\"extensions\": true}}}", "+14155550123", POLICY_COUNTRY, ""},
		/* The trunk's own list is the word. */
		{german, 2, "", NULL, "{\"ringdown\": {\"policy\": {\"allowed_countries\": [\"+371\"]}}}", "+3712025550", POLICY_OK, ""},
		{german, 2, "", NULL, "{\"ringdown\": {\"policy\": {\"allowed_countries\": [\"+371\"]}}}", "+4989123456",
			POLICY_COUNTRY, "ringdown.policy.allowed_countries"},
	};
	struct policy *p = begin(&(struct policy_config){0});
	struct policy_verdict v;
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		(void)named("ST_a");
		trunk.numbers = cases[i].numbers;
		trunk.n_numbers = cases[i].count;
		trunk.destination_country = (char *)cases[i].country;
		trunk.metadata = (char *)cases[i].metadata;
		policy_check(&v, p, &(struct policy_request){.number = cases[i].number, .caller = cases[i].caller, .trunk = &trunk}, 0);
		CHECK_EQ(v.outcome, cases[i].outcome);
		CHECK(strstr(v.why, cases[i].says));
	}
	end(p);
}

static void services_are_known(void)
{
	static const char *const refused[] = {"112", "999", "000", "110", "+44999", "+49112", "+449061234567",
		"+447012345678", "+4990012345", "+4913712345", "+33899123456", "+39899123456", "+34806123456", "+3190612345",
		"+43930123456", "+41901123456", "+48701234567", "+420906123456", "+61190123456", "+81990123456",
		"+55900123456", "+44118118", "+4411833", "+46118118", "+3531520123456", "+16005550123", "+870123456789", "+8816123456", "+88213123456", "+883510012345", "+979123456789", "+78091234567"};
	static const char *const dialled[] = {"+14155550123", "+442071234567", "+447700900123", "+493012345678", "+4915112345678",
		"+33123456789", "+33612345678", "+390612345678", "+34912345678", "+31201234567", "+4312345678", "+48221234567",
		"+48601234567", "+61290123456", "+81312345678", "+85290123456", "+353155012345", "+821012345678", "+5511912345678",
		"+79001234567", "+46901234567", "+60160123456", "+8613800138000", "+441189123456", "+46118123456", "+3906123456", "+2250712345678"};
	for (size_t i = 0; i < COUNT_OF(refused); ++i)
		CHECK(country_blocked(refused[i]));
	CHECK(country_blocked("+12129765555")); /* NXX 976 */
	for (size_t i = 0; i < COUNT_OF(dialled); ++i)
		CHECK(!country_blocked(dialled[i]));
	const char *prefixes[COUNTRY_PREFIXES_MAX];
	CHECK_EQ(country_prefixes(prefixes, "DO"), 3);
	CHECK_EQ(country_prefixes(prefixes, "JE"), 1);
	CHECK_STR(prefixes[0], "+44");
	CHECK_EQ(country_prefixes(prefixes, "XX"), 0);
	CHECK_EQ(country_prefixes(prefixes, ""), 0);
}

static size_t spent_count;

/* As call/ does: the call ends. */
static void on_spent(struct policy_call *c)
{
	++spent_count;
	policy_end(c, 0);
}

/* Takes the call's place, if it is allowed. */
static struct policy_verdict take(struct policy_call *c, struct policy *p, const char *id, const char *key,
	const char *identity, uint64_t now_ms)
{
	struct policy_verdict v;
	struct policy_request r = {.number = "+14155550123", .caller = "+14155550100", .trunk = named(id), .key = key,
		.identity = identity};
	policy_check(&v, p, &r, now_ms);
	if (v.outcome == POLICY_OK)
		CHECK_EQ(policy_begin(c, p, &r, on_spent), 0);
	return v;
}

static void a_trunk_has_its_rate(void)
{
	struct policy *p = begin(&(struct policy_config){.calls_per_second = 2, .queue_wait_ms = 1000});
	struct policy_call calls[8] = {0};
	struct policy_verdict v;
	size_t n = 0;
	for (int i = 0; i < 2; ++i) {
		v = take(&calls[n++], p, "a", "", "", 1000);
		CHECK_EQ(v.outcome, POLICY_OK);
		CHECK_EQ(v.wait_ms, 0);
	}
	/* Two wait for their turn, half a second each; a third would have to wait too long. */
	v = take(&calls[n++], p, "a", "", "", 1000);
	CHECK_EQ(v.outcome, POLICY_OK);
	CHECK(v.wait_ms >= 500 && v.wait_ms <= 501);
	v = take(&calls[n++], p, "a", "", "", 1000);
	CHECK(v.wait_ms >= 1000 && v.wait_ms <= 1001);
	CHECK_EQ(v.outcome, v.wait_ms > 1000 ? POLICY_RATE : POLICY_OK);
	v = take(&calls[n++], p, "a", "", "", 1000);
	CHECK_EQ(v.outcome, POLICY_RATE);
	CHECK(v.retry_after_ms > 0 && v.retry_after_ms <= 501);
	CHECK(strstr(v.why, "2 calls per second") && strstr(v.why, "sip.calls_per_second"));
	v = take(&calls[n++], p, "b", "", "", 1000);
	CHECK_EQ(v.wait_ms, 0);
	v = take(&calls[n++], p, "a", "", "", 3000);
	CHECK_EQ(v.wait_ms, 0);
	/* However many trunks there are, the buckets are bounded. */
	for (int i = 0; i < 3 * LIMIT_TRUNKS; ++i) {
		char id[16];
		snprintf(id, sizeof id, "t%d", i);
		(void)ask(p, "+14155550123", id, 3000);
	}
	CHECK(mem_live() <= 2 * LIMIT_TRUNKS + 64);
	for (size_t i = 0; i < n; ++i)
		policy_end(&calls[i], 4000);
	end(p);

	/* A slow trunk with much patience: the queue itself is bounded. */
	static struct policy_call many[2 * LIMIT_QUEUED_CALLS];
	p = begin(&(struct policy_config){.calls_per_second = 1, .queue_wait_ms = 1u << 30});
	size_t taken = 0;
	while (taken < COUNT_OF(many) && take(&many[taken], p, "a", "", "", 1000).outcome == POLICY_OK)
		++taken;
	CHECK_EQ(taken, LIMIT_QUEUED_CALLS + 1);
	for (size_t i = 0; i < taken; ++i)
		policy_end(&many[i], 4000);
	end(p);
}

/* However seldom a trunk may be called, the second call is not let through by a number that wraps round. */
static void a_rate_of_nearly_nothing_is_one(void)
{
	static const double rates[] = {0.05, 1e-3, 1e-6, 999.999 / 4294972296, 1e-7, 1e-9, 1e-25, 5e-324};
	for (size_t i = 0; i < COUNT_OF(rates); ++i) {
		struct policy *p = begin(&(struct policy_config){.calls_per_second = rates[i], .queue_wait_ms = 10000});
		struct policy_call first = {0};
		CHECK_EQ(take(&first, p, "a", "", "", 1000).outcome, POLICY_OK);
		struct policy_call second = {0};
		struct policy_verdict v = take(&second, p, "a", "", "", 1000);
		CHECK_EQ(v.outcome, POLICY_RATE);
		CHECK_EQ(v.wait_ms, 0);
		CHECK(v.retry_after_ms >= (rates[i] < 1e-6 ? 1000000000 : 9999));
		policy_end(&first, 1000);
		policy_end(&second, 1000);
		end(p);
	}
}

static void calls_at_once_are_counted(void)
{
	struct policy *p = begin(&(struct policy_config){.max_calls = 4, .max_calls_per_trunk = 2, .max_calls_per_identity = 3});
	struct policy_call calls[8] = {0};
	struct policy_verdict v;
	CHECK_EQ(take(&calls[0], p, "a", "key", "bob", 0).outcome, POLICY_OK);
	CHECK_EQ(take(&calls[1], p, "a", "key", "bob", 0).outcome, POLICY_OK);
	v = take(&calls[2], p, "a", "key", "eve", 0);
	CHECK_EQ(v.outcome, POLICY_BUSY);
	CHECK(strstr(v.why, "2 calls on this trunk") && strstr(v.why, "sip.max_calls_per_trunk"));
	CHECK_EQ(take(&calls[2], p, "b", "key", "bob", 0).outcome, POLICY_OK);
	v = take(&calls[3], p, "b", "key", "bob", 0);
	CHECK_EQ(v.outcome, POLICY_BUSY);
	CHECK(strstr(v.why, "sip.max_calls_per_identity"));
	/* The same name under another key is somebody else. */
	CHECK_EQ(take(&calls[3], p, "b", "other", "bob", 0).outcome, POLICY_OK);
	v = take(&calls[4], p, "c", "key", "ann", 0);
	CHECK_EQ(v.outcome, POLICY_BUSY);
	CHECK(strstr(v.why, "4 calls in all"));
	policy_end(&calls[0], 0);
	policy_end(&calls[0], 0);
	CHECK_EQ(take(&calls[4], p, "c", "key", "ann", 0).outcome, POLICY_OK);
	for (size_t i = 0; i < COUNT_OF(calls); ++i)
		policy_end(&calls[i], 0);
	end(p);
}

static void minutes_survive_a_restart(void)
{
	struct store *store = NULL;
	CHECK_EQ(store_open(&store, ":memory:"), 0);
	struct policy_config config = {.minutes_per_day = 10, .max_duration_ms = 3600000, .store = store};
	struct policy *p = begin(&config);
	struct policy_call c = {0};
	CHECK_EQ(take(&c, p, "a", "key", "", 0).left_ms, 600000);
	policy_answered(&c, 60000); /* ringing costs nothing */
	policy_tick(p, 300000, today_s + 300); /* 4 minutes so far */
	policy_free(p = (policy_end(&c, 480000), p)); /* 7 */
	p = begin(&config);
	CHECK_EQ(take(&c, p, "a", "key", "", 0).left_ms, 180000);
	policy_answered(&c, 1000);
	policy_end(&c, 181000 + 1000);
	struct policy_verdict v = take(&c, p, "a", "key", "", 0);
	CHECK_EQ(v.outcome, POLICY_MINUTES);
	CHECK(strstr(v.why, "API key key") && strstr(v.why, "10 minutes") && strstr(v.why, "sip.minutes_per_day"));
	CHECK_EQ(take(&c, p, "a", "other", "", 0).outcome, POLICY_OK);
	policy_end(&c, 0);
	/* A new day. */
	policy_tick(p, 1000000, today_s + 86400);
	CHECK_EQ(take(&c, p, "a", "key", "", 0).left_ms, 600000);
	policy_end(&c, 0);
	policy_free(p);
	config.minutes_per_day = 0;
	p = begin(&config);
	v = take(&c, p, "a", "key", "", 0);
	CHECK_EQ(v.longest_ms, 3600000);
	CHECK_EQ(v.left_ms, UINT64_MAX);
	policy_end(&c, 0);
	policy_free(p);
	store_close(store);
	CHECK_EQ(mem_live(), 0);
}

/* One minute left and five calls: twelve seconds for each, and nobody has more than is left. */
static void calls_at_once_talk_from_one_purse(void)
{
	enum { CALLS = 5, TICK_MS = 400 };
	struct policy *p = begin(&(struct policy_config){.minutes_per_day = 1});
	struct policy_call calls[CALLS] = {0}, other = {0}, late = {0};
	uint64_t now = 1000;
	spent_count = 0;
	CHECK_EQ(take(&other, p, "a", "other", "", now).outcome, POLICY_OK);
	policy_answered(&other, now);
	for (size_t i = 0; i < CALLS; ++i) {
		/* Nobody's wish takes anything from the others: who only rings has no part. */
		CHECK_EQ(take(&calls[i], p, "a", "key", "", now).left_ms, 60000);
		policy_answered(&calls[i], now);
	}
	for (; !spent_count; now += TICK_MS)
		policy_tick(p, now, today_s);
	CHECK_EQ(spent_count, CALLS);
	CHECK(now - 1000 >= 12000 - 2 * TICK_MS && now - TICK_MS - 1000 <= 12000);
	CHECK_EQ(policy_count(p, NULL, "key", NULL), 0);
	CHECK_EQ(policy_count(p, NULL, "other", NULL), 1);
	/* What is left is less than one look, and one call may still have it. */
	CHECK(take(&late, p, "a", "key", "", now).left_ms < (CALLS + 1) * TICK_MS);
	policy_end(&late, now);
	/* An end gives back what it did not use; midnight gives all of it, to those that are up too. */
	CHECK_EQ(take(&calls[0], p, "a", "third", "", now).left_ms, 60000);
	CHECK_EQ(take(&calls[1], p, "a", "third", "", now).left_ms, 60000);
	policy_answered(&calls[0], now);
	policy_answered(&calls[1], now);
	policy_end(&calls[1], now + 10000);
	policy_tick(p, now += 39000, today_s);
	CHECK_EQ(take(&late, p, "a", "third", "", now).left_ms, 11000);
	policy_end(&late, now);
	policy_tick(p, now += 10000, today_s + 86400);
	CHECK_EQ(take(&late, p, "a", "third", "", now).left_ms, 60000);
	policy_end(&late, now);
	policy_tick(p, now + 30000, today_s + 86400);
	CHECK_EQ(spent_count, CALLS);
	policy_end(&calls[0], now);
	policy_end(&other, now);
	end(p);
}

/* A transfer's target is read by switches that take more spellings than we do for a call. */
static void no_spelling_of_a_target_gets_past(void)
{
	static char *american[] = {"+14155550100"}, *german[] = {"+4930123456"}, *british[] = {"+442071234567"}, *russian[] = {"+74951234567"};
	static const struct {
		char **numbers;
		const char *to;
		enum policy_outcome outcome;
	} cases[] = {
		{american, "tel:+14155550123", POLICY_OK},
		{american, "tel:+1-415-555-0123", POLICY_OK},
		{american, "<sip:+14155550123@sip.example.com;user=phone>", POLICY_OK},
		{american, "sip:14155550123@sip.example.com", POLICY_OK},
		{american, "sips:bob@example.com", POLICY_OK},
		{american, "sip:example.com", POLICY_OK},
		{american, "sip:1001@10.0.0.1", POLICY_OK},
		{american, "sip:3cx-reception@10.0.0.1", POLICY_OK},
		{american, "sip:*98@10.0.0.1", POLICY_OK},
		{american, "tel:+14155550123;ext=12", POLICY_OK},
		{german, "sip:030123456@sip.example.com", POLICY_OK},
		{german, "sip:004930123456@sip.example.com", POLICY_OK},
		{german, "tel:0301234567;phone-context=example.com", POLICY_OK},
		{german, "tel:1234567;phone-context=+4930", POLICY_OK},
		/* Premium, however it is written. */
		{american, "tel:+19005550123", POLICY_BLOCKED},
		{american, "tel:+1-900-555-0123", POLICY_BLOCKED},
		{american, "tel:+1(900)555.0123", POLICY_BLOCKED},
		{american, "tel:+1-9--0--0--5--5--5--0--1--2--3", POLICY_BLOCKED},
		{american, "SIP:+19005550123@x", POLICY_BLOCKED},
		{american, "sip:19005550123@x", POLICY_BLOCKED},
		{american, "sip:9005550123@x", POLICY_BLOCKED},
		{american, "sip:1900-555-0123@x;user=phone", POLICY_BLOCKED},
		{american, "sip:919005550123@x", POLICY_BLOCKED}, /* 9 for a line outside */
		{american, "sip:0019005550123@x", POLICY_BLOCKED},
		{american, "sip:01119005550123@x", POLICY_BLOCKED},
		{american, "sip:001119005550123@x", POLICY_BLOCKED},
		{american, "sip:%2B19005550123@x", POLICY_BLOCKED},
		{american, "sip:%31%39%30%305550123@x", POLICY_BLOCKED},
		{american, "tel:%2b1900%35550123", POLICY_BLOCKED},
		{american, "sip:+19005550123;isub=1@x", POLICY_BLOCKED},
		{american, "sip:+19005550123%3Bisub=1@x", POLICY_BLOCKED},
		{american, "tel:+19005550123;isub=1;ext=2", POLICY_BLOCKED},
		{american, "tel:9005550123;phone-context=+1", POLICY_BLOCKED},
		{american, "sip:5550123;phone-context=+1900@x;user=phone", POLICY_BLOCKED},
		{american, "sip:+19005550123:secret@x", POLICY_BLOCKED},
		{american, "sip:+19005550123@x?Subject=hello", POLICY_BLOCKED},
		{german, "sip:09001234567@x", POLICY_BLOCKED},
		{german, "sip:009001234567@x", POLICY_NOT_E164},
		{german, "tel:+49-137-1234567", POLICY_BLOCKED},
		{russian, "sip:88091234567@x", POLICY_BLOCKED},
		{british, "sip:118118@x", POLICY_BLOCKED},
		{british, "tel:+44118118", POLICY_BLOCKED},
		{american, "tel:911", POLICY_BLOCKED},
		{american, "sip:9-1-1@x", POLICY_BLOCKED},
		{american, "tel:+881612345678", POLICY_BLOCKED},
		/* Another country. */
		{american, "tel:+4930123456", POLICY_COUNTRY},
		{american, "sip:4930123456@x", POLICY_COUNTRY},
		{american, "sip:0114930123456@x", POLICY_COUNTRY},
		{american, "sip:004930123456@x", POLICY_COUNTRY},
		{american, "tel:30123456;phone-context=+49", POLICY_COUNTRY},
		/* A prefix of calls abroad behind the country code, which many a switch takes off. */
		{american, "tel:+10114930123456", POLICY_NOT_E164},
		{german, "tel:+490014155550123", POLICY_NOT_E164},
		{german, "tel:+4909001234567", POLICY_NOT_E164},
		{russian, "tel:+78104930123456", POLICY_NOT_E164},
		/* Which number that is nobody can tell. */
		{american, "tel:+14155550123;npdi;rn=+19005550123", POLICY_NOT_E164},
		{american, "sip:+14155550123;rn=+19005550123@x", POLICY_NOT_E164},
		{american, "tel:+14155550123;cic=+10288", POLICY_NOT_E164},
		{american, "sip:*6719005550123@x", POLICY_NOT_E164},
		{american, "sip:19005550123%23@x", POLICY_NOT_E164},
		{american, "sip:19005550123p1@x", POLICY_NOT_E164},
		{american, "sip:+1900555012x@x", POLICY_NOT_E164},
		{american, "sip:\uff11\uff19\uff10\uff10\uff15\uff15\uff15@x", POLICY_NOT_E164},
		{american, "sip:+\uff11\uff19\uff10\uff105550123@x", POLICY_NOT_E164},
		{american, "tel:+1-9-0-0---------------------------------------------------------5550123", POLICY_NOT_E164},
		{american, "sip:a@b@c", POLICY_NOT_E164},
		{american, "<sip:bob@x>, <sip:+19005550123@x>", POLICY_NOT_E164},
		{american, "<sip:bob@x", POLICY_NOT_E164},
		{american, "sip:bob%0D@x", POLICY_NOT_E164},
		{american, "sip:bob%@x", POLICY_NOT_E164},
		{american, "mailto:bob@x", POLICY_NOT_E164},
	};
	struct policy *p = begin(&(struct policy_config){0});
	struct policy_verdict v;
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		(void)named("ST_a");
		trunk.numbers = cases[i].numbers;
		trunk.n_numbers = 1;
		policy_check_transfer(&v, p, &(struct policy_request){.number = cases[i].to, .trunk = &trunk}, 0);
		if (v.outcome != cases[i].outcome)
			fprintf(stderr, "%s: %s %s\n", cases[i].to, policy_outcome_name(v.outcome), v.why);
		CHECK_EQ(v.outcome, cases[i].outcome);
		CHECK_EQ(*v.why != 0, v.outcome != POLICY_OK);
	}
	/* Home is not known. */
	policy_check_transfer(&v, p, &(struct policy_request){.number = "sip:0301234567@x", .trunk = named("ST_a")}, 0);
	CHECK_EQ(v.outcome, POLICY_NOT_E164);
	end(p);
}

/* CreateSIPParticipant lets To and the Request-URI say more than the number that was asked about. */
static void nothing_beside_the_number_leads_elsewhere(void)
{
	static const struct {
		const char *to_user, *to_number, *uri_params;
		enum policy_outcome outcome;
	} cases[] = {
		{NULL, NULL, NULL, POLICY_OK},
		{"alias", "reception", "user=phone;x=y", POLICY_OK},
		{"+14155550199", "14155550199", "", POLICY_OK},
		{"+4930123456", NULL, NULL, POLICY_OK}, /* shown, not dialled */
		{"+19005550123", NULL, NULL, POLICY_BLOCKED},
		{NULL, "19005550123", NULL, POLICY_BLOCKED},
		{"9005550123", NULL, NULL, POLICY_BLOCKED},
		{NULL, "tel:+19005550123", NULL, POLICY_OK}, /* a name with a colon: no switch reads that */
		{NULL, "%2B19005550123", NULL, POLICY_BLOCKED},
		{NULL, "+19005550123;isub=1", NULL, POLICY_BLOCKED},
		{"911", NULL, NULL, POLICY_BLOCKED},
		{NULL, NULL, "rn=+19005550123", POLICY_NOT_E164},
		{NULL, NULL, "user=phone;RN=+19005550123;npdi", POLICY_NOT_E164},
		{NULL, NULL, "tgrp=premium;trunk-context=x", POLICY_NOT_E164},
		{NULL, NULL, "cic=+10288", POLICY_NOT_E164},
	};
	struct policy *p = begin(&(struct policy_config){0});
	struct policy_verdict v;
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		policy_check(&v, p, &(struct policy_request){.number = "+14155550123", .caller = "+14155550100", .trunk = named("a"),
			.shown = {cases[i].to_number, cases[i].to_user}, .uri_params = cases[i].uri_params}, 0);
		if (v.outcome != cases[i].outcome)
			fprintf(stderr, "%zu: %s %s\n", i, policy_outcome_name(v.outcome), v.why);
		CHECK_EQ(v.outcome, cases[i].outcome);
	}
	end(p);
}

/* A transfer costs as a call does: it takes a turn, and a key without minutes has none. */
static void a_transfer_counts(void)
{
	struct policy *p = begin(&(struct policy_config){.calls_per_second = 1, .queue_wait_ms = 1500, .minutes_per_day = 1,
		.max_calls = 1});
	const struct policy_request r = {.number = "tel:+14155550123", .caller = "+14155550100", .trunk = named("a"), .key = "key"};
	struct policy_call c = {0};
	struct policy_verdict v;
	CHECK_EQ(take(&c, p, "a", "key", "", 1000).outcome, POLICY_OK);
	policy_answered(&c, 1000);
	/* The limit of calls at once is reached, but it stands in place of one of them. */
	policy_check_transfer(&v, p, &r, 1000);
	CHECK_EQ(v.outcome, POLICY_OK);
	CHECK(v.wait_ms >= 999 && v.wait_ms <= 1001);
	policy_transfer(p, r.trunk);
	policy_check_transfer(&v, p, &r, 1000);
	CHECK_EQ(v.outcome, POLICY_RATE);
	CHECK(v.retry_after_ms);
	policy_end(&c, 61000);
	policy_check_transfer(&v, p, &r, 61000);
	CHECK_EQ(v.outcome, POLICY_MINUTES);
	CHECK_EQ(v.retry_after_ms, 0);
	end(p);
}

static void every_rule_has_its_say(void)
{
	static const char *const allowed[] = {"+49"};
	struct policy *p = begin(&(struct policy_config){.allowed_prefixes = allowed, .allowed_count = 1, .max_duration_ms = 60000});
	struct policy_finding found[POLICY_RULES_MAX];
	struct policy_verdict v;
	(void)named("ST_a");
	trunk.metadata = "{\"ringdown\": {\"policy\": {\"max_calls\": 3, \"calls_per_second\": 5, \"max_call_duration_s\": 7}}}";
	size_t count = policy_explain(found, &v, p, &(struct policy_request){.number = "+14155550123", .trunk = &trunk}, 0);
	CHECK_EQ(count, 10);
	CHECK_EQ(v.outcome, POLICY_COUNTRY);
	CHECK_STR(policy_outcome_name(v.outcome), "country_not_allowed");
	for (size_t i = 0; i < count; ++i) {
		CHECK(*found[i].says);
		CHECK_EQ(found[i].outcome, strcmp(found[i].rule, "country") ? POLICY_OK : POLICY_COUNTRY);
		if (!strcmp(found[i].rule, "trunk"))
			CHECK_STR(found[i].setting, "the trunk's metadata, ringdown.policy.max_calls");
		if (!strcmp(found[i].rule, "duration"))
			CHECK_STR(found[i].says, "It may last 7 s.");
	}
	CHECK_EQ(policy_explain(found, &v, p, &(struct policy_request){.number = "bob", .trunk = &trunk}, 0), 2);
	end(p);
}

static void every_allocation_may_fail(void)
{
	static const char *const texts[] = {"+1", "+49"};
	for (int n = 0;; ++n) {
		struct policy *p = NULL;
		struct policy_call c = {0};
		struct policy_verdict v = {0};
		const struct policy_config config = {.allowed_prefixes = texts, .allowed_count = 2, .blocked_prefixes = &texts[1],
			.blocked_count = 1, .calls_per_second = 5, .queue_wait_ms = 1};
		mem_fail_after(n);
		int r = policy_new(&p, &config, today_s);
		if (r == 0) {
			v = ask(p, "+14155550123", "a", 0);
			if (v.outcome == POLICY_OK)
				r = policy_begin(&c, p, &(struct policy_request){.number = "+14155550123", .trunk = named("a")}, NULL);
		}
		mem_fail_after(-1);
		policy_end(&c, 0);
		policy_free(p);
		CHECK_EQ(mem_live(), 0);
		if (r == 0 && v.outcome == POLICY_OK)
			break;
		CHECK(r < 0 || v.outcome == POLICY_RATE);
	}
}

int main(void)
{
	the_right_numbers_get_through();
	until_configured_a_trunk_calls_its_own_country();
	services_are_known();
	a_trunk_has_its_rate();
	a_rate_of_nearly_nothing_is_one();
	calls_at_once_are_counted();
	minutes_survive_a_restart();
	calls_at_once_talk_from_one_purse();
	no_spelling_of_a_target_gets_past();
	nothing_beside_the_number_leads_elsewhere();
	a_transfer_counts();
	every_rule_has_its_say();
	every_allocation_may_fail();
	return 0;
}

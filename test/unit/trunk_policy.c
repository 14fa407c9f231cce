#include "trunk/policy.h"

#include "base/limits.h"
#include "base/mem.h"
#include "test/check.h"

static void the_right_numbers_get_through(void)
{
	static const char *const allowed[] = {"+1", "+49"};
	static const struct {
		const char *number;
		enum policy_outcome outcome;
		const char *says;
	} cases[] = {
		{"+14155550123", POLICY_OK, ""},
		{"+1 (415) 555-0123", POLICY_OK, ""},
		{"+4930123456", POLICY_OK, ""},
		{"5550100", POLICY_NOT_E164, "\"5550100\""},
		{"004930123456", POLICY_NOT_E164, "write +4930123456"},
		{"bob", POLICY_NOT_E164, "\"b\" is not a digit"},
		{"", POLICY_NOT_E164, "no digits"},
		{"+1415555", POLICY_OK, ""},
		{"+141", POLICY_NOT_E164, "only 3 digits"},
		{"+3712025550", POLICY_COUNTRY, "Latvia (+371)"},
		{"+18765550123", POLICY_COUNTRY, "Jamaica (+1876)"},
		{"+2105550123", POLICY_COUNTRY, "no country"},
		{"911", POLICY_BLOCKED, "emergency"},
		{"+19005550123", POLICY_BLOCKED, "premium"},
		{"+881612345678", POLICY_BLOCKED, "satellite"},
	};
	struct policy *p = NULL;
	struct policy_verdict v;
	CHECK_EQ(policy_new(&p, &(struct policy_config){.allowed_prefixes = allowed, .allowed_count = 2}), 0);
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		policy_check(&v, p, cases[i].number, "ST_a", 1000);
		CHECK_EQ(v.outcome, cases[i].outcome);
		CHECK(strstr(v.why, cases[i].says));
	}
	policy_check(&v, p, "+1 415 555 0123", "ST_a", 1000);
	CHECK_STR(v.number, "+14155550123");
	policy_free(p);

	static const char *const everywhere[] = {"*"};
	CHECK_EQ(policy_new(&p, &(struct policy_config){.allowed_prefixes = everywhere, .allowed_count = 1}), 0);
	policy_check(&v, p, "+18765550123", "", 0);
	CHECK_EQ(v.outcome, POLICY_OK);
	policy_check(&v, p, "+881612345678", "", 0);
	CHECK_EQ(v.outcome, POLICY_BLOCKED);
	policy_free(p);
	CHECK_EQ(mem_live(), 0);
}

static void a_trunk_has_its_rate(void)
{
	static const char *const allowed[] = {"*"};
	struct policy *p = NULL;
	struct policy_verdict v;
	const struct policy_config config = {.allowed_prefixes = allowed, .allowed_count = 1, .calls_per_second = 2};
	CHECK_EQ(policy_new(&p, &config), 0);
	for (int i = 0; i < 2; ++i) {
		policy_check(&v, p, "+14155550123", "a", 1000);
		CHECK_EQ(v.outcome, POLICY_OK);
	}
	policy_check(&v, p, "+14155550123", "a", 1000);
	CHECK_EQ(v.outcome, POLICY_RATE);
	CHECK(v.retry_after_ms >= 500 && v.retry_after_ms <= 501);
	CHECK(strstr(v.why, "2 calls per second"));
	policy_check(&v, p, "+14155550123", "b", 1000);
	CHECK_EQ(v.outcome, POLICY_OK);
	policy_check(&v, p, "+14155550123", "a", 1501);
	CHECK_EQ(v.outcome, POLICY_OK);
	/* A refused number costs nothing. */
	policy_check(&v, p, "911", "a", 2100);
	policy_check(&v, p, "+14155550123", "a", 2100);
	CHECK_EQ(v.outcome, POLICY_OK);
	/* However many trunks there are, the buckets are bounded. */
	for (int i = 0; i < 3 * LIMIT_TRUNKS; ++i) {
		char id[16];
		snprintf(id, sizeof id, "t%d", i);
		policy_check(&v, p, "+14155550123", id, 3000);
	}
	CHECK(mem_live() <= 2 * LIMIT_TRUNKS + 8);
	policy_free(p);
	CHECK_EQ(mem_live(), 0);
}

int main(void)
{
	the_right_numbers_get_through();
	a_trunk_has_its_rate();
	return 0;
}

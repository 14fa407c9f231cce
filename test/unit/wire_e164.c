#include "trunk/country.h"
#include "trunk/service.h"
#include "wire/e164.h"

#include "test/check.h"

static void numbers_are_read(void)
{
	static const struct {
		const char *text;
		enum e164_outcome outcome;
		const char *out;
	} cases[] = {
		{"+14155550123", E164_OK, "+14155550123"},
		{" +1 (415) 555-01.23 ", E164_OK, "+14155550123"},
		{"+1234567890", E164_OK, "+1234567890"},
		{"+49/30/123456", E164_OK, "+4930123456"},
		{"+123456789012345", E164_OK, "+123456789012345"},
		{"", E164_E_EMPTY, ""},
		{" - ", E164_E_EMPTY, ""},
		{"+", E164_E_EMPTY, "+"},
		{"5550100", E164_E_NO_PLUS, "5550100"},
		{"911", E164_E_NO_PLUS, "911"},
		{"00493012345", E164_E_DOUBLE_ZERO, "00493012345"},
		{"+04155550123", E164_E_ZERO, "+04155550123"},
		{"+1234", E164_E_SHORT, "+1234"},
		{"+1234567890123456", E164_E_LONG, "+123456789012345"},
		{"+1415555o123", E164_E_CHARACTER, "+1415555"},
		{"sip:bob", E164_E_CHARACTER, ""},
		{"++14155550123", E164_E_CHARACTER, "+"},
		{"1+4155550123", E164_E_CHARACTER, "1"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		char out[E164_SIZE];
		CHECK_EQ(e164_parse(out, span_text(cases[i].text), NULL), cases[i].outcome);
		CHECK(!strncmp(out, cases[i].out, strlen(cases[i].out)));
	}
	char out[E164_SIZE];
	size_t bad_at = 0;
	CHECK_EQ(e164_parse(out, span_text("+1415x"), &bad_at), E164_E_CHARACTER);
	CHECK_EQ(bad_at, 5);
}

static void countries_are_known(void)
{
	CHECK_STR(country_of("+14155550123")->name, "United States or Canada");
	CHECK_STR(country_of("+18765550123")->name, "Jamaica");
	CHECK_STR(country_of("+37120255501")->name, "Latvia");
	CHECK_STR(country_of("+4930123456")->name, "Germany");
	CHECK_STR(country_of("+77015550123")->name, "Kazakhstan");
	CHECK(!country_of("+2105550123"));
}

static void some_numbers_are_never_dialled(void)
{
	static const char *const no[] = {"911", "112", "999", "+1911", "+44999", "+49112", "+19005550123",
		"+19765550123", "+14159765012", "+881612345678", "+870773111111", "+8821234567", "+97912345678",
		"+449012345678", "+49900123456"};
	static const char *const yes[] = {"+14155550123", "+4930123456", "+33123456789", "+819012345678",
		"+911112345678", "+9991234567", "5550100"};
	for (size_t i = 0; i < COUNT_OF(no); ++i)
		if (!service_blocked(no[i])) {
			fprintf(stderr, "%s is let through\n", no[i]);
			exit(1);
		}
	for (size_t i = 0; i < COUNT_OF(yes); ++i)
		if (service_blocked(yes[i])) {
			fprintf(stderr, "%s is blocked: %s\n", yes[i], service_blocked(yes[i]));
			exit(1);
		}
}

static void logs_do_not_say_who_was_called(void)
{
	static const struct {
		const char *text, *number, *becomes;
	} cases[] = {
		{"The line +12025550110 is busy.", "+12025550110", "The line +1202*****10 is busy."},
		{"+4930123456 and +4930123456", "+4930123456", "+4930****56 and +4930****56"},
		{"911", "911", "911"},
		{"nobody", "", "nobody"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		char text[100];
		snprintf(text, sizeof text, "%s", cases[i].text);
		e164_hide(text, cases[i].number);
		CHECK_STR(text, cases[i].becomes);
	}
}

int main(void)
{
	logs_do_not_say_who_was_called();
	numbers_are_read();
	countries_are_known();
	some_numbers_are_never_dialled();
	return 0;
}

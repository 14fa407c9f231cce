#include "trunk/options.h"

#include "test/check.h"

static void what_says_nothing_is_fine(void)
{
	static const char *const texts[] = {"", "a note", "{}", "[1]", "{\"mine\": 1}", "{\"ringdown\": {}}", "{\"ringdown\""};
	struct trunk_options o;
	char why[TRUNK_WHY_SIZE];

	for (size_t i = 0; i < COUNT_OF(texts); ++i) {
		CHECK_EQ(trunk_options_read(&o, texts[i], why), 0);
		CHECK_STR(o.outbound_proxy, "");
		CHECK_EQ(o.redirect.hosts.count, 0);
	}
}

static void options_are_read(void)
{
	struct trunk_options o;
	char why[TRUNK_WHY_SIZE];

	CHECK_EQ(trunk_options_read(&o, "{\"ringdown\": {\"outbound_proxy\": \"sbc.example.net:5070\", \"redirect\": "
					"{\"hosts\": [\"a.example.net\", \"b.example.net\"]}}, \"mine\": 1}", why), 0);
	CHECK_STR(o.outbound_proxy, "sbc.example.net:5070");
	CHECK_EQ(o.redirect.hosts.count, 2);
	CHECK_STR(o.redirect.hosts.at[1], "b.example.net");
}

static void a_wrong_one_is_named(void)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"{\"ringdown\": 1}", "metadata: ringdown must be an object"},
		{"{\"ringdown\": {\"proxy\": 1}}", "metadata: ringdown.proxy is no option; see docs/configuration.md"},
		{"{\"ringdown\": {\"redirect\": 1}}", "metadata: ringdown.redirect must be an object"},
		{"{\"ringdown\": {\"redirect\": {\"host\": 1}}}",
			"metadata: ringdown.redirect.host is no option; see docs/configuration.md"},
		{"{\"ringdown\": {\"redirect\": {\"redirect\": {}}}}",
			"metadata: ringdown.redirect.redirect is no option; see docs/configuration.md"},
		{"{\"ringdown\": {\"outbound_proxy\": 5}}",
			"metadata: ringdown.outbound_proxy must be a text of one line, shorter than 256 bytes"},
		{"{\"ringdown\": {\"outbound_proxy\": \"a\\r\\nb\"}}",
			"metadata: ringdown.outbound_proxy must be a text of one line, shorter than 256 bytes"},
		{"{\"ringdown\": {\"redirect\": {\"hosts\": \"a\"}}}",
			"metadata: ringdown.redirect.hosts must be a list of at most 16 texts"},
		{"{\"ringdown\": {\"redirect\": {\"hosts\": [1]}}}",
			"metadata: ringdown.redirect.hosts must be a text of one line, shorter than 256 bytes"},
	};
	struct trunk_options o;
	char why[TRUNK_WHY_SIZE];

	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		CHECK_EQ(trunk_options_read(&o, cases[i].text, why), TRUNK_E_INVALID);
		CHECK_STR(why, cases[i].why);
	}
}

int main(void)
{
	what_says_nothing_is_fine();
	options_are_read();
	a_wrong_one_is_named();
	return 0;
}

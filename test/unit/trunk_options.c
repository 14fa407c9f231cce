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

	CHECK_EQ(trunk_options_read(&o, "{\"ringdown\": {\"policy\": {\"allowed_countries\": [\"+49\", \"*\"], \"max_calls\": 3}}}", why), 0);
	CHECK_EQ(o.policy.allowed_countries.count, 2);
	CHECK_EQ(o.policy.max_calls, 3);
	CHECK_EQ(o.policy.calls_per_second, 0);
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
		{"{\"ringdown\": {\"from_user\": \"a@b\"}}", "metadata: ringdown.from_user must be a SIP user, without host"},
		{"{\"ringdown\": {\"register\": {\"host\": \"sip:b\\u003e\"}}}", "metadata: ringdown.register.host must be host or host:port"},
		{"{\"ringdown\": {\"register\": {\"expires_s\": 5}}}", "metadata: ringdown.register.expires_s must be a number from 10 to 86400"},
		{"{\"ringdown\": {\"policy\": {\"allowed_countries\": [\"DE\"]}}}",
			"metadata: ringdown.policy.allowed_countries must be a list of country prefixes such as \"+49\", or \"*\""},
		{"{\"ringdown\": {\"policy\": {\"calls_per_second\": 0}}}", "metadata: ringdown.policy.calls_per_second must be a number from 1 to 1000"},
		{"{\"ringdown\": {\"options_interval_s\": 5}}", "metadata: ringdown.options_interval_s must be a number from 30 to 3600"},
		{"{\"ringdown\": {\"identity_header\": \"pani\"}}",
			"metadata: ringdown.identity_header must be one of auto, none, pai, ppi, rpid"},
		{"{\"ringdown\": {\"outbound_proxy\": 5}}",
			"metadata: ringdown.outbound_proxy must be a text of one line, shorter than 256 bytes"},
		{"{\"ringdown\": {\"outbound_proxy\": \"user@sbc.example.net\"}}",
			"metadata: ringdown.outbound_proxy must be host or host:port, perhaps with ;transport=udp, tcp or tls"},
		{"{\"ringdown\": {\"outbound_proxy\": \"sbc.example.net;transport=sctp\"}}",
			"metadata: ringdown.outbound_proxy must be host or host:port, perhaps with ;transport=udp, tcp or tls"},
		{"{\"ringdown\": {\"outbound_proxy\": \"sip:sbc.example.net\"}}",
			"metadata: ringdown.outbound_proxy must be host or host:port, perhaps with ;transport=udp, tcp or tls"},
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

static void who_registers(void)
{
	static const struct {
		const char *text, *login, *user;
		bool wanted;
	} rows[] = {
		{"{}", "login", "login", false},
		{"{\"ringdown\": {\"register\": {\"enabled\": false}}}", "login", "login", false},
		{"{\"ringdown\": {\"register\": {\"enabled\": true}}}", "login", "login", true},
		{"{\"ringdown\": {\"register\": {\"user\": \"me\", \"expires_s\": 10}}}", "login", "me", true},
		{"{\"ringdown\": {\"register\": {\"host\": \"[::1]:5060\"}}}", "", "", true},
	};

	for (size_t i = 0; i < COUNT_OF(rows); ++i) {
		Livekit__SIPOutboundTrunkInfo trunk = LIVEKIT__SIPOUTBOUND_TRUNK_INFO__INIT;
		struct trunk_options o;
		char why[TRUNK_WHY_SIZE];
		trunk.auth_username = (char *)rows[i].login;
		CHECK_EQ(trunk_options_read(&o, rows[i].text, why), 0);
		CHECK_EQ(trunk_options_register(&o), rows[i].wanted);
		CHECK_STR(trunk_options_user(&o, &trunk), rows[i].user);
	}
}

int main(void)
{
	who_registers();
	what_says_nothing_is_fine();
	options_are_read();
	a_wrong_one_is_named();
	return 0;
}

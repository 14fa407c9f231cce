/* What an INVITE says of caller and called, by trunk option. */
#include "call/identity.h"

#include "base/clock.h"
#include "wire/sip_uri.h"
#include "test/check.h"

static const struct {
	const char *options; /* inside "ringdown" */
	const char *from_host, *display, *address;
	const char *uri, *to, *from, *shown, *contact, *headers;
} cases[] = {
	{"", NULL, NULL, "pbx.example.net:5070", "sip:+493012345@pbx.example.net:5070", "sip:+493012345@pbx.example.net:5070",
		"sip:+4930555@us.example.org", "+4930555", "+4930555", ""},
	{"", NULL, "", "pbx.example.net", "sip:+493012345@pbx.example.net", "sip:+493012345@pbx.example.net",
		"sip:+4930555@us.example.org", "", "+4930555", ""},
	/* The class of sipgate: From is the account, the number stands in P-Preferred-Identity. */
	{"\"register\": {\"user\": \"2345678e0\", \"host\": \"sipgate.de\"}", NULL, NULL, "sipgate.de",
		"sip:+493012345@sipgate.de", "sip:+493012345@sipgate.de", "sip:2345678e0@sipgate.de", "+4930555", "2345678e0",
		"P-Preferred-Identity: \"+4930555\" <sip:+4930555@sipgate.de>\n"},
	{"\"register\": {\"enabled\": true}, \"from_user\": \"number\"", NULL, NULL, "a.example.net",
		"sip:+493012345@a.example.net", "sip:+493012345@a.example.net", "sip:+4930555@trunk.example.net", "+4930555",
		"login", ""},
	{"\"from_user\": \"acct\", \"identity_header\": \"pai\"", NULL, "Bob \"the\" Bank", "a.example.net",
		"sip:+493012345@a.example.net", "sip:+493012345@a.example.net", "sip:acct@us.example.org", "Bob \"the\" Bank",
		"+4930555",
		"P-Asserted-Identity: \"Bob \\\"the\\\" Bank\" <sip:+4930555@us.example.org>\n"},
	{"\"identity_header\": \"rpid\", \"number_format\": \"digits\", \"tech_prefix\": \"0011#\", \"user_phone\": true", NULL,
		NULL, "a.example.net", "sip:0011#493012345@a.example.net;user=phone",
		"sip:0011#493012345@a.example.net;user=phone", "sip:4930555@us.example.org;user=phone", "4930555", "+4930555",
		"Remote-Party-ID: \"4930555\" <sip:4930555@us.example.org;user=phone>;party=calling;screen=yes;privacy=off\n"},
	{"\"from_user\": \"acct\", \"identity_header\": \"none\"", NULL, NULL, "a.example.net", "sip:+493012345@a.example.net",
		"sip:+493012345@a.example.net", "sip:acct@us.example.org", "+4930555", "+4930555", ""},
	{"\"privacy\": true", NULL, NULL, "a.example.net", "sip:+493012345@a.example.net", "sip:+493012345@a.example.net",
		"sip:anonymous@anonymous.invalid", "Anonymous", "anonymous",
		"P-Preferred-Identity: \"+4930555\" <sip:+4930555@us.example.org>\nPrivacy: id\n"},
	{"\"privacy\": true, \"register\": {\"user\": \"me\"}, \"identity_header\": \"rpid\"", NULL, NULL, "a.example.net:5070",
		"sip:+493012345@a.example.net:5070", "sip:+493012345@a.example.net:5070", "sip:me@trunk.example.net", "Anonymous",
		"me",
		"Remote-Party-ID: \"+4930555\" <sip:+4930555@trunk.example.net>;party=calling;screen=yes;privacy=full\n"
		"Privacy: id\n"},
	/* A From of the request's own is left alone. */
	{"\"from_user\": \"acct\", \"privacy\": true", "their.example.org", "", "a.example.net", "sip:+493012345@a.example.net",
		"sip:+493012345@a.example.net", "sip:+4930555@their.example.org", "", "anonymous", ""},
};

static void write_case(struct identity *ret, size_t i, struct trunk_options *options)
{
	Livekit__SIPOutboundTrunkInfo trunk = LIVEKIT__SIPOUTBOUND_TRUNK_INFO__INIT;
	char metadata[400], why[TRUNK_WHY_SIZE] = "";

	trunk.address = "trunk.example.net:5070";
	trunk.auth_username = "login";
	snprintf(metadata, sizeof metadata, "{\"ringdown\": {%s}}", cases[i].options);
	if (trunk_options_read(options, metadata, why))
		fprintf(stderr, "%s\n", why);
	CHECK_STR(why, "");
	CHECK_EQ(identity_write(ret, &(struct identity_wish){
					      .trunk = &trunk,
					      .options = options,
					      .address = cases[i].address,
					      .number = "+493012345",
					      .to_number = "+493012345",
					      .caller = "+4930555",
					      .display = cases[i].display,
					      .from_host = cases[i].from_host,
					      .own_host = "us.example.org",
				      }),
		0);
}

static void who_calls_whom(void)
{
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct identity who;
		struct trunk_options options;
		char headers[1200] = "";
		write_case(&who, i, &options);
		for (size_t j = 0; j < who.header_count; ++j) {
			size_t used = strlen(headers);
			snprintf(headers + used, sizeof headers - used, "%s: %s\n", who.headers[j].name,
				who.headers[j].value);
		}
		CHECK_STR(who.uri, cases[i].uri);
		CHECK_STR(who.to, cases[i].to);
		CHECK_STR(who.from, cases[i].from);
		CHECK_STR(who.display, cases[i].shown);
		CHECK_STR(who.contact_user, cases[i].contact);
		CHECK_STR(headers, cases[i].headers);
		struct sip_uri uri;
		CHECK_EQ(sip_uri_parse(&uri, span_text(who.uri)), 0);
		CHECK_EQ(sip_uri_parse(&uri, span_text(who.from)), 0);
	}
}

static void numbers(void)
{
	static const struct {
		const char *format, *address, *caller, *user;
	} rows[] = {
		{"as_given", "x.pstn.twilio.com", "4930555", "+4930555"},
		{"as_given", "x.pstn.twilio.com", "+4930555", "+4930555"},
		{"as_given", "a.example.net", "4930555", "4930555"},
		{"e164", "a.example.net", "4930555", "+4930555"},
		{"e164", "a.example.net", "+4930555", "+4930555"},
		{"e164", "a.example.net", "100", "100"},
		{"e164", "a.example.net", "reception", "reception"},
		{"digits", "x.pstn.twilio.com", "+4930555", "4930555"},
		{"digits", "a.example.net", "+bob", "+bob"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); ++i) {
		Livekit__SIPOutboundTrunkInfo trunk = LIVEKIT__SIPOUTBOUND_TRUNK_INFO__INIT;
		struct trunk_options options;
		struct identity who;
		char metadata[200], why[TRUNK_WHY_SIZE], expected[300];
		snprintf(metadata, sizeof metadata, "{\"ringdown\": {\"number_format\": \"%s\"}}", rows[i].format);
		CHECK_EQ(trunk_options_read(&options, metadata, why), 0);
		CHECK_EQ(identity_write(&who, &(struct identity_wish){.trunk = &trunk, .options = &options,
						      .address = rows[i].address, .number = "+1", .to_number = "+1",
						      .caller = rows[i].caller, .own_host = "us"}),
			0);
		snprintf(expected, sizeof expected, "sip:%s@us", rows[i].user);
		CHECK_STR(who.from, expected);
	}
}

static void registers_at(void)
{
	static const struct {
		const char *options, *address, *registrar;
	} rows[] = {
		{"\"enabled\": true", "sip:login@trunk.example.net", "sip:trunk.example.net:5070;transport=tcp"},
		{"\"user\": \"u\", \"host\": \"[2001:db8::1]:5062\"", "sip:u@[2001:db8::1]", "sip:[2001:db8::1]:5062;transport=tcp"},
		{"\"host\": \"sipgate.de\"", "sip:login@sipgate.de", "sip:sipgate.de;transport=tcp"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); ++i) {
		Livekit__SIPOutboundTrunkInfo trunk = LIVEKIT__SIPOUTBOUND_TRUNK_INFO__INIT;
		struct trunk_options options;
		char address[IDENTITY_URI_SIZE], registrar[IDENTITY_URI_SIZE], metadata[200], why[TRUNK_WHY_SIZE];
		trunk.address = "trunk.example.net:5070";
		trunk.auth_username = "login";
		trunk.transport = LIVEKIT__SIPTRANSPORT__SIP_TRANSPORT_TCP;
		snprintf(metadata, sizeof metadata, "{\"ringdown\": {\"register\": {%s}}}", rows[i].options);
		CHECK_EQ(trunk_options_read(&options, metadata, why), 0);
		CHECK(trunk_options_register(&options));
		CHECK(identity_register_uris(address, registrar, &trunk, &options));
		CHECK_STR(address, rows[i].address);
		CHECK_STR(registrar, rows[i].registrar);
	}
}

int main(void)
{
	who_calls_whom();
	numbers();
	registers_at();
	return 0;
}

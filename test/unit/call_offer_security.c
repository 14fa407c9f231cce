#include "call/negotiate.h"
#include "test/check.h"

#define KEY30 "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
#define OTHER30 "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
#define KEY46 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLQ"
#define KEY28 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw"
#define SUITE80 "AES_CM_128_HMAC_SHA1_80"
#define SUITE32 "AES_CM_128_HMAC_SHA1_32"

#define FINGERPRINT "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF"

struct fixture {
	struct offer_security security;
	struct negotiation n;
};

static void begin(struct fixture *f, enum offer_security_mode mode, const char *metadata)
{
	struct trunk_options options;
	char why[TRUNK_WHY_SIZE];
	CHECK_EQ(trunk_options_read(&options, metadata, why), 0);
	offer_security_init(&f->security, mode, &options, FINGERPRINT);
	negotiation_begin(&f->n, &(struct offer){.ip = "192.0.2.1", .rtp_port = 4000, .session_id = 7,
					 .session_version = 7, .codecs = {CODEC_PCMU}, .codec_count = 1,
					 .security = &f->security});
	CHECK(negotiation_offer(&f->n).size);
}

static struct span sdp(const char *protocol, const char *lines)
{
	static char text[4096];
	snprintf(text, sizeof text, "v=0\r\no=far 1 1 IN IP4 203.0.113.5\r\ns=-\r\nc=IN IP4 203.0.113.5\r\nt=0 0\r\n"
				    "m=audio 5000 %s 0\r\n%s", protocol, lines);
	return span_text(text);
}

static const char *said(const struct fixture *f)
{
	static char text[NEGOTIATE_TEXT_SIZE + 1];
	memcpy(text, f->n.text, f->n.size);
	text[f->n.size] = 0;
	return text;
}

static unsigned lines_said(const struct fixture *f)
{
	unsigned n = 0;
	for (const char *at = said(f); (at = strstr(at, "a=crypto:")); ++at)
		++n;
	return n;
}

static enum answer_outcome settle(struct fixture *f, struct media_leg_remote *terms, const char *protocol, const char *lines)
{
	return negotiation_settle(&f->n, span_text("far"), sdp(protocol, lines), terms);
}

static enum answer_outcome offered(struct fixture *f, struct media_leg_remote *terms, const char *protocol, const char *lines)
{
	struct span answer;
	return negotiation_answer(&f->n, span_text("far"), sdp(protocol, lines), &answer, terms);
}

static void each_mode_has_its_offer(void)
{
	static const struct {
		enum offer_security_mode mode;
		const char *metadata, *protocol;
		unsigned lines;
		const char *first;
	} cases[] = {
		{OFFER_SECURITY_DISABLE, "", " RTP/AVP ", 0, "m=audio"},
		{OFFER_SECURITY_ALLOW, "", " RTP/SAVP ", 4, "a=crypto:1 " SUITE80 " inline:"},
		{OFFER_SECURITY_REQUIRE, "", " RTP/SAVP ", 4, "a=crypto:4 AES_256_CM_HMAC_SHA1_32 inline:"},
		{OFFER_SECURITY_ALLOW, "{\"ringdown\": {\"srtp\": {\"offer\": \"best_effort\"}}}", " RTP/AVP ", 4,
			"a=crypto:1 " SUITE80 " inline:"},
		{OFFER_SECURITY_REQUIRE, "{\"ringdown\": {\"srtp\": {\"offer\": \"best_effort\"}}}", " RTP/SAVP ", 4,
			"a=crypto:1 " SUITE80 " inline:"},
		{OFFER_SECURITY_REQUIRE, "{\"ringdown\": {\"srtp\": {\"suites\": [\"AEAD_AES_256_GCM\", \"" SUITE32 "\"],"
					 " \"mki\": true}, \"rtcp_mux\": true}}", " RTP/SAVP ", 2, "|1:1\r\na=rtcp-mux"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct fixture f;
		begin(&f, cases[i].mode, cases[i].metadata);
		CHECK(strstr(said(&f), cases[i].protocol));
		CHECK_EQ(lines_said(&f), cases[i].lines);
		CHECK(strstr(said(&f), cases[i].first));
		offer_security_fini(&f.security);
	}
	struct trunk_options o;
	char why[TRUNK_WHY_SIZE];
	CHECK(trunk_options_read(&o, "{\"ringdown\": {\"srtp\": {\"suites\": [\"ROT13\"]}}}", why) != 0);
	CHECK(strstr(why, "ringdown.srtp.suites has \"ROT13\""));
}

static void an_answer_is_what_the_mode_says(void)
{
	const enum offer_security_mode D = OFFER_SECURITY_DISABLE, A = OFFER_SECURITY_ALLOW, R = OFFER_SECURITY_REQUIRE;
	const struct {
		enum offer_security_mode mode;
		const char *protocol, *lines;
		enum answer_outcome outcome;
		bool secure;
		enum srtp_profile profile;
	} cases[] = {
		{D, "RTP/AVP", "", ANSWER_OK, false, 0},
		{D, "RTP/AVP", "a=crypto:1 " SUITE80 " inline:" KEY30 "\r\n", ANSWER_OK, false, 0},
		{D, "RTP/SAVP", "a=crypto:1 " SUITE80 " inline:" KEY30 "\r\n", ANSWER_E_UNWANTED, false, 0},
		{A, "RTP/AVP", "", ANSWER_OK, false, 0},
		{A, "RTP/SAVP", "a=crypto:1 " SUITE80 " inline:" KEY30 "\r\n", ANSWER_OK, true, SRTP_PROFILE_AES128_CM_SHA1_80},
		{A, "RTP/AVP", "a=crypto:2 " SUITE32 " inline:" KEY30 "|2^20\r\n", ANSWER_OK, true, SRTP_PROFILE_AES128_CM_SHA1_32},
		{A, "RTP/SAVP", "", ANSWER_E_CRYPTO, false, 0},
		{R, "RTP/SAVP", "a=crypto:3 AES_256_CM_HMAC_SHA1_80 inline:" KEY46 "|2^31|7:2\r\n", ANSWER_OK, true,
			SRTP_PROFILE_AES256_CM_SHA1_80},
		{R, "RTP/SAVPF", "a=crypto:4 AES_CM_256_HMAC_SHA1_32 inline:" KEY46 "\r\n", ANSWER_OK, true,
			SRTP_PROFILE_AES256_CM_SHA1_32},
		{R, "RTP/AVP", "", ANSWER_E_IN_CLEAR, false, 0},
		{R, "RTP/SAVP", "", ANSWER_E_CRYPTO, false, 0},
		{R, "RTP/SAVP", "a=crypto:9 " SUITE80 " inline:" KEY30 "\r\n", ANSWER_E_CRYPTO, false, 0},
		{R, "RTP/SAVP", "a=crypto:1 " SUITE32 " inline:" KEY30 "\r\n", ANSWER_E_CRYPTO, false, 0},
		{R, "RTP/SAVP", "a=crypto:1 " SUITE80 " inline:" KEY28 "\r\n", ANSWER_E_CRYPTO, false, 0},
		{R, "RTP/SAVP", "a=crypto:1 " SUITE80 " inline:" KEY30 " UNENCRYPTED_SRTCP\r\n", ANSWER_E_CRYPTO, false, 0},
		{R, "RTP/SAVP", "a=crypto:5 AEAD_AES_128_GCM inline:" KEY28 "\r\n", ANSWER_E_CRYPTO, false, 0},
		{R, "UDP/TLS/RTP/SAVP", "", ANSWER_E_UNWANTED, false, 0},
		{R, "TCP/TLS/RTP/SAVP", "", ANSWER_E_NO_AUDIO, false, 0},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct fixture f;
		struct media_leg_remote terms;
		begin(&f, cases[i].mode, "");
		struct sdp_crypto offered_lines[SDP_CRYPTO__SUITES];
		memcpy(offered_lines, f.security.lines, sizeof offered_lines);
		CHECK_EQ(settle(&f, &terms, cases[i].protocol, cases[i].lines), cases[i].outcome);
		CHECK(*answer_outcome_text(cases[i].outcome));
		if (cases[i].outcome != ANSWER_OK)
			continue;
		CHECK_EQ(terms.secure, cases[i].secure);
		if (!terms.secure) {
			CHECK_EQ(f.security.line_count, 0);
			continue;
		}
		CHECK_EQ(terms.keys.profile, cases[i].profile);
		unsigned tag = 0;
		sscanf(cases[i].lines, "a=crypto:%u", &tag);
		CHECK(!memcmp(terms.keys.client, offered_lines[tag - 1].key, sizeof terms.keys.client));
		CHECK(memcmp(terms.keys.server, terms.keys.client, 16));
		/* From now on only that is said. */
		CHECK(negotiation_offer(&f.n).size);
		CHECK_EQ(lines_said(&f), 1);
		CHECK(!memcmp(f.security.lines[0].key, terms.keys.client, sizeof terms.keys.client));
		offer_security_fini(&f.security);
	}
}

static void refused_it_is_offered_in_clear_where_that_is_allowed(void)
{
	struct fixture f;
	struct media_leg_remote terms;

	begin(&f, OFFER_SECURITY_REQUIRE, "");
	CHECK(!negotiation_give_up_security(&f.n));
	begin(&f, OFFER_SECURITY_DISABLE, "");
	CHECK(!negotiation_give_up_security(&f.n));
	begin(&f, OFFER_SECURITY_ALLOW, "");
	CHECK(negotiation_give_up_security(&f.n));
	CHECK(negotiation_offer(&f.n).size && strstr(said(&f), " RTP/AVP ") && !lines_said(&f));
	CHECK(!negotiation_give_up_security(&f.n)); /* once */
	CHECK_EQ(settle(&f, &terms, "RTP/AVP", ""), ANSWER_OK);
	CHECK(!terms.secure);
}

/* Each phone that rings may have a key and a suite of its own. */
static void forks_have_keys_of_their_own(void)
{
	struct fixture f;
	struct media_leg_remote a, b;

	begin(&f, OFFER_SECURITY_ALLOW, "");
	CHECK_EQ(negotiation_early(&f.n, span_text("a"), sdp("RTP/SAVP", "a=crypto:1 " SUITE80 " inline:" KEY30 "\r\n"), &a), ANSWER_OK);
	CHECK_EQ(negotiation_early(&f.n, span_text("b"), sdp("RTP/SAVP", "a=crypto:2 " SUITE32 " inline:" OTHER30 "\r\n"), &b), ANSWER_OK);
	CHECK(a.secure && b.secure && !offer_security_same(&a, &b));
	CHECK_EQ(negotiation_settle(&f.n, span_text("a"), (struct span){0}, &b), ANSWER_OK);
	CHECK(offer_security_same(&a, &b));
}

static void their_new_offers_are_answered(void)
{
	struct fixture f;
	struct media_leg_remote first, terms;

	begin(&f, OFFER_SECURITY_ALLOW, "");
	CHECK_EQ(settle(&f, &first, "RTP/SAVP", "a=crypto:1 " SUITE80 " inline:" KEY30 "\r\n"), ANSWER_OK);

	/* Their key stays, under another tag: so does ours. */
	CHECK_EQ(offered(&f, &terms, "RTP/SAVP", "a=crypto:7 " SUITE80 " inline:" KEY30 "\r\na=sendonly\r\n"), ANSWER_OK);
	CHECK(offer_security_same(&first, &terms) && !terms.send);
	CHECK(strstr(said(&f), "a=crypto:7 " SUITE80) && strstr(said(&f), "m=audio 4000 RTP/SAVP 0"));

	/* A new key of theirs, and of ours. */
	CHECK_EQ(offered(&f, &terms, "RTP/SAVP", "a=crypto:1 F8 inline:x\r\na=crypto:2 " SUITE80 " inline:" OTHER30 "\r\n"), ANSWER_OK);
	CHECK(terms.secure && memcmp(terms.keys.server, first.keys.server, 30) && memcmp(terms.keys.client, first.keys.client, 30));
	CHECK_EQ(lines_said(&f), 1);

	/* Another suite, one that we did not offer; rtcp-mux. */
	CHECK_EQ(offered(&f, &terms, "RTP/SAVPF", "a=crypto:1 AEAD_AES_128_GCM inline:" KEY28 "|2^31|9:1\r\na=rtcp-mux\r\n"), ANSWER_OK);
	CHECK(terms.secure && terms.rtcp_mux && terms.keys.profile == SRTP_PROFILE_AEAD_AES_128_GCM);
	CHECK_EQ(terms.keys.server_mki.size, 1);
	CHECK(strstr(said(&f), " RTP/SAVPF ") && strstr(said(&f), "a=rtcp-mux\r\n"));

	/* To clear, and back; with both on offer, the safe one. */
	CHECK_EQ(offered(&f, &terms, "RTP/AVP", ""), ANSWER_OK);
	CHECK(!terms.secure && !lines_said(&f) && strstr(said(&f), " RTP/AVP "));
	CHECK_EQ(offered(&f, &terms, "RTP/AVP", "m=audio 5002 RTP/SAVP 0\r\na=crypto:1 " SUITE32 " inline:" KEY30 "\r\n"), ANSWER_OK);
	CHECK(terms.secure && strstr(said(&f), "m=audio 0 RTP/AVP 0\r\nm=audio 4000 RTP/SAVP 0\r\n"));
	struct media_leg_remote before = f.n.terms;
	CHECK_EQ(offered(&f, &terms, "RTP/SAVP", "a=crypto:1 F8 inline:x\r\n"), ANSWER_E_CRYPTO);
	CHECK(offer_security_same(&before, &f.n.terms));
	CHECK(*negotiation_warning(ANSWER_E_CRYPTO));
}

static void what_is_required_stays(void)
{
	struct fixture f;
	struct media_leg_remote terms;

	begin(&f, OFFER_SECURITY_REQUIRE, "{\"ringdown\": {\"srtp\": {\"suites\": [\"" SUITE80 "\"]}}}");
	CHECK_EQ(settle(&f, &terms, "RTP/SAVP", "a=crypto:1 " SUITE80 " inline:" KEY30 "\r\n"), ANSWER_OK);
	CHECK_EQ(offered(&f, &terms, "RTP/AVP", ""), ANSWER_E_IN_CLEAR);
	CHECK_EQ(offered(&f, &terms, "RTP/SAVP", "a=crypto:1 " SUITE32 " inline:" KEY30 "\r\n"), ANSWER_E_CRYPTO);
	CHECK(f.n.terms.secure);

	begin(&f, OFFER_SECURITY_DISABLE, "");
	CHECK_EQ(settle(&f, &terms, "RTP/AVP", ""), ANSWER_OK);
	CHECK_EQ(offered(&f, &terms, "RTP/SAVP", "a=crypto:1 " SUITE80 " inline:" KEY30 "\r\n"), ANSWER_E_UNWANTED);
}

#define THEIRS "a=fingerprint:SHA-256 ff:EE:dd:CC:BB:AA:99:88:77:66:55:44:33:22:11:00:FF:EE:DD:CC:BB:AA:99:88:77:66:55:44:33:22:11:00\r\n"

static void dtls_is_offered_and_answered(void)
{
	const char *dtls = "{\"ringdown\": {\"media_security\": \"dtls\"}}";
	static const struct {
		const char *protocol, *lines;
		enum answer_outcome outcome;
		bool we_begin, ice;
	} cases[] = {
		{"UDP/TLS/RTP/SAVP", THEIRS "a=setup:active\r\n", ANSWER_OK, false, false},
		{"UDP/TLS/RTP/SAVPF", THEIRS "a=setup:passive\r\na=ice-ufrag:abcd\r\na=rtcp-mux\r\n", ANSWER_OK, true, true},
		{"UDP/TLS/RTP/SAVP", THEIRS, ANSWER_OK, false, false},
		{"UDP/TLS/RTP/SAVP", THEIRS "a=setup:holdconn\r\n", ANSWER_E_CRYPTO, false, false},
		{"UDP/TLS/RTP/SAVP", "a=setup:active\r\n", ANSWER_E_CRYPTO, false, false},
		{"UDP/TLS/RTP/SAVP", "a=fingerprint:sha-1 00:11\r\na=setup:active\r\n", ANSWER_E_CRYPTO, false, false},
		{"UDP/TLS/RTP/SAVP", "a=fingerprint:sha-256 00:11\r\na=setup:active\r\n", ANSWER_E_CRYPTO, false, false},
		{"RTP/SAVP", "a=crypto:1 " SUITE80 " inline:" KEY30 "\r\n", ANSWER_E_CRYPTO, false, false},
		{"RTP/AVP", "", ANSWER_E_IN_CLEAR, false, false},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct fixture f;
		struct media_leg_remote terms = {0};
		begin(&f, OFFER_SECURITY_REQUIRE, dtls);
		CHECK(strstr(said(&f), "m=audio 4000 UDP/TLS/RTP/SAVP 0") && !lines_said(&f));
		CHECK(strstr(said(&f), "a=fingerprint:sha-256 " FINGERPRINT "\r\na=setup:actpass\r\n"));
		CHECK(strstr(said(&f), "a=ice-lite\r\n") && strstr(said(&f), "a=rtcp-mux\r\n"));
		CHECK(strstr(said(&f), "a=candidate:1 1 UDP 2130706431 192.0.2.1 4000 typ host\r\n"));
		CHECK_EQ(settle(&f, &terms, cases[i].protocol, cases[i].lines), cases[i].outcome);
		if (cases[i].outcome != ANSWER_OK)
			continue;
		CHECK(terms.secure && terms.dtls);
		CHECK_EQ(terms.dtls_client, cases[i].we_begin);
		CHECK_EQ(terms.ice, cases[i].ice);
		CHECK_STR(terms.local_ice.ufrag, f.security.ice.ufrag);
		CHECK(negotiation_offer(&f.n).size && strstr(said(&f), "a=setup:actpass"));
	}
	struct fixture f;
	struct media_leg_remote terms, again;
	begin(&f, OFFER_SECURITY_ALLOW, dtls);
	CHECK(negotiation_give_up_security(&f.n));
	CHECK(negotiation_offer(&f.n).size && strstr(said(&f), " RTP/AVP ") && !strstr(said(&f), "fingerprint"));

	/* They offer it: we begin, and keep to that when they offer the same again. */
	begin(&f, OFFER_SECURITY_ALLOW, "");
	CHECK_EQ(settle(&f, &terms, "RTP/AVP", ""), ANSWER_OK);
	CHECK_EQ(offered(&f, &terms, "UDP/TLS/RTP/SAVPF", THEIRS "a=setup:actpass\r\na=ice-ufrag:abcd\r\na=rtcp-mux\r\n"), ANSWER_OK);
	CHECK(terms.dtls && terms.dtls_client && terms.ice && terms.rtcp_mux);
	CHECK(strstr(said(&f), " UDP/TLS/RTP/SAVPF ") && strstr(said(&f), "a=setup:active") && strstr(said(&f), "a=ice-ufrag:"));
	CHECK_EQ(offered(&f, &again, "UDP/TLS/RTP/SAVPF", THEIRS "a=setup:actpass\r\na=ice-ufrag:abcd\r\na=rtcp-mux\r\n"), ANSWER_OK);
	CHECK(offer_security_same(&terms, &again));
	CHECK_EQ(offered(&f, &again, "UDP/TLS/RTP/SAVPF", THEIRS "a=setup:active\r\na=rtcp-mux\r\n"), ANSWER_OK);
	CHECK(!again.dtls_client && !offer_security_same(&terms, &again));
	begin(&f, OFFER_SECURITY_DISABLE, "");
	CHECK_EQ(settle(&f, &terms, "RTP/AVP", ""), ANSWER_OK);
	CHECK_EQ(offered(&f, &terms, "UDP/TLS/RTP/SAVPF", THEIRS "a=setup:actpass\r\n"), ANSWER_E_UNWANTED);
}

static void modes_are_of_trunk_and_request(void)
{
	Livekit__SIPOutboundTrunkInfo t = LIVEKIT__SIPOUTBOUND_TRUNK_INFO__INIT;
	Livekit__SIPMediaConfig media = LIVEKIT__SIPMEDIA_CONFIG__INIT;

	CHECK_EQ(offer_security_mode_of(&t), OFFER_SECURITY_DISABLE);
	t.media_encryption = LIVEKIT__SIPMEDIA_ENCRYPTION__SIP_MEDIA_ENCRYPT_ALLOW;
	CHECK_EQ(offer_security_mode_of(&t), OFFER_SECURITY_ALLOW);
	t.media = &media;
	CHECK_EQ(offer_security_mode_of(&t), OFFER_SECURITY_ALLOW);
	media._encryption_case = LIVEKIT__SIPMEDIA_CONFIG___ENCRYPTION_ENCRYPTION;
	CHECK_EQ(offer_security_mode_of(&t), OFFER_SECURITY_DISABLE);
	media.encryption = LIVEKIT__SIPMEDIA_ENCRYPTION__SIP_MEDIA_ENCRYPT_REQUIRE;
	CHECK_EQ(offer_security_mode_of(&t), OFFER_SECURITY_REQUIRE);
}

int main(void)
{
	each_mode_has_its_offer();
	an_answer_is_what_the_mode_says();
	refused_it_is_offered_in_clear_where_that_is_allowed();
	forks_have_keys_of_their_own();
	their_new_offers_are_answered();
	what_is_required_stays();
	dtls_is_offered_and_answered();
	modes_are_of_trunk_and_request();
	return 0;
}

#include "test/check.h"
#include "wire/sdp_crypto.h"

#define KEY30 "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz" /* of RFC 4568, 10.1 */
#define KEY46 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLQ"
#define KEY28 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw"
#define KEY44 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKis"

static struct sdp_crypto fine(const char *text)
{
	struct sdp_crypto c;
	enum sdp_crypto_error e = sdp_crypto_parse(&c, span_text(text));
	if (e != SDP_CRYPTO_OK)
		fprintf(stderr, "%s: %s\n", text, sdp_crypto_error_text(e));
	CHECK_EQ(e, SDP_CRYPTO_OK);
	return c;
}

static void what_others_write_is_read(void)
{
	static const struct {
		const char *text;
		uint32_t tag;
		enum sdp_crypto_suite suite;
		uint64_t lifetime;
		uint8_t mki_bytes, mki_last;
	} cases[] = {
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30, 1, SDP_CRYPTO_AES_CM_128_HMAC_SHA1_80, 0, 0, 0},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|2^20|1:4 FEC=x", 0, SDP_CRYPTO__SUITES, 0, 0, 0},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|2^20|1:4", 1,
			SDP_CRYPTO_AES_CM_128_HMAC_SHA1_80, 1 << 20, 4, 1},
		{"2 AES_CM_128_HMAC_SHA1_32 inline:" KEY30 "|1000000", 2,
			SDP_CRYPTO_AES_CM_128_HMAC_SHA1_32, 1000000, 0, 0},
		{"999999999\tAES_256_CM_HMAC_SHA1_80  inline:" KEY46 "==|66:1 ", 999999999,
			SDP_CRYPTO_AES_256_CM_HMAC_SHA1_80, 0, 1, 66},
		{"0 AES_CM_256_HMAC_SHA1_32 inline:" KEY46 " WSH=64 KDR=0 -x=1", 0,
			SDP_CRYPTO_AES_256_CM_HMAC_SHA1_32, 0, 0, 0},
		{"3 AEAD_AES_128_GCM inline:" KEY28 "|2^48", 3, SDP_CRYPTO_AEAD_AES_128_GCM, 1ull << 48, 0, 0},
		{"4 aead_aes_256_gcm INLINE:" KEY44, 4, SDP_CRYPTO_AEAD_AES_256_GCM, 0, 0, 0},
		{"5 AEAD_AES_256_GCM inline:" KEY44 "=|2^31|18446744073709551615:8", 5,
			SDP_CRYPTO_AEAD_AES_256_GCM, 1ull << 31, 8, 0xff},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct sdp_crypto c;
		if (cases[i].suite == SDP_CRYPTO__SUITES) {
			CHECK_EQ(sdp_crypto_parse(&c, span_text(cases[i].text)), SDP_CRYPTO_E_PARAM);
			continue;
		}
		c = fine(cases[i].text);
		CHECK_EQ(c.tag, cases[i].tag);
		CHECK_EQ(c.suite, cases[i].suite);
		CHECK_EQ(c.lifetime, cases[i].lifetime);
		CHECK_EQ(c.mki_bytes, cases[i].mki_bytes);
		if (c.mki_bytes)
			CHECK_EQ(c.mki[c.mki_bytes - 1], cases[i].mki_last);
	}
	struct sdp_crypto c = fine("1 AES_256_CM_HMAC_SHA1_80 inline:" KEY46);
	for (uint8_t i = 0; i < sdp_crypto_key_bytes(c.suite); ++i)
		CHECK_EQ(c.key[i], i);
}

static void what_we_cannot_use_is_refused(void)
{
	static const struct {
		const char *text;
		enum sdp_crypto_error why;
	} cases[] = {
		{"", SDP_CRYPTO_E_SYNTAX},
		{"1", SDP_CRYPTO_E_SYNTAX},
		{"x AES_CM_128_HMAC_SHA1_80 inline:" KEY30, SDP_CRYPTO_E_SYNTAX},
		{"1000000000 AES_CM_128_HMAC_SHA1_80 inline:" KEY30, SDP_CRYPTO_E_SYNTAX},
		{"1 AES_CM_128_HMAC_SHA1_80", SDP_CRYPTO_E_SYNTAX},
		{"1 F8_128_HMAC_SHA1_80 inline:" KEY30, SDP_CRYPTO_E_SUITE},
		{"1 AES_CM_128_HMAC_SHA1_80 uri:https://keys.example", SDP_CRYPTO_E_SYNTAX},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:", SDP_CRYPTO_E_KEY},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY28, SDP_CRYPTO_E_KEY},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY46, SDP_CRYPTO_E_KEY},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 KEY30, SDP_CRYPTO_E_KEY},
		{"1 AES_256_CM_HMAC_SHA1_80 inline:" KEY30, SDP_CRYPTO_E_KEY},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:%%%%" KEY30, SDP_CRYPTO_E_KEY},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|0", SDP_CRYPTO_E_SYNTAX},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|2^49", SDP_CRYPTO_E_SYNTAX},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|2^x", SDP_CRYPTO_E_SYNTAX},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|2^20|1", SDP_CRYPTO_E_SYNTAX},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|1:0", SDP_CRYPTO_E_SYNTAX},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|256:1", SDP_CRYPTO_E_SYNTAX},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|1:129", SDP_CRYPTO_E_SYNTAX},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|1:16", SDP_CRYPTO_E_MKI},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|18446744073709551616:8", SDP_CRYPTO_E_MKI},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|2^20|1:4|x", SDP_CRYPTO_E_SYNTAX},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|2^20|1:4;inline:" KEY30 "|2^20|2:4",
			SDP_CRYPTO_E_KEYS},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 " UNENCRYPTED_SRTP", SDP_CRYPTO_E_PARAM},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 " UNENCRYPTED_SRTCP", SDP_CRYPTO_E_PARAM},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 " WSH=64 UNAUTHENTICATED_SRTP", SDP_CRYPTO_E_PARAM},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 " KDR=1", SDP_CRYPTO_E_PARAM},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 " FEC_ORDER=FEC_SRTP", SDP_CRYPTO_E_PARAM},
	};
	static const struct sdp_crypto nothing;
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct sdp_crypto c;
		enum sdp_crypto_error e = sdp_crypto_parse(&c, span_text(cases[i].text));
		if (e != cases[i].why)
			fprintf(stderr, "%s\n", cases[i].text);
		CHECK_EQ(e, cases[i].why);
		CHECK(!memcmp(&c, &nothing, sizeof c)); /* no key is left behind */
		CHECK(*sdp_crypto_error_text(e));
	}
}

static void what_is_written_is_read_back(void)
{
	static const char *const lines[] = {
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30,
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|2^31|1:1",
		"7 AES_CM_128_HMAC_SHA1_32 inline:" KEY30 "|1000000",
		"8 AES_CM_256_HMAC_SHA1_80 inline:" KEY46 "==|300:2",
		"9 AEAD_AES_256_GCM inline:" KEY44 "=",
	};
	for (size_t i = 0; i < COUNT_OF(lines); ++i) {
		char text[256], expected[256];
		struct writer w = writer_of(text, sizeof text);
		struct sdp_crypto c = fine(lines[i]);
		sdp_crypto_write(&w, &c);
		write_u8(&w, 0);
		CHECK(!w.bad);
		snprintf(expected, sizeof expected, "a=crypto:%s\r\n", lines[i]);
		CHECK_STR(text, expected);
		w = writer_of(text, strlen(expected) - 1);
		sdp_crypto_write(&w, &c);
		CHECK(w.bad);
	}
}

static void names(void)
{
	enum sdp_crypto_suite s;
	for (enum sdp_crypto_suite i = 0; i < SDP_CRYPTO__SUITES; ++i) {
		CHECK(sdp_crypto_suite_named(&s, span_text(sdp_crypto_suite_name(i))));
		CHECK_EQ(s, i);
	}
	CHECK(!sdp_crypto_suite_named(&s, span_text("NULL_HMAC_SHA1_80")));
	CHECK_STR(sdp_crypto_error_text(SDP_CRYPTO__COUNT), "unknown");
}

int main(void)
{
	what_others_write_is_read();
	what_we_cannot_use_is_refused();
	what_is_written_is_read_back();
	names();
	return 0;
}

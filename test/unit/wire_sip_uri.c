#include "wire/sip_uri.h"
#include "test/check.h"

static void uris(void)
{
	static const struct {
		const char *text, *user, *host;
		uint16_t port;
		enum sip_scheme scheme;
	} good[] = {
		{"sip:a@b", "a", "b", 0, SIP_SCHEME_SIP},
		{"sip:b", "", "b", 0, SIP_SCHEME_SIP},
		{"SIPS:a@b.example:5061", "a", "b.example", 5061, SIP_SCHEME_SIPS},
		{"sip:+15550100@[2001:db8::1]:5070;transport=tcp", "+15550100", "2001:db8::1", 5070,
			SIP_SCHEME_SIP},
		{"sip:+12025550123;npdi;rn=%2B12025550100@10.0.0.1:5060;user=phone;x=%3Ca%3E;ob",
			"+12025550123;npdi;rn=%2B12025550100", "10.0.0.1", 5060, SIP_SCHEME_SIP},
		{"sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too."
		 "(doesn't-it)@example.com",
			"1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*", "example.com", 0,
			SIP_SCHEME_SIP},
		{"sip:sip%3Auser%40example.com@company.com;other-param=summit", "sip%3Auser%40example.com",
			"company.com", 0, SIP_SCHEME_SIP},
		{"tel:+1-555-0100;phone-context=example", "", "+1-555-0100", 0, SIP_SCHEME_TEL},
		{"http://example.com/x", "", "//example.com/x", 0, SIP_SCHEME_OTHER},
	};
	for (size_t i = 0; i < COUNT_OF(good); ++i) {
		struct sip_uri u;
		CHECK_EQ(sip_uri_parse(&u, span_text(good[i].text)), 0);
		CHECK(span_is(u.user, good[i].user));
		CHECK(span_is(u.host, good[i].host));
		CHECK_EQ(u.port, good[i].port);
		CHECK_EQ(u.scheme, good[i].scheme);

		char out[512];
		struct writer w = writer_of(out, sizeof out);
		sip_uri_write(&w, &u);
		struct sip_uri again;
		if (u.scheme == SIP_SCHEME_OTHER)
			continue;
		CHECK_EQ(sip_uri_parse(&again, writer_span(&w)), 0);
		CHECK_EQ(writer_span(&w).size, strlen(good[i].text));
	}

	static const char *const bad[] = {"", "sip:", "sip", "sip:@b", "sip:a@", "sip:a@b:0",
		"sip:a@b:65536", "sip:a@b:x", "sip:a@b@c", "sip:a b@c", "sip:a@[::1", "sip:a@[::1]x",
		"sip:a@b\r\nX: y", "1sip:a@b", "+15550100", "sip:<a@b>", "sip:a@b\x01"};
	for (size_t i = 0; i < COUNT_OF(bad); ++i) {
		struct sip_uri u = {.port = 7};
		CHECK_EQ(sip_uri_parse(&u, span_text(bad[i])), SIP_URI_E_BAD);
		CHECK_EQ(u.port, 7);
	}
}

static void params(void)
{
	struct span list = span_text("transport=tcp;lr;q = \"a;b\\\";c\" ;tag= x ;LR2=");
	struct span v;

	CHECK(sip_param_get(list, "Transport", &v) && span_is(v, "tcp"));
	CHECK(sip_param_get(list, "lr", &v) && !v.size);
	CHECK(sip_param_get(list, "q", &v) && span_is(v, "a;b\\\";c"));
	CHECK(sip_param_get(list, "tag", &v) && span_is(v, "x"));
	CHECK(sip_param_get(list, "lr2", NULL));
	CHECK(!sip_param_get(list, "b", NULL));
	CHECK(!sip_param_get((struct span){0}, "lr", NULL));
}

static void numbers(void)
{
	uint32_t n = 1;

	CHECK(sip_number(span_text("0"), 9, &n) && n == 0);
	CHECK(sip_number(span_text("4294967295"), UINT32_MAX, &n) && n == UINT32_MAX);
	CHECK(!sip_number(span_text("4294967296"), UINT32_MAX, &n));
	CHECK(!sip_number(span_text("99999999999999999999999999"), UINT32_MAX, &n));
	CHECK(!sip_number(span_text("-1"), 9, &n));
	CHECK(!sip_number(span_text(""), 9, &n));
	CHECK(!sip_number(span_text("1 "), 9, &n));
}

int main(void)
{
	uris();
	params();
	numbers();
	return 0;
}

#include "sip/digest.h"
#include "base/mem.h"
#include "test/check.h"

/* RFC 2617 section 3.5, RFC 7616 section 3.9. */
static void vectors(void)
{
	static const struct {
		enum sip_digest_algorithm algorithm;
		const char *user, *password, *realm, *nonce, *cnonce, *nc, *method, *uri, *want;
		bool qop;
	} cases[] = {
		{SIP_DIGEST_MD5, "Mufasa", "Circle Of Life", "testrealm@host.com",
			"dcd98b7102dd2f0e8b11d0f600bfb0c093", "0a4f113b", "00000001", "GET",
			"/dir/index.html", "6629fae49393a05397450978507c4ef1", true},
		{SIP_DIGEST_MD5, "Mufasa", "Circle of Life", "http-auth@example.org",
			"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
			"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "00000001", "GET",
			"/dir/index.html", "8ca523f5e9506fed4657c9700eebdbec", true},
		{SIP_DIGEST_SHA256, "Mufasa", "Circle of Life", "http-auth@example.org",
			"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
			"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "00000001", "GET",
			"/dir/index.html",
			"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", true},
		/* RFC 2069 section 2.4, with the response of its errata. */
		{SIP_DIGEST_MD5, "Mufasa", "CircleOfLife", "testrealm@host.com",
			"dcd98b7102dd2f0e8b11d0f600bfb0c093", "", "", "GET", "/dir/index.html",
			"1949323746fe6a43ef61f9606e7febea", false},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		char got[SIP_DIGEST_HEX_SIZE];
		struct sip_digest_input in = {
			.algorithm = cases[i].algorithm,
			.username = span_text(cases[i].user),
			.password = span_text(cases[i].password),
			.realm = span_text(cases[i].realm),
			.nonce = span_text(cases[i].nonce),
			.cnonce = span_text(cases[i].cnonce),
			.nc = span_text(cases[i].nc),
			.qop = cases[i].qop ? SIP_QOP_AUTH : SIP_QOP_NONE,
			.method = span_text(cases[i].method),
			.uri = span_text(cases[i].uri),
		};
		CHECK_EQ(sip_digest_response(got, &in), 0);
		CHECK_STR(got, cases[i].want);
	}
}

static void message(struct sip_message *m, char *out, size_t size, const char *start,
	const char *headers)
{
	int n = snprintf(out, size,
		"%s\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
		"To: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n%s\r\n",
		start, headers);
	CHECK_EQ(sip_message_parse(m, span_of(out, (size_t)n)), SIP_OK);
}

/* Challenge, answer, verify: what the answer says must be right for the far end. */
static int go_round(struct sip_authorizer *a, unsigned status, const char *challenges,
	char *answer, size_t size)
{
	char bytes[4096], start[64];
	struct sip_message m;
	struct writer w = writer_of(answer, size - 1);

	snprintf(start, sizeof start, "SIP/2.0 %u Challenge", status);
	message(&m, bytes, sizeof bytes, start, challenges);
	int r = sip_authorizer_challenged(a, &m);
	if (r)
		return r;
	CHECK_EQ(sip_authorizer_write(&w, a, "alice", "secret", span_text("INVITE"),
			 span_text("sip:c@d;x=1"), span_text("v=0"), "0123456789abcdef"),
		0);
	CHECK(!w.bad);
	answer[w.used] = 0;
	return 0;
}

static int verify(const char *headers, enum sip_header_id id, const char *realm, const char *nonce)
{
	char bytes[8192], whole[6144];
	struct sip_message m;

	snprintf(whole, sizeof whole, "%s\r\nv=0", headers); /* message() ends the line, here the body */
	message(&m, bytes, sizeof bytes, "INVITE sip:c@d;x=1 SIP/2.0", whole);
	m.content.size = 3;
	CHECK(span_is(m.content, "v=0"));
	return sip_digest_verify(&m, id, realm, nonce, "alice", "secret");
}

static void rounds(void)
{
	static const struct {
		const char *challenge, *must_say;
	} cases[] = {
		{"WWW-Authenticate: Digest realm=\"r\",nonce=\"n\",qop=\"auth\"\r\n", "qop=auth"},
		{"WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n", "response="},
		{"WWW-Authenticate: Digest realm=\"r\",nonce=\"n\",qop=\"auth-int\"\r\n", "qop=auth-int"},
		{"WWW-Authenticate: Digest realm=\"r\",nonce=\"n\",algorithm=SHA-256-sess,qop=\"auth-int\"\r\n",
			"qop=auth-int"},
		{"WWW-Authenticate: Digest realm=\"r\",nonce=\"n\",algorithm=MD5-sess,qop=\"auth-int, auth\"\r\n",
			"algorithm=MD5-sess"},
		{"WWW-Authenticate: Digest realm=\"r\",nonce=\"n\",algorithm=sha-256,opaque=\"a\\\"b\"\r\n",
			"opaque=\"a\\\"b\""},
		{"WWW-Authenticate: digest REALM=\"r\",nonce=n,algorithm=\"SHA-256-sess\",qop=auth\r\n",
			"algorithm=SHA-256-sess"},
		{"WWW-Authenticate: Digest realm=\"r\",nonce=\"n\",algorithm=SHA-512-256,qop=\"auth\"\r\n",
			"algorithm=SHA-512-256"},
		/* Several in one line; the strongest known wins, wherever it stands. */
		{"WWW-Authenticate: Basic realm=\"r\", Digest realm=\"r\",nonce=\"n\",algorithm=SHA-256,"
		 "Digest realm=\"r\",nonce=\"m\",algorithm=MD5, Digest realm=\"r\",nonce=\"z\",algorithm=X\r\n",
			"algorithm=SHA-256"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct sip_authorizer a = {0};
		char answer[4096];
		CHECK_EQ(go_round(&a, 401, cases[i].challenge, answer, sizeof answer), 0);
		CHECK(strstr(answer, cases[i].must_say));
		CHECK(strstr(answer, "uri=\"sip:c@d;x=1\""));
		CHECK_EQ(verify(answer, SIP_H_AUTHORIZATION, "r", "n"), 0);
		CHECK_EQ(verify(answer, SIP_H_AUTHORIZATION, "r", "q"), SIP_VERIFY_E_NONCE);
		CHECK_EQ(verify(answer, SIP_H_AUTHORIZATION, "q", "n"), SIP_VERIFY_E_NONE);
		CHECK_EQ(verify(answer, SIP_H_PROXY_AUTHORIZATION, "r", "n"), SIP_VERIFY_E_NONE);
		/* The same challenge again means that the answer was wrong. */
		CHECK_EQ(go_round(&a, 401, cases[i].challenge, answer, sizeof answer),
			SIP_AUTH_E_REFUSED);
	}
}

static void limits(void)
{
	struct sip_authorizer a = {0};
	char answer[8192], challenge[2048], nonce[SIP_NONCE_SIZE + 1];
	int i;

	CHECK_EQ(go_round(&a, 407, "Proxy-Authenticate: Digest realm=\"r\",nonce=\"n\",algorithm=X\r\n",
			 answer, sizeof answer),
		SIP_AUTH_E_UNKNOWN);
	CHECK_EQ(go_round(&a, 407, "Proxy-Authenticate: Digest realm=\"r\",nonce=\"n\",qop=\"token\"\r\n",
			 answer, sizeof answer),
		SIP_AUTH_E_UNKNOWN);
	memset(nonce, 'n', sizeof nonce);
	nonce[sizeof nonce - 1] = 0;
	snprintf(challenge, sizeof challenge,
		"Proxy-Authenticate: Digest realm=\"r\",nonce=\"%s\"\r\n", nonce);
	CHECK_EQ(go_round(&a, 407, challenge, answer, sizeof answer), SIP_AUTH_E_UNKNOWN);
	nonce[SIP_NONCE_SIZE - 1] = 0; /* a token of some kilobit is somebody's nonce */
	snprintf(challenge, sizeof challenge,
		"Proxy-Authenticate: Digest realm=\"r\",nonce=\"%s\"\r\n", nonce);
	CHECK_EQ(go_round(&a, 407, challenge, answer, sizeof answer), 0);
	CHECK_EQ(verify(answer, SIP_H_PROXY_AUTHORIZATION, "r", nonce), 0);

	/* A new stale nonce each time: it comes to an end. */
	a = (struct sip_authorizer){0};
	for (i = 0; i < 20; ++i) {
		snprintf(challenge, sizeof challenge,
			"Proxy-Authenticate: Digest realm=\"r\",nonce=\"n%d\",stale=true\r\n", i);
		if (go_round(&a, 407, challenge, answer, sizeof answer))
			break;
	}
	CHECK_EQ(i, SIP_AUTH_TRIES_MAX);

	/* A stale nonce that is the one just refused is no new chance. */
	a = (struct sip_authorizer){0};
	const char *same = "Proxy-Authenticate: Digest realm=\"r\",nonce=\"n\",stale=true\r\n";
	CHECK_EQ(go_round(&a, 407, same, answer, sizeof answer), 0);
	CHECK_EQ(go_round(&a, 407, same, answer, sizeof answer), SIP_AUTH_E_REFUSED);
}

/* The next request counts on with the same nonce; a realm that is tired of it may ask anew, once. */
static void one_nonce_for_several_requests(void)
{
	static const char first[] = "WWW-Authenticate: Digest realm=\"r\",nonce=\"n\",qop=\"auth\"\r\n";
	static const char second[] = "WWW-Authenticate: Digest realm=\"r\",nonce=\"m\",qop=\"auth\"\r\n";
	struct sip_authorizer a = {0};
	char answer[4096];
	struct writer w = writer_of(answer, sizeof answer - 1);

	CHECK_EQ(go_round(&a, 401, first, answer, sizeof answer), 0);
	CHECK(strstr(answer, "nc=00000001"));
	/* Another nonce without "stale": perhaps the first was too old. Once. */
	CHECK_EQ(go_round(&a, 401, second, answer, sizeof answer), 0);
	CHECK_EQ(go_round(&a, 401, first, answer, sizeof answer), SIP_AUTH_E_REFUSED);
	a = (struct sip_authorizer){0};
	CHECK_EQ(go_round(&a, 401, first, answer, sizeof answer), 0);
	sip_authorizer_begin(&a);
	CHECK_EQ(sip_authorizer_write(&w, &a, "alice", "secret", span_text("INVITE"),
			 span_text("sip:c@d;x=1"), span_text("v=0"), "0123456789abcdef"), 0);
	answer[w.used] = 0;
	CHECK(strstr(answer, "nonce=\"n\"") && strstr(answer, "nc=00000002"));
	CHECK_EQ(verify(answer, SIP_H_AUTHORIZATION, "r", "n"), 0);
	CHECK_EQ(go_round(&a, 401, second, answer, sizeof answer), 0);
	CHECK(strstr(answer, "nonce=\"m\"") && strstr(answer, "nc=00000001"));
	CHECK_EQ(go_round(&a, 401, second, answer, sizeof answer), SIP_AUTH_E_REFUSED); /* the same one again */
}

/* A proxy that forks has collected both kinds (RFC 3261 section 22.3); others mix them up. */
static void challenges_of_both_kinds(void)
{
	static const char both[] = "WWW-Authenticate: Digest realm=\"u\",nonce=\"1\",qop=\"auth\"\r\n"
				   "Proxy-Authenticate: Digest realm=\"p\",nonce=\"2\",qop=\"auth\"\r\n";
	static const char wrong[] = "WWW-Authenticate: Digest realm=\"u\",nonce=\"1\",qop=\"auth\"\r\n";
	char answer[4096];

	for (unsigned status = 401; status <= 407; status += 6) {
		struct sip_authorizer a = {0};
		CHECK_EQ(go_round(&a, status, both, answer, sizeof answer), 0);
		CHECK_EQ(verify(answer, SIP_H_AUTHORIZATION, "u", "1"), 0);
		CHECK_EQ(verify(answer, SIP_H_PROXY_AUTHORIZATION, "p", "2"), 0);
		a = (struct sip_authorizer){0};
		CHECK_EQ(go_round(&a, status, wrong, answer, sizeof answer), 0);
		CHECK_EQ(verify(answer, SIP_H_AUTHORIZATION, "u", "1"), 0);
	}
}

/* RFC 7616 section 3.5: what the 2xx says of the next nonce. */
static void the_next_nonce(void)
{
	static const struct {
		const char *headers, *nonce, *nc;
	} cases[] = {
		{"Authentication-Info: nextnonce=\"next\", qop=auth, nc=00000001\r\n", "next", "nc=00000001"},
		{"authentication-info:rspauth=\"nextnonce=no\" , NextNonce = next\r\n", "next", "nc=00000001"},
		{"Proxy-Authentication-Info: nextnonce=\"next\"\r\n", "n", "nc=00000002"},
		{"Authentication-Info: nextnonce=\"\"\r\n", "n", "nc=00000002"},
		{"Authentication-Info: nextnonce=\"without end\r\n", "n", "nc=00000002"},
		{"", "n", "nc=00000002"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct sip_authorizer a = {0};
		struct sip_message m;
		char text[2048], answer[4096];
		struct writer w = writer_of(answer, sizeof answer - 1);
		CHECK_EQ(go_round(&a, 401, "WWW-Authenticate: Digest realm=\"r\",nonce=\"n\",qop=\"auth\"\r\n", answer,
				 sizeof answer), 0);
		message(&m, text, sizeof text, "SIP/2.0 200 OK", cases[i].headers);
		sip_authorizer_renew(&a, &m);
		sip_authorizer_begin(&a);
		CHECK_EQ(sip_authorizer_write(&w, &a, "alice", "secret", span_text("INVITE"), span_text("sip:c@d;x=1"),
				 span_text("v=0"), "0123456789abcdef"), 0);
		answer[w.used] = 0;
		CHECK_EQ(verify(answer, SIP_H_AUTHORIZATION, "r", cases[i].nonce), 0);
		CHECK(strstr(answer, cases[i].nc));
	}
	/* Of two realms it does not say which. */
	struct sip_authorizer two = {.count = 2};
	struct sip_message m;
	char text[2048];
	message(&m, text, sizeof text, "SIP/2.0 200 OK", cases[0].headers);
	sip_authorizer_renew(&two, &m);
	CHECK_STR(two.realms[0].nonce, "");
}

static void wrong_answers(void)
{
	struct sip_authorizer a = {0};
	char answer[4096], bytes[8192];
	struct sip_message m;

	CHECK_EQ(go_round(&a, 401, "WWW-Authenticate: Digest realm=\"r\",nonce=\"n\",qop=\"auth\"\r\n",
			 answer, sizeof answer),
		0);
	message(&m, bytes, sizeof bytes, "INVITE sip:c@d;x=1 SIP/2.0", answer);
	CHECK_EQ(sip_digest_verify(&m, SIP_H_AUTHORIZATION, "r", NULL, "alice", "Secret"),
		SIP_VERIFY_E_RESPONSE);
	CHECK_EQ(sip_digest_verify(&m, SIP_H_AUTHORIZATION, "r", NULL, "bob", "secret"),
		SIP_VERIFY_E_USER);
	message(&m, bytes, sizeof bytes, "INVITE sip:premium@d SIP/2.0", answer);
	CHECK_EQ(sip_digest_verify(&m, SIP_H_AUTHORIZATION, "r", NULL, "alice", "secret"),
		SIP_VERIFY_E_RESPONSE);
	message(&m, bytes, sizeof bytes, "OPTIONS sip:c@d;x=1 SIP/2.0", answer);
	CHECK_EQ(sip_digest_verify(&m, SIP_H_AUTHORIZATION, "r", NULL, "alice", "secret"),
		SIP_VERIFY_E_RESPONSE);
}

int main(void)
{
	vectors();
	rounds();
	limits();
	one_nonce_for_several_requests();
	challenges_of_both_kinds();
	the_next_nonce();
	wrong_answers();
	CHECK_EQ(mem_live(), 0);
	return 0;
}

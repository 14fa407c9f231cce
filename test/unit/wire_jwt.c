#include "base/mem.h"
#include "test/check.h"
#include "wire/base64.h"
#include "wire/grants.h"
#include "wire/jwt.h"

static const char *secret_of(void *owner, const char *key)
{
	return strcmp(key, "devkey") ? NULL : "secret";
}

/* Made by livekit-server-sdk 2 (Node) with the key "devkey": alice for the room "lobby", six hours
 * from 1795612156. Its header has no `typ`. */
static const char by_sdk[] =
	"eyJhbGciOiJIUzI1NiJ9."
	"eyJtZXRhZGF0YSI6IntcImFcIjoxfSIsImF0dHJpYnV0ZXMiOnsibGFuZyI6ImRlIn0sIm5hbWUiOiJBbGljZSDD"
	"hCIsInZpZGVvIjp7InJvb21Kb2luIjp0cnVlLCJyb29tIjoibG9iYnkiLCJjYW5QdWJsaXNoIjp0cnVlLCJjYW5T"
	"dWJzY3JpYmUiOmZhbHNlLCJjYW5QdWJsaXNoRGF0YSI6dHJ1ZSwiY2FuUHVibGlzaFNvdXJjZXMiOlsibWljcm9w"
	"aG9uZSIsInNjcmVlbl9zaGFyZSJdLCJoaWRkZW4iOmZhbHNlLCJjYW5VcGRhdGVPd25NZXRhZGF0YSI6dHJ1ZX0s"
	"InNpcCI6eyJhZG1pbiI6dHJ1ZSwiY2FsbCI6dHJ1ZX0sImlzcyI6ImRldmtleSIsImV4cCI6MTc5NTYzMzc1Niwi"
	"bmJmIjoxNzk1NjEyMTU2LCJzdWIiOiJhbGljZSJ9."
	"7Ha7QMcwKopeKzbwOKCjhTMKghhT49QAXUPQrP4wjmM";

static const char *sdk_secret_of(void *owner, const char *key)
{
	return strcmp(key, "devkey") ? NULL : owner;
}

static int verify_sdk(struct grants *g, const char *token, const char *secret, int64_t now_s)
{
	json_t *claims = NULL;
	int r = jwt_verify(&claims, span_text(token), sdk_secret_of, (void *)secret, now_s);
	CHECK_EQ(r == JWT_OK, claims != NULL);
	if (g && claims)
		grants_init(g, json_incref(claims));
	json_decref(claims);
	return r;
}

static void a_token_of_the_sdk_is_understood(void)
{
	static const char secret[] = "a secret of at least thirty-two bytes";
	enum { MADE = 1795612156, ENDS = 1795633756 };
	struct grants g = {0};
	CHECK_EQ(verify_sdk(&g, by_sdk, secret, MADE), JWT_OK);
	CHECK_STR(g.issuer, "devkey");
	CHECK_STR(g.identity, "alice");
	CHECK_STR(g.name, "Alice \xc3\x84");
	CHECK_STR(g.metadata, "{\"a\":1}");
	CHECK_STR(json_string_value(json_object_get(g.attributes, "lang")), "de");
	CHECK_STR(g.video.room, "lobby");
	CHECK(g.video.room_join && !g.video.room_admin && !g.video.hidden);
	CHECK(grants_can_publish(&g) && !grants_can_subscribe(&g) && grants_can_publish_data(&g));
	CHECK_EQ(g.video.can_update_own_metadata, GRANT_YES);
	CHECK_EQ(g.video.can_subscribe_metrics, GRANT_ABSENT);
	CHECK_EQ(g.video.source_count, 2);
	CHECK_STR(g.video.sources[0], "microphone");
	CHECK_STR(g.video.sources[1], "screen_share");
	CHECK(g.sip.admin && g.sip.call);
	CHECK_EQ(g.expires_s, ENDS);
	grants_fini(&g);

	CHECK_EQ(verify_sdk(NULL, by_sdk, secret, MADE - 60), JWT_OK);
	CHECK_EQ(verify_sdk(NULL, by_sdk, secret, MADE - 61), JWT_E_NOT_YET);
	CHECK_EQ(verify_sdk(NULL, by_sdk, secret, ENDS + 60), JWT_OK);
	CHECK_EQ(verify_sdk(NULL, by_sdk, secret, ENDS + 61), JWT_E_EXPIRED);
	CHECK_EQ(verify_sdk(NULL, by_sdk, "another secret", MADE), JWT_E_SIGNATURE);
	CHECK_EQ(verify_sdk(NULL, by_sdk, NULL, MADE), JWT_E_UNKNOWN_KEY);
	CHECK_EQ(verify_sdk(NULL, by_sdk, "", MADE), JWT_E_UNKNOWN_KEY);
}

static void every_changed_or_missing_character_is_noticed(void)
{
	static const char secret[] = "a secret of at least thirty-two bytes";
	char token[sizeof by_sdk];
	for (size_t i = 0; by_sdk[i]; ++i) {
		memcpy(token, by_sdk, sizeof token);
		token[i] = token[i] == 'A' ? 'B' : 'A';
		/* The last character of the signature carries four bits that count for nothing. */
		if (by_sdk[i + 1])
			CHECK(verify_sdk(NULL, token, secret, 1795612156) > 0);
		token[i] = 0;
		CHECK(verify_sdk(NULL, token, secret, 1795612156) > 0);
	}
	char longer[sizeof by_sdk + 8];
	static const char *const tails[] = {"=", ".", "A", " ", ".e30"};
	for (size_t i = 0; i < COUNT_OF(tails); ++i) {
		snprintf(longer, sizeof longer, "%s%s", by_sdk, tails[i]);
		CHECK(verify_sdk(NULL, longer, secret, 1795612156) > 0);
	}
}

static char *sign(const char *json)
{
	char *token = NULL;
	json_t *claims = json_loads(json, 0, NULL);
	CHECK(claims);
	CHECK_EQ(jwt_sign(&token, claims, "secret"), 0);
	json_decref(claims);
	return token;
}

static int verify(const char *token)
{
	json_t *claims = NULL;
	int r = jwt_verify(&claims, span_text(token), secret_of, NULL, 1700000000);
	json_decref(claims);
	return r;
}

static void tokens_are_accepted_or_refused_by_name(void)
{
	static const struct {
		const char *about, *claims;
		int want;
	} cases[] = {
		{"plain", "{\"iss\":\"devkey\",\"sub\":\"a\",\"exp\":1700000100}", JWT_OK},
		{"no expiry, as LiveKit takes it", "{\"iss\":\"devkey\",\"sub\":\"a\"}", JWT_OK},
		{"expired within the leeway", "{\"iss\":\"devkey\",\"exp\":1699999950}", JWT_OK},
		{"expired", "{\"iss\":\"devkey\",\"exp\":1699999900}", JWT_E_EXPIRED},
		{"from the future", "{\"iss\":\"devkey\",\"nbf\":1700000100}", JWT_E_NOT_YET},
		{"not before, within the leeway",
			"{\"iss\":\"devkey\",\"nbf\":1700000060}", JWT_OK},
		{"issued in the future", "{\"iss\":\"devkey\",\"iat\":1700000100}", JWT_E_NOT_YET},
		{"expired in 1970", "{\"iss\":\"devkey\",\"exp\":0}", JWT_E_EXPIRED},
		{"a fraction of a second", "{\"iss\":\"devkey\",\"exp\":1700000000.5}", JWT_OK},
		{"an expiry that is no number",
			"{\"iss\":\"devkey\",\"exp\":\"never\"}", JWT_E_MALFORMED},
		{"null is absent", "{\"iss\":\"devkey\",\"exp\":null}", JWT_OK},
		{"another server's key", "{\"iss\":\"other\"}", JWT_E_UNKNOWN_KEY},
		{"no issuer", "{\"sub\":\"a\"}", JWT_E_UNKNOWN_KEY},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		char *token = sign(cases[i].claims);
		if (verify(token) != cases[i].want)
			fprintf(stderr, "case: %s\n", cases[i].about);
		CHECK_EQ(verify(token), cases[i].want);
		mem_free(token);
	}
	CHECK_EQ(verify(""), JWT_E_MALFORMED);
	CHECK_EQ(verify("a.b"), JWT_E_MALFORMED);
	CHECK_EQ(verify("..."), JWT_E_MALFORMED);
	CHECK_EQ(verify("not a token at all"), JWT_E_MALFORMED);
	/* {"alg":"none"} and {"alg":"HS512"} */
	CHECK_EQ(verify("eyJhbGciOiJub25lIn0.eyJpc3MiOiJkZXZrZXkifQ."), JWT_E_ALGORITHM);
	CHECK_EQ(verify("eyJhbGciOiJIUzUxMiJ9.eyJpc3MiOiJkZXZrZXkifQ.AAAA"), JWT_E_ALGORITHM);
	/* {"alg":"HS256","crit":["x"]}; the claim `iss` twice; a header that is a list */
	CHECK_EQ(verify("eyJhbGciOiJIUzI1NiIsImNyaXQiOlsieCJdfQ.eyJpc3MiOiJkZXZrZXkifQ.AAAA"),
		JWT_E_MALFORMED);
	CHECK_EQ(verify("eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJhIiwiaXNzIjoiZGV2a2V5In0.AAAA"),
		JWT_E_MALFORMED);
	CHECK_EQ(verify("W10.eyJpc3MiOiJkZXZrZXkifQ.AAAA"), JWT_E_MALFORMED);
}

static void a_token_has_a_longest_length(void)
{
	static char filler[JWT_TEXT_MAX];
	char *token = NULL;
	memset(filler, 'x', sizeof filler - 1);
	json_t *claims = json_pack("{s:s,s:s}", "iss", "devkey", "metadata", filler);
	CHECK_EQ(jwt_sign(&token, claims, "secret"), JWT_E_MALFORMED);
	CHECK(!token);
	json_decref(claims);
	static char dots[JWT_TEXT_MAX + 1];
	memset(dots, '.', sizeof dots);
	json_t *none = NULL;
	struct span all_dots = span_of(dots, sizeof dots);
	CHECK_EQ(jwt_verify(&none, all_dots, secret_of, NULL, 0), JWT_E_MALFORMED);
}

static void every_allocation_may_fail(void)
{
	char *token = NULL;
	json_t *claims = json_pack("{s:s}", "iss", "devkey"), *read = NULL;
	mem_fail_after(0);
	CHECK(jwt_sign(&token, claims, "secret") < 0);
	mem_fail_after(-1);
	CHECK(!token);
	CHECK_EQ(jwt_sign(&token, claims, "secret"), 0);
	mem_fail_after(0);
	CHECK(jwt_verify(&read, span_text(token), secret_of, NULL, 0) < 0);
	mem_fail_after(-1);
	CHECK(!read);
	mem_free(token);
	json_decref(claims);
}

static void grants_are_read(void)
{
	struct grants g;
	static const char claims[] =
		"{\"jti\":\"from-jti\",\"video\":{\"room\":\"r\",\"roomJoin\":true,\"canPublish\":false,"
		"\"canPublishSources\":[\"microphone\",7]},\"sip\":{\"call\":true},\"name\":9}";
	grants_init(&g, json_loads(claims, 0, NULL));
	CHECK_STR(g.identity, "from-jti");
	CHECK_STR(g.name, "");
	CHECK_STR(g.video.room, "r");
	CHECK(g.has_video && g.video.room_join && !g.video.room_admin);
	CHECK(!grants_can_publish(&g) && grants_can_subscribe(&g));
	CHECK(!grants_can_publish_data(&g)); /* follows publishing when absent */
	CHECK_EQ(g.video.source_count, 1);
	CHECK(g.sip.call && !g.sip.admin);
	grants_fini(&g);

	/* A list in which nothing is known must not come to mean "everything". */
	grants_init(&g, json_loads("{\"video\":{\"canPublishSources\":[7]}}", 0, NULL));
	CHECK_EQ(g.video.source_count, 1);
	CHECK_STR(g.video.sources[0], "");
	grants_fini(&g);
	grants_init(&g, json_object());
	CHECK(!g.has_video && !g.attributes && !g.room_config);
	CHECK(grants_can_publish(&g) && grants_can_subscribe(&g) && grants_can_publish_data(&g));
	grants_fini(&g);
	grants_fini(&g);
}

static void base64_round_trips(void)
{
	for (size_t size = 0; size < 70; ++size) {
		uint8_t in[70], back[80];
		char text[BASE64_TEXT_SIZE(70)];
		size_t back_size;
		for (size_t i = 0; i < size; ++i)
			in[i] = (uint8_t)(i * 37 + size);
		CHECK_EQ(base64_encode(text, span_of(in, size)), strlen(text));
		CHECK_EQ(base64_decode(back, &back_size, span_text(text)), 0);
		CHECK_EQ(back_size, size);
		CHECK(!size || !memcmp(in, back, size));
		base64_encode_url(text, span_of(in, size));
		CHECK(!strpbrk(text, "+/="));
		CHECK_EQ(base64_decode(back, &back_size, span_text(text)), 0);
		CHECK_EQ(back_size, size);
	}
	uint8_t out[16];
	size_t n;
	CHECK_EQ(base64_decode(out, &n, span_text("AAAA!")), BASE64_E_BAD);
	CHECK_EQ(base64_decode(out, &n, span_text("A")), BASE64_E_BAD);
}

int main(void)
{
	tokens_are_accepted_or_refused_by_name();
	a_token_of_the_sdk_is_understood();
	every_changed_or_missing_character_is_noticed();
	a_token_has_a_longest_length();
	every_allocation_may_fail();
	grants_are_read();
	base64_round_trips();
	CHECK_EQ(mem_live(), 0);
	return 0;
}

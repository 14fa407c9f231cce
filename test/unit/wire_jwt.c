#include "base/mem.h"
#include "test/check.h"
#include "wire/base64.h"
#include "wire/grants.h"
#include "wire/jwt.h"

static const char *secret_of(void *owner, const char *key)
{
	return strcmp(key, "devkey") ? NULL : "secret";
}

/* {"alg":"HS256"} without typ, as livekit-server-sdk writes it; expires in 2033. */
static const char foreign[] =
	"eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJkZXZrZXkiLCJzdWIiOiJhbGljZSIsImV4cCI6MjAwMDAwMDAwMCwidmlkZW8iOnsicm9vbUpva"
	"W4iOnRydWUsInJvb20iOiJyIn19.";

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
	CHECK_EQ(verify(foreign), JWT_E_SIGNATURE);
}

static void one_changed_character_is_noticed(void)
{
	char *token = sign("{\"iss\":\"devkey\",\"sub\":\"a\"}");
	size_t dot = (size_t)(strrchr(token, '.') - token);
	token[dot + 5] = token[dot + 5] == 'A' ? 'B' : 'A';
	CHECK_EQ(verify(token), JWT_E_SIGNATURE);
	mem_free(token);
}

static void grants_are_read(void)
{
	struct grants g;
	grants_init(&g, json_loads("{\"jti\":\"from-jti\",\"video\":{\"room\":\"r\",\"roomJoin\":true,\"canPublish\":false,"
				   "\"canPublishSources\":[\"microphone\",7]},\"sip\":{\"call\":true},\"name\":9}",
				0, NULL));
	CHECK_STR(g.identity, "from-jti");
	CHECK_STR(g.name, "");
	CHECK_STR(g.video.room, "r");
	CHECK(g.has_video && g.video.room_join && !g.video.room_admin);
	CHECK(!grants_can_publish(&g) && grants_can_subscribe(&g));
	CHECK(!grants_can_publish_data(&g)); /* follows publishing when absent */
	CHECK_EQ(g.video.source_count, 1);
	CHECK(g.sip.call && !g.sip.admin);
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
	one_changed_character_is_noticed();
	grants_are_read();
	base64_round_trips();
	CHECK_EQ(mem_live(), 0);
	return 0;
}

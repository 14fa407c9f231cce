#include "api_harness.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "test/check.h"

#define DIAL "/livekit/sip/outbound"
#define GOOD "{\"room\": \"r\", \"phone_number\": \"+14155550123\"}"

static void refused(const struct answer *a, int status, const char *code, const char *says)
{
	if (a->status != status || strcmp(field(a, "error.code"), code) ||
		!strstr(field(a, "error.message"), says) || !json_is_false(json_object_get(a->json, "success"))) {
		fprintf(stderr, "expected %d %s %s, got %d %s\n", status, code, says, a->status, a->body);
		exit(1);
	}
}

static const char *secret_of(void *owner, const char *key)
{
	return !strcmp(key, HARNESS_KEY) ? HARNESS_SECRET : NULL;
}

static void the_curl_line_dials(void)
{
	struct harness h;
	harness_start(&h, true, NULL);
	const char *id = harness_add_trunk(&h, "bank", "+14155550100");
	struct answer *a = ask(&h, false, "POST", DIAL, "Content-Type: application/json\r\n",
		"{\"room\": \"your-room-name\", \"phone_number\": \"+1 234-567890\"}");
	struct call *c = fake_calls_last(h.calls);
	CHECK_EQ(a->status, 200);
	CHECK(json_is_true(json_object_get(a->json, "success")));
	CHECK_STR(field(a, "participant_identity"), "sip_+1 234-567890");
	CHECK_STR(field(a, "participant_id"), call_participant_sid(c));
	CHECK_STR(field(a, "room"), "your-room-name");
	CHECK_STR(field(a, "sip_call_id"), call_id(c));
	CHECK_STR(field(a, "trunk_id"), id);
	CHECK_STR(field(a, "phone_number"), "+1234567890");

	a = ask(&h, false, "POST", DIAL, "", "{\"room\":\"r\",\"phone_number\":\"+14155550123\",\"trunk\":\"bank\","
		"\"from\":\"+14155550100\",\"participant_identity\":\"bank\",\"participant_name\":\"Bank\","
		"\"dtmf\":\"1w2\",\"ringing_timeout\":2.5,\"participant_attributes\":{\"a\":\"b\"},"
		"\"unknown\":[1]}");
	CHECK_EQ(a->status, 200);
	CHECK_STR(fake_call_asked(fake_calls_last(h.calls)),
		"r|+14155550123|bank|+14155550100|bank|Bank|1w2|2500|1");
	harness_stop(&h);
}

static void mistakes_get_a_code_and_a_sentence(void)
{
	static const struct {
		const char *body;
		const char *code, *says;
	} cases[] = {
		{"", "invalid_json", "empty"},
		{"{nonsense", "invalid_json", "not JSON"},
		{"[]", "invalid_json", "object"},
		{"7", "invalid_json", "object"},
		{"{\"room\":\"a\",\"room\":\"b\"}", "invalid_json", "duplicate"},
		{"{\"phone_number\":\"+14155550123\"}", "missing_room", "room"},
		{"{\"room\":\"\",\"phone_number\":\"+14155550123\"}", "missing_room", "room"},
		{"{\"room\":null,\"phone_number\":\"+14155550123\"}", "missing_room", "room"},
		{"{\"room\":\"r\"}", "missing_phone_number", "phone_number"},
		{"{\"room\":\"r\",\"phone_number\":\"\"}", "missing_phone_number", "phone_number"},
		{"{\"room\":\"r\",\"phone_number\":14155550123}", "invalid_field", "phone_number must be a text"},
		{"{\"room\":7,\"phone_number\":\"+14155550123\"}", "invalid_field", "room must be a text"},
		{"{\"room\":\"r\",\"phone_number\":\"+14155550123\",\"wait_until_answered\":\"yes\"}",
			"invalid_field", "wait_until_answered must be true or false"},
		{"{\"room\":\"r\",\"phone_number\":\"+14155550123\",\"ringing_timeout\":-1}", "invalid_field",
			"ringing_timeout"},
		{"{\"room\":\"r\",\"phone_number\":\"+14155550123\",\"ringing_timeout\":1e9}", "invalid_field",
			"ringing_timeout"},
		{"{\"room\":\"r\",\"phone_number\":\"+14155550123\",\"participant_attributes\":{\"a\":1}}",
			"invalid_field", "participant_attributes"},
	};
	struct harness h;
	harness_start(&h, true, NULL);
	for (size_t i = 0; i < COUNT_OF(cases); ++i)
		refused(ask(&h, false, "POST", DIAL, "", cases[i].body), 400, cases[i].code, cases[i].says);
	char long_name[600];
	snprintf(long_name, sizeof long_name, "{\"room\":\"%0300d\",\"phone_number\":\"+14155550123\"}", 0);
	refused(ask(&h, false, "POST", DIAL, "", long_name), 400, "invalid_field", "300 bytes");

	char *big = mem_zalloc(LIMIT_BACKEND_BODY_BYTES + 2);
	memset(big, ' ', LIMIT_BACKEND_BODY_BYTES + 1);
	refused(ask(&h, false, "POST", DIAL, "", big), 413, "body_too_large", "65537");
	mem_free(big);
	refused(ask(&h, false, "GET", DIAL, "", NULL), 405, "method_not_allowed", "POST");
	refused(ask(&h, false, "POST", "/livekit/nothing", "", "{}"), 404, "not_found", "/livekit/nothing");
	CHECK_EQ(fake_calls_dialled(h.calls), 0);
	harness_stop(&h);
}

static void refusals_of_the_call_are_passed_on(void)
{
	static const struct {
		int outcome, status;
		const char *code;
	} cases[] = {
		{CALL_E_NUMBER, 400, "invalid_phone_number"}, {CALL_E_COUNTRY, 403, "country_not_allowed"},
		{CALL_E_BLOCKED, 403, "number_blocked"}, {CALL_E_RATE, 429, "rate_limited"},
		{CALL_E_ALREADY, 409, "already_dialing"}, {CALL_E_LIMIT, 429, "too_many_calls"},
		{CALL_E_NO_CALLER, 412, "no_caller_number"}, {CALL_E_INVALID, 400, "invalid_field"},
	};
	struct harness h;
	harness_start(&h, true, NULL);
	refused(ask(&h, false, "POST", DIAL, "", GOOD), 412, "no_trunk", "ringdown sip outbound create");
	harness_add_trunk(&h, "bank", "+14155550100");
	CHECK_EQ(ask(&h, false, "POST", DIAL, "", GOOD)->status, 200);
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		fake_calls_refuse(h.calls, cases[i].outcome, "What to fix.");
		struct answer *a = ask(&h, false, "POST", DIAL, "", GOOD);
		refused(a, cases[i].status, cases[i].code, "What to fix.");
		if (cases[i].outcome == CALL_E_ALREADY)
			CHECK_STR(field(a, "error.sip_call_id"), call_id(fake_calls_last(h.calls)));
	}
	fake_calls_refuse(h.calls, 0, "");
	refused(ask(&h, false, "POST", DIAL, "", "{\"room\":\"r\",\"phone_number\":\"+14155550123\",\"trunk\":\"x\"}"),
		404, "trunk_not_found", "bank (ST_");
	harness_add_trunk(&h, "other", "+14155550100");
	refused(ask(&h, false, "POST", DIAL, "", GOOD), 409, "trunk_not_chosen", "LIVEKIT_SIP_TRUNK");
	harness_stop(&h);
}

static void waiting_ends_with_the_call(void)
{
	static const char wait[] = "{\"room\":\"r\",\"phone_number\":\"+14155550123\",\"wait_until_answered\":true}";
	static struct request r;
	static struct answer a;
	struct harness h;
	harness_start(&h, true, NULL);
	harness_add_trunk(&h, "bank", "+14155550100");

	request_begin(&r, &h, false, "POST", DIAL, "", wait);
	while (!fake_calls_last(h.calls))
		CHECK(!request_turn(&r, &h));
	fake_call_answer(fake_calls_last(h.calls));
	request_finish(&a, &r, &h);
	CHECK_EQ(a.status, 200);
	CHECK_STR(field(&a, "phone_number"), "+14155550123");

	request_begin(&r, &h, false, "POST", DIAL, "", wait);
	while (fake_calls_dialled(h.calls) < 2)
		CHECK(!request_turn(&r, &h));
	fake_call_fail(fake_calls_last(h.calls), 486, "Busy Here");
	request_finish(&a, &r, &h);
	refused(&a, 502, "busy", "busy");
	CHECK_EQ(json_integer_value(json_object_get(json_object_get(a.json, "error"), "sip_status")), 486);

	/* Whoever asked goes away: the call goes on, and its end finds nobody. */
	request_begin(&r, &h, false, "POST", DIAL, "", wait);
	while (fake_calls_dialled(h.calls) < 3)
		CHECK(!request_turn(&r, &h));
	request_abandon(&r, &h);
	CHECK(!fake_call_hung_up(fake_calls_last(h.calls)));
	fake_call_answer(fake_calls_last(h.calls));

	/* The server stops under a waiting request. */
	request_begin(&r, &h, false, "POST", DIAL, "", wait);
	while (fake_calls_dialled(h.calls) < 4)
		CHECK(!request_turn(&r, &h));
	api_close(h.api);
	request_finish(&a, &r, &h);
	refused(&a, 503, "shutting_down", "shutting down");
	json_decref(a.json);
	a.json = NULL;
	harness_stop(&h);
}

static void one_key_dials_once(void)
{
	static const char key[] = "Idempotency-Key: k1\r\n";
	static const char wait[] = "{\"room\":\"w\",\"phone_number\":\"+14155550123\",\"wait_until_answered\":true}";
	static struct request first, second;
	static struct answer a, b;
	char id[32];
	struct harness h;
	harness_start(&h, true, NULL);

	/* A refusal is not kept: the trunk is made, and the same key works. */
	refused(ask(&h, false, "POST", DIAL, key, GOOD), 412, "no_trunk", "No SIP trunk");
	harness_add_trunk(&h, "bank", "+14155550100");
	snprintf(id, sizeof id, "%s", field(ask(&h, false, "POST", DIAL, key, GOOD), "sip_call_id"));
	CHECK_STR(field(ask(&h, false, "POST", DIAL, key, GOOD), "sip_call_id"), id);
	CHECK_EQ(fake_calls_dialled(h.calls), 1);
	refused(ask(&h, false, "POST", DIAL, key, wait), 422, "idempotency_key_reused", "Idempotency-Key");

	/* Two at once: the second waits for the first. */
	request_begin(&first, &h, false, "POST", DIAL, "Idempotency-Key: k2\r\n", wait);
	while (fake_calls_dialled(h.calls) < 2)
		CHECK(!request_turn(&first, &h));
	request_begin(&second, &h, false, "POST", DIAL, "Idempotency-Key: k2\r\n", wait);
	for (int i = 0; i < 50; ++i)
		CHECK(!request_turn(&second, &h));
	CHECK_EQ(fake_calls_dialled(h.calls), 2);
	fake_call_answer(fake_calls_last(h.calls));
	request_finish(&a, &first, &h);
	request_finish(&b, &second, &h);
	CHECK_EQ(b.status, 200);
	CHECK_STR(field(&b, "sip_call_id"), field(&a, "sip_call_id"));
	json_decref(a.json);
	json_decref(b.json);
	a.json = b.json = NULL;

	/* However many keys come, no more than the limit are kept. */
	for (int i = 0; i < 40; ++i) {
		char header[64];
		snprintf(header, sizeof header, "Idempotency-Key: many-%d\r\n", i);
		CHECK_EQ(ask(&h, false, "POST", DIAL, header, GOOD)->status, 200);
	}
	harness_stop(&h);
}

static void outside_development_a_token_is_wanted(void)
{
	struct harness h;
	harness_start(&h, false, NULL);
	harness_add_trunk(&h, "bank", "+14155550100");
	refused(ask(&h, false, "POST", DIAL, "", GOOD), 401, "unauthenticated", "token");
	refused(ask(&h, false, "GET", "/app/config", "", NULL), 401, "unauthenticated", "token");
	refused(ask(&h, false, "POST", "/livekit/token", "", "{}"), 401, "unauthenticated", "token");
	refused(ask(&h, false, "POST", "/livekit/sip/hangup", "", "{}"), 401, "unauthenticated", "token");
	refused(ask(&h, false, "POST", DIAL, "Authorization: Bearer nonsense\r\n", GOOD), 401, "unauthenticated",
		"token");
	refused(ask(&h, false, "POST", DIAL, "Authorization: Basic x\r\n", GOOD), 401, "unauthenticated", "Bearer");
	refused(ask(&h, false, "POST", DIAL, token_header("{\"video\":{\"roomJoin\":true,\"room\":\"r\"}}"), GOOD), 401,
		"unauthenticated", "sip.call");
	CHECK_EQ(ask(&h, false, "POST", DIAL, token_header("{\"sip\":{\"call\":true}}"), GOOD)->status, 200);

	/* Joining: only the room and the identity of the token that asks. */
	static const char me[] = "{\"sub\":\"me\",\"video\":{\"roomJoin\":true,\"room\":\"r\",\"canPublish\":false}}";
	refused(ask(&h, false, "POST", "/livekit/token", token_header(me), "{\"room_name\":\"other\"}"), 401,
		"unauthenticated", "roomJoin");
	refused(ask(&h, false, "POST", "/livekit/token", token_header(me), "{\"participant_identity\":\"you\"}"), 403,
		"identity_not_allowed", "me");
	struct answer *a = ask(&h, false, "POST", "/livekit/token", token_header(me), "{}");
	CHECK_EQ(a->status, 201);
	CHECK_STR(field(a, "room_name"), "r");
	CHECK_STR(field(a, "participant_identity"), "me");
	json_t *claims = NULL;
	CHECK_EQ(jwt_verify(&claims, span_text(field(a, "participant_token")), secret_of, NULL, clock_unix_s()), 0);
	CHECK(json_is_false(json_object_get(json_object_get(claims, "video"), "canPublish")));
	CHECK(json_integer_value(json_object_get(claims, "exp")) <= clock_unix_s() + 60);
	json_decref(claims);
	harness_stop(&h);
}

static void development_is_open_for_this_machine_only(void)
{
	struct harness h;
	harness_start(&h, true, NULL);
	harness_add_trunk(&h, "bank", "+14155550100");
	CHECK_EQ(ask(&h, false, "POST", DIAL, "Origin: http://127.0.0.1:8000\r\n", GOOD)->status, 200);
	CHECK_EQ(ask(&h, false, "POST", DIAL, "Host: localhost:8000\r\nOrigin: http://localhost:8000\r\n", GOOD)->status,
		200);
	refused(ask(&h, false, "POST", DIAL, "Origin: https://evil.example\r\n", GOOD), 401, "unauthenticated", "token");
	refused(ask(&h, false, "POST", DIAL, "Origin: null\r\n", GOOD), 401, "unauthenticated", "token");
	refused(ask(&h, false, "POST", DIAL, "Origin: https://127.0.0.1.evil.example\r\n", GOOD), 401,
		"unauthenticated", "token");
	refused(ask(&h, false, "POST", DIAL, "Host: rebound.example\r\n", GOOD), 401, "unauthenticated", "token");
	harness_stop(&h);
}

static void tokens_have_the_shape_of_the_starter_apps(void)
{
	struct harness h;
	harness_start(&h, true, NULL);
	struct answer *a = ask(&h, false, "POST", "/livekit/token", "", "{\"room_name\":\"t\",\"participant_identity\":"
		"\"zoe\",\"participant_name\":\"Zoe\",\"participant_metadata\":\"m\",\"participant_attributes\":"
		"{\"k\":\"v\"},\"room_config\":{},\"phone_number\":\"+1 415 555 0123\"}");
	CHECK_EQ(a->status, 201);
	CHECK_STR(field(a, "server_url"), "ws://127.0.0.1:7880");
	CHECK_STR(field(a, "room_name"), "t");
	CHECK_STR(field(a, "participant_identity"), "zoe");
	CHECK_STR(field(a, "phone_number"), "+14155550123");
	a = ask(&h, false, "GET", "/livekit/token?room=q&identity=kim", "Host: localhost:8000\r\n", NULL);
	CHECK_STR(field(a, "server_url"), "ws://localhost:7880");
	CHECK_STR(field(a, "room_name"), "q");
	CHECK_STR(field(a, "participant_identity"), "kim");
	a = ask(&h, false, "POST", "/livekit/token", "", "{}");
	CHECK(!strncmp(field(a, "room_name"), "room-", 5) && !strncmp(field(a, "participant_identity"), "user-", 5));
	refused(ask(&h, false, "POST", "/livekit/token", "", "{\"phone_number\":\"12\"}"), 400, "invalid_phone_number",
		"\"12\"");
	refused(ask(&h, false, "POST", "/livekit/token", "", "{\"room_config\":7}"), 400, "invalid_field", "room_config");
	a = ask(&h, false, "GET", "/app/config", "", NULL);
	CHECK_EQ(a->status, 200);
	CHECK(strstr(a->body, "{\"id\":\"one\",\"name\":\"One Bank\",\"phone_number\":\"+14155550123\"}"));
	harness_stop(&h);
}

static void calls_can_be_hung_up(void)
{
	char body[256];
	struct harness h;
	harness_start(&h, true, NULL);
	harness_add_trunk(&h, "bank", "+14155550100");
	ask(&h, false, "POST", DIAL, "", GOOD);
	struct call *c = fake_calls_last(h.calls);
	refused(ask(&h, false, "POST", "/livekit/sip/hangup", "", "{\"room\":\"r\"}"), 400, "missing_field", "sip_call_id");
	refused(ask(&h, false, "POST", "/livekit/sip/hangup", "", "{\"sip_call_id\":\"SCL_x\"}"), 404, "call_not_found",
		"no such call");
	snprintf(body, sizeof body, "{\"room\":\"r\",\"participant_identity\":\"%s\"}", call_participant_identity(c));
	CHECK_EQ(ask(&h, false, "POST", "/livekit/sip/hangup", "", body)->status, 200);
	CHECK(fake_call_hung_up(c));
	refused(ask(&h, false, "POST", "/livekit/sip/hangup", "", body), 404, "call_not_found", "ended");
	harness_stop(&h);
}

/* Numbers and addresses are an operator's business, whichever door is asked. */
static void operators_only(void)
{
	static const char *const paths[] = {"/livekit/sip/calls", "/livekit/sip/calls/SCL_x", "/livekit/sip/trunks",
		"/livekit/sip/policy?number=%2B14155550123"};
	struct harness h;
	char key[1024];
	harness_start(&h, false, NULL);
	snprintf(key, sizeof key, "%s", token_header("{\"sip\":{\"call\":true},\"video\":{\"roomJoin\":true}}"));
	for (size_t i = 0; i < 2 * COUNT_OF(paths); ++i) {
		refused(ask(&h, i & 1, "GET", paths[i / 2], "", NULL), 401, "unauthenticated", "token is needed");
		refused(ask(&h, i & 1, "GET", paths[i / 2], key, NULL), 401, "unauthenticated", "sip.admin");
	}
	harness_stop(&h);
}

/* What is quoted in a refusal may be no UTF-8, which cannot stand in JSON. */
static void strange_bytes_are_refused_in_words(void)
{
	struct harness h;
	harness_start(&h, true, NULL);
	harness_add_trunk(&h, "bank", "+14155550100");
	refused(ask(&h, false, "GET", "/livekit/sip/policy?number=%2B14155550123&trunk=%ff", "", NULL), 404,
		"trunk_not_found", "?");
	harness_stop(&h);
}

int main(void)
{
	the_curl_line_dials();
	mistakes_get_a_code_and_a_sentence();
	refusals_of_the_call_are_passed_on();
	waiting_ends_with_the_call();
	one_key_dials_once();
	outside_development_a_token_is_wanted();
	development_is_open_for_this_machine_only();
	tokens_have_the_shape_of_the_starter_apps();
	calls_can_be_hung_up();
	strange_bytes_are_refused_in_words();
	operators_only();
	return 0;
}

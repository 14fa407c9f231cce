#include "base/mem.h"
#include "test/check.h"
#include "wire/proto_json.h"
#include "wire/proto_time.h"

#include "livekit_room.pb-c.h"
#include "livekit_rtc.pb-c.h"
#include "livekit_sip.pb-c.h"
#include "livekit_webhook.pb-c.h"

#include <jansson.h>

static int read_as(struct proto_arena *a, ProtobufCMessage **m,
	const ProtobufCMessageDescriptor *type, const char *text, unsigned flags,
	struct proto_json_error *error)
{
	return proto_json_read(m, a, type, span_text(text), flags, error);
}

/* JSON in, both forms out. */
static const struct {
	const ProtobufCMessageDescriptor *type;
	const char *in, *twirp, *brief;
} both_ways[] = {
	{&livekit__mute_room_track_request__descriptor, "{}",
		"{\"room\":\"\",\"identity\":\"\",\"track_sid\":\"\",\"muted\":false}", "{}"},
	{&livekit__mute_room_track_request__descriptor,
		" {\"room\":\"r\\u00fc\",\"trackSid\":\"T\",\"muted\":true,\"extra\":[{}]} ",
		"{\"room\":\"r\xc3\xbc\",\"identity\":\"\",\"track_sid\":\"T\",\"muted\":true}",
		"{\"room\":\"r\xc3\xbc\",\"trackSid\":\"T\",\"muted\":true}"},
	{&livekit__mute_room_track_response__descriptor, "{\"track\":null}", "{\"track\":null}",
		"{}"},
	/* bytes, an enum by name, an optional field, lists */
	{&livekit__send_data_request__descriptor,
		"{\"data\":\"aGk\",\"kind\":\"LOSSY\",\"topic\":\"\",\"destination_identities\":["
		"\"a\",\"b\"]}",
		"{\"room\":\"\",\"data\":\"aGk=\",\"kind\":\"LOSSY\",\"destination_sids\":[],"
		"\"topic\":\"\","
		"\"destination_identities\":[\"a\",\"b\"],\"nonce\":\"\"}",
		"{\"data\":\"aGk=\",\"kind\":\"LOSSY\",\"topic\":\"\",\"destinationIdentities\":["
		"\"a\",\"b\"]}"},
	{&livekit__send_data_request__descriptor, "{\"data\":\"-_8=\",\"kind\":1,\"topic\":null}",
		"{\"room\":\"\",\"data\":\"+/8=\",\"kind\":\"LOSSY\",\"destination_sids\":[],"
		"\"destination_identities\":[],\"nonce\":\"\"}",
		"{\"data\":\"+/8=\",\"kind\":\"LOSSY\"}"},
	/* 64 bits as a number and as text; escapes */
	{&livekit__room_participant_identity__descriptor,
		"{\"revokeTokenTs\":12,\"room\":\"\\\"\\n\\u0001\\\\\"}",
		"{\"room\":\"\\\"\\n\\u0001\\\\\",\"identity\":\"\",\"revoke_token_ts\":\"12\"}",
		"{\"room\":\"\\\"\\n\\u0001\\\\\",\"revokeTokenTs\":\"12\"}"},
	{&livekit__room_participant_identity__descriptor,
		"{\"revoke_token_ts\":\"-9223372036854775808\"}",
		"{\"room\":\"\",\"identity\":\"\",\"revoke_token_ts\":\"-9223372036854775808\"}",
		"{\"revokeTokenTs\":\"-9223372036854775808\"}"},
	/* maps by text and by number, floats, unknown enum names in a list */
	{&livekit__update_participant_metadata__descriptor,
		"{\"attributes\":{\"k\":\"v\",\"\":\"\"},\"requestId\":4294967295}",
		"{\"metadata\":\"\",\"name\":\"\",\"attributes\":{\"k\":\"v\",\"\":\"\"},\"request_"
		"id\":4294967295}",
		"{\"attributes\":{\"k\":\"v\",\"\":\"\"},\"requestId\":4294967295}"},
	{&livekit__data_track_subscriber_handles__descriptor,
		"{\"sub_handles\":{\"7\":{\"track_sid\":\"D\"}}}",
		"{\"sub_handles\":{\"7\":{\"publisher_identity\":\"\",\"publisher_sid\":\"\","
		"\"track_sid\":\"D\"}}}",
		"{\"subHandles\":{\"7\":{\"trackSid\":\"D\"}}}"},
	{&livekit__speaker_info__descriptor, "{\"level\":0.1,\"active\":true}",
		"{\"sid\":\"\",\"level\":0.1,\"active\":true}", "{\"level\":0.1,\"active\":true}"},
	{&livekit__update_local_audio_track__descriptor,
		"{\"features\":[\"TF_NO_DTX\",\"TF_NEW\",2, 77]}",
		"{\"track_sid\":\"\",\"features\":[\"TF_NO_DTX\",\"TF_AUTO_GAIN_CONTROL\",77]}",
		"{\"features\":[\"TF_NO_DTX\",\"TF_AUTO_GAIN_CONTROL\",77]}"},
	/* a oneof: only its member shows; a duration */
	{&livekit__sipdispatch_rule__descriptor, "{\"dispatchRuleDirect\":{\"roomName\":\"r\"}}",
		"{\"dispatch_rule_direct\":{\"room_name\":\"r\",\"pin\":\"\"}}",
		"{\"dispatchRuleDirect\":{\"roomName\":\"r\"}}"},
	{&livekit__transfer_sipparticipant_request__descriptor,
		"{\"ringing_timeout\":\"3s\",\"headers\":{}}",
		"{\"participant_identity\":\"\",\"room_name\":\"\",\"transfer_to\":\"\",\"play_"
		"dialtone\":false,"
		"\"headers\":{},\"ringing_timeout\":\"3s\"}",
		"{\"ringingTimeout\":\"3s\"}"},
	{&livekit__sipmedia_config__descriptor, "{\"mediaTimeout\":\"1.500s\",\"encryption\":0}",
		"{\"only_listed_codecs\":false,\"codecs\":[],\"encryption\":\"SIP_MEDIA_ENCRYPT_"
		"DISABLE\","
		"\"media_timeout\":\"1.500s\"}",
		"{\"encryption\":\"SIP_MEDIA_ENCRYPT_DISABLE\",\"mediaTimeout\":\"1.500s\"}"},
};

static void test_both_ways(void)
{
	for (size_t i = 0; i < COUNT_OF(both_ways); ++i) {
		struct proto_arena a = {0};
		struct proto_json_error error;
		ProtobufCMessage *m;
		int r = read_as(&a, &m, both_ways[i].type, both_ways[i].in, 0, &error);
		if (r)
			fprintf(stderr, "case %zu: %s\n", i, error.text);
		CHECK_EQ(r, 0);
		struct buf b = {0};
		CHECK_EQ(proto_json_write(&b, m, PROTO_JSON_TWIRP), 0);
		CHECK_STR((char *)b.data, both_ways[i].twirp);
		buf_fini(&b);
		CHECK_EQ(proto_json_write(&b, m, PROTO_JSON_SHORT), 0);
		CHECK_STR((char *)b.data, both_ways[i].brief);
		buf_fini(&b);
		proto_arena_fini(&a);
	}
	CHECK_EQ(mem_live(), 0);
}

static void test_refusals(void)
{
	static const struct {
		const ProtobufCMessageDescriptor *type;
		const char *in;
		unsigned flags;
		int r;
		const char *why;
	} cases[] = {
		{&livekit__room__descriptor, "", 0, PROTO_JSON_E_SYNTAX, "not JSON"},
		{&livekit__room__descriptor, "[]", 0, PROTO_JSON_E_SYNTAX, "not an object"},
		{&livekit__room__descriptor, "{} x", 0, PROTO_JSON_E_SYNTAX, "not JSON"},
		{&livekit__room__descriptor, "{\"name\":\"a\",\"name\":\"b\"}", 0,
			PROTO_JSON_E_SYNTAX, "not JSON"},
		{&livekit__room__descriptor, "{\"name\":\"a\\u0000\"}", 0, PROTO_JSON_E_SYNTAX,
			"not JSON"},
		{&livekit__room__descriptor, "{\"name\":\"\xff\"}", 0, PROTO_JSON_E_SYNTAX,
			"not JSON"},
		{&livekit__room__descriptor, "{\"name\":1}", 0, PROTO_JSON_E_FIELD,
			"name: not text"},
		{&livekit__room__descriptor, "{\"nmae\":1}", PROTO_JSON_STRICT, PROTO_JSON_E_FIELD,
			"nmae: no such field"},
		{&livekit__room__descriptor, "{\"emptyTimeout\":-1}", 0, PROTO_JSON_E_FIELD,
			"emptyTimeout: out of range"},
		{&livekit__room__descriptor, "{\"emptyTimeout\":1.5}", 0, PROTO_JSON_E_FIELD,
			"emptyTimeout: not a whole number"},
		{&livekit__room__descriptor, "{\"active_recording\":1}", 0, PROTO_JSON_E_FIELD,
			"active_recording: not true or false"},
		{&livekit__create_siptrunk_request__descriptor, "{\"inbound_numbers\":[\"a\",2]}",
			0, PROTO_JSON_E_FIELD, "inbound_numbers[1]: not text"},
		{&livekit__create_sipoutbound_trunk_request__descriptor,
			"{\"trunk\":{\"numbers\":[\"a\",null]}}", 0, PROTO_JSON_E_FIELD,
			"trunk.numbers[1]: not text"},
		{&livekit__create_sipoutbound_trunk_request__descriptor,
			"{\"trunk\":{\"headers\":{\"X\":1}}}", 0, PROTO_JSON_E_FIELD,
			"trunk.headers.X: not text"},
		{&livekit__create_sipoutbound_trunk_request__descriptor,
			"{\"trunk\":{\"transport\":\"SMOKE\"}}", PROTO_JSON_STRICT,
			PROTO_JSON_E_FIELD, "trunk.transport: an unknown name"},
		{&livekit__sipdispatch_rule__descriptor,
			"{\"dispatchRuleDirect\":{},\"dispatchRuleCallee\":{}}", 0,
			PROTO_JSON_E_FIELD,
			"dispatchRuleCallee: excludes another field that is set"},
		{&livekit__send_data_request__descriptor, "{\"data\":\"a\"}", 0, PROTO_JSON_E_FIELD,
			"data: not base64"},
		{&livekit__send_data_request__descriptor, "{\"data\":\"a.bc\"}", 0,
			PROTO_JSON_E_FIELD, "data: not base64"},
		{&livekit__sipmedia_config__descriptor, "{\"mediaTimeout\":\"3\"}", 0,
			PROTO_JSON_E_FIELD, "mediaTimeout: not a duration (like \"3.5s\")"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct proto_arena a = {0};
		struct proto_json_error error = {"?"};
		ProtobufCMessage *m;
		CHECK_EQ(read_as(&a, &m, cases[i].type, cases[i].in, cases[i].flags, &error),
			cases[i].r);
		CHECK_STR(error.text, cases[i].why);
		proto_arena_fini(&a);
	}
}

static void test_limit(void)
{
	struct proto_arena a = {.max = 2000};
	ProtobufCMessage *m;
	CHECK_EQ(read_as(&a, &m, &livekit__list_rooms_response__descriptor,
			 "{\"rooms\":[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]}", 0,
			 NULL),
		PROTO_JSON_E_LIMIT);
	proto_arena_fini(&a);
	CHECK_EQ(mem_live(), 0);
}

static void test_time(void)
{
	static const struct {
		const char *in, *out; /* out NULL: refused */
	} durations[] = {{"0s", "0s"}, {"3s", "3s"}, {"-1.5s", "-1.500s"},
		{"1.000001s", "1.000001s"}, {"0.000000001s", "0.000000001s"},
		{"315576000000s", "315576000000s"}, {".5s", "0.500s"}, {"315576000001s", NULL},
		{"3", NULL}, {"s", NULL}, {"3 s", NULL}, {"1.s", NULL}, {"", NULL},
		{"1.0000000001s", NULL}};
	static const struct {
		const char *in, *out;
	} times[] = {{"1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},
		{"2000-02-29T23:59:59.25Z", "2000-02-29T23:59:59.250Z"},
		{"2024-12-31T23:00:00-02:00", "2025-01-01T01:00:00Z"},
		{"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
		{"9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"},
		{"0001-01-01T00:00:00+01:00", NULL}, {"2100-02-29T00:00:00Z", NULL},
		{"2024-13-01T00:00:00Z", NULL}, {"2024-01-01", NULL}, {"2024-01-01T00:00:00", NULL},
		{"2024-01-01T24:00:00Z", NULL}, {"", NULL}};
	char out[PROTO_TIME_BYTES];
	int64_t s;
	int32_t ns;
	for (size_t i = 0; i < COUNT_OF(durations); ++i) {
		CHECK_EQ(proto_duration_read(&s, &ns, durations[i].in), durations[i].out != NULL);
		if (!durations[i].out)
			continue;
		CHECK(proto_duration_write(out, s, ns));
		CHECK_STR(out, durations[i].out);
	}
	for (size_t i = 0; i < COUNT_OF(times); ++i) {
		CHECK_EQ(proto_timestamp_read(&s, &ns, times[i].in), times[i].out != NULL);
		if (!times[i].out)
			continue;
		CHECK(proto_timestamp_write(out, s, ns));
		CHECK_STR(out, times[i].out);
	}
	CHECK(!proto_duration_write(out, 1, -1));
	CHECK(!proto_timestamp_write(out, 0, 1000000000));
	CHECK(proto_timestamp_read(&s, &ns, "2026-11-25T12:30:00Z"));
	CHECK_EQ(s, 1795609800);
}

static void test_camel(void)
{
	static const char *const cases[][2] = {{"a", "a"}, {"audio_features", "audioFeatures"},
		{"rtp_2x", "rtp2x"}, {"candidateInit", "candidateInit"}, {"_x", "X"}};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		char out[64];
		proto_json_camel(out, cases[i][0]);
		CHECK_STR(out, cases[i][1]);
	}
}

/* jansson counts and fails with us here, so that its own failures are met too. */
static void test_ladder(void)
{
	json_set_alloc_funcs(mem_zalloc, mem_free);
	size_t before = mem_live();
	for (int allowed = 0;; ++allowed) {
		mem_fail_after(allowed);
		struct proto_arena a = {0};
		struct buf b = {0};
		ProtobufCMessage *m;
		int r = read_as(&a, &m, &livekit__data_track_subscriber_handles__descriptor,
			"{\"sub_handles\":{\"7\":{\"track_sid\":\"D\"}}}", 0, NULL);
		if (r == 0)
			r = proto_json_write(&b, m, PROTO_JSON_SHORT);
		mem_fail_after(-1);
		buf_fini(&b);
		proto_arena_fini(&a);
		CHECK_EQ(mem_live(), before);
		if (r == 0)
			break;
		/* A token that jansson could not keep is "invalid" to it. */
		CHECK(r < 0 || r == PROTO_JSON_E_SYNTAX);
	}
}

int main(void)
{
	test_both_ways();
	test_refusals();
	test_limit();
	test_time();
	test_camel();
	test_ladder();
	return 0;
}

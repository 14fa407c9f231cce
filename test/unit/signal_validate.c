#include "signal/validate.h"

#include "base/mem.h"
#include "test/check.h"
#include "wire/base64.h"
#include "wire/jwt.h"

enum { NOW = 1800000000 };

static struct {
	const char *names[8], *values[8];
} args;

static const char *query(void *owner, const char *name)
{
	for (int i = 0; i < 8 && args.names[i]; ++i)
		if (strcmp(args.names[i], name) == 0)
			return args.values[i];
	return NULL;
}

static const char *secret(void *owner, const char *key)
{
	return strcmp(key, "key") == 0 ? "secret" : NULL;
}

static char *token(const char *claims, const char *with)
{
	char *text = NULL;
	json_t *j = json_loads(claims, 0, NULL);
	CHECK(j && jwt_sign(&text, j, with) == 0);
	json_decref(j);
	return text;
}

static int validate(struct join **ret, struct refusal *why, const char *authorization, bool single)
{
	struct join_input in = {.authorization = authorization,
		.query = query,
		.secret = secret,
		.now_s = NOW,
		.single = single,
		.strict = true};
	*ret = NULL;
	return join_validate(ret, why, &in);
}

#define IDS "\"iss\":\"key\",\"sub\":\"alice\",\"exp\":1800000100"
#define JOIN "\"roomJoin\":true,\"room\":\"r\""

static void refusals(void)
{
	static const struct {
		const char *what, *claims, *with;
		unsigned status;
		const char *text;
	} cases[] = {
		{"unknown key", "{\"iss\":\"other\",\"sub\":\"alice\"}", "secret", 401, "invalid API key"},
		{"bad signature", "{" IDS ",\"video\":{" JOIN "}}", "guess", 401,
			"invalid authorization token: token signature is invalid: signature is invalid"},
		{"no issuer", "{\"sub\":\"alice\",\"video\":{" JOIN "}}", "secret", 401, "invalid API key"},
		{"expired", "{\"iss\":\"key\",\"sub\":\"a\",\"exp\":1799999000,\"video\":{" JOIN "}}", "secret",
			401, "invalid authorization token: token has invalid claims: token is expired"},
		{"no grants", "{" IDS "}", "secret", 401, "no permissions to access the room"},
		{"no right to join", "{" IDS ",\"video\":{\"room\":\"r\"}}", "secret", 401,
			"permissions denied"},
		{"no room", "{" IDS ",\"video\":{\"roomJoin\":true}}", "secret", 400, "no room name"},
		{"no identity", "{\"iss\":\"key\",\"video\":{" JOIN "}}", "secret", 400,
			"identity cannot be empty"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct join *j;
		struct refusal why = {0};
		char header[4096], *t = token(cases[i].claims, cases[i].with);
		snprintf(header, sizeof header, "Bearer %s", t);
		CHECK_EQ(validate(&j, &why, header, false), JOIN_E_REFUSED);
		if (why.status != cases[i].status || !strstr(why.text, cases[i].text))
			fprintf(stderr, "%s: %u %s\n", cases[i].what, why.status, why.text);
		CHECK_EQ(why.status, cases[i].status);
		CHECK(strstr(why.text, cases[i].text));
		CHECK(!j);
		CHECK(!strstr(why.text, t));
		refusal_fini(&why);
		mem_free(t);
	}

	struct join *j;
	struct refusal why;
	CHECK_EQ(validate(&j, &why, NULL, false), JOIN_E_REFUSED);
	CHECK_STR(why.text, "no permissions to access the room");
	CHECK_EQ(validate(&j, &why, "Basic abc", false), JOIN_E_REFUSED);
	CHECK(strstr(why.text, "Must start with Bearer"));
	CHECK_EQ(validate(&j, &why, "Bearer rubbish", false), JOIN_E_REFUSED);
	CHECK_STR(why.text, "invalid authorization token");
	refusal_fini(&why);
}

static struct join *accepted(const char *claims, bool single)
{
	struct join *j;
	struct refusal why = {0};
	char *t = token(claims, "secret");
	args.names[0] = "access_token";
	args.values[0] = t;
	int r = validate(&j, &why, NULL, single);
	if (r)
		fprintf(stderr, "refused: %u %s\n", why.status, why.text);
	CHECK_EQ(r, 0);
	mem_free(t);
	memset(&args, 0, sizeof args);
	return j;
}

static void two_connections(void)
{
	args.names[1] = "protocol";
	args.values[1] = "16";
	args.names[2] = "auto_subscribe";
	args.values[2] = "0";
	args.names[3] = "reconnect";
	args.values[3] = "1";
	struct join *j = accepted("{" IDS ",\"name\":\"Alice\",\"attributes\":{\"a\":\"1\",\"e\":\"\"},"
				  "\"kind\":\"agent\",\"video\":{" JOIN
				  ",\"canPublish\":false,\"canPublishSources\":[\"microphone\"]}}",
		false);
	struct participant_config c;
	join_participant_config(&c, j);
	CHECK_STR(c.identity, "alice");
	CHECK_STR(c.name, "Alice");
	CHECK_EQ(c.attribute_count, 1);
	CHECK_EQ(c.kind, LIVEKIT__PARTICIPANT_INFO__KIND__AGENT);
	CHECK(!c.can_publish && !c.can_publish_data && c.can_subscribe && !c.can_update_metadata);
	CHECK_EQ(c.can_publish_source_count, 1);
	CHECK_EQ(c.can_publish_sources[0], LIVEKIT__TRACK_SOURCE__MICROPHONE);
	CHECK(!c.auto_subscribe && c.protocol == 16);
	CHECK(j->reconnect && j->subscriber_primary && !j->single && !j->may_create);
	CHECK_STR(j->room, "r");
	join_free(j);

	/* A list of names that nobody knows allows nothing: it must not become the empty list, "all". */
	j = accepted("{" IDS ",\"video\":{" JOIN ",\"canPublishSources\":[\"telepathy\"]}}", false);
	join_participant_config(&c, j);
	CHECK_EQ(c.can_publish_source_count, 1);
	CHECK_EQ(c.can_publish_sources[0], LIVEKIT__TRACK_SOURCE__UNKNOWN);
	join_free(j);

	j = accepted("{" IDS ",\"video\":{" JOIN ",\"roomCreate\":true,\"canSubscribe\":false},"
		     "\"roomConfig\":{\"emptyTimeout\":7,\"max_participants\":3,\"metadata\":\"m\"}}",
		false);
	struct room_options o;
	CHECK_EQ(join_room_options(&o, j, NULL), 0);
	CHECK(j->auto_subscribe && !j->reconnect && !j->subscriber_primary && j->may_create);
	CHECK(o.empty_timeout_s == 7 && o.max_participants == 3);
	CHECK_STR(o.metadata, "m");
	join_free(j);
}

static void one_connection(void)
{
	/* JoinRequest{metadata "m", participant_attributes {"k": "v"}, reconnect false} */
	static const uint8_t wrapped[] = {0x12, 11, 0x1a, 1, 'm', 0x22, 6, 0x0a, 1, 'k', 0x12, 1, 'v'};
	char text[64];
	struct join *j;
	struct refusal why;

	base64_encode_url(text, span_of(wrapped, sizeof wrapped));
	args.names[1] = "join_request";
	args.values[1] = text;
	j = accepted("{" IDS ",\"attributes\":{\"k\":\"old\",\"z\":\"1\"},\"video\":{" JOIN
		     ",\"canUpdateOwnMetadata\":true}}",
		true);
	CHECK(j->single && j->request && !j->auto_subscribe && !j->subscriber_primary);
	CHECK_STR(j->metadata, "m");
	CHECK_EQ(j->attribute_count, 2);
	CHECK_STR(j->attributes[0].value, "v");
	join_free(j);

	char *t = token("{" IDS ",\"video\":{" JOIN "}}", "secret");
	args.names[0] = "access_token";
	args.values[0] = t;
	CHECK_EQ(validate(&j, &why, NULL, true), JOIN_E_REFUSED);
	CHECK_STR(why.text, "join_request is required");
	args.names[1] = "join_request";
	args.values[1] = text;
	CHECK_EQ(validate(&j, &why, NULL, true), JOIN_E_REFUSED); /* not allowed to say metadata */
	CHECK_EQ(why.status, 401);
	args.values[1] = "!!";
	CHECK_EQ(validate(&j, &why, NULL, true), JOIN_E_REFUSED);
	CHECK_STR(why.text, "cannot base64 decode wrapped join request");
	mem_free(t);
	memset(&args, 0, sizeof args);
}

static void limits(void)
{
	char claims[2000], name[400];
	struct join *j;
	struct refusal why;
	memset(name, 'x', sizeof name);
	name[257] = 0;
	snprintf(claims, sizeof claims, "{\"iss\":\"key\",\"sub\":\"%s\",\"video\":{" JOIN "}}", name);
	char *t = token(claims, "secret");
	args.names[0] = "access_token";
	args.values[0] = t;
	CHECK_EQ(validate(&j, &why, NULL, false), JOIN_E_REFUSED);
	CHECK_STR(why.text, "participant identity length exceeds limits: max length 256");
	CHECK_EQ(why.status, 400);
	refusal_fini(&why);

	/* An operator's own limits. */
	static const struct room_limits tight = {.identity = 3, .room_name = 4, .metadata = 5, .attributes = 6};
	static const struct {
		const char *claims, *text;
	} cases[] = {
		{"{\"iss\":\"key\",\"sub\":\"four\",\"video\":{" JOIN "}}",
			"participant identity length exceeds limits: max length 3"},
		{"{\"iss\":\"key\",\"sub\":\"a\",\"video\":{\"roomJoin\":true,\"room\":\"fiver\"}}",
			"room name length exceeds limits: max length 4"},
		{"{\"iss\":\"key\",\"sub\":\"a\",\"metadata\":\"sixsix\",\"video\":{" JOIN "}}",
			"metadata size exceeds limits"},
		{"{\"iss\":\"key\",\"sub\":\"a\",\"attributes\":{\"abc\":\"defg\"},\"video\":{" JOIN "}}",
			"attribute size exceeds limits"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		char *tight_token = token(cases[i].claims, "secret");
		args.values[0] = tight_token;
		struct join_input in = {.query = query, .secret = secret, .now_s = NOW, .limits = &tight};
		CHECK_EQ(join_validate(&j, &why, &in), JOIN_E_REFUSED);
		CHECK_STR(why.text, cases[i].text);
		CHECK_EQ(why.status, 400);
		refusal_fini(&why);
		mem_free(tight_token);
	}
	mem_free(t);
	memset(&args, 0, sizeof args);
}

int main(void)
{
	refusals();
	two_connections();
	one_connection();
	limits();
	CHECK_EQ(mem_live(), 0);
	return 0;
}

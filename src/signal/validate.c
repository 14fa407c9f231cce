#include "signal/validate.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "wire/base64.h"
#include "wire/join_request.h"
#include "wire/jwt.h"
#include "wire/proto_json.h"

#include "livekit_room.pb-c.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const char no_permission[] = "no permissions to access the room";

static int refuse(struct refusal *why, unsigned status, const char *text)
{
	*why = (struct refusal){status, text, NULL};
	return JOIN_E_REFUSED;
}

/* `made` may be NULL: there was no memory for it. */
static int refuse_made(struct refusal *why, unsigned status, char *made)
{
	*why = (struct refusal){status, made ? made : "internal error", made};
	return JOIN_E_REFUSED;
}

static int refuse_long(struct refusal *why, const char *what, unsigned max)
{
	return refuse_made(why, 400, mem_format("%s length exceeds limits: max length %u", what, max));
}

void refusal_fini(struct refusal *why)
{
	mem_free(why->made);
	*why = (struct refusal){0};
}

static const char *query(const struct join_input *in, const char *name)
{
	const char *value = in->query(in->query_owner, name);
	return value ? value : "";
}

static bool query_bool(const struct join_input *in, const char *name, bool otherwise)
{
	const char *value = query(in, name);
	if (!value[0])
		return otherwise;
	return strcmp(value, "1") == 0 || strcasecmp(value, "true") == 0;
}

static int32_t query_number(const struct join_input *in, const char *name)
{
	long n = strtol(query(in, name), NULL, 10);
	return n > 0 && n < 1000 ? (int32_t)n : 0;
}

/* ---- the token ---- */

/* In the words of LiveKit's main branch: its release quotes the token and the key. */
static int refuse_token(struct refusal *why, enum jwt_outcome outcome)
{
	if (outcome == JWT_E_MALFORMED || outcome == JWT_E_ALGORITHM)
		return refuse(why, 401, "invalid authorization token");
	if (outcome == JWT_E_UNKNOWN_KEY)
		return refuse(why, 401, "invalid API key");
	return refuse_made(why, 401, mem_format("invalid authorization token: %s", jwt_outcome_text(outcome)));
}

static int take_token(struct join *j, struct refusal *why, const struct join_input *in)
{
	static const char bearer[] = "Bearer ";
	const char *token = query(in, "access_token");
	json_t *claims;

	if (in->authorization) {
		if (strncmp(in->authorization, bearer, sizeof bearer - 1) != 0)
			return refuse(
				why, 401, "invalid authorization header. Must start with Bearer ");
		token = in->authorization + sizeof bearer - 1;
	}
	if (!token[0])
		return refuse(why, 401, no_permission);
	int r = jwt_verify(&claims, span_text(token), in->secret, in->secret_owner, in->now_s);
	if (r > 0)
		return refuse_token(why, (enum jwt_outcome)r);
	if (r < 0)
		return r;
	grants_init(&j->grants, claims);
	return 0;
}

static int take_grants(struct join *j, struct refusal *why, const struct room_limits *limits)
{
	const struct grants *g = &j->grants;

	if (!g->has_video)
		return refuse(why, 401, no_permission);
	if (!g->video.room_join)
		return refuse(why, 401, "permissions denied");
	if (!g->identity[0])
		return refuse(why, 400, "identity cannot be empty");
	if (strlen(g->identity) > limits->identity)
		return refuse_long(why, "participant identity", limits->identity);
	if (!g->video.room[0])
		return refuse(why, 400, "no room name");
	if (strlen(g->video.room) > limits->room_name)
		return refuse_long(why, "room name", limits->room_name);
	j->room = g->video.room;
	j->identity = g->identity;
	j->name = g->name;
	j->metadata = g->metadata;
	j->can_subscribe = grants_can_subscribe(g);
	j->may_create = g->video.room_create;
	return 0;
}

/* ---- attributes: the token's, then the client's own ---- */

static int set_attribute(struct join *j, const char *key, const char *value)
{
	for (size_t i = 0; i < j->attribute_count; ++i) {
		if (strcmp(j->attributes[i].key, key) == 0) {
			j->attributes[i].value = value;
			return 0;
		}
	}
	struct attribute *grown =
		mem_realloc(j->attributes, (j->attribute_count + 1) * sizeof *grown);
	if (!grown)
		return err_new(-ENOMEM);
	j->attributes = grown;
	j->attributes[j->attribute_count++] = (struct attribute){key, value};
	return 0;
}

/* Both texts live in `object`. Values that are empty say nothing. */
static int add_attributes(struct join *j, const json_t *object)
{
	const char *key;
	json_t *value;
	int r = 0;
	json_object_foreach ((json_t *)object, key, value) {
		const char *text = json_string_value(value);
		if (!r && text && text[0])
			r = set_attribute(j, key, text);
	}
	return r;
}

static int check_sizes(const struct join *j, struct refusal *why, const struct room_limits *limits)
{
	size_t sum = 0;
	for (size_t i = 0; i < j->attribute_count; ++i)
		sum += strlen(j->attributes[i].key) + strlen(j->attributes[i].value);
	if (strlen(j->metadata) > limits->metadata)
		return refuse(why, 400, "metadata size exceeds limits");
	if (sum > limits->attributes)
		return refuse(why, 400, "attribute size exceeds limits");
	return 0;
}

/* ---- v0: everything is in the query ---- */

/* attributes = base64 of a JSON object. Rubbish is an error only for those who ask to validate. */
static int take_query_attributes(struct join *j, struct refusal *why, const struct join_input *in)
{
	const char *text = query(in, "attributes");
	size_t size;
	if (!text[0])
		return 0;
	uint8_t *bytes = proto_alloc(&j->arena, strlen(text) + 4);
	if (!bytes)
		return err_new(-ENOMEM);
	if (base64_decode(bytes, &size, span_text(text)) == 0)
		j->query_attributes = json_loadb((const char *)bytes, size, 0, NULL);
	if (!json_is_object(j->query_attributes))
		return in->strict ? refuse(why, 400, "cannot decode attributes") : 0;
	if (json_object_size(j->query_attributes) == 0)
		return 0;
	if (j->grants.video.can_update_own_metadata != GRANT_YES)
		return refuse(why, 401, no_permission);
	return add_attributes(j, j->query_attributes);
}

static int take_query(struct join *j, struct refusal *why, const struct join_input *in)
{
	const char *publish = query(in, "publish");

	j->reconnect = query_bool(in, "reconnect", false);
	j->auto_subscribe = query_bool(in, "auto_subscribe", true);
	j->protocol = query_number(in, "protocol");
	j->client_protocol = query_number(in, "client_protocol");
	if (publish[0]) {
		/* A twin that only publishes, beside the session of the same user. */
		if (!grants_can_publish(&j->grants))
			return refuse(why, 401, no_permission);
		size_t size = strlen(j->identity) + strlen(publish) + 2;
		char *twin = proto_alloc(&j->arena, size);
		if (!twin)
			return err_new(-ENOMEM);
		snprintf(twin, size, "%s#%s", j->identity, publish);
		j->identity = twin;
		j->can_subscribe = false;
	}
	return take_query_attributes(j, why, in);
}

/* ---- v1: a join request ---- */

static int take_own_metadata(struct join *j, struct refusal *why)
{
	const Livekit__JoinRequest *m = j->request;
	int r = 0;
	if (!m->metadata[0] && !m->n_participant_attributes)
		return 0;
	if (j->grants.video.can_update_own_metadata != GRANT_YES)
		return refuse(why, 401, no_permission);
	if (m->metadata[0])
		j->metadata = m->metadata;
	for (size_t i = 0; !r && i < m->n_participant_attributes; ++i)
		if (m->participant_attributes[i]->value[0])
			r = set_attribute(j, m->participant_attributes[i]->key,
				m->participant_attributes[i]->value);
	return r;
}

static int take_join_request(
	struct join *j, struct refusal *why, const struct join_input *in, const char *text)
{
	enum join_request_error e = join_request_decode(&j->request, &j->arena, text);
	unsigned status = e == JOIN_REQUEST_E_MEMORY ? 500 : 400;
	if (e != JOIN_REQUEST_OK)
		return refuse(why, status, join_request_error_text(e));

	const Livekit__JoinRequest *m = j->request;
	j->single = true;
	j->reconnect = m->reconnect;
	j->auto_subscribe = m->connection_settings && m->connection_settings->auto_subscribe;
	if (m->client_info) {
		j->protocol = m->client_info->protocol;
		j->client_protocol = m->client_info->client_protocol;
	}
	return take_own_metadata(j, why);
}

/* ---- the whole ---- */

static int fill(struct join *j, struct refusal *why, const struct join_input *in)
{
	const struct room_limits limits = room_limits_of(in->limits);
	int r = take_token(j, why, in);
	if (r)
		return r;
	const char *request = query(in, "join_request");
	r = take_grants(j, why, &limits);
	if (!r && in->single && !request[0])
		r = refuse(why, 400, "join_request is required");
	if (!r && j->grants.attributes)
		r = add_attributes(j, j->grants.attributes);
	if (!r)
		r = request[0] ? take_join_request(j, why, in, request) : take_query(j, why, in);
	if (!r && !in->strict) /* LiveKit looks at these when somebody joins, not before */
		r = check_sizes(j, why, &limits);
	j->subscriber_primary = !j->single && j->can_subscribe;
	return r;
}

int join_validate(struct join **ret, struct refusal *why, const struct join_input *in)
{
	assert(in->query && in->secret);
	struct join *j = mem_zalloc(sizeof *j);
	if (!j)
		return err_new(-ENOMEM);
	int r = fill(j, why, in);
	if (r) {
		join_free(j);
		return r;
	}
	*ret = j;
	return 0;
}

struct join *join_free(struct join *j)
{
	if (!j)
		return NULL;
	grants_fini(&j->grants);
	json_decref(j->query_attributes);
	proto_arena_fini(&j->arena);
	mem_free(j->attributes);
	mem_free(j);
	return NULL;
}

/* ---- for the room ---- */

Livekit__ParticipantInfo__Kind join_kind(const struct join *j)
{
	static const struct {
		const char *name;
		Livekit__ParticipantInfo__Kind kind;
	} kinds[] = {
		{"ingress", LIVEKIT__PARTICIPANT_INFO__KIND__INGRESS},
		{"egress", LIVEKIT__PARTICIPANT_INFO__KIND__EGRESS},
		{"sip", LIVEKIT__PARTICIPANT_INFO__KIND__SIP},
		{"agent", LIVEKIT__PARTICIPANT_INFO__KIND__AGENT},
		{"connector", LIVEKIT__PARTICIPANT_INFO__KIND__CONNECTOR},
		{"bridge", LIVEKIT__PARTICIPANT_INFO__KIND__BRIDGE},
	};
	for (size_t i = 0; i < COUNT_OF(kinds); ++i)
		if (strcmp(j->grants.kind, kinds[i].name) == 0)
			return kinds[i].kind;
	return LIVEKIT__PARTICIPANT_INFO__KIND__STANDARD;
}

static size_t source_list(Livekit__TrackSource *ret, const struct grants *g)
{
	static const char *const names[] = {
		[LIVEKIT__TRACK_SOURCE__CAMERA] = "camera",
		[LIVEKIT__TRACK_SOURCE__MICROPHONE] = "microphone",
		[LIVEKIT__TRACK_SOURCE__SCREEN_SHARE] = "screen_share",
		[LIVEKIT__TRACK_SOURCE__SCREEN_SHARE_AUDIO] = "screen_share_audio",
	};
	size_t count = 0;
	for (size_t i = 0; i < g->video.source_count; ++i) {
		/* A name that we do not know allows nothing; left out, the list might become empty, which
		 * means "all". */
		ret[count] = LIVEKIT__TRACK_SOURCE__UNKNOWN;
		for (size_t k = 0; k < COUNT_OF(names); ++k)
			if (names[k] && strcasecmp(g->video.sources[i], names[k]) == 0)
				ret[count] = (Livekit__TrackSource)k;
		++count;
	}
	return count;
}

void join_participant_config(struct participant_config *ret, struct join *j)
{
	const struct grants *g = &j->grants;
	*ret = (struct participant_config){
		.identity = j->identity,
		.name = j->name,
		.metadata = j->metadata,
		.attributes = j->attributes,
		.attribute_count = j->attribute_count,
		.kind = join_kind(j),
		.can_publish = grants_can_publish(g),
		.can_subscribe = j->can_subscribe,
		.can_publish_data = grants_can_publish_data(g),
		.can_update_metadata = g->video.can_update_own_metadata == GRANT_YES,
		.can_subscribe_metrics = g->video.can_subscribe_metrics == GRANT_YES,
		.can_manage_agent_session = g->video.can_manage_agent_session == GRANT_YES,
		.hidden = g->video.hidden,
		.recorder = g->video.recorder,
		.agent = g->video.agent,
		.can_publish_sources = j->sources,
		.can_publish_source_count = source_list(j->sources, g),
		.auto_subscribe = j->auto_subscribe,
		.client_protocol = j->client_protocol,
		.protocol = j->protocol,
	};
	if (j->request && j->request->client_info) {
		ret->capabilities = j->request->client_info->capabilities;
		ret->capability_count = j->request->client_info->n_capabilities;
	}
}

/* What the token itself says (roomConfig), then what it names (roomPreset); both count when this join
 * makes the room. */
int join_room_options(struct room_options *ret, struct join *j, const struct rooms *rooms)
{
	const char *name = json_string_value(json_object_get(j->grants.claims, "roomPreset"));
	const Livekit__RoomConfiguration *preset = name && *name ? rooms_preset(rooms, name) : NULL;
	ProtobufCMessage *m = NULL;

	*ret = (struct room_options){0};
	if (j->grants.room_config && proto_json_take(&m, &j->arena, &livekit__room_configuration__descriptor,
					     j->grants.room_config, 0, NULL))
		m = NULL; /* it makes no sense: as if it were not there */
	room_options_add(ret, (const Livekit__RoomConfiguration *)m);
	room_options_add(ret, preset);
	return name && *name && !preset ? JOIN_E_PRESET : 0;
}

/* The token that is good for coming back: what the first one said, and what has changed since.
 * Signed with the server's first key; SIP and agent grants are not carried on. */
#include "signal/session.h"

#include "base/clock.h"
#include "base/mem.h"
#include "wire/jwt.h"

enum {
	REFRESH_LEAST_S = 600, /* good for at least this long */
};

/* json_object_set_new() takes `value` over also when it fails, and takes NULL for a failure. */
static void set(json_t *object, const char *key, json_t *value)
{
	(void)json_object_set_new(object, key, value);
}

static void set_text(json_t *object, const char *key, const char *value)
{
	if (value && value[0])
		set(object, key, json_string(value));
}

static bool permission_is_the_tokens(const struct join *j, const Livekit__ParticipantPermission *p)
{
	const struct grants *g = &j->grants;
	return (bool)p->can_publish == grants_can_publish(g) &&
		(bool)p->can_subscribe == grants_can_subscribe(g) &&
		(bool)p->can_publish_data == grants_can_publish_data(g) &&
		(bool)p->can_update_metadata == (g->video.can_update_own_metadata == GRANT_YES) &&
		(bool)p->hidden == g->video.hidden &&
		p->n_can_publish_sources == g->video.source_count;
}

static void write_sources(json_t *video, const Livekit__ParticipantPermission *p)
{
	static const char *const names[] = {"unknown", "camera", "microphone", "screen_share",
		"screen_share_audio"};
	json_t *list = json_array();
	for (size_t i = 0; i < p->n_can_publish_sources; ++i) {
		unsigned source = (unsigned)p->can_publish_sources[i];
		if (source < COUNT_OF(names))
			(void)json_array_append_new(list, json_string(names[source]));
	}
	json_object_del(video, "canPublishSources");
	if (json_array_size(list))
		set(video, "canPublishSources", json_incref(list));
	json_decref(list);
}

static json_t *video_claims(struct session *s)
{
	const Livekit__ParticipantPermission *p = participant_permission(s->participant);
	json_t *video = json_deep_copy(json_object_get(s->join->grants.claims, "video"));

	if (permission_is_the_tokens(s->join, p))
		return video;
	set(video, "canPublish", json_boolean(p->can_publish));
	set(video, "canSubscribe", json_boolean(p->can_subscribe));
	set(video, "canPublishData", json_boolean(p->can_publish_data));
	set(video, "canUpdateOwnMetadata", json_boolean(p->can_update_metadata));
	set(video, "canSubscribeMetrics", json_boolean(p->can_subscribe_metrics));
	set(video, "canManageAgentSession", json_boolean(p->can_manage_agent_session));
	if (p->hidden)
		set(video, "hidden", json_true());
	else
		json_object_del(video, "hidden");
	write_sources(video, p);
	return video;
}

static json_t *attribute_claims(struct participant *p)
{
	const struct attribute *a;
	json_t *object = json_object();
	for (size_t i = 0; (a = participant_attributes(p, i)); ++i)
		set_text(object, a->key, a->value);
	return object;
}

static json_t *make_claims(struct session *s)
{
	const struct grants *g = &s->join->grants;
	int64_t now = clock_unix_s(), left = g->expires_s - now;
	json_t *c = json_object();

	set(c, "iss", json_string(s->door->config.sign_key));
	set(c, "sub", json_string(participant_identity(s->participant)));
	set(c, "identity", json_string(participant_identity(s->participant)));
	set(c, "nbf", json_integer(now));
	set(c, "exp", json_integer(now + (left > REFRESH_LEAST_S ? left : REFRESH_LEAST_S)));
	set_text(c, "name", participant_name(s->participant));
	set(c, "kind", json_string(g->kind[0] ? g->kind : "standard"));
	set_text(c, "metadata", participant_metadata(s->participant));
	set(c, "attributes", attribute_claims(s->participant));
	set(c, "video", video_claims(s));
	if (g->room_config)
		set(c, "roomConfig", json_incref((json_t *)g->room_config));
	set_text(c, "roomPreset", json_string_value(json_object_get(g->claims, "roomPreset")));
	return c;
}

void session_send_refresh(struct session *s)
{
	const struct signal_config *config = &s->door->config;
	const char *secret = config->secret(config->secret_owner, config->sign_key);
	char *token = NULL;
	json_t *claims = secret ? make_claims(s) : NULL;

	if (claims && jwt_sign(&token, claims, secret) == 0) {
		Livekit__SignalResponse m = LIVEKIT__SIGNAL_RESPONSE__INIT;
		m.message_case = LIVEKIT__SIGNAL_RESPONSE__MESSAGE_REFRESH_TOKEN;
		m.refresh_token = token;
		session_send(s, &m);
		s->claims_hash = session_claims_hash(s);
	}
	json_decref(claims);
	mem_free(token);
}

/* ---- has anything changed? ---- */

/* FNV-1a: only to notice a change, nobody gains by a collision. */
static uint64_t mix(uint64_t hash, const char *text)
{
	do {
		hash = (hash ^ (uint8_t)*text) * 0x100000001b3u;
	} while (*text++);
	return hash;
}

uint64_t session_claims_hash(struct session *s)
{
	const Livekit__ParticipantPermission *p = participant_permission(s->participant);
	const struct attribute *a;
	uint64_t hash = mix(0xcbf29ce484222325u, participant_name(s->participant));

	hash = mix(hash, participant_metadata(s->participant));
	for (size_t i = 0; (a = participant_attributes(s->participant, i)); ++i)
		hash = mix(mix(hash, a->key), a->value);
	char flags[] = {(char)('0' + p->can_publish), (char)('0' + p->can_subscribe),
		(char)('0' + p->can_publish_data), (char)('0' + p->can_update_metadata),
		(char)('0' + p->hidden), (char)('0' + p->can_subscribe_metrics),
		(char)('a' + (p->n_can_publish_sources & 15)), 0};
	return mix(hash, flags);
}

void session_claims_changed(struct session *s)
{
	if (s->state == SESSION_OPEN && session_claims_hash(s) != s->claims_hash)
		session_send_refresh(s);
}

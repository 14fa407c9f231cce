/* The token of an agent: what LiveKit's own server puts into it. */
#include "agent/inside.h"

#include "base/clock.h"

enum { TOKEN_S = 3600 };

/* Agents are known by this attribute; their SDKs read it. */
static const char name_attribute[] = "lk.agent_name";

static json_t *video_claims(const char *room, const Livekit__ParticipantPermission *p)
{
	return json_pack("{s:b, s:b, s:s, s:b, s:b, s:b, s:b, s:b, s:b}", "roomJoin", 1, "agent", 1, "room",
		room, "canSubscribe", p->can_subscribe, "canPublish", p->can_publish, "canPublishData",
		p->can_publish_data, "hidden", p->hidden, "canUpdateOwnMetadata", p->can_update_metadata,
		"canSubscribeMetrics", p->can_subscribe_metrics);
}

static json_t *attribute_claims(const struct agent_worker *w, const Livekit__AvailabilityResponse *in)
{
	json_t *object = json_object();
	for (size_t i = 0; i < in->n_participant_attributes; ++i)
		(void)json_object_set_new(object, in->participant_attributes[i]->key,
			json_string(in->participant_attributes[i]->value));
	(void)json_object_set_new(object, name_attribute, json_string(w->name));
	return object;
}

int agent_token(char **ret, const struct agent_worker *w, const char *room, const char *identity,
	const Livekit__AvailabilityResponse *in)
{
	const struct agents_config *c = &w->agents->config;
	const char *secret = c->secret_of(c->secret_owner, w->key);
	int64_t now = clock_unix_s();
	if (!secret)
		return JWT_E_UNKNOWN_KEY;
	/* json_pack() takes both objects over, and is NULL when one of them is. */
	json_t *claims = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:o, s:o}", "iss", w->key, "sub",
		identity, "identity", identity, "name", in->participant_name, "kind", "agent", "metadata",
		in->participant_metadata, "nbf", (json_int_t)now, "exp", (json_int_t)(now + TOKEN_S), "video",
		video_claims(room, &w->permissions), "attributes", attribute_claims(w, in));
	int r = claims ? jwt_sign(ret, claims, secret) : JWT_E_MALFORMED;
	json_decref(claims);
	return r;
}

#include "wire/grants.h"

static const char *text(const json_t *o, const char *key)
{
	const char *value = json_string_value(json_object_get(o, key));
	return value ? value : "";
}

static bool flag(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

static enum grant tri_state(const json_t *o, const char *key)
{
	const json_t *value = json_object_get(o, key);
	if (!json_is_boolean(value))
		return GRANT_ABSENT;
	return json_is_true(value) ? GRANT_YES : GRANT_NO;
}

/* A list that names something is a restriction, also when nothing in it is known. */
static void read_sources(struct grants *g, const json_t *video)
{
	const json_t *list = json_object_get(video, "canPublishSources");
	size_t size = json_array_size(list);
	for (size_t i = 0; i < size && g->video.source_count < GRANT_SOURCES_MAX; ++i) {
		const char *source = json_string_value(json_array_get(list, i));
		if (source)
			g->video.sources[g->video.source_count++] = source;
	}
	if (size && !g->video.source_count)
		g->video.sources[g->video.source_count++] = "";
}

static void read_video(struct grants *g, const json_t *video)
{
	g->has_video = json_is_object(video);
	g->video.room = text(video, "room");
	g->video.destination_room = text(video, "destinationRoom");
	g->video.room_join = flag(video, "roomJoin");
	g->video.room_create = flag(video, "roomCreate");
	g->video.room_list = flag(video, "roomList");
	g->video.room_admin = flag(video, "roomAdmin");
	g->video.room_record = flag(video, "roomRecord");
	g->video.ingress_admin = flag(video, "ingressAdmin");
	g->video.hidden = flag(video, "hidden");
	g->video.recorder = flag(video, "recorder");
	g->video.agent = flag(video, "agent");
	g->video.can_publish = tri_state(video, "canPublish");
	g->video.can_subscribe = tri_state(video, "canSubscribe");
	g->video.can_publish_data = tri_state(video, "canPublishData");
	g->video.can_update_own_metadata = tri_state(video, "canUpdateOwnMetadata");
	g->video.can_subscribe_metrics = tri_state(video, "canSubscribeMetrics");
	g->video.can_manage_agent_session = tri_state(video, "canManageAgentSession");
	read_sources(g, video);
}

void grants_init(struct grants *g, json_t *claims)
{
	*g = (struct grants){.claims = claims};
	g->issuer = text(claims, "iss");
	g->identity = text(claims, "sub");
	if (!*g->identity)
		g->identity = text(claims, "jti");
	g->name = text(claims, "name");
	g->kind = text(claims, "kind");
	g->metadata = text(claims, "metadata");
	const json_t *attributes = json_object_get(claims, "attributes");
	g->attributes = json_is_object(attributes) ? attributes : NULL;
	const json_t *config = json_object_get(claims, "roomConfig");
	g->room_config = json_is_object(config) ? config : NULL;
	g->expires_s = (int64_t)json_number_value(json_object_get(claims, "exp"));
	read_video(g, json_object_get(claims, "video"));
	const json_t *sip = json_object_get(claims, "sip");
	g->sip.admin = flag(sip, "admin");
	g->sip.call = flag(sip, "call");
}

void grants_fini(struct grants *g)
{
	json_decref(g->claims);
	*g = (struct grants){0};
}

bool grants_can_publish(const struct grants *g)
{
	return g->video.can_publish != GRANT_NO;
}

bool grants_can_subscribe(const struct grants *g)
{
	return g->video.can_subscribe != GRANT_NO;
}

bool grants_can_publish_data(const struct grants *g)
{
	return g->video.can_publish_data == GRANT_ABSENT ? grants_can_publish(g)
							 : g->video.can_publish_data == GRANT_YES;
}

/* api/agent_service.c - livekit.AgentDispatchService, and where agents' workers come in. The order of the
 * checks and the words are LiveKit's. */
#include "api/agent_service.h"

#include "agent/agents.h"
#include "api/auth.h"
#include "api/twirp.h"

#include "base/limits.h"

static const char no_dispatch[] = "dispatch ID not found";

/* NULL: a refusal was sent. */
static struct room *own_room(struct twirp *t, const char *name)
{
	return may_admin(t, name) ? find_room(t, name) : NULL;
}

/* NULL: a refusal was sent. */
static struct room *open_room(struct twirp *t, const char *name)
{
	struct rooms *rooms = t->api->config.rooms;
	struct room *r = NULL;
	if (!rooms_auto_create(rooms))
		return find_room(t, name);
	int result = rooms_open(&r, NULL, rooms, name, NULL);
	if (result < 0)
		twirp_broken(t);
	else if (result == ROOMS_E_LIMIT)
		twirp_fail(t, "resource_exhausted", "there are %d rooms already", LIMIT_ROOMS);
	return r;
}

static bool check_sizes(struct twirp *t, const Livekit__CreateAgentDispatchRequest *in)
{
	const struct room_limits *limits = rooms_limits(t->api->config.rooms);
	size_t bytes = 0;
	for (size_t i = 0; i < in->n_attributes; ++i)
		bytes += strlen(in->attributes[i]->key) + strlen(in->attributes[i]->value);
	if (strlen(in->metadata) > limits->metadata)
		twirp_fail(t, "invalid_argument", "metadata size exceeds limits");
	else if (bytes > limits->attributes)
		twirp_fail(t, "invalid_argument", "attribute size exceeds limits");
	else
		return true;
	return false;
}

static void answer(struct twirp *t, struct room *r, const char *id)
{
	struct info_arena arena = {0};
	Livekit__ListAgentDispatchResponse *list = agents_list(&arena, t->api->config.agents, r, id);
	twirp_answer(t, list && list->n_agent_dispatches ? &list->agent_dispatches[0]->base : NULL);
	info_arena_fini(&arena);
}

static void create_dispatch(struct twirp *t)
{
	const Livekit__CreateAgentDispatchRequest *in = (const Livekit__CreateAgentDispatchRequest *)t->in;
	Livekit__RoomAgentDispatch wish = LIVEKIT__ROOM_AGENT_DISPATCH__INIT;
	char why[AGENTS_WHY_SIZE], id[RNG_ID_SIZE];
	if (!may_admin(t, in->room))
		return;
	if (!agents_deployment_ok(in->deployment, why)) {
		twirp_fail(t, "invalid_argument", "%s", why);
		return;
	}
	struct room *r = check_sizes(t, in) ? open_room(t, in->room) : NULL;
	if (!r)
		return;
	wish.agent_name = in->agent_name;
	wish.metadata = in->metadata;
	wish.restart_policy = in->restart_policy;
	wish.deployment = in->deployment;
	wish.attributes = (Livekit__RoomAgentDispatch__AttributesEntry **)in->attributes;
	wish.n_attributes = in->n_attributes;
	int result = agents_dispatch(id, t->api->config.agents, r, &wish);
	if (result == AGENTS_E_DISPATCHES)
		twirp_fail(t, "resource_exhausted", "there are %d dispatches in this room already",
			LIMIT_AGENT_DISPATCHES);
	else if (result)
		twirp_broken(t);
	else
		answer(t, r, id);
}

static void delete_dispatch(struct twirp *t)
{
	const Livekit__DeleteAgentDispatchRequest *in = (const Livekit__DeleteAgentDispatchRequest *)t->in;
	struct agents *a = t->api->config.agents;
	struct info_arena arena = {0};
	struct room *r = own_room(t, in->room);
	if (!r)
		return;
	/* Answered with how it was: afterwards it is in no list. */
	Livekit__ListAgentDispatchResponse *list =
		*in->dispatch_id ? agents_list(&arena, a, r, in->dispatch_id) : NULL;
	if (*in->dispatch_id && !list)
		twirp_answer(t, NULL);
	else if (!list || !list->n_agent_dispatches)
		twirp_fail(t, "not_found", no_dispatch);
	else
		twirp_answer(t, &list->agent_dispatches[0]->base);
	if (list && list->n_agent_dispatches)
		agents_withdraw(a, r, in->dispatch_id);
	info_arena_fini(&arena);
}

static void list_dispatch(struct twirp *t)
{
	const Livekit__ListAgentDispatchRequest *in = (const Livekit__ListAgentDispatchRequest *)t->in;
	struct info_arena arena = {0};
	struct room *r = own_room(t, in->room);
	if (!r)
		return;
	Livekit__ListAgentDispatchResponse *list =
		agents_list(&arena, t->api->config.agents, r, in->dispatch_id);
	twirp_answer(t, list ? &list->base : NULL);
	info_arena_fini(&arena);
}

#define AGENT "AgentDispatchService"
const struct twirp_method agent_methods[] = {
	{AGENT, "CreateDispatch", &livekit__create_agent_dispatch_request__descriptor, create_dispatch},
	{AGENT, "DeleteDispatch", &livekit__delete_agent_dispatch_request__descriptor, delete_dispatch},
	{AGENT, "ListDispatch", &livekit__list_agent_dispatch_request__descriptor, list_dispatch},
};
const size_t agent_method_count = COUNT_OF(agent_methods);

/* ---- /agent ---- */

void agent_upgrade(struct api *a, struct http_exchange *x)
{
	struct grants grants = {0};
	const char *why = "permissions denied";
	int r = auth_read(&grants, a, x, &why);
	if (r < 0)
		api_text(x, 500, "internal error");
	else if (r || !grants.video.agent)
		api_text(x, 401, why);
	else if (a->closed || agents_accept(a->config.agents, x, grants.issuer))
		api_text(x, 503, "no more workers can be taken here");
	grants_fini(&grants);
}

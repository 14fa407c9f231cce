/* What rooms wish for, and what becomes of it while they live. */
#include "agent/inside.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>

static const char agent_left[] = "agent worker left the room";

/* ---- a room's ---- */

static struct agent_room *room_of(struct agents *a, const struct room *r)
{
	return map_entry(map_get(&a->rooms, room_name(r)), struct agent_room, by_name);
}

void agent_room_free(struct agent_room *r)
{
	while (!list_empty(&r->dispatches))
		dispatch_free(list_first(&r->dispatches, struct dispatch, link));
	map_remove(&r->agents->rooms, &r->by_name);
	mem_free(r);
}

static struct agent_room *agent_room_new(struct agents *a, struct room *room)
{
	struct agent_room *r = mem_zalloc(sizeof *r);
	if (!r)
		return NULL;
	list_init(&r->dispatches);
	r->agents = a;
	r->room = room;
	if (map_put(&a->rooms, &r->by_name, room_name(room))) {
		mem_free(r);
		return NULL;
	}
	return r;
}

/* ---- one dispatch ---- */

void dispatch_free(struct dispatch *d)
{
	while (!list_empty(&d->jobs)) {
		struct job *j = list_first(&d->jobs, struct job, link);
		job_end(j, LIVEKIT__JOB_STATUS__JS_SUCCESS, NULL, j->state == JOB_RUNNING);
		job_free(j);
	}
	list_remove(&d->link);
	if (!d->withdrawn)
		--d->room->dispatch_count;
	timer_fini(&d->leave);
	proto_arena_fini(&d->arena);
	mem_free(d);
}

static struct participant *agent_in(const struct dispatch *d, const struct job *j)
{
	struct participant *p = j->identity ? room_find(d->room->room, j->identity) : NULL;
	return p && participant_kind(p) == LIVEKIT__PARTICIPANT_INFO__KIND__AGENT ? p : NULL;
}

/* Those of a withdrawn dispatch that were asked to leave, and have not. */
static void on_leave(void *owner)
{
	struct dispatch *d = owner;
	list_each(it, &d->jobs)
	{
		struct participant *p = agent_in(d, container_of(it, struct job, link));
		if (p)
			participant_leave(p, LIVEKIT__DISCONNECT_REASON__PARTICIPANT_REMOVED);
	}
	dispatch_free(d);
}

/* A copy of the wish, in the dispatch's own memory. */
static int copy_wish(struct dispatch *d, char *id, const Livekit__RoomAgentDispatch *wish)
{
	Livekit__AgentDispatch info = LIVEKIT__AGENT_DISPATCH__INIT;
	Livekit__AgentDispatchState state = LIVEKIT__AGENT_DISPATCH_STATE__INIT;
	struct buf packed = {0};
	ProtobufCMessage *copy = NULL;
	state.created_at = clock_unix_ns();
	info.id = id;
	info.agent_name = wish->agent_name;
	info.room = (char *)room_name(d->room->room);
	info.metadata = wish->metadata;
	info.restart_policy = wish->restart_policy;
	info.deployment = wish->deployment;
	info.attributes = (Livekit__AgentDispatch__AttributesEntry **)wish->attributes;
	info.n_attributes = wish->n_attributes;
	info.state = &state;
	int r = proto_pack(&packed, &info.base);
	if (r == 0)
		r = proto_unpack(&copy, &d->arena, &livekit__agent_dispatch__descriptor, buf_span(&packed));
	buf_fini(&packed);
	d->info = (Livekit__AgentDispatch *)copy;
	return r > 0 ? err_new(-EMSGSIZE) : r;
}

static int dispatch_new(
	struct dispatch **ret, char *id, struct agent_room *r, const Livekit__RoomAgentDispatch *wish)
{
	if (r->dispatch_count >= LIMIT_AGENT_DISPATCHES)
		return AGENTS_E_DISPATCHES;
	struct dispatch *d = mem_zalloc(sizeof *d);
	if (!d)
		return err_new(-ENOMEM);
	list_init(&d->jobs);
	d->room = r;
	list_add(&r->dispatches, &d->link);
	++r->dispatch_count;
	rng_id(id, "AD_");
	int err = copy_wish(d, id, wish);
	if (err == 0)
		err = timer_init(&d->leave, r->agents->config.loop, on_leave, d);
	if (err < 0) {
		dispatch_free(d);
		return err;
	}
	*ret = d;
	return 0;
}

int agents_dispatch(
	char id[RNG_ID_SIZE], struct agents *a, struct room *room, const Livekit__RoomAgentDispatch *wish)
{
	struct agent_room *r = room_of(a, room);
	struct dispatch *d = NULL;
	int err = r ? dispatch_new(&d, id, r, wish) : err_new(-ENOMEM);
	if (err)
		return err;
	jobs_launch(d, LIVEKIT__JOB_TYPE__JT_ROOM, NULL);
	for (struct participant *p = NULL; (p = room_next(room, p));) {
		if (participant_is_dependent(p) || !participant_was_active(p))
			continue;
		if (participant_next_track(p, NULL))
			jobs_launch(d, LIVEKIT__JOB_TYPE__JT_PUBLISHER, p);
		jobs_launch(d, LIVEKIT__JOB_TYPE__JT_PARTICIPANT, p);
	}
	return 0;
}

static struct dispatch *dispatch_find(struct agent_room *r, const char *id)
{
	list_each(it, &r->dispatches)
	{
		struct dispatch *d = container_of(it, struct dispatch, link);
		if (!d->withdrawn && !strcmp(d->info->id, id))
			return d;
	}
	return NULL;
}

/* Offers are taken back; who has one of its agents is asked to let it leave. */
static void end_jobs(struct dispatch *d)
{
	for (struct list *it = d->jobs.next, *next; it != &d->jobs; it = next) {
		struct job *j = container_of(it, struct job, link);
		next = it->next;
		if (j->state == JOB_RUNNING)
			job_end(j, LIVEKIT__JOB_STATUS__JS_SUCCESS, NULL, true);
		else if (j->state == JOB_ASKED)
			job_free(j);
	}
}

bool agents_withdraw(struct agents *a, struct room *room, const char *id)
{
	struct agent_room *r = room_of(a, room);
	struct dispatch *d = r ? dispatch_find(r, id) : NULL;
	if (!d)
		return false;
	d->withdrawn = true;
	--r->dispatch_count;
	end_jobs(d);
	timer_start(&d->leave, a->config.leave_ms, 0);
	return true;
}

/* ---- lists ---- */

static bool add_jobs(
	struct info_arena *arena, Livekit__AgentDispatchState *state, const struct dispatch *d)
{
	size_t count = 0;
	list_each(it, &d->jobs)
		++count;
	state->jobs = info_alloc(arena, (count + 1) * sizeof(Livekit__Job *));
	list_each(it, &d->jobs)
	{
		const struct job *j = container_of(it, struct job, link);
		if (!state->jobs)
			return false;
		if (j->state < JOB_RUNNING)
			continue;
		state->jobs[state->n_jobs] = job_info(&arena->pages, j);
		if (!state->jobs[state->n_jobs])
			return false;
		++state->n_jobs;
	}
	return true;
}

static Livekit__AgentDispatch *dispatch_info(struct info_arena *arena, const struct dispatch *d)
{
	Livekit__AgentDispatch *info = info_alloc(arena, sizeof *info);
	Livekit__AgentDispatchState *state = info_alloc(arena, sizeof *state);
	if (!info || !state)
		return NULL;
	*info = *d->info;
	*state = *d->info->state;
	info->state = state;
	return add_jobs(arena, state, d) ? info : NULL;
}

Livekit__ListAgentDispatchResponse *agents_list(
	struct info_arena *arena, struct agents *a, struct room *room, const char *id)
{
	struct agent_room *r = room_of(a, room);
	Livekit__ListAgentDispatchResponse *list = (Livekit__ListAgentDispatchResponse *)proto_new(
		&arena->pages, &livekit__list_agent_dispatch_response__descriptor);
	Livekit__AgentDispatch **items =
		info_alloc(arena, ((r ? r->dispatch_count : 0) + 1) * sizeof(Livekit__AgentDispatch *));
	if (!list || !items || !r)
		return items ? list : NULL;
	list->agent_dispatches = items;
	list_each(it, &r->dispatches)
	{
		const struct dispatch *d = container_of(it, struct dispatch, link);
		if (d->withdrawn || (*id && strcmp(id, d->info->id)))
			continue;
		items[list->n_agent_dispatches] = dispatch_info(arena, d);
		if (!items[list->n_agent_dispatches])
			return NULL;
		++list->n_agent_dispatches;
	}
	return list;
}

/* ---- what rooms tell ---- */

static void on_room_started(void *owner, struct room *room)
{
	static const Livekit__RoomAgentDispatch anybody = LIVEKIT__ROOM_AGENT_DISPATCH__INIT;
	const struct room_options *o = room_opened_with(room);
	struct agents *a = owner;
	char id[RNG_ID_SIZE], why[AGENTS_WHY_SIZE];
	if (!agent_room_new(a, room)) {
		log_error(room_name(room), "out of memory: no agents in this room");
		return;
	}
	/* Who names none gets those that have no name. */
	for (size_t i = 0; i < (o->agent_count ? o->agent_count : 1); ++i) {
		const Livekit__RoomAgentDispatch *wish = o->agent_count ? o->agents[i] : &anybody;
		if (!agents_deployment_ok(wish->deployment, why) || agents_dispatch(id, a, room, wish))
			log_warn(room_name(room), "agent \"%s\" cannot be dispatched", wish->agent_name);
	}
}

static void on_room_finished(void *owner, struct room *room)
{
	struct agent_room *r = room_of(owner, room);
	if (r)
		agent_room_free(r);
}

static void launch_for(struct agents *a, struct participant *p, Livekit__JobType type)
{
	struct agent_room *r = room_of(a, participant_room(p));
	if (!r || participant_is_dependent(p))
		return;
	list_each(it, &r->dispatches)
	{
		struct dispatch *d = container_of(it, struct dispatch, link);
		if (!d->withdrawn)
			jobs_launch(d, type, p);
	}
}

static void on_participant_active(void *owner, struct participant *p)
{
	launch_for(owner, p, LIVEKIT__JOB_TYPE__JT_PARTICIPANT);
}

static void on_track_published(void *owner, struct track *t)
{
	if (track_is_first(t))
		launch_for(owner, track_owner(t), LIVEKIT__JOB_TYPE__JT_PUBLISHER);
}

static void on_participant_left(void *owner, struct participant *p)
{
	struct agent_room *r = room_of(owner, participant_room(p));
	if (!r || participant_kind(p) != LIVEKIT__PARTICIPANT_INFO__KIND__AGENT)
		return;
	list_each(it, &r->dispatches)
	{
		struct dispatch *d = container_of(it, struct dispatch, link);
		list_each(at, &d->jobs)
		{
			struct job *j = container_of(at, struct job, link);
			if (j->state == JOB_RUNNING && !strcmp(j->identity, participant_identity(p)))
				job_end(j, LIVEKIT__JOB_STATUS__JS_FAILED, agent_left, true);
		}
	}
}

const struct rooms_events agents_rooms_events = {
	.room_started = on_room_started,
	.room_finished = on_room_finished,
	.participant_active = on_participant_active,
	.participant_left = on_participant_left,
	.track_published = on_track_published,
};

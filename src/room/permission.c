#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "room/inside.h"

#include <errno.h>

/* ---- what a participant may do ---- */

static void set_sources(struct participant *p, const Livekit__TrackSource *sources, size_t count)
{
	size_t used = 0;
	for (size_t i = 0; i < count && used < PARTICIPANT_SOURCES; ++i)
		p->sources[used++] = sources[i];
	p->permission.can_publish_sources = p->sources;
	p->permission.n_can_publish_sources = used;
}

void permission_init(struct participant *p, const struct participant_config *config)
{
	Livekit__ParticipantPermission *perm = &p->permission;
	livekit__participant_permission__init(perm);
	perm->can_publish = config->can_publish;
	perm->can_subscribe = config->can_subscribe;
	perm->can_publish_data = config->can_publish_data;
	perm->can_update_metadata = config->can_update_metadata;
	perm->can_subscribe_metrics = config->can_subscribe_metrics;
	perm->can_manage_agent_session = config->can_manage_agent_session;
	perm->hidden = config->hidden;
	perm->recorder = config->recorder;
	perm->agent = config->agent;
	set_sources(p, config->can_publish_sources, config->can_publish_source_count);
}

const Livekit__ParticipantPermission *participant_permission(const struct participant *p)
{
	return &p->permission;
}

bool participant_may_publish(const struct participant *p, Livekit__TrackSource source)
{
	const Livekit__ParticipantPermission *perm = &p->permission;
	if (!perm->can_publish)
		return false;
	for (size_t i = 0; i < perm->n_can_publish_sources; ++i)
		if (perm->can_publish_sources[i] == source && source != LIVEKIT__TRACK_SOURCE__UNKNOWN)
			return true;
	return perm->n_can_publish_sources == 0;
}

static bool is_same(
	const Livekit__ParticipantPermission *a, const Livekit__ParticipantPermission *b)
{
	return a->can_subscribe == b->can_subscribe && a->can_publish == b->can_publish &&
	       a->can_publish_data == b->can_publish_data &&
	       a->can_update_metadata == b->can_update_metadata &&
	       a->can_subscribe_metrics == b->can_subscribe_metrics &&
	       a->can_manage_agent_session == b->can_manage_agent_session &&
	       a->hidden == b->hidden && a->recorder == b->recorder && a->agent == b->agent &&
	       a->n_can_publish_sources == b->n_can_publish_sources &&
	       (!a->n_can_publish_sources ||
		       !memcmp(a->can_publish_sources, b->can_publish_sources,
			       a->n_can_publish_sources * sizeof *a->can_publish_sources));
}

void participant_set_permission(struct participant *p, const Livekit__ParticipantPermission *perm)
{
	if (p->state == LIVEKIT__PARTICIPANT_INFO__STATE__DISCONNECTED ||
		is_same(&p->permission, perm))
		return;
	bool could_subscribe = p->permission.can_subscribe;
	Livekit__ParticipantPermission *own = &p->permission;
	own->can_subscribe = perm->can_subscribe;
	own->can_publish = perm->can_publish;
	own->can_publish_data = perm->can_publish_data;
	own->can_update_metadata = perm->can_update_metadata;
	own->can_subscribe_metrics = perm->can_subscribe_metrics;
	own->can_manage_agent_session = perm->can_manage_agent_session;
	own->hidden = perm->hidden;
	own->recorder = perm->recorder;
	own->agent = perm->agent;
	set_sources(p, perm->can_publish_sources, perm->n_can_publish_sources);
	room_left(p->room); /* it may have become one that keeps no room open */

	room_tell(p, true);
	for (struct track *t = tracks_after(p, 0); t; t = tracks_after(p, t->serial))
		if (!participant_may_publish(p, t->config.source))
			track_drop(t, true);
	if (!p->permission.can_subscribe)
		subscriptions_end_all(p);
	else if (!could_subscribe)
		subscriptions_begin(p);
}

/* ---- who may hear a publisher ---- */

void allowance_fini(struct allowance *a)
{
	for (size_t i = 0; i < a->count; ++i) {
		struct allowed *who = &a->list[i];
		for (size_t k = 0; k < who->track_count; ++k)
			mem_free(who->track_sids[k]);
		mem_free(who->track_sids);
		mem_free(who->identity);
		mem_free(who->sid);
	}
	mem_free(a->list);
	map_fini(&a->by_identity);
	map_fini(&a->by_sid);
	*a = (struct allowance){0};
}

static int allowed_copy(struct allowed *who, const Livekit__TrackPermission *from)
{
	who->all_tracks = from->all_tracks;
	who->identity = mem_strdup(from->participant_identity);
	who->sid = mem_strdup(from->participant_sid);
	who->track_sids = mem_zalloc((from->n_track_sids + 1) * sizeof(char *));
	if (!who->identity || !who->sid || !who->track_sids)
		return err_new(-ENOMEM);
	for (; who->track_count < from->n_track_sids; ++who->track_count) {
		char *sid = mem_strdup(from->track_sids[who->track_count]);
		if (!sid)
			return err_new(-ENOMEM);
		who->track_sids[who->track_count] = sid;
	}
	return 0;
}

static int allowed_index(struct allowance *a, struct allowed *who)
{
	bool named = *who->identity != 0;
	struct map *m = named ? &a->by_identity : &a->by_sid;
	const char *name = named ? who->identity : who->sid;
	struct allowed *first = map_entry(map_get(m, name), struct allowed, by_name);
	if (!first)
		return map_put(m, &who->by_name, name);
	who->same = first->same;
	first->same = who;
	return 0;
}

static int allowance_init(struct allowance *a, const Livekit__TrackPermission *const *list,
	size_t count, bool everybody)
{
	*a = (struct allowance){.everybody = everybody};
	a->list = mem_zalloc((count + 1) * sizeof *a->list);
	if (!a->list)
		return err_new(-ENOMEM);
	int r = 0;
	for (; r == 0 && a->count < count; ++a->count)
		r = allowed_copy(&a->list[a->count], list[a->count]);
	for (size_t i = 0; r == 0 && i < count; ++i)
		r = allowed_index(a, &a->list[i]);
	if (r < 0)
		allowance_fini(a);
	return r;
}

static bool names_track(const struct allowed *who, const char *track_sid)
{
	for (size_t i = 0; i < who->track_count; ++i)
		if (!strcmp(who->track_sids[i], track_sid))
			return true;
	return who->all_tracks;
}

static bool lists(const struct map *m, const char *name, const char *track_sid)
{
	const struct allowed *who = map_entry(map_get(m, name), struct allowed, by_name);
	while (who && !names_track(who, track_sid))
		who = who->same;
	return who != NULL;
}

bool allowance_allows(
	const struct allowance *a, const struct participant *listener, const char *track_sid)
{
	return a->everybody || lists(&a->by_identity, listener->identity, track_sid) ||
	       lists(&a->by_sid, listener->sid, track_sid);
}

/* What the new list changes between one track and one listener. */
static void apply(struct participant *listener, struct track *t, bool before, bool now)
{
	if (before == now || listener == t->owner || !participant_hears_events(listener) ||
		!subscription_wished(listener, t))
		return;
	TELL(listener, subscription_allowed, t, now);
	struct subscription *s = subscription_find(listener, t);
	if (s && !now)
		subscription_end(s);
	else
		subscriptions_consider(listener, t);
}

static bool is_too_long(const Livekit__TrackPermission *const *list, size_t count)
{
	size_t entries = count;
	for (size_t i = 0; i < count && entries <= LIMIT_TRACK_PERMISSIONS; ++i)
		entries += list[i]->n_track_sids;
	return entries > LIMIT_TRACK_PERMISSIONS;
}

void participant_allow(struct participant *p, const Livekit__TrackPermission *const *list,
	size_t count, bool all_participants)
{
	struct allowance next, old = p->allowance;
	if (is_too_long(list, count) ||
		allowance_init(&next, list, all_participants ? 0 : count, all_participants) < 0) {
		/* To fall back to what was allowed before could let somebody hear who shall not. */
		if (!p->complained)
			log_warn(p->identity,
				"its subscription permissions are too many: nobody may subscribe");
		p->complained = true;
		next = (struct allowance){0};
	}
	p->allowance = next;
	for (struct track *t = tracks_after(p, 0); t; t = tracks_after(p, t->serial))
		for (struct participant *to = room_next(p->room, NULL);
			to && t->state == TRACK_PUBLISHED; to = room_next(p->room, to))
			apply(to, t, allowance_allows(&old, to, t->sid),
				allowance_allows(&p->allowance, to, t->sid));
	allowance_fini(&old);
}

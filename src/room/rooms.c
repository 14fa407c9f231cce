#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "room/inside.h"

#include <assert.h>
#include <errno.h>

uint64_t rooms_now_ms(const struct rooms *rs)
{
	return rs->config.now_ms(rs->config.clock_owner);
}

int rooms_new(struct rooms **ret, const struct rooms_config *config,
	const struct rooms_events *events, void *owner)
{
	assert(ret && config && config->now_ms);
	struct rooms *rs = mem_zalloc(sizeof *rs);
	if (!rs)
		return err_new(-ENOMEM);
	rs->config = *config;
	rs->config.limits = room_limits_of(&config->limits);
	if (!config->speakers.interval_ms)
		rs->config.speakers = speakers_default();
	list_init(&rs->listeners);
	if (events)
		rooms_listen(rs, &rs->first, events, owner);
	list_init(&rs->list);
	list_init(&rs->dead_rooms);
	list_init(&rs->dead_participants);
	list_init(&rs->dead_tracks);
	list_init(&rs->dead_subscriptions);
	*ret = rs;
	return 0;
}

void rooms_listen(struct rooms *rs, struct rooms_listener *l, const struct rooms_events *events,
	void *owner)
{
	assert(rs && l && events);
	l->events = events;
	l->owner = owner;
	list_add(&rs->listeners, &l->link);
}

static struct list *take_first(struct list *head)
{
	if (list_empty(head))
		return NULL;
	struct list *node = head->next;
	list_remove(node);
	return node;
}

static void bury(struct rooms *rs)
{
	struct list *node;
	while ((node = take_first(&rs->dead_subscriptions)))
		mem_free(container_of(node, struct subscription, listener_link));
	while ((node = take_first(&rs->dead_tracks)))
		track_free(container_of(node, struct track, link));
	while ((node = take_first(&rs->dead_participants)))
		participant_free(container_of(node, struct participant, link));
	while ((node = take_first(&rs->dead_rooms)))
		room_free(container_of(node, struct room, link));
}

struct rooms *rooms_free(struct rooms *rs)
{
	if (!rs)
		return NULL;
	while (!list_empty(&rs->list))
		room_close(list_first(&rs->list, struct room, link),
			LIVEKIT__DISCONNECT_REASON__SERVER_SHUTDOWN);
	bury(rs);
	map_fini(&rs->by_name);
	buf_fini(&rs->packet);
	mem_free(rs);
	return NULL;
}

/* An event may have closed the next one too: start anew. Those that were done already have nothing
 * left to do. */
static struct room *room_after(struct rooms *rs, struct room *next)
{
	return next && next->state != ROOM_OPEN ? rooms_next(rs, NULL) : next;
}

void rooms_tick(struct rooms *rs)
{
	bury(rs);
	uint64_t now = rooms_now_ms(rs);
	struct room *next;
	for (struct room *r = rooms_next(rs, NULL); r; r = room_after(rs, next)) {
		next = rooms_next(rs, r);
		room_tick(r, now);
	}
}

void rooms_levels_came(struct rooms *rs)
{
	uint64_t now = rooms_now_ms(rs);
	struct room *next;
	for (struct room *r = rooms_next(rs, NULL); r; r = room_after(rs, next)) {
		next = rooms_next(rs, r);
		if (r->levels_came)
			speaking_tick(r, now);
	}
}

struct room *rooms_find(struct rooms *rs, const char *name)
{
	return map_entry(map_get(&rs->by_name, name), struct room, by_name);
}

struct room *rooms_next(struct rooms *rs, struct room *after)
{
	struct list *next = after ? after->link.next : rs->list.next;
	return next == &rs->list ? NULL : container_of(next, struct room, link);
}

size_t rooms_count(const struct rooms *rs)
{
	return rs->by_name.count;
}

bool rooms_auto_create(const struct rooms *rs)
{
	return rs->config.auto_create;
}

const struct room_limits *rooms_limits(const struct rooms *rs)
{
	return &rs->config.limits;
}

bool rooms_are_full(const struct rooms *rs)
{
	size_t count = 0;
	if (rs->busy || !rs->config.limits.tracks)
		return rs->busy;
	list_each(it, &rs->list) {
		const struct room *r = container_of(it, struct room, link);
		list_each(at, &r->participants) {
			const struct participant *p = container_of(at, struct participant, link);
			count += p->track_count;
			list_each(s, &p->subscriptions)
				++count;
		}
	}
	return count >= rs->config.limits.tracks;
}

void rooms_set_busy(struct rooms *rs, bool busy)
{
	rs->busy = busy;
}

bool room_codec_enabled(const struct room *r, const char *mime)
{
	const struct rooms_config *c = &r->rooms->config;
	bool found = c->codec_count == 0 || !strcasecmp(mime, "audio/opus");
	for (size_t i = 0; i < c->codec_count && !found; ++i)
		found = !strcasecmp(c->codecs[i], mime);
	return found;
}

const Livekit__RoomConfiguration *rooms_preset(const struct rooms *rs, const char *name)
{
	for (size_t i = 0; i < rs->config.preset_count; ++i)
		if (!strcmp(rs->config.presets[i].name, name))
			return rs->config.presets[i].settings;
	return NULL;
}

static uint32_t first_set(uint32_t a, uint32_t b)
{
	return a ? a : b;
}

void room_options_add(struct room_options *o, const Livekit__RoomConfiguration *c)
{
	if (!c)
		return;
	o->empty_timeout_s = first_set(o->empty_timeout_s, c->empty_timeout);
	o->departure_timeout_s = first_set(o->departure_timeout_s, c->departure_timeout);
	o->max_participants = first_set(o->max_participants, c->max_participants);
	if (!o->metadata || !*o->metadata)
		o->metadata = c->metadata;
	if (!o->agent_count) {
		o->agents = c->agents;
		o->agent_count = c->n_agents;
	}
}

const struct room_options *room_opened_with(const struct room *r)
{
	static const struct room_options none;
	return r->opened_with ? r->opened_with : &none;
}

static int room_new(
	struct room **ret, struct rooms *rs, const char *name, const struct room_options *options)
{
	static const struct room_options none;
	const struct room_options *o = options ? options : &none;
	struct room *r = mem_zalloc(sizeof *r);
	if (!r)
		return err_new(-ENOMEM);
	list_init(&r->link);
	list_init(&r->participants);
	list_init(&r->held);
	r->rooms = rs;
	r->state = ROOM_OPEN;
	rng_id(r->sid, "RM_");
	rng_token(r->sif_trailer, sizeof r->sif_trailer);
	r->empty_timeout_s = first_set(o->empty_timeout_s, rs->config.empty_timeout_s);
	r->departure_timeout_s = first_set(o->departure_timeout_s, rs->config.departure_timeout_s);
	r->max_participants = first_set(o->max_participants, rs->config.max_participants);
	r->created_unix_ms = clock_unix_ms();
	r->idle = true;
	r->idle_since_ms = rooms_now_ms(rs);
	r->worker = rs->config.pick_worker ? rs->config.pick_worker(rs->config.worker_owner) : 0;
	r->name = mem_strdup(name);
	r->metadata = mem_strdup(o->metadata ? o->metadata : "");
	if (!r->name || !r->metadata) {
		room_free(r);
		return err_new(-ENOMEM);
	}
	*ret = r;
	return 0;
}

int rooms_open(struct room **ret, bool *made, struct rooms *rs, const char *name,
	const struct room_options *options)
{
	assert(ret && rs && name);
	struct room *r = rooms_find(rs, name);
	if (made)
		*made = !r;
	*ret = r;
	if (r)
		return 0;
	if (rs->by_name.count >= LIMIT_ROOMS)
		return ROOMS_E_LIMIT;

	int err = room_new(&r, rs, name, options);
	if (err < 0)
		return err;
	err = map_put(&rs->by_name, &r->by_name, r->name);
	assert(err <= 0);
	if (err < 0) {
		room_free(r);
		return err;
	}
	list_add(&rs->list, &r->link);
	*ret = r;
	r->opened_with = options;
	TELL_ALL(rs, room_started, r);
	r->opened_with = NULL;
	return 0;
}

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "room/inside.h"

#include <assert.h>
#include <errno.h>

#define STATE(name) LIVEKIT__PARTICIPANT_INFO__STATE__##name

/*
 *   JOINING --joined--> JOINED --active--> ACTIVE
 *      |                   |                 |
 *      +------ leave ------+------ leave ----+--> DISCONNECTED (freed with the next tick)
 *
 * Events are heard in JOINED and ACTIVE; others' voices and data only in ACTIVE.
 */
static void become(struct participant *p, Livekit__ParticipantInfo__State next)
{
	static const unsigned from[] = {
		[STATE(JOINED)] = BIT(STATE(JOINING)),
		[STATE(ACTIVE)] = BIT(STATE(JOINED)),
		[STATE(DISCONNECTED)] =
			BIT(STATE(JOINING)) | BIT(STATE(JOINED)) | BIT(STATE(ACTIVE)),
	};
	assert(next > STATE(JOINING) && next < COUNT_OF(from) && from[next] & BIT(p->state));
	p->state = next;
}

/* ---- joining ---- */

bool participant_is_dependent(const struct participant *p)
{
	return p->kind == LIVEKIT__PARTICIPANT_INFO__KIND__EGRESS ||
	       p->kind == LIVEKIT__PARTICIPANT_INFO__KIND__AGENT || p->permission.recorder ||
	       p->permission.agent;
}

static bool is_full(
	const struct room *r, const struct participant *p, const struct participant *old)
{
	if (r->participant_count - !!old >= LIMIT_PARTICIPANTS_PER_ROOM)
		return true;
	if (!r->max_participants || participant_is_dependent(p))
		return false;
	return room_keepers(r) - (old && !participant_is_dependent(old)) >= r->max_participants;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static int fill(struct participant *p, const struct participant_config *config)
{
	p->kind = config->kind;
	p->auto_subscribe = config->auto_subscribe;
	p->protocol = config->protocol;
	p->client_protocol = config->client_protocol;
	p->allowance.everybody = true;
	permission_init(p, config);
	p->capability_count = least(config->capability_count, PARTICIPANT_FACTS);
	for (size_t i = 0; i < p->capability_count; ++i)
		p->capabilities[i] = config->capabilities[i];
	p->kind_detail_count = least(config->kind_detail_count, PARTICIPANT_FACTS);
	for (size_t i = 0; i < p->kind_detail_count; ++i)
		p->kind_details[i] = config->kind_details[i];

	p->identity = mem_strdup(config->identity);
	p->name = mem_strdup(config->name ? config->name : "");
	p->metadata = mem_strdup(config->metadata ? config->metadata : "");
	if (!p->identity || !p->name || !p->metadata)
		return err_new(-ENOMEM);
	int r = attributes_merge(&p->attributes, &p->attribute_count, NULL, 0, config->attributes,
		config->attribute_count);
	if (r < 0)
		return r;
	const struct room_limits *limits = rooms_limits(p->room->rooms);
	bool large = attributes_size(p->attributes, p->attribute_count) > limits->attributes ||
		     strlen(p->metadata) > limits->metadata;
	return large ? err_new(-EMSGSIZE) : 0;
}

static int participant_new(struct participant **ret, struct room *r,
	const struct participant_config *config, const struct participant_events *events,
	void *owner)
{
	struct participant *p = mem_zalloc(sizeof *p);
	if (!p)
		return err_new(-ENOMEM);
	list_init(&p->link);
	list_init(&p->tracks);
	list_init(&p->subscriptions);
	list_init(&p->wishes);
	p->room = r;
	p->events = events;
	p->owner = owner;
	rng_id(p->sid, "PA_");
	p->joined_unix_ms = clock_unix_ms();
	p->joined_ms = rooms_now_ms(r->rooms);
	int err = fill(p, config);
	if (err < 0) {
		participant_free(p);
		return err;
	}
	*ret = p;
	return 0;
}

void participant_free(struct participant *p)
{
	attributes_free(p->attributes, p->attribute_count);
	allowance_fini(&p->allowance);
	wishes_free(p);
	mem_free(p->identity);
	mem_free(p->name);
	mem_free(p->metadata);
	mem_free(p);
}

/* Into the lists of the room, in place of `old`. Changes nothing when it fails. */
static int enter(struct participant *p, struct participant *old)
{
	struct room *r = p->room;
	int err = map_put(&r->by_sid, &p->by_sid, p->sid);
	assert(err <= 0);
	if (err < 0)
		return err;
	if (old)
		map_remove(&r->by_identity, &old->by_identity);
	/* Cannot fail after one was taken out. */
	err = map_put(&r->by_identity, &p->by_identity, p->identity);
	assert(err <= 0 && (!old || err == 0));
	if (err < 0) {
		map_remove(&r->by_sid, &p->by_sid);
		return err;
	}
	if (old)
		old->replaced = true;
	list_add(&r->participants, &p->link);
	++r->participant_count;
	p->serial = ++r->rooms->serials;
	if (!participant_is_dependent(p)) {
		r->idle = false;
		r->ever_joined = true;
	}
	return 0;
}

int participant_join(struct participant **ret, struct room *r,
	const struct participant_config *config, const struct participant_events *events,
	void *owner)
{
	assert(ret && r && r->state == ROOM_OPEN && config && config->identity && events);
	struct participant *p = NULL, *old = room_find(r, config->identity);
	int err = participant_new(&p, r, config, events, owner);
	if (err < 0)
		return err;
	bool full = is_full(r, p, old);
	err = full ? 0 : enter(p, old);
	if (full || err < 0) {
		participant_free(p);
		return full ? PARTICIPANT_E_ROOM_FULL : err;
	}
	*ret = p;
	room_changed(r, false);
	if (old)
		participant_leave(old, LIVEKIT__DISCONNECT_REASON__DUPLICATE_IDENTITY);
	return 0;
}

bool participant_hears_events(const struct participant *p)
{
	return p->state == STATE(JOINED) || p->state == STATE(ACTIVE);
}

static bool is_publisher(const struct participant *p)
{
	return !list_empty(&p->tracks);
}

static void tell_state(struct participant *p)
{
	if (is_publisher(p))
		room_tell(p, false);
	else
		room_tell_later(p);
}

void participant_joined(struct participant *p)
{
	if (p->state != STATE(JOINING))
		return;
	become(p, STATE(JOINED));
	tell_state(p);
	/* Tracks published before anybody knew of p: now others may hear them. */
	for (struct track *t = tracks_after(p, 0); t && p->state == STATE(JOINED);
		t = tracks_after(p, t->serial))
		subscriptions_offer(t);
}

void participant_subscribe_early(struct participant *p)
{
	if (p->state != STATE(JOINED) || p->subscribes_early)
		return;
	p->subscribes_early = true;
	subscriptions_begin(p);
}

void participant_active(struct participant *p)
{
	if (p->state != STATE(JOINED))
		return;
	become(p, STATE(ACTIVE));
	p->was_active = true;
	tell_state(p);
	if (p->subscribes_early)
		speaking_catch_up(p);
	else
		subscriptions_begin(p);
	data_catch_up(p);
	TELL_ALL(p->room->rooms, participant_active, p);
	for (struct track *t = tracks_after(p, 0); t; t = tracks_after(p, t->serial))
		TELL_ALL(p->room->rooms, track_published, t);
}

/* ---- leaving ---- */

static void exit_room(struct participant *p)
{
	struct room *r = p->room;
	map_remove(&r->by_sid, &p->by_sid);
	if (!p->replaced)
		map_remove(&r->by_identity, &p->by_identity);
	list_remove(&p->link);
	--r->participant_count;
	list_add(&r->rooms->dead_participants, &p->link);
	room_left(r);
}

void participant_leave(struct participant *p, Livekit__DisconnectReason why)
{
	if (p->state == STATE(DISCONNECTED))
		return;
	become(p, STATE(DISCONNECTED));
	p->reason = why;
	exit_room(p);
	subscriptions_end_all(p);
	while (!list_empty(&p->tracks))
		track_drop(list_first(&p->tracks, struct track, link), false);
	room_tell(p, false);
	room_changed(p->room, false);
	TELL_ALL(p->room->rooms, participant_left, p);
	p->gone = true;
	if (p->events->removed)
		p->events->removed(p->owner, why);
}

/* ---- asking ---- */

struct room *participant_room(const struct participant *p)
{
	return p->room;
}

const char *participant_sid(const struct participant *p)
{
	return p->sid;
}

const char *participant_identity(const struct participant *p)
{
	return p->identity;
}

int64_t participant_joined_unix_ms(const struct participant *p)
{
	return p->joined_unix_ms;
}

const char *participant_name(const struct participant *p)
{
	return p->name;
}

const char *participant_metadata(const struct participant *p)
{
	return p->metadata;
}

Livekit__ParticipantInfo__Kind participant_kind(const struct participant *p)
{
	return p->kind;
}

Livekit__ParticipantInfo__State participant_state(const struct participant *p)
{
	return p->state;
}

bool participant_was_active(const struct participant *p)
{
	return p->was_active;
}

bool participant_is_visible(const struct participant *p, const struct participant *to)
{
	return p == to || !p->permission.hidden;
}

uint32_t participant_last_sequence(const struct participant *p)
{
	return p->last_sequence;
}

struct connection_quality participant_quality(const struct participant *p)
{
	return p->quality_known ? p->quality : quality_best();
}

static bool hears_any_of(const struct participant *listener, const struct participant *p)
{
	list_each(it, &p->tracks)
		if (participant_hears(listener, container_of(it, struct track, link)))
			return true;
	return false;
}

void participant_set_quality(struct participant *p, const struct connection_quality *q)
{
	bool changed = participant_quality(p).quality != q->quality;

	p->quality = *q;
	p->quality_known = true;
	if (!changed)
		return;
	for (struct participant *to = room_next(p->room, NULL); to; to = room_next(p->room, to))
		if (to == p || hears_any_of(to, p))
			TELL(to, quality, p);
}

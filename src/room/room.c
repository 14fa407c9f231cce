#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "room/inside.h"

#include <assert.h>

enum {
	/* LiveKit's is 3 s. Long enough that JOINED and ACTIVE of one client are told as one. */
	BATCH_MS = 1200,
	ROOM_UPDATE_MS = 5000, /* between two, unless it is urgent */
	JOIN_TIMEOUT_MS = 60000,
};

/*
 *   OPEN --room_close()--> CLOSING --everybody removed--> CLOSED (freed with the next tick)
 */
static void become(struct room *r, enum room_state next)
{
	static const enum room_state before[] = {
		[ROOM_CLOSING] = ROOM_OPEN,
		[ROOM_CLOSED] = ROOM_CLOSING,
	};
	assert(next != ROOM_OPEN && r->state == before[next]);
	r->state = next;
}

const char *room_name(const struct room *r)
{
	return r->name;
}

const char *room_sid(const struct room *r)
{
	return r->sid;
}

int64_t room_created_unix_ms(const struct room *r)
{
	return r->created_unix_ms;
}

const char *room_sif_trailer(const struct room *r)
{
	return r->sif_trailer;
}

unsigned room_worker(const struct room *r)
{
	return r->worker;
}

struct participant *room_find(struct room *r, const char *identity)
{
	return map_entry(map_get(&r->by_identity, identity), struct participant, by_identity);
}

struct participant *room_find_sid(struct room *r, const char *sid)
{
	return map_entry(map_get(&r->by_sid, sid), struct participant, by_sid);
}

struct track *room_find_track(struct room *r, const char *track_sid)
{
	return map_entry(map_get(&r->tracks, track_sid), struct track, by_sid);
}

struct participant *participants_after(struct room *r, uint64_t after)
{
	list_each(it, &r->participants) {
		struct participant *p = container_of(it, struct participant, link);
		if (p->serial > after)
			return p;
	}
	return NULL;
}

struct participant *room_next(struct room *r, struct participant *after)
{
	if (after && after->state == LIVEKIT__PARTICIPANT_INFO__STATE__DISCONNECTED)
		return participants_after(r, after->serial);
	struct list *next = after ? after->link.next : r->participants.next;
	return next == &r->participants ? NULL : container_of(next, struct participant, link);
}

/* ---- telling ---- */

static void tell_one(struct participant *to, struct participant *about)
{
	if (!participant_hears_events(to) || !participant_is_visible(about, to))
		return;
	/* Newer clients know the old one by its identity, and must not hear that it left. */
	if (about->replaced && to->protocol >= 12)
		return;
	TELL(to, update, &about, 1);
}

/* Nobody's changes may cost the others more than that; who leaves is told of in any case. */
static bool may_tell_now(struct participant *p)
{
	enum { BASE_BYTES = 512, PEOPLE_LEAST = 32 }; /* a single one, too, can take only so much */
	size_t bytes = BASE_BYTES + strlen(p->metadata) +
		       attributes_size(p->attributes, p->attribute_count);
	struct room *r = p->room;
	size_t people = r->participant_count > PEOPLE_LEAST ? r->participant_count : PEOPLE_LEAST;
	return p->state == LIVEKIT__PARTICIPANT_INFO__STATE__DISCONNECTED ||
	       budget_take(&p->telling, rooms_now_ms(r->rooms), (int64_t)(bytes * people),
		       LIMIT_TELL_BYTES, LIMIT_TELL_BYTES_S);
}

void room_tell(struct participant *p, bool self)
{
	struct room *r = p->room;
	bool told = p->state != LIVEKIT__PARTICIPANT_INFO__STATE__JOINING && r->state == ROOM_OPEN;
	if (told && !may_tell_now(p)) {
		room_tell_later(p);
		return;
	}
	++p->version;
	p->batched = false;
	if (!told)
		return;
	for (struct participant *to = room_next(r, NULL); to; to = room_next(r, to))
		if (to != p || self)
			tell_one(to, p);
}

void room_tell_later(struct participant *p)
{
	++p->version;
	p->batched = true;
	if (!p->room->batch_due_ms)
		p->room->batch_due_ms = rooms_now_ms(p->room->rooms) + BATCH_MS;
}

enum {
	BATCH_COUNT = 64
};

/* Those of `who` that `to` may know of. */
static void tell_batch(struct participant *to, struct participant *const *who, size_t count)
{
	struct participant *known[BATCH_COUNT];
	size_t known_count = 0;
	for (size_t i = 0; i < count; ++i)
		if (participant_is_visible(who[i], to))
			known[known_count++] = who[i];
	if (known_count && participant_hears_events(to))
		TELL(to, update, known, known_count);
}

static void flush_batch(struct room *r)
{
	struct participant *who[BATCH_COUNT];
	size_t count = 0;
	r->batch_due_ms = 0;
	for (struct participant *p = room_next(r, NULL); p; p = room_next(r, p)) {
		if (!p->batched)
			continue;
		if (count == BATCH_COUNT) {
			r->batch_due_ms = 1; /* the rest at the next tick */
			break;
		}
		p->batched = false;
		who[count++] = p;
	}
	for (struct participant *to = count ? room_next(r, NULL) : NULL; to; to = room_next(r, to))
		tell_batch(to, who, count);
}

static void tell_room(struct room *r, uint64_t now_ms)
{
	r->changed = false;
	r->told_ms = now_ms;
	for (struct participant *to = room_next(r, NULL); to; to = room_next(r, to))
		if (participant_hears_events(to))
			TELL(to, room_update);
}

void room_changed(struct room *r, bool now)
{
	r->changed = true;
	if (now && r->state == ROOM_OPEN)
		tell_room(r, rooms_now_ms(r->rooms));
}

void room_set_metadata(struct room *r, const char *metadata)
{
	char *copy = mem_strdup(metadata);
	if (!copy) {
		log_error(r->name, "metadata not set: out of memory");
		return;
	}
	mem_free(r->metadata);
	r->metadata = copy;
	room_changed(r, true);
}

/* ---- coming to an end ---- */

size_t room_keepers(const struct room *r)
{
	size_t count = 0;
	list_each(it, &r->participants)
		count += !participant_is_dependent(container_of(it, struct participant, link));
	return count;
}

void room_left(struct room *r)
{
	if (r->idle || room_keepers(r) > 0)
		return;
	r->idle = true;
	r->idle_since_ms = rooms_now_ms(r->rooms);
}

void room_close(struct room *r, Livekit__DisconnectReason reason)
{
	if (r->state != ROOM_OPEN)
		return;
	become(r, ROOM_CLOSING);
	map_remove(&r->rooms->by_name, &r->by_name);
	list_remove(&r->link);
	while (!list_empty(&r->participants))
		participant_leave(list_first(&r->participants, struct participant, link), reason);
	become(r, ROOM_CLOSED);
	list_add(&r->rooms->dead_rooms, &r->link);
	TELL_ALL(r->rooms, room_finished, r);
}

void room_free(struct room *r)
{
	data_forget(r);
	map_fini(&r->by_identity);
	map_fini(&r->by_sid);
	map_fini(&r->tracks);
	mem_free(r->name);
	mem_free(r->metadata);
	mem_free(r);
}

static bool is_over(const struct room *r, uint64_t now_ms)
{
	uint32_t timeout_s = r->ever_joined ? r->departure_timeout_s : r->empty_timeout_s;
	return r->idle && now_ms - r->idle_since_ms >= (uint64_t)timeout_s * 1000;
}

static void tick_participants(struct room *r, uint64_t now_ms)
{
	for (struct participant *p = room_next(r, NULL); p; p = room_next(r, p)) {
		if (p->state != LIVEKIT__PARTICIPANT_INFO__STATE__ACTIVE &&
			now_ms - p->joined_ms >= JOIN_TIMEOUT_MS)
			participant_leave(p, LIVEKIT__DISCONNECT_REASON__JOIN_FAILURE);
		else
			wishes_tick(p, now_ms);
		subscriptions_fill_up(p);
	}
}

void room_tick(struct room *r, uint64_t now_ms)
{
	if (is_over(r, now_ms)) {
		room_close(r, LIVEKIT__DISCONNECT_REASON__ROOM_CLOSED);
		return;
	}
	tick_participants(r, now_ms);
	if (r->batch_due_ms && now_ms >= r->batch_due_ms)
		flush_batch(r);
	speaking_tick(r, now_ms);
	data_tick(r, now_ms);
	if (r->changed && (!r->told_ms || now_ms - r->told_ms >= ROOM_UPDATE_MS))
		tell_room(r, now_ms);
}

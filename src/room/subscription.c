#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "room/inside.h"

#include <stdio.h>

enum {
	WISH_MS = 60000
}; /* for a track that does not exist yet */

/* ---- wishes: what a client asked for, track by track ---- */

static struct wish *wish_find(const struct participant *p, const char *track_sid)
{
	return map_entry(map_get(&p->wishes_by_sid, track_sid), struct wish, by_sid);
}

static void wish_free(struct participant *p, struct wish *w)
{
	list_remove(&w->link);
	map_remove(&p->wishes_by_sid, &w->by_sid);
	mem_free(w);
}

void wishes_free(struct participant *p)
{
	while (!list_empty(&p->wishes))
		wish_free(p, list_first(&p->wishes, struct wish, link));
	map_fini(&p->wishes_by_sid);
}

static struct wish *wish_get(struct participant *p, const char *track_sid)
{
	struct wish *w = wish_find(p, track_sid);
	if (w)
		return w;
	/* A longer text is no sid of ours. */
	if (p->wishes_by_sid.count >= LIMIT_WISHES_PER_PARTICIPANT || strlen(track_sid) >= RNG_ID_SIZE)
		return NULL;
	w = mem_zalloc(sizeof *w);
	if (!w)
		return NULL;
	snprintf(w->track_sid, sizeof w->track_sid, "%s", track_sid);
	if (map_put(&p->wishes_by_sid, &w->by_sid, w->track_sid)) {
		mem_free(w);
		return NULL;
	}
	list_add(&p->wishes, &w->link);
	return w;
}

bool subscription_wished(const struct participant *p, const struct track *t)
{
	const struct wish *w = wish_find(p, t->sid);
	return w ? w->subscribe : p->auto_subscribe;
}

void wishes_forget(struct room *r, const char *track_sid)
{
	list_each(it, &r->participants) {
		struct participant *p = container_of(it, struct participant, link);
		struct wish *w = wish_find(p, track_sid);
		if (w)
			wish_free(p, w);
	}
}

static struct wish *wish_overdue(const struct participant *p, uint64_t now_ms)
{
	list_each(it, &p->wishes) {
		struct wish *w = container_of(it, struct wish, link);
		if (w->until_ms && room_find_track(p->room, w->track_sid))
			w->until_ms =
				0; /* it came: from now on the wish lives as long as the track */
		if (w->until_ms && now_ms >= w->until_ms)
			return w;
	}
	return NULL;
}

void wishes_tick(struct participant *p, uint64_t now_ms)
{
	struct wish *w;
	while ((w = wish_overdue(p, now_ms))) {
		char sid[RNG_ID_SIZE];
		bool wanted = w->subscribe;
		memcpy(sid, w->track_sid, sizeof sid);
		wish_free(p, w);
		if (wanted && participant_hears_events(p))
			TELL(p, subscription_failed, sid);
	}
}

/* ---- subscriptions ---- */

struct subscription *subscription_find(const struct participant *p, const struct track *t)
{
	list_each(it, &p->subscriptions) {
		struct subscription *s = container_of(it, struct subscription, listener_link);
		if (s->track == t)
			return s;
	}
	return NULL;
}

bool participant_hears(const struct participant *p, const struct track *t)
{
	return subscription_find(p, t) != NULL;
}

bool subscriptions_reach(const struct participant *listener, const struct participant *p)
{
	list_each(it, &listener->subscriptions)
		if (container_of(it, struct subscription, listener_link)->track->owner == p)
			return true;
	return false;
}

static bool is_ready(const struct participant *p)
{
	return p->state == LIVEKIT__PARTICIPANT_INFO__STATE__ACTIVE ||
	       (p->state == LIVEKIT__PARTICIPANT_INFO__STATE__JOINED && p->subscribes_early);
}

/* LiveKit's limit.subscription_limit_audio: as many voices as one may hear at a time. */
static bool hears_enough(const struct participant *p)
{
	uint32_t limit = rooms_limits(p->room->rooms)->subscriptions, count = 0;
	if (!limit)
		return false;
	list_each(it, &p->subscriptions)
		++count;
	return count >= limit;
}

/* Both are here, both may, and the listener knows of the publisher. */
static bool is_possible(const struct participant *p, const struct track *t)
{
	return is_ready(p) && p->permission.can_subscribe && t->state == TRACK_PUBLISHED && t->owner != p &&
	       participant_hears_events(t->owner) && participant_is_visible(t->owner, p) &&
	       subscription_wished(p, t) && !subscription_find(p, t) && !hears_enough(p);
}

static void begin(struct participant *p, struct track *t)
{
	struct subscription *s = mem_zalloc(sizeof *s);
	if (!s) {
		log_error(p->identity, "does not hear %s: out of memory", t->sid);
		return;
	}
	s->track = t;
	s->listener = p;
	list_add(&t->listeners, &s->track_link);
	list_add(&p->subscriptions, &s->listener_link);
	bool first = !t->heard;
	t->heard = true;

	TELL(p, subscribed, s);
	if (first && t->state == TRACK_PUBLISHED)
		TELL(t->owner, track_subscribed, t);
	if (p->state == LIVEKIT__PARTICIPANT_INFO__STATE__ACTIVE && participant_hears(p, t))
		speaking_began(p, t->owner);
}

void subscriptions_consider(struct participant *p, struct track *t)
{
	if (is_possible(p, t) && allowance_allows(&t->owner->allowance, p, t->sid))
		begin(p, t);
}

/* The first time: a publisher who does not want it is the listener's to know. */
static void consider_first(struct participant *p, struct track *t)
{
	if (is_possible(p, t) && !allowance_allows(&t->owner->allowance, p, t->sid))
		TELL(p, subscription_allowed, t, false);
	else
		subscriptions_consider(p, t);
}

void subscriptions_offer(struct track *t)
{
	struct room *r = t->owner->room;
	for (struct participant *p = room_next(r, NULL); p && t->state == TRACK_PUBLISHED;
		p = room_next(r, p))
		consider_first(p, t);
}

void subscriptions_begin(struct participant *p)
{
	struct room *r = p->room;
	for (struct participant *other = room_next(r, NULL); other; other = room_next(r, other))
		for (struct track *t = tracks_after(other, 0); t;
			t = tracks_after(other, t->serial))
			consider_first(p, t);
}

/* One voice less makes room for another, where there is a limit. */
void subscriptions_fill_up(struct participant *p)
{
	struct room *r = p->room;
	if (!rooms_limits(r->rooms)->subscriptions || hears_enough(p))
		return;
	for (struct participant *other = room_next(r, NULL); other; other = room_next(r, other))
		for (struct track *t = tracks_after(other, 0); t; t = tracks_after(other, t->serial))
			subscriptions_consider(p, t);
}

void subscription_end(struct subscription *s)
{
	struct participant *listener = s->listener, *owner = s->track->owner;
	list_remove(&s->track_link);
	list_remove(&s->listener_link);
	list_add(&listener->room->rooms->dead_subscriptions, &s->listener_link);

	TELL(listener, unsubscribed, s);
	if (participant_hears_events(listener) && !subscriptions_reach(listener, owner))
		speaking_ended(listener, owner);
}

void subscriptions_end_all(struct participant *p)
{
	while (!list_empty(&p->subscriptions))
		subscription_end(list_first(&p->subscriptions, struct subscription, listener_link));
}

void participant_subscribe(struct participant *p, const char *track_sid, bool subscribe)
{
	if (p->state == LIVEKIT__PARTICIPANT_INFO__STATE__DISCONNECTED)
		return;
	struct track *t = room_find_track(p->room, track_sid);
	struct wish *w = wish_get(p, track_sid);
	if (!w) {
		if (!p->complained)
			log_warn(p->identity, "too many wishes to subscribe: those after %d are ignored",
				LIMIT_WISHES_PER_PARTICIPANT);
		p->complained = true;
		return;
	}
	w->subscribe = subscribe;
	w->until_ms = t ? 0 : rooms_now_ms(p->room->rooms) + WISH_MS;
	struct subscription *s = t ? subscription_find(p, t) : NULL;
	if (s && !subscribe)
		subscription_end(s);
	else if (t)
		consider_first(p, t);
}

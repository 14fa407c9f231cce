#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "room/inside.h"

#include <errno.h>
#include <stdio.h>

/*
 *   PUBLISHED --unpublish, drop, owner leaves--> GONE (freed with the next tick)
 */

void track_sid_make(char out[RNG_ID_SIZE], Livekit__TrackType type, Livekit__TrackSource source)
{
	static const char *const sources[] = {
		[LIVEKIT__TRACK_SOURCE__UNKNOWN] = "",
		[LIVEKIT__TRACK_SOURCE__CAMERA] = "C",
		[LIVEKIT__TRACK_SOURCE__MICROPHONE] = "M",
		[LIVEKIT__TRACK_SOURCE__SCREEN_SHARE] = "S",
		[LIVEKIT__TRACK_SOURCE__SCREEN_SHARE_AUDIO] = "s",
	};
	char prefix[8];
	snprintf(prefix, sizeof prefix, "TR_%c%s", type == LIVEKIT__TRACK_TYPE__VIDEO ? 'V' : 'A',
		(size_t)source < COUNT_OF(sources) ? sources[source] : "");
	rng_id(out, prefix);
}

static int copy_text(const char **text)
{
	char *copy = mem_strdup(*text ? *text : "");
	*text = copy;
	return copy ? 0 : err_new(-ENOMEM);
}

static int copy_config(struct track *t, const struct track_config *config)
{
	t->config = *config;
	t->config.sid = t->sid;
	t->config.features = NULL;
	t->config.feature_count = 0;
	const char **texts[] = {&t->config.name, &t->config.cid, &t->config.stream,
		&t->config.mime_type, &t->config.mid};
	int r = 0;
	for (size_t i = 0; i < COUNT_OF(texts); ++i) {
		if (r < 0)
			*texts[i] = NULL;
		else
			r = copy_text(texts[i]);
	}
	return r;
}

static void keep_features(struct track *t, const Livekit__AudioTrackFeature *features, size_t count)
{
	t->config.features = t->features;
	t->config.feature_count = track_features(t->features, COUNT_OF(t->features), features, count);
}

bool track_has_feature(
	const Livekit__AudioTrackFeature *f, size_t count, Livekit__AudioTrackFeature feature)
{
	for (size_t i = 0; i < count; ++i)
		if (f[i] == feature)
			return true;
	return false;
}

size_t track_features(Livekit__AudioTrackFeature *to, size_t max,
	const Livekit__AudioTrackFeature *from, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count && kept < max; ++i)
		if (!track_has_feature(to, kept, from[i]))
			to[kept++] = from[i];
	return kept;
}

static int track_new(struct track **ret, struct participant *p, const struct track_config *config)
{
	struct track *t = mem_zalloc(sizeof *t);
	if (!t)
		return err_new(-ENOMEM);
	list_init(&t->link);
	list_init(&t->listeners);
	t->owner = p;
	if (config->sid)
		snprintf(t->sid, sizeof t->sid, "%s", config->sid);
	else
		track_sid_make(t->sid, config->type, config->source);
	int r = copy_config(t, config);
	if (r < 0) {
		track_free(t);
		return r;
	}
	keep_features(t, config->features, config->feature_count);
	*ret = t;
	return 0;
}

void track_free(struct track *t)
{
	mem_free((char *)t->config.name);
	mem_free((char *)t->config.cid);
	mem_free((char *)t->config.stream);
	mem_free((char *)t->config.mime_type);
	mem_free((char *)t->config.mid);
	mem_free(t);
}

static void changed(struct track *t, bool self)
{
	t->version_us = clock_unix_ns() / 1000;
	room_tell(t->owner, self);
}

void track_tell_all(struct track *t)
{
	t->first = !t->owner->told_track;
	t->owner->told_track = true;
	TELL_ALL(t->owner->room->rooms, track_published, t);
}

bool track_is_first(const struct track *t)
{
	return t->first;
}

int track_publish(struct track **ret, struct participant *p, const struct track_config *config)
{
	if (p->state == LIVEKIT__PARTICIPANT_INFO__STATE__DISCONNECTED ||
		!participant_may_publish(p, config->source))
		return TRACK_E_NOT_ALLOWED;
	if (p->track_count >= LIMIT_TRACKS_PER_PARTICIPANT)
		return TRACK_E_LIMIT;
	struct track *t = NULL;
	int r = track_new(&t, p, config);
	if (r < 0)
		return r;
	r = map_put(&p->room->tracks, &t->by_sid, t->sid);
	if (r != 0) {
		track_free(t);
		return r < 0 ? r : err_new(-EEXIST);
	}
	t->serial = ++p->room->rooms->serials;
	list_add(&p->tracks, &t->link);
	p->has_published = true;
	++p->track_count;
	*ret = t;

	room_changed(p->room, false);
	changed(t, false);
	if (p->state != LIVEKIT__PARTICIPANT_INFO__STATE__JOINING)
		subscriptions_offer(t);
	if (p->was_active) /* otherwise when it is: participant_active() */
		track_tell_all(t);
	return 0;
}

void track_drop(struct track *t, bool by_server)
{
	if (t->state == TRACK_GONE)
		return;
	struct participant *p = t->owner;
	struct room *r = p->room;
	t->state = TRACK_GONE;
	map_remove(&r->tracks, &t->by_sid);
	list_remove(&t->link);
	--p->track_count;
	list_add(&r->rooms->dead_tracks, &t->link);
	wishes_forget(r, t->sid);
	room_changed(r, false);

	while (!list_empty(&t->listeners))
		subscription_end(list_first(&t->listeners, struct subscription, track_link));
	if (p->state != LIVEKIT__PARTICIPANT_INFO__STATE__DISCONNECTED) {
		changed(t, false);
		if (by_server)
			TELL(p, track_unpublished, t);
	}
	if (p->was_active)
		TELL_ALL(r->rooms, track_unpublished, t);
}

void track_unpublish(struct track *t)
{
	track_drop(t, false);
}

void track_set_muted(struct track *t, bool muted, bool by_server)
{
	if (t->state == TRACK_GONE || t->config.muted == muted)
		return;
	t->config.muted = muted;
	if (muted)
		loudness_silence(&t->loudness);
	if (by_server)
		TELL(t->owner, track_muted, t);
	if (t->state == TRACK_PUBLISHED)
		changed(t, true);
}

void track_set_features(struct track *t, const Livekit__AudioTrackFeature *features, size_t count)
{
	if (t->state == TRACK_GONE)
		return;
	keep_features(t, features, count);
	t->config.stereo =
		track_has_feature(features, count, LIVEKIT__AUDIO_TRACK_FEATURE__TF_STEREO);
	t->config.disable_dtx =
		track_has_feature(features, count, LIVEKIT__AUDIO_TRACK_FEATURE__TF_NO_DTX);
	changed(t, true);
}

const char *track_sid(const struct track *t)
{
	return t->sid;
}

bool track_muted(const struct track *t)
{
	return t->config.muted;
}

struct participant *track_owner(const struct track *t)
{
	return t->owner;
}

size_t track_listener_count(const struct track *t)
{
	size_t count = 0;
	list_each(it, &t->listeners)
		++count;
	return count;
}

uint32_t track_media_source(const struct track *t)
{
	return t->config.media_source;
}

const struct track_config *track_facts(const struct track *t)
{
	return &t->config;
}

struct track *tracks_after(struct participant *p, uint64_t after)
{
	list_each(it, &p->tracks) {
		struct track *t = container_of(it, struct track, link);
		if (t->serial > after)
			return t;
	}
	return NULL;
}

struct track *participant_next_track(struct participant *p, struct track *after)
{
	return tracks_after(p, after ? after->serial : 0);
}

void track_level(struct track *t, uint8_t level, uint16_t active_ms, uint16_t observed_ms)
{
	struct room *r = t->owner->room;
	if (t->state != TRACK_PUBLISHED || t->config.muted)
		return;
	loudness_window(&t->loudness, &r->rooms->config.speakers, rooms_now_ms(r->rooms), level,
		active_ms, observed_ms);
	r->levels_came = true;
}

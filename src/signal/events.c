/* What the room tells a session, as messages to its client. */
#include "signal/session.h"

#include "base/mem.h"

static void on_update(void *owner, struct participant *const *who, size_t count)
{
	struct session *s = owner;
	struct info_arena a = {0};
	Livekit__ParticipantUpdate update = LIVEKIT__PARTICIPANT_UPDATE__INIT;
	Livekit__SignalResponse m = LIVEKIT__SIGNAL_RESPONSE__INIT;
	bool about_me = false;

	update.participants = info_alloc(&a, count * sizeof *update.participants);
	for (size_t i = 0; update.participants && i < count; ++i) {
		Livekit__ParticipantInfo *info = participant_info(&a, who[i]);
		if (info && info->state == LIVEKIT__PARTICIPANT_INFO__STATE__DISCONNECTED)
			resume_note_left(s, info);
		if (info)
			update.participants[update.n_participants++] = info;
		about_me |= who[i] == s->participant;
	}
	m.message_case = LIVEKIT__SIGNAL_RESPONSE__MESSAGE_UPDATE;
	m.update = &update;
	if (update.n_participants)
		session_send(s, &m);
	info_arena_fini(&a);
	if (about_me)
		session_claims_changed(s);
}

static void on_room_update(void *owner)
{
	struct session *s = owner;
	struct info_arena a = {0};
	Livekit__RoomUpdate update = LIVEKIT__ROOM_UPDATE__INIT;
	Livekit__SignalResponse m = LIVEKIT__SIGNAL_RESPONSE__INIT;

	update.room = room_info(&a, participant_room(s->participant));
	m.message_case = LIVEKIT__SIGNAL_RESPONSE__MESSAGE_ROOM_UPDATE;
	m.room_update = &update;
	if (update.room)
		session_send(s, &m);
	info_arena_fini(&a);
}

static void on_speakers(void *owner, const struct speaker *speakers, size_t count)
{
	struct session *s = owner;
	struct info_arena a = {0};
	Livekit__SpeakersChanged changed = LIVEKIT__SPEAKERS_CHANGED__INIT;
	Livekit__SignalResponse m = LIVEKIT__SIGNAL_RESPONSE__INIT;

	changed.speakers = info_alloc(&a, count * sizeof *changed.speakers);
	for (size_t i = 0; changed.speakers && i < count; ++i) {
		Livekit__SpeakerInfo *info = info_alloc(&a, sizeof *info);
		if (!info)
			break;
		livekit__speaker_info__init(info);
		info->sid = (char *)participant_sid(speakers[i].participant);
		info->level = speakers[i].level;
		info->active = speakers[i].active;
		changed.speakers[changed.n_speakers++] = info;
	}
	m.message_case = LIVEKIT__SIGNAL_RESPONSE__MESSAGE_SPEAKERS_CHANGED;
	m.speakers_changed = &changed;
	session_send(s, &m);
	info_arena_fini(&a);
}

static void on_quality(void *owner, struct participant *p)
{
	quality_tell(owner, p);
}

static void on_subscribed(void *owner, struct subscription *sub)
{
	subscribe_begin(owner, sub);
}

static void on_unsubscribed(void *owner, struct subscription *sub)
{
	subscribe_end(owner, sub);
}

static void on_track_subscribed(void *owner, struct track *own)
{
	Livekit__TrackSubscribed subscribed = LIVEKIT__TRACK_SUBSCRIBED__INIT;
	Livekit__SignalResponse m = LIVEKIT__SIGNAL_RESPONSE__INIT;
	subscribed.track_sid = (char *)track_sid(own);
	m.message_case = LIVEKIT__SIGNAL_RESPONSE__MESSAGE_TRACK_SUBSCRIBED;
	m.track_subscribed = &subscribed;
	session_send(owner, &m);
}

static void on_track_muted(void *owner, struct track *own)
{
	struct session *s = owner;
	struct pub *p = publish_find(s, track_sid(own));
	Livekit__MuteTrackRequest mute = LIVEKIT__MUTE_TRACK_REQUEST__INIT;
	Livekit__SignalResponse m = LIVEKIT__SIGNAL_RESPONSE__INIT;

	mute.sid = (char *)track_sid(own);
	mute.muted = track_muted(own);
	if (p) {
		p->muted = mute.muted;
		media_source_mute(s->door->media, p->source, mute.muted);
	}
	m.message_case = LIVEKIT__SIGNAL_RESPONSE__MESSAGE_MUTE;
	m.mute = &mute;
	session_send(s, &m);
}

static void on_track_unpublished(void *owner, struct track *own)
{
	Livekit__TrackUnpublishedResponse gone = LIVEKIT__TRACK_UNPUBLISHED_RESPONSE__INIT;
	Livekit__SignalResponse m = LIVEKIT__SIGNAL_RESPONSE__INIT;
	gone.track_sid = (char *)track_sid(own);
	m.message_case = LIVEKIT__SIGNAL_RESPONSE__MESSAGE_TRACK_UNPUBLISHED;
	m.track_unpublished = &gone;
	session_send(owner, &m);
	publish_dropped(owner, own);
}

/* The publisher changed its mind about us. */
static void on_subscription_allowed(void *owner, struct track *t, bool allowed)
{
	Livekit__SubscriptionPermissionUpdate update =
		LIVEKIT__SUBSCRIPTION_PERMISSION_UPDATE__INIT;
	Livekit__SignalResponse m = LIVEKIT__SIGNAL_RESPONSE__INIT;
	update.participant_sid = (char *)participant_sid(track_owner(t));
	update.track_sid = (char *)track_sid(t);
	update.allowed = allowed;
	m.message_case = LIVEKIT__SIGNAL_RESPONSE__MESSAGE_SUBSCRIPTION_PERMISSION_UPDATE;
	m.subscription_permission_update = &update;
	session_send(owner, &m);
}

static void on_subscription_failed(void *owner, const char *sid)
{
	subscribe_failed(owner, sid, LIVEKIT__SUBSCRIPTION_ERROR__SE_TRACK_NOTFOUND);
}

static void on_data(void *owner, const struct data_packet *d)
{
	data_send(owner, d);
}

static void on_removed(void *owner, Livekit__DisconnectReason why)
{
	session_removed(owner, why);
}

const struct participant_events session_participant_events = {
	.update = on_update,
	.room_update = on_room_update,
	.speakers = on_speakers,
	.quality = on_quality,
	.subscribed = on_subscribed,
	.unsubscribed = on_unsubscribed,
	.track_subscribed = on_track_subscribed,
	.track_muted = on_track_muted,
	.track_unpublished = on_track_unpublished,
	.subscription_allowed = on_subscription_allowed,
	.subscription_failed = on_subscription_failed,
	.data = on_data,
	.removed = on_removed,
};

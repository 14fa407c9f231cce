/* What the client asks, one function for each member of SignalRequest. Requests that mean nothing
 * here (layers of a video, data subscriptions) are left
 * alone: the session survives them. */
#include "signal/session.h"

#include "base/clock.h"
#include "base/mem.h"

#include <jansson.h>

void session_respond(struct session *s, Livekit__RequestResponse *r,
	Livekit__RequestResponse__Reason reason, const char *message)
{
	Livekit__SignalResponse m = LIVEKIT__SIGNAL_RESPONSE__INIT;
	r->reason = reason;
	if (message)
		r->message = (char *)message;
	m.message_case = LIVEKIT__SIGNAL_RESPONSE__MESSAGE_REQUEST_RESPONSE;
	m.request_response = r;
	session_send(s, &m);
}

static void on_offer(struct session *s, Livekit__SignalRequest *m)
{
	negotiate_offer(s, m->offer);
}

static void on_answer(struct session *s, Livekit__SignalRequest *m)
{
	offer_answered(s, m->answer);
}

/* We are ICE-lite: the client's addresses show themselves by its checks. But LiveKit's server says
 * when a candidate is no JSON. */
static void on_trickle(struct session *s, Livekit__SignalRequest *m)
{
	json_error_t error;
	json_t *j = json_loads(m->trickle->candidateinit, 0, &error);
	if (j) {
		json_decref(j);
		return;
	}
	Livekit__RequestResponse r = LIVEKIT__REQUEST_RESPONSE__INIT;
	r.request_case = LIVEKIT__REQUEST_RESPONSE__REQUEST_TRICKLE;
	r.trickle = m->trickle;
	session_respond(s, &r, LIVEKIT__REQUEST_RESPONSE__REASON__UNCLASSIFIED_ERROR,
		"the candidate is not JSON");
}

static void on_add_track(struct session *s, Livekit__SignalRequest *m)
{
	publish_request(s, m->add_track);
}

static void on_mute(struct session *s, Livekit__SignalRequest *m)
{
	publish_mute(s, m->mute);
}

static void on_subscription(struct session *s, Livekit__SignalRequest *m)
{
	subscribe_request(s, m->subscription);
}

static void on_track_setting(struct session *s, Livekit__SignalRequest *m)
{
	subscribe_settings(s, m->track_setting);
}

static void on_leave(struct session *s, Livekit__SignalRequest *m)
{
	session_end(s, LIVEKIT__DISCONNECT_REASON__CLIENT_INITIATED);
}

static void on_subscription_permission(struct session *s, Livekit__SignalRequest *m)
{
	const Livekit__SubscriptionPermission *p = m->subscription_permission;
	participant_allow(s->participant,
		(const Livekit__TrackPermission *const *)p->track_permissions,
		p->n_track_permissions, p->all_participants);
}

static void on_sync_state(struct session *s, Livekit__SignalRequest *m)
{
	resume_sync(s, m->sync_state);
}

static void on_simulate(struct session *s, Livekit__SignalRequest *m)
{
	simulate_request(s, m->simulate);
}

static void on_ping(struct session *s, Livekit__SignalRequest *m)
{
	Livekit__SignalResponse out = LIVEKIT__SIGNAL_RESPONSE__INIT;
	out.message_case = LIVEKIT__SIGNAL_RESPONSE__MESSAGE_PONG;
	out.pong = clock_unix_ms();
	session_send(s, &out);
}

static void on_ping_req(struct session *s, Livekit__SignalRequest *m)
{
	Livekit__Pong pong = LIVEKIT__PONG__INIT;
	Livekit__SignalResponse out = LIVEKIT__SIGNAL_RESPONSE__INIT;
	pong.last_ping_timestamp = m->ping_req->timestamp;
	pong.timestamp = clock_unix_ms();
	out.message_case = LIVEKIT__SIGNAL_RESPONSE__MESSAGE_PONG_RESP;
	out.pong_resp = &pong;
	session_send(s, &out);
}

static int set_metadata(struct session *s, const Livekit__UpdateParticipantMetadata *u)
{
	struct attribute *attributes = mem_zalloc((u->n_attributes + 1) * sizeof *attributes);
	if (!attributes)
		return err_new(-ENOMEM);
	for (size_t i = 0; i < u->n_attributes; ++i) {
		attributes[i].key = u->attributes[i]->key;
		attributes[i].value = u->attributes[i]->value;
	}
	/* An empty name or metadata is one that the client does not want to change. */
	int r = participant_set(s->participant, u->name[0] ? u->name : NULL,
		u->metadata[0] ? u->metadata : NULL, attributes, u->n_attributes);
	mem_free(attributes);
	return r;
}

static void on_update_metadata(struct session *s, Livekit__SignalRequest *m)
{
	Livekit__UpdateParticipantMetadata *u = m->update_metadata;
	Livekit__RequestResponse r = LIVEKIT__REQUEST_RESPONSE__INIT;
	r.request_id = u->request_id;
	r.request_case = LIVEKIT__REQUEST_RESPONSE__REQUEST_UPDATE_METADATA;
	r.update_metadata = u;

	if (!participant_permission(s->participant)->can_update_metadata)
		session_respond(s, &r, LIVEKIT__REQUEST_RESPONSE__REASON__NOT_ALLOWED,
			"does not have permission to update own metadata");
	else if (strlen(u->name) > rooms_limits(s->door->rooms)->name)
		session_respond(s, &r, LIVEKIT__REQUEST_RESPONSE__REASON__LIMIT_EXCEEDED,
			"exceeds name length limit");
	else if (set_metadata(s, u))
		session_respond(s, &r, LIVEKIT__REQUEST_RESPONSE__REASON__LIMIT_EXCEEDED,
			"exceeds metadata size limit");
	else if (s->join->protocol >= 15)
		session_respond(s, &r, LIVEKIT__REQUEST_RESPONSE__REASON__OK, NULL);
}

static void on_update_audio_track(struct session *s, Livekit__SignalRequest *m)
{
	publish_features(s, m->update_audio_track);
}

/* No track here is a video. */
static void on_update_video_track(struct session *s, Livekit__SignalRequest *m)
{
	Livekit__RequestResponse r = LIVEKIT__REQUEST_RESPONSE__INIT;
	r.request_case = LIVEKIT__REQUEST_RESPONSE__REQUEST_UPDATE_VIDEO_TRACK;
	r.update_video_track = m->update_video_track;
	session_respond(s, &r, LIVEKIT__REQUEST_RESPONSE__REASON__NOT_FOUND, NULL);
}

static void on_publish_data_track(struct session *s, Livekit__SignalRequest *m)
{
	bool allowed = participant_permission(s->participant)->can_publish_data;
	Livekit__RequestResponse r = LIVEKIT__REQUEST_RESPONSE__INIT;
	r.request_case = LIVEKIT__REQUEST_RESPONSE__REQUEST_PUBLISH_DATA_TRACK;
	r.publish_data_track = m->publish_data_track_request;
	session_respond(s, &r, LIVEKIT__REQUEST_RESPONSE__REASON__NOT_ALLOWED,
		allowed ? "this server has no data tracks"
			: "does not have permission to publish data");
}

static void on_unpublish_data_track(struct session *s, Livekit__SignalRequest *m)
{
	Livekit__RequestResponse r = LIVEKIT__REQUEST_RESPONSE__INIT;
	r.request_case = LIVEKIT__REQUEST_RESPONSE__REQUEST_UNPUBLISH_DATA_TRACK;
	r.unpublish_data_track = m->unpublish_data_track_request;
	session_respond(s, &r, LIVEKIT__REQUEST_RESPONSE__REASON__NOT_FOUND, NULL);
}

static void on_store_blob(struct session *s, Livekit__SignalRequest *m)
{
	Livekit__RequestResponse r = LIVEKIT__REQUEST_RESPONSE__INIT;
	r.request_id = m->store_data_blob_request->request_id;
	session_respond(s, &r, LIVEKIT__REQUEST_RESPONSE__REASON__NOT_ALLOWED,
		"data blob not enabled");
}

static void on_get_blob(struct session *s, Livekit__SignalRequest *m)
{
	Livekit__RequestResponse r = LIVEKIT__REQUEST_RESPONSE__INIT;
	r.request_id = m->get_data_blob_request->request_id;
	if (m->get_data_blob_request->key)
		session_respond(s, &r, LIVEKIT__REQUEST_RESPONSE__REASON__NOT_FOUND, NULL);
	else
		session_respond(s, &r, LIVEKIT__REQUEST_RESPONSE__REASON__INVALID_REQUEST,
			"data blob key is required");
}

#define CASE(name) LIVEKIT__SIGNAL_REQUEST__MESSAGE_##name

static const struct {
	Livekit__SignalRequest__MessageCase message;
	void (*handle)(struct session *s, Livekit__SignalRequest *m);
} requests[] = {
	{CASE(OFFER), on_offer},
	{CASE(ANSWER), on_answer},
	{CASE(TRICKLE), on_trickle},
	{CASE(ADD_TRACK), on_add_track},
	{CASE(MUTE), on_mute},
	{CASE(SUBSCRIPTION), on_subscription},
	{CASE(TRACK_SETTING), on_track_setting},
	{CASE(LEAVE), on_leave},
	{CASE(SUBSCRIPTION_PERMISSION), on_subscription_permission},
	{CASE(SYNC_STATE), on_sync_state},
	{CASE(SIMULATE), on_simulate},
	{CASE(PING), on_ping},
	{CASE(UPDATE_METADATA), on_update_metadata},
	{CASE(PING_REQ), on_ping_req},
	{CASE(UPDATE_AUDIO_TRACK), on_update_audio_track},
	{CASE(UPDATE_VIDEO_TRACK), on_update_video_track},
	{CASE(PUBLISH_DATA_TRACK_REQUEST), on_publish_data_track},
	{CASE(UNPUBLISH_DATA_TRACK_REQUEST), on_unpublish_data_track},
	{CASE(STORE_DATA_BLOB_REQUEST), on_store_blob},
	{CASE(GET_DATA_BLOB_REQUEST), on_get_blob},
};

void session_request(struct session *s, Livekit__SignalRequest *m)
{
	if (s->state != SESSION_OPEN)
		return;
	for (size_t i = 0; i < COUNT_OF(requests); ++i) {
		if (requests[i].message == m->message_case) {
			requests[i].handle(s, m);
			return;
		}
	}
}

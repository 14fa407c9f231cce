/* Resuming: the client's WebSocket broke, its media may live on; it comes back with the same
 * identity and everything goes on. What it missed is told first.
 *
 * Order as LiveKit's: reconnect, who left, who is here, the room; then the offer with new ICE
 * credentials on the connection that we offer. The client's sync_state tells what it still has.
 */
#include "signal/session.h"

#include "base/mem.h"

enum {
	/* A socket may be dead for a while before anybody notices. */
	MISSED_MS = 60000,
	/* For media to come back after a resume that found it broken. */
	MEDIA_BACK_MS = 20000,
};

/* Somebody who left, as it was told. */
struct missed {
	struct list link; /* session.missed, oldest first */
	uint64_t at_ms;
	struct buf info;  /* a packed ParticipantInfo */
};

/* ---- remembering ---- */

static void missed_free(struct session *s, struct missed *m)
{
	list_remove(&m->link);
	--s->missed_count;
	buf_fini(&m->info);
	mem_free(m);
}

void resume_forget(struct session *s)
{
	while (!list_empty(&s->missed))
		missed_free(s, list_first(&s->missed, struct missed, link));
}

static void forget_old(struct session *s, uint64_t now_ms)
{
	while (!list_empty(&s->missed)) {
		struct missed *m = list_first(&s->missed, struct missed, link);
		bool old = s->state == SESSION_OPEN && now_ms - m->at_ms > MISSED_MS;
		if (!old && s->missed_count < LIMIT_MISSED_LEAVERS)
			return;
		missed_free(s, m);
	}
}

void resume_note_left(struct session *s, const Livekit__ParticipantInfo *info)
{
	uint64_t now = loop_now_ms(s->door->loop);
	forget_old(s, now);
	struct missed *m = mem_zalloc(sizeof *m);
	if (!m)
		return;
	m->at_ms = now;
	list_add(&s->missed, &m->link);
	++s->missed_count;
	/* Who left has nothing more to say: only who it was is kept. */
	Livekit__ParticipantInfo who = *info;
	who.metadata = (char *)protobuf_c_empty_string;
	who.n_attributes = who.n_tracks = 0;
	if (proto_pack(&m->info, &who.base))
		missed_free(s, m);
}

/* ---- telling ---- */

static void send_reconnect(struct session *s)
{
	const struct signal_config *c = &s->door->config;
	Livekit__ServerInfo server = LIVEKIT__SERVER_INFO__INIT;
	struct info_arena a = {0};
	Livekit__ClientConfiguration client;
	Livekit__ReconnectResponse reconnect = LIVEKIT__RECONNECT_RESPONSE__INIT;
	Livekit__SignalResponse m = LIVEKIT__SIGNAL_RESPONSE__INIT;

	session_describe_server(&server, c);
	reconnect.n_ice_servers = session_ice_servers(&reconnect.ice_servers, s, &a);
	reconnect.client_configuration = session_client_configuration(s, &client);
	reconnect.server_info = &server;
	reconnect.last_message_seq = participant_last_sequence(s->participant);
	m.message_case = LIVEKIT__SIGNAL_RESPONSE__MESSAGE_RECONNECT;
	m.reconnect = &reconnect;
	session_send(s, &m);
	info_arena_fini(&a);
}

/* Who is back under the same identity never left, as clients count: they go by identity. */
static void send_left(struct session *s)
{
	struct proto_arena a = {0};
	Livekit__ParticipantUpdate update = LIVEKIT__PARTICIPANT_UPDATE__INIT;
	Livekit__SignalResponse m = LIVEKIT__SIGNAL_RESPONSE__INIT;

	const ProtobufCMessageDescriptor *type = &livekit__participant_info__descriptor;
	update.participants = proto_alloc(&a, (s->missed_count + 1) * sizeof *update.participants);
	list_each(it, &s->missed) {
		struct missed *left = container_of(it, struct missed, link);
		ProtobufCMessage *info;
		if (!update.participants || proto_unpack(&info, &a, type, buf_span(&left->info)))
			break;
		const char *identity = ((Livekit__ParticipantInfo *)info)->identity;
		if (!room_find(participant_room(s->participant), identity))
			update.participants[update.n_participants++] =
				(Livekit__ParticipantInfo *)info;
	}
	m.message_case = LIVEKIT__SIGNAL_RESPONSE__MESSAGE_UPDATE;
	m.update = &update;
	if (update.n_participants)
		session_send(s, &m);
	proto_arena_fini(&a);
	resume_forget(s);
}

static void send_present(struct session *s)
{
	struct participant *list[64];
	struct room *r = participant_room(s->participant);
	size_t count = 0;
	for (struct participant *p = NULL; (p = room_next(r, p));) {
		if (!participant_is_visible(p, s->participant))
			continue;
		list[count++] = p;
		if (count == COUNT_OF(list)) {
			session_participant_events.update(s, list, count);
			count = 0;
		}
	}
	if (count)
		session_participant_events.update(s, list, count);
}

/* ---- coming back ---- */

struct session *resume_find(struct signal_door *d, const struct join *j)
{
	struct room *r = rooms_find(d->rooms, j->room);
	struct participant *p = r ? room_find(r, j->identity) : NULL;
	if (!p)
		return NULL;
	list_each(it, &d->sessions) {
		struct session *s = container_of(it, struct session, link);
		bool here = s->state == SESSION_OPEN || s->state == SESSION_LOST;
		if (s->participant == p && here && s->single == j->single && !s->must_start_over)
			return s;
	}
	return NULL;
}

/* The new token counts from now on; how we are connected stays as it was. */
static void take_join(struct session *s, struct join *j)
{
	j->subscriber_primary = s->join->subscriber_primary;
	if (!j->protocol)
		j->protocol = s->join->protocol;
	join_free(s->join);
	s->join = j;
}

void resume(struct session *s, struct http_exchange *x, struct join *j)
{
	take_join(s, j);
	if (session_take_socket(s, x) || simulate_cuts(s, true))
		return;
	send_reconnect(s);
	send_left(s);
	send_present(s);
	session_participant_events.room_update(s);
	session_send_refresh(s);
	if (s->state != SESSION_OPEN)
		return;
	bool broken = s->publisher.state == MEDIA_TRANSPORT_FAILED ||
		s->subscriber.state == MEDIA_TRANSPORT_FAILED;
	session_watch_media(s, broken ? MEDIA_BACK_MS : 0);
	offer_restart(s);
	(void)simulate_cuts(s, false);
}

/* What the client believes to have. */
void resume_sync(struct session *s, const Livekit__SyncState *m)
{
	for (size_t i = 0; i < m->n_publish_tracks; ++i) {
		const Livekit__TrackInfo *t = m->publish_tracks[i]->track;
		if (t && !publish_find(s, t->sid)) {
			session_start_over(s);
			return;
		}
	}
	if (m->subscription)
		subscribe_request(s, m->subscription);
	for (size_t i = 0; i < m->n_track_sids_disabled; ++i)
		subscribe_disable(s, m->track_sids_disabled[i], true);
}

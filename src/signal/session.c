#include "signal/session.h"

#include "base/mem.h"

#include <assert.h>

enum {
	LINGER_MS = 5000,         /* after media failed: to come back */
	REFRESH_MS = 5 * 60000,
	ALIVE_MS = 10000,         /* clients ping twice in it */
};

static const struct {
	const char *name;
	unsigned next;
} states[SESSION__COUNT] = {
	[SESSION_JOINING] = {"joining", BIT(SESSION_OPEN) | BIT(SESSION_GONE)},
	[SESSION_OPEN] = {"open", BIT(SESSION_LOST) | BIT(SESSION_GONE)},
	[SESSION_LOST] = {"lost", BIT(SESSION_OPEN) | BIT(SESSION_GONE)},
	[SESSION_GONE] = {"gone", 0},
};

static void move(struct session *s, enum session_state next)
{
	assert(states[s->state].next & BIT(next));
	log_debug(participant_identity(s->participant), "session: %s -> %s", states[s->state].name,
		states[next].name);
	s->state = next;
}

/* ---- sending ---- */

void session_send(struct session *s, Livekit__SignalResponse *m)
{
	struct buf *frame = &s->door->frame;
	if (!s->ws || s->told_to_leave)
		return;
	frame->size = 0;
	int r = s->text ? proto_json_write(frame, &m->base, PROTO_JSON_SHORT)
			: proto_pack(frame, &m->base);
	if (r == 0)
		websocket_send(s->ws, s->text, buf_span(frame));
	else
		(void)err_new(r < 0 ? r : -EMSGSIZE);
}

void session_say_leave(
	struct session *s, Livekit__DisconnectReason why, Livekit__LeaveRequest__Action action)
{
	Livekit__LeaveRequest leave = LIVEKIT__LEAVE_REQUEST__INIT;
	Livekit__SignalResponse m = LIVEKIT__SIGNAL_RESPONSE__INIT;

	leave.reason = why;
	if (s->join->protocol >= 13)
		leave.action = action;
	else /* before there were actions */
		leave.can_reconnect = action != LIVEKIT__LEAVE_REQUEST__ACTION__DISCONNECT;
	m.message_case = LIVEKIT__SIGNAL_RESPONSE__MESSAGE_LEAVE;
	m.leave = &leave;
	session_send(s, &m);
	s->told_to_leave = true;
	if (s->ws)
		websocket_close(s->ws, 1000);
	s->ws = NULL;
}

/* ---- the socket ---- */

static void lose_socket(struct session *s)
{
	s->ws = NULL;
	timer_stop(&s->refresh);
	if (s->state == SESSION_GONE)
		return;
	/* Without media there is nothing to come back to. */
	if (!s->publisher.was_connected && !s->subscriber.was_connected) {
		session_end(s, LIVEKIT__DISCONNECT_REASON__SIGNAL_CLOSE);
		return;
	}
	if (s->state == SESSION_OPEN)
		move(s, SESSION_LOST);
}

static void on_closed(void *owner)
{
	lose_socket(owner);
}

void session_close_socket(struct session *s)
{
	if (s->ws)
		websocket_close(s->ws, 1000);
	lose_socket(s);
}

/* Nobody's client asks that much: not even one that publishes 64 tracks at once in a full room. */
static bool may_ask(struct session *s, size_t bytes)
{
	uint64_t now = loop_now_ms(s->door->loop);
	if (budget_take(&s->requests, now, 1, LIMIT_REQUESTS, LIMIT_REQUESTS_S) &&
		budget_take(&s->request_bytes, now, (int64_t)bytes, LIMIT_REQUEST_BYTES,
			LIMIT_REQUEST_BYTES_S))
		return true;
	log_warn(participant_identity(s->participant),
		"removed: its client asks more than %d requests or %d bytes, then %d and %d a second",
		LIMIT_REQUESTS, LIMIT_REQUEST_BYTES, LIMIT_REQUESTS_S, LIMIT_REQUEST_BYTES_S);
	session_end(s, LIVEKIT__DISCONNECT_REASON__PARTICIPANT_REMOVED);
	return false;
}

static void on_message(void *owner, bool text, struct span bytes)
{
	struct session *s = owner;
	if (!may_ask(s, bytes.size))
		return;
	struct proto_arena arena = {0};
	ProtobufCMessage *m;
	const ProtobufCMessageDescriptor *type = &livekit__signal_request__descriptor;

	s->text = text;
	s->heard_ms = loop_now_ms(s->door->loop);
	int r = text ? proto_json_read(&m, &arena, type, bytes, 0, NULL)
		     : proto_unpack(&m, &arena, type, bytes);
	if (r == 0)
		session_request(s, (Livekit__SignalRequest *)m);
	else
		session_close_socket(s); /* whoever sends this is not a client */
	proto_arena_fini(&arena);
}

static const struct websocket_events socket_events = {.message = on_message, .closed = on_closed};

void session_start_over(struct session *s)
{
	s->must_start_over = true;
	session_say_leave(s, LIVEKIT__DISCONNECT_REASON__STATE_MISMATCH,
		LIVEKIT__LEAVE_REQUEST__ACTION__RECONNECT);
	lose_socket(s);
}

int session_take_socket(struct session *s, struct http_exchange *x)
{
	struct websocket *w;
	int r = websocket_accept(&w, x, &socket_events, s);
	if (r) {
		http_reply(x, 400, "text/plain", NULL, span_text("not a WebSocket handshake"));
		return r;
	}
	if (s->ws)
		websocket_close(s->ws, 1000);
	s->ws = w;
	s->text = s->told_to_leave = false;
	if (s->state != SESSION_OPEN)
		move(s, SESSION_OPEN);
	timer_start(&s->refresh, REFRESH_MS, REFRESH_MS);
	return 0;
}

void session_watch_media(struct session *s, uint64_t ms)
{
	timer_stop(&s->deadline);
	if (ms)
		timer_start(&s->deadline, ms, 0);
}

/* ---- life ---- */

static void on_deadline(void *owner)
{
	session_end(owner, LIVEKIT__DISCONNECT_REASON__CONNECTION_TIMEOUT);
}

static void on_refresh(void *owner)
{
	session_send_refresh(owner);
}

static int join_room(struct session *s, struct room *r)
{
	struct participant_config c;
	join_participant_config(&c, s->join);
	return participant_join(&s->participant, r, &c, &session_participant_events, s);
}

int session_new(struct session **ret, struct signal_door *d, struct room *r, struct join *join)
{
	struct session *s = mem_zalloc(sizeof *s);
	if (!s)
		return err_new(-ENOMEM);
	s->door = d;
	s->join = join;
	s->single = join->single;
	s->way = d->config.force_tcp
		? WAY_TCP
		: ways_find(&d->ways, join->room, join->identity, loop_now_ms(d->loop));
	s->held.max = LIMIT_DATA_HELD_BYTES;
	list_init(&s->link);
	list_init(&s->pubs);
	list_init(&s->hearings);
	list_init(&s->missed);
	s->publisher.session = s->subscriber.session = s;
	list_init(&s->publisher.sections);
	list_init(&s->subscriber.sections);

	int e = offer_init(s);
	if (!e)
		e = timer_init(&s->refresh, d->loop, on_refresh, s);
	if (!e)
		e = timer_init(&s->deadline, d->loop, on_deadline, s);
	if (!e)
		e = quality_init(s);
	if (!e)
		e = simulate_init(s);
	if (!e)
		e = join_room(s, r);
	if (e) {
		s->join = NULL;
		session_free(s);
		return e;
	}
	list_add(&d->sessions, &s->link);
	++d->session_count;
	*ret = s;
	return 0;
}

struct session *session_free(struct session *s)
{
	if (!s)
		return NULL;
	if (!list_empty(&s->link)) { /* it was complete */
		list_remove(&s->link);
		--s->door->session_count;
	}
	if (s->ws)
		websocket_close(s->ws, 1000);
	subscribe_free_all(s);
	publish_free_all(s);
	peer_fini(&s->publisher);
	peer_fini(&s->subscriber);
	offer_fini(s);
	simulate_fini(s);
	timer_fini(&s->refresh);
	timer_fini(&s->deadline);
	quality_fini(s);
	buf_fini(&s->held);
	resume_forget(s);
	join_free(s->join);
	mem_free(s);
	return NULL;
}

/* What a v1 client wants at once travels in its join request. */
static void take_join_request(struct session *s)
{
	const Livekit__JoinRequest *j = s->join->request;
	if (!j)
		return;
	for (size_t i = 0; i < j->n_add_track_requests; ++i)
		publish_request(s, j->add_track_requests[i]);
	if (j->publisher_offer)
		negotiate_offer(s, j->publisher_offer);
}

void session_open(struct session *s, struct http_exchange *x)
{
	if (session_take_socket(s, x) || peer_open(&s->publisher, s)) {
		session_end(s, LIVEKIT__DISCONNECT_REASON__JOIN_FAILURE);
		return;
	}
	session_send_join(s);
	participant_joined(s->participant);
	if (s->state != SESSION_OPEN)
		return;
	session_send_refresh(s);
	if (s->join->subscriber_primary)
		offer_first(s);
	take_join_request(s);
}

static void on_reap(struct deferred *d)
{
	session_free(container_of(d, struct session, reap));
}

void session_vanish(struct session *s, Livekit__DisconnectReason why)
{
	s->told_to_leave = true;
	session_end(s, why);
}

/* The room calls `removed` from inside participant_leave(), which does the rest. */
void session_end(struct session *s, Livekit__DisconnectReason why)
{
	if (s->state != SESSION_GONE)
		participant_leave(s->participant, why);
}

void session_removed(struct session *s, Livekit__DisconnectReason why)
{
	session_say_leave(s, why, LIVEKIT__LEAVE_REQUEST__ACTION__DISCONNECT);
	move(s, SESSION_GONE);
	/* Media ends now, not at the end of the turn: what else happens in it sees no ghost. */
	subscribe_free_all(s);
	publish_free_all(s);
	peer_fini(&s->publisher);
	peer_fini(&s->subscriber);
	timer_stop(&s->deadline);
	timer_stop(&s->refresh);
	timer_stop(&s->quality);
	timer_stop(&s->simulation.quiet);
	loop_defer(s->door->loop, &s->reap, on_reap);
}

/* ---- media ---- */

static struct peer *primary(struct session *s)
{
	return s->join->subscriber_primary ? &s->subscriber : &s->publisher;
}

static void on_connected(struct session *s, struct peer *p)
{
	p->was_connected = true;
	timer_stop(&s->deadline);
	data_connected(p);
	if (p == primary(s) &&
		participant_state(s->participant) != LIVEKIT__PARTICIPANT_INFO__STATE__ACTIVE) {
		participant_active(s->participant);
		quality_tell_later(s);
	}
	if (p == &s->publisher)
		publish_go_live(s);
}

/* Media died while the client's voice is heard here: that way is bad, the other may be better. */
static void change_way(struct session *s)
{
	struct signal_door *d = s->door;
	uint64_t now = loop_now_ms(d->loop);

	if (!d->config.tcp_fallback || d->config.force_tcp || !media_rtc_tcp_port(d->media) ||
		s->way == WAY_RELAY || !s->ws || now - s->heard_ms >= ALIVE_MS)
		return;
	s->way = s->way == WAY_TCP ? WAY_ANY : WAY_TCP;
	ways_remember(&d->ways, s->join->room, s->join->identity, s->way, now);
	log_info(participant_identity(s->participant), "media failed: %s from here on",
		s->way == WAY_TCP ? "only TCP" : "UDP again");
}

/* The client may come back (it is asked to, when its socket is still there). */
static void on_failed(struct session *s)
{
	change_way(s);
	if (s->ws)
		session_say_leave(s, LIVEKIT__DISCONNECT_REASON__CONNECTION_TIMEOUT,
			LIVEKIT__LEAVE_REQUEST__ACTION__RESUME);
	lose_socket(s);
	if (s->state != SESSION_GONE)
		timer_start(&s->deadline, LINGER_MS, 0);
}

void session_peer_state(struct session *s, struct peer *p, enum media_transport_state state)
{
	p->state = state;
	if (s->state == SESSION_GONE)
		return;
	if (state == MEDIA_TRANSPORT_CONNECTED)
		on_connected(s, p);
	else if (state == MEDIA_TRANSPORT_FAILED)
		on_failed(s);
}

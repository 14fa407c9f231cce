#include "signal/session.h"

#include "base/clock.h"
#include "base/mem.h"
#include "signal/describe.h"

#include <assert.h>

/* ---- making and ending ---- */

static int copy_ips(struct signal_door *d, const struct signal_config *c)
{
	d->node_ips = mem_zalloc((c->node_ip_count + 1) * sizeof *d->node_ips);
	if (!d->node_ips)
		return err_new(-ENOMEM);
	for (; d->node_ip_count < c->node_ip_count; ++d->node_ip_count) {
		d->node_ips[d->node_ip_count] = mem_strdup(c->node_ips[d->node_ip_count]);
		if (!d->node_ips[d->node_ip_count])
			return err_new(-ENOMEM);
	}
	return 0;
}

static int make_scratch(struct signal_door *d)
{
	d->media_scratch = mem_zalloc(LIMIT_SDP_MEDIA * sizeof *d->media_scratch);
	d->sections = mem_zalloc(LIMIT_SDP_MEDIA * sizeof *d->sections);
	d->descriptions = mem_zalloc(LIMIT_SDP_MEDIA * sizeof *d->descriptions);
	return d->media_scratch && d->sections && d->descriptions ? 0 : err_new(-ENOMEM);
}

int signal_new(struct signal_door **ret, const struct signal_config *config)
{
	assert(config->loop && config->rooms && config->media && config->secret);
	assert(config->version && config->version[0]);
	assert(config->node_ip_count <= SIGNAL_IPS_MAX);

	struct signal_door *d = mem_zalloc(sizeof *d);
	if (!d)
		return err_new(-ENOMEM);
	d->loop = config->loop;
	d->rooms = config->rooms;
	d->media = config->media;
	d->config = *config;
	d->frame.max = LIMIT_WS_QUEUE_BYTES;
	/* Each takes up to two transports. */
	d->session_max = LIMIT_TRANSPORTS / 2;
	if (config->max_sessions && config->max_sessions < d->session_max)
		d->session_max = config->max_sessions;
	list_init(&d->sessions);
	ways_init(&d->ways);
	int r = copy_ips(d, config);
	if (!r)
		r = make_scratch(d);
	if (!r)
		r = sctp_stack_start(d->loop);
	if (r) {
		signal_free(d);
		return r;
	}
	*ret = d;
	return 0;
}

struct signal_door *signal_free(struct signal_door *d)
{
	if (!d)
		return NULL;
	while (!list_empty(&d->sessions)) {
		struct session *s = list_first(&d->sessions, struct session, link);
		session_end(s, LIVEKIT__DISCONNECT_REASON__SERVER_SHUTDOWN);
		list_remove(&s->reap.link); /* not at the end of the turn: now */
		session_free(s);
	}
	sctp_stack_stop();
	for (size_t i = 0; i < d->node_ip_count; ++i)
		mem_free(d->node_ips[i]);
	mem_free(d->node_ips);
	mem_free(d->media_scratch);
	mem_free(d->sections);
	mem_free(d->descriptions);
	buf_fini(&d->frame);
	ways_fini(&d->ways);
	map_fini(&d->peers);
	map_fini(&d->sources);
	mem_free(d);
	return NULL;
}

size_t signal_session_count(const struct signal_door *d)
{
	return d->session_count;
}

/* ---- HTTP ---- */

enum route {
	ROUTE_NONE,
	ROUTE_V0,
	ROUTE_V1,
	ROUTE_V0_VALIDATE,
	ROUTE_V1_VALIDATE,
};

static enum route route_of(const struct http_exchange *x)
{
	static const char *const paths[] = {
		[ROUTE_V0] = "/rtc",
		[ROUTE_V1] = "/rtc/v1",
		[ROUTE_V0_VALIDATE] = "/rtc/validate",
		[ROUTE_V1_VALIDATE] = "/rtc/v1/validate",
	};
	const char *path = http_path(x);
	if (path[0] == '/' && path[1] == '/') /* apps often configure a slash at the end */
		++path;
	for (int i = ROUTE_V0; i <= ROUTE_V1_VALIDATE; ++i)
		if (strcmp(path, paths[i]) == 0)
			return (enum route)i;
	return ROUTE_NONE;
}

static void reply_text(struct http_exchange *x, unsigned status, const char *text)
{
	http_reply(x, status, "text/plain; charset=utf-8", NULL, span_text(text));
}

/* Clients ask for the reason from pages that never showed an Origin: as LiveKit, always readable. */
static void reply_any_page(struct http_exchange *x, unsigned status, const char *text)
{
	http_reply(x, status, "text/plain; charset=utf-8", "Access-Control-Allow-Origin: *\r\n", span_text(text));
}

static const char *query_of(void *owner, const char *name)
{
	return http_query(owner, name);
}

static int validate(struct join **ret, struct refusal *why, struct signal_door *d,
	struct http_exchange *x, bool single, bool strict)
{
	struct join_input in = {.authorization = http_header(x, "authorization"),
		.query = query_of,
		.query_owner = x,
		.secret = d->config.secret,
		.secret_owner = d->config.secret_owner,
		.now_s = clock_unix_s(),
		.limits = rooms_limits(d->rooms),
		.single = single,
		.strict = strict};
	return join_validate(ret, why, &in);
}

static int refuse(struct refusal *why, unsigned status, const char *text)
{
	*why = (struct refusal){.status = status, .text = text};
	return JOIN_E_REFUSED;
}

static int refuse_full(struct refusal *why)
{
	return refuse(why, 503, "node has exceeded its configured limit");
}

/* What is refused before the room is touched; whoever only asks to validate hears it too. */
static int may_enter(struct refusal *why, const struct signal_door *d, const struct join *j)
{
	if (!rooms_find(d->rooms, j->room) && !j->may_create && !rooms_auto_create(d->rooms))
		return refuse(why, 404, "requested room does not exist");
	if (signal_session_count(d) >= d->session_max || rooms_are_full(d->rooms))
		return refuse_full(why);
	return 0;
}

/* Room and participant, or a refusal that is worth telling. */
static int enter(struct session **ret, struct refusal *why, struct signal_door *d, struct join *j)
{
	struct room_options options = {0};
	struct room *r;

	if (may_enter(why, d, j))
		return JOIN_E_REFUSED;
	if (join_room_options(&options, j, d->rooms) == JOIN_E_PRESET)
		return refuse(why, 400, "unknown room configuration in create room request");
	int e = rooms_open(&r, NULL, d->rooms, j->room, &options);
	if (e == ROOMS_E_LIMIT)
		return refuse_full(why);
	if (!e)
		e = session_new(ret, d, r, j);
	if (e == PARTICIPANT_E_ROOM_FULL)
		return refuse(why, 500, "room has exceeded its max participants");
	return e ? refuse(why, 500, "internal error") : 0;
}

static void on_deaf_message(void *owner, bool text, struct span message)
{
}

static void on_deaf_closed(void *owner)
{
}

/* A session that is not here: the client starts over (LEAVE must be the first message). */
static void refuse_resume(struct http_exchange *x, const struct join *j)
{
	static const struct websocket_events deaf = {
		.message = on_deaf_message, .closed = on_deaf_closed};
	Livekit__LeaveRequest leave = LIVEKIT__LEAVE_REQUEST__INIT;
	Livekit__SignalResponse m = LIVEKIT__SIGNAL_RESPONSE__INIT;
	struct buf frame = {0};
	struct websocket *w;

	leave.reason = LIVEKIT__DISCONNECT_REASON__STATE_MISMATCH;
	leave.action = LIVEKIT__LEAVE_REQUEST__ACTION__RECONNECT;
	leave.can_reconnect = j->protocol < 13;
	m.message_case = LIVEKIT__SIGNAL_RESPONSE__MESSAGE_LEAVE;
	m.leave = &leave;
	if (websocket_accept(&w, x, &deaf, NULL)) {
		reply_text(x, 400, "not a WebSocket handshake");
		return;
	}
	if (proto_pack(&frame, &m.base) == 0)
		websocket_send(w, false, buf_span(&frame));
	websocket_close(w, 1000);
	buf_fini(&frame);
}

bool signal_upgrade(struct signal_door *d, struct http_exchange *x)
{
	enum route route = route_of(x);
	struct refusal why = {.status = 500, .text = "internal error"};
	struct join *j = NULL;
	struct session *s;

	if (route != ROUTE_V0 && route != ROUTE_V1)
		return false;
	if (validate(&j, &why, d, x, route == ROUTE_V1, false)) {
		reply_text(x, why.status, why.text);
	} else if (j->reconnect) {
		s = resume_find(d, j);
		if (s) {
			resume(s, x, j);
		} else {
			refuse_resume(x, j);
			join_free(j);
		}
	} else if (enter(&s, &why, d, j)) {
		reply_text(x, why.status, why.text);
		join_free(j);
	} else {
		session_open(s, x);
	}
	refusal_fini(&why);
	return true;
}

bool signal_request(struct signal_door *d, struct http_exchange *x)
{
	enum route route = route_of(x);
	struct refusal why = {.status = 500, .text = "internal error"};
	struct join *j = NULL;

	if (route == ROUTE_NONE)
		return false;
	if (route == ROUTE_V0 || route == ROUTE_V1) {
		http_reply(x, 404, NULL, NULL, (struct span){0}); /* only as a WebSocket */
	} else if (validate(&j, &why, d, x, route == ROUTE_V1_VALIDATE, true) || may_enter(&why, d, j)) {
		reply_any_page(x, why.status, why.text);
	} else {
		reply_any_page(x, 200, "success");
	}
	join_free(j);
	refusal_fini(&why);
	return true;
}

/* ---- media ---- */

static struct peer *peer_of(struct signal_door *d, media_id transport)
{
	return map_entry(map_get_id(&d->peers, transport), struct peer, by_transport);
}

void signal_transport_state(
	struct signal_door *d, media_id transport, enum media_transport_state state)
{
	struct peer *p = peer_of(d, transport);
	if (p)
		session_peer_state(p->session, p, state);
}

void signal_transport_sctp(struct signal_door *d, media_id transport, struct span packet)
{
	struct peer *p = peer_of(d, transport);
	if (p)
		data_input(p, packet);
}

void signal_transport_stats(struct signal_door *d, media_id transport,
	const struct media_voice_stats *stats, size_t count)
{
	struct peer *p = peer_of(d, transport);
	if (p && p->session->state != SESSION_GONE)
		quality_measured(p->session, stats, count);
}

void signal_levels(struct signal_door *d, const struct media_level *levels, size_t count)
{
	for (size_t i = 0; i < count; ++i) {
		const struct media_level *l = &levels[i];
		struct map_node *node = map_get_id(&d->sources, l->source);
		struct pub *p = map_entry(node, struct pub, by_source);
		if (p && p->track && !p->muted)
			track_level(p->track, l->level, l->active_ms, l->observed_ms);
	}
}

#include "simulator/carrier_wire.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/tcp.h"
#include "net/udp.h"
#include "wire/sip_stream.h"

#include <errno.h>

enum {
	QUEUE_MAX = 1 << 20,
	CONNECTIONS_MAX = 256,
	PING_BYTES = 4,
	PIECE = 40, /* bytes of a slow stream at a time */
	KEPT_MAX = 64 << 10, /* not yet sent on a slow stream */
};

struct edge {
	struct carrier_wire *wire;
	char ip[ADDRESS_TEXT_SIZE];
	enum carrier_edge_state state;
	struct udp *udp;
	struct tcp_listener *tcp, *tls;
};

struct connection {
	struct list link;
	struct carrier_wire *wire;
	struct tcp *stream; /* NULL once it has closed */
	struct carrier_way way;
	struct sip_stream in;
	struct buf slow;
	struct timer slow_timer;
	long piece_ms;
	struct deferred free_later;
};

struct carrier_wire {
	struct loop *loop;
	const struct carrier_wire_events *events;
	void *owner;
	struct edge edges[CARRIER_EDGES_MAX];
	size_t edge_count;
	uint16_t port, tls_port;
	struct tls_context *tls_context;
	struct list connections;
	size_t connection_count;
	uint64_t next_id;
};

static size_t edge_index(const struct edge *e)
{
	return (size_t)(e - e->wire->edges);
}

/* --- UDP ------------------------------------------------------------------------------------ */

static bool is_blank(struct span s)
{
	for (size_t i = 0; i < s.size; ++i)
		if (s.data[i] != '\r' && s.data[i] != '\n')
			return false;
	return true;
}

static void on_datagram(void *owner, const struct sockaddr *from, struct span bytes)
{
	struct edge *e = owner;
	struct carrier_way way = {.edge = edge_index(e), .transport = CARRIER_UDP};
	memcpy(&way.peer, from, address_size(from));
	if (e->state != EDGE_ALIVE)
		return;
	if (is_blank(bytes))
		e->wire->events->keepalive(e->wire->owner, &way, bytes.size);
	else
		e->wire->events->message(e->wire->owner, &way, bytes);
}

static const struct udp_events udp_events = {.datagram = on_datagram};

/* --- TCP and TLS ----------------------------------------------------------------------------- */

static void free_connection(struct deferred *d)
{
	struct connection *c = container_of(d, struct connection, free_later);
	list_remove(&c->link);
	list_remove(&c->free_later.link);
	if (c->wire)
		--c->wire->connection_count;
	timer_fini(&c->slow_timer);
	sip_stream_fini(&c->in);
	buf_fini(&c->slow);
	mem_free(c);
}

static void on_closed(void *owner, int error)
{
	struct connection *c = owner;
	c->stream = NULL;
	if (!c->wire) {
		free_connection(&c->free_later);
		return;
	}
	c->wire->events->connection(c->wire->owner, &c->way, false);
	loop_defer(c->wire->loop, &c->free_later, free_connection);
}

/* True when there may be more. */
static bool take_one(struct connection *c)
{
	struct carrier_wire *w = c->wire;
	struct span message;
	switch (sip_stream_next(&c->in, &message)) {
	case 0:
		w->events->message(w->owner, &c->way, message);
		return c->stream && c->wire;
	case SIP_STREAM_E_PING:
		w->events->keepalive(w->owner, &c->way, PING_BYTES);
		return c->stream != NULL;
	case SIP_STREAM_E_PONG:
		return true;
	case SIP_STREAM_E_BROKEN:
		tcp_abort(c->stream);
		return false;
	default:
		return false;
	}
}

static void on_data(void *owner, struct span bytes)
{
	struct connection *c = owner;
	if (!c->wire || c->wire->edges[c->way.edge].state != EDGE_ALIVE)
		return;
	if (sip_stream_add(&c->in, bytes)) {
		tcp_abort(c->stream);
		return;
	}
	while (take_one(c))
		;
}

static const struct tcp_events tcp_events = {.data = on_data, .closed = on_closed};

static void write_stream(struct connection *c, struct span bytes)
{
	int r = c->stream ? tcp_write(c->stream, bytes) : 0;
	if (r < 0)
		log_debug("simulator", "a message was not sent: %s", strerror(-r));
}

static void on_slow(void *owner)
{
	struct connection *c = owner;
	if (!c->wire)
		return;
	size_t size = c->slow.size < PIECE ? c->slow.size : PIECE;
	write_stream(c, span_of(c->slow.data, size));
	buf_drop_front(&c->slow, size);
	if (c->slow.size)
		timer_start(&c->slow_timer, (uint64_t)c->piece_ms, 0);
}

static struct connection *new_connection(struct edge *e, struct tcp *stream, enum carrier_transport transport)
{
	struct carrier_wire *w = e->wire;
	struct connection *c = mem_zalloc(sizeof *c);
	if (!c)
		return NULL;
	c->wire = w;
	c->stream = stream;
	c->slow.max = KEPT_MAX;
	c->way = (struct carrier_way){.edge = edge_index(e), .transport = transport, .connection = ++w->next_id};
	tcp_peer(stream, &c->way.peer);
	list_init(&c->free_later.link);
	list_add(&w->connections, &c->link);
	++w->connection_count;
	if (timer_init(&c->slow_timer, w->loop, on_slow, c) < 0) {
		free_connection(&c->free_later);
		return NULL;
	}
	return c;
}

static void accept_stream(struct edge *e, struct tcp *stream, enum carrier_transport transport)
{
	struct carrier_wire *w = e->wire;
	if (w->connection_count >= CONNECTIONS_MAX)
		return;
	struct connection *c = new_connection(e, stream, transport);
	if (!c)
		return;
	tcp_adopt(stream, &tcp_events, c, QUEUE_MAX);
	w->events->connection(w->owner, &c->way, true);
}

static void on_tcp(void *owner, struct tcp *t)
{
	accept_stream(owner, t, CARRIER_TCP);
}

static void on_tls(void *owner, struct tcp *t)
{
	accept_stream(owner, t, CARRIER_TLS);
}

/* --- edges ----------------------------------------------------------------------------------- */

static void close_edge(struct edge *e)
{
	udp_close(e->udp);
	tcp_listener_close(e->tcp);
	tcp_listener_close(e->tls);
	e->udp = NULL;
	e->tcp = e->tls = NULL;
	list_each(it, &e->wire->connections) {
		struct connection *c = container_of(it, struct connection, link);
		if (c->stream && c->way.edge == edge_index(e))
			tcp_abort(c->stream);
	}
}

static int open_tls(struct edge *e)
{
	struct carrier_wire *w = e->wire;
	struct sockaddr_storage bind;
	int r = address_parse(&bind, e->ip, w->tls_port);
	if (r == 0)
		r = tcp_listen(&e->tls, w->loop, (struct sockaddr *)&bind, on_tls, e);
	if (r < 0)
		return r;
	tcp_listener_use_tls(e->tls, w->tls_context);
	tcp_listener_local(e->tls, &bind);
	w->tls_port = address_port((struct sockaddr *)&bind);
	return 0;
}

static int open_edge(struct edge *e)
{
	struct carrier_wire *w = e->wire;
	struct sockaddr_storage bind;
	int r = address_parse(&bind, e->ip, w->port);
	if (r == 0)
		r = udp_open(&e->udp, w->loop, (struct sockaddr *)&bind, &udp_events, e);
	if (r < 0)
		return r;
	udp_local(e->udp, &bind);
	w->port = address_port((struct sockaddr *)&bind);
	r = tcp_listen(&e->tcp, w->loop, (struct sockaddr *)&bind, on_tcp, e);
	return r == 0 && w->tls_context ? open_tls(e) : r;
}

int carrier_wire_set(struct carrier_wire *w, const char *ip, enum carrier_edge_state state)
{
	for (size_t i = 0; i < w->edge_count; ++i) {
		struct edge *e = &w->edges[i];
		if (strcmp(e->ip, ip))
			continue;
		if (state == EDGE_DEAD)
			close_edge(e);
		int r = state != EDGE_DEAD && !e->udp ? open_edge(e) : 0;
		if (r == 0)
			e->state = state;
		return r;
	}
	return WIRE_E_ADDRESS;
}

/* --- life ------------------------------------------------------------------------------------ */

/* A port that the kernel gave for UDP may be taken for TCP: then another one. */
static int open_first(struct carrier_wire *w, uint16_t wanted)
{
	int r = -EADDRINUSE;
	for (int tries = 0; tries < 20 && r == -EADDRINUSE; ++tries) {
		close_edge(&w->edges[0]);
		w->port = wanted;
		r = open_edge(&w->edges[0]);
		if (wanted)
			break;
	}
	return r;
}

int carrier_wire_new(struct carrier_wire **ret, struct loop *l, const struct carrier_wire_config *config,
	const struct carrier_wire_events *events, void *owner)
{
	struct carrier_wire *w = mem_zalloc(sizeof *w);
	if (!w)
		return err_new(-ENOMEM);
	w->loop = l;
	w->events = events;
	w->owner = owner;
	w->port = config->port;
	w->tls_port = config->tls_port;
	w->tls_context = config->tls;
	list_init(&w->connections);
	int r = config->ip_count ? 0 : -EINVAL;
	for (size_t i = 0; i < config->ip_count && i < CARRIER_EDGES_MAX && r == 0; ++i) {
		struct edge *e = &w->edges[w->edge_count++];
		e->wire = w;
		strncat(e->ip, config->ips[i], sizeof e->ip - 1);
		r = i ? open_edge(e) : open_first(w, config->port);
	}
	if (r < 0) {
		carrier_wire_free(w);
		return r;
	}
	*ret = w;
	return 0;
}

struct carrier_wire *carrier_wire_free(struct carrier_wire *w)
{
	if (!w)
		return NULL;
	for (size_t i = 0; i < w->edge_count; ++i)
		close_edge(&w->edges[i]);
	while (!list_empty(&w->connections)) {
		struct connection *c = list_first(&w->connections, struct connection, link);
		list_remove(&c->link);
		if (!c->stream)
			free_connection(&c->free_later);
		else
			c->wire = NULL; /* its stream is closing: on_closed() frees it */
	}
	mem_free(w);
	return NULL;
}

static struct connection *find(struct carrier_wire *w, uint64_t id)
{
	list_each(it, &w->connections) {
		struct connection *c = container_of(it, struct connection, link);
		if (c->way.connection == id)
			return c;
	}
	return NULL;
}

static void send_stream(struct connection *c, struct span bytes, long piece_ms)
{
	if (piece_ms <= 0 && !c->slow.size) {
		write_stream(c, bytes);
		return;
	}
	bool idle = !c->slow.size;
	c->piece_ms = piece_ms > 0 ? piece_ms : 1;
	if (buf_add(&c->slow, bytes.data, bytes.size) == 0 && idle)
		timer_start(&c->slow_timer, 0, 0);
}

void carrier_wire_send(struct carrier_wire *w, const struct carrier_way *way, struct span bytes, long piece_ms)
{
	struct edge *e = &w->edges[way->edge];
	if (e->state != EDGE_ALIVE)
		return;
	w->events->sent(w->owner, way, bytes);
	if (way->transport == CARRIER_UDP) {
		int r = e->udp ? udp_send(e->udp, (const struct sockaddr *)&way->peer, bytes) : 0;
		(void)r; /* lost like any datagram */
		return;
	}
	struct connection *c = find(w, way->connection);
	if (c)
		send_stream(c, bytes, piece_ms);
}

uint16_t carrier_wire_port(const struct carrier_wire *w, enum carrier_transport t)
{
	return t == CARRIER_TLS ? w->tls_port : w->port;
}

const char *carrier_wire_ip(const struct carrier_wire *w, size_t edge)
{
	return w->edges[edge].ip;
}

const char *carrier_transport_text(enum carrier_transport t)
{
	static const char *const texts[] = {"UDP", "TCP", "TLS"};
	return texts[t];
}

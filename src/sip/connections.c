/* sip/connections.c - SIP over TCP and TLS: who is connected, what they say in whole messages, and when
 * a connection has had its time (RFC 3261 section 18, RFC 5626 section 4.4.1, RFC 5923). */
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "net/address.h"
#include "net/tcp.h"
#include "sip/transport_inside.h"
#include "wire/sip_stream.h"

#include <errno.h>

enum { TICK_MS = 1000 };

/*
 *   opening (ours only) -> ready -> dead (aborted; only `closed` is still to come)
 *
 * Lives until its stream says `closed`, which may be after the transport is gone.
 */
struct connection {
	struct list link;
	struct sip_transport *transport; /* NULL: the transport was closed */
	struct tcp *tcp;
	struct sip_path path;
	bool ours;          /* we called */
	bool ready, dead;
	bool pongs;         /* it has answered a ping: so silence is a sign */
	struct sip_stream stream;
	struct buf waiting; /* to be sent once ready */
	uint64_t opened_ms, heard_ms, sent_ms; /* heard_ms 0 = never */
	uint64_t begun_ms;  /* when the message that is not complete began; 0 = none */
	char tls_why[TLS_WHY_SIZE];
};

static const struct sockaddr *address_of(const struct sockaddr_storage *a)
{
	return (const struct sockaddr *)a;
}

static uint64_t now_of(const struct connection *c)
{
	return loop_now_ms(c->transport->loop);
}

static void connection_abort(struct connection *c)
{
	if (c->dead)
		return;
	c->dead = true;
	if (c->transport)
		--c->transport->connection_count;
	tcp_abort(c->tcp);
}

/* --- what comes in ------------------------------------------------------------------------ */

static void on_ready(void *owner)
{
	struct connection *c = owner;

	c->ready = true;
	if (!c->transport || c->dead || !c->waiting.size)
		return;
	c->sent_ms = now_of(c);
	if (tcp_write(c->tcp, buf_span(&c->waiting)) < 0)
		connection_abort(c);
	buf_fini(&c->waiting);
}

/* A message that has begun must end within its time, whatever came before it. */
static void note_progress(struct connection *c, bool any_whole)
{
	if (!sip_stream_has_begun(&c->stream))
		c->begun_ms = 0;
	else if (any_whole || !c->begun_ms)
		c->begun_ms = now_of(c);
}

/* Messages, one after the other; however many pings came, one pong is enough. */
static void read_stream(struct connection *c)
{
	bool pinged = false, any_whole = false;

	while (!c->dead && c->transport) {
		struct span message;
		int r = sip_stream_next(&c->stream, &message);
		if (r == SIP_STREAM_E_MORE)
			break;
		if (r == SIP_STREAM_E_BROKEN) {
			c->transport->events->dropped(c->transport->owner, SIP_DROP_LENGTH);
			connection_abort(c);
			return;
		}
		pinged |= r == SIP_STREAM_E_PING;
		c->pongs |= r == SIP_STREAM_E_PONG;
		any_whole |= r == 0;
		if (r == 0)
			sip_transport_deliver(c->transport, message, &c->path);
	}
	if (c->dead || !c->transport)
		return;
	note_progress(c, any_whole);
	if (pinged && tcp_write(c->tcp, span_text("\r\n")) < 0)
		connection_abort(c);
}

static void on_data(void *owner, struct span bytes)
{
	struct connection *c = owner;

	if (c->dead || !c->transport)
		return;
	c->heard_ms = now_of(c);
	int r = sip_stream_add(&c->stream, bytes);
	if (r < 0)
		connection_abort(c);
	else
		read_stream(c); /* says itself when it is broken */
}

static void on_tls_failed(void *owner, const char *why)
{
	struct connection *c = owner;
	snprintf(c->tls_why, sizeof c->tls_why, "%s", why);
}

static void on_closed(void *owner, int error)
{
	struct connection *c = owner;
	struct sip_transport *t = c->transport;
	struct sip_path path = c->path;
	char why[TLS_WHY_SIZE];
	struct sip_trouble trouble = {.tls = *c->tls_why ? why : NULL, .was_good = c->heard_ms};

	memcpy(why, c->tls_why, sizeof why);
	if (t) {
		list_remove(&c->link);
		t->connection_count -= !c->dead;
		if (list_empty(&t->connections))
			timer_stop(&t->tick);
	}
	sip_stream_fini(&c->stream);
	buf_fini(&c->waiting);
	mem_free(c);
	if (t)
		t->events->failed(t->owner, &path, &trouble);
}

static const struct tcp_events tcp_events = {
	.ready = on_ready,
	.data = on_data,
	.tls_failed = on_tls_failed,
	.closed = on_closed,
};

/* --- life --------------------------------------------------------------------------------- */

static uint64_t last_word_ms(const struct connection *c)
{
	uint64_t last = c->heard_ms > c->sent_ms ? c->heard_ms : c->sent_ms;
	return last > c->opened_ms ? last : c->opened_ms;
}

static bool is_needed(const struct connection *c)
{
	return c->transport->events->needed(c->transport->owner, c->path.connection);
}

/* Makes room: the one that nobody needs and that has been silent longest. */
static bool give_way(struct sip_transport *t)
{
	struct connection *oldest = NULL;

	list_each(it, &t->connections)
	{
		struct connection *c = container_of(it, struct connection, link);
		if (!c->dead && c->ready && (!oldest || last_word_ms(c) < last_word_ms(oldest)) && !is_needed(c))
			oldest = c;
	}
	if (oldest)
		connection_abort(oldest);
	return oldest;
}

static struct connection *connection_new(struct sip_transport *t, enum sip_protocol protocol)
{
	if (t->connection_count >= LIMIT_SIP_CONNECTIONS && !give_way(t))
		return NULL;
	struct connection *c = mem_zalloc(sizeof *c);
	if (!c)
		return NULL;
	c->transport = t;
	c->path.protocol = protocol;
	c->path.connection = ++t->last_id;
	c->waiting.max = LIMIT_SIP_QUEUE_BYTES;
	c->opened_ms = loop_now_ms(t->loop);
	return c;
}

static void connection_publish(struct connection *c)
{
	struct sip_transport *t = c->transport;

	list_add(&t->connections, &c->link);
	++t->connection_count;
	/* Whatever is waited for, it is noticed within half its time again. */
	uint32_t shortest = t->ping_ms < t->message_ms ? t->ping_ms : t->message_ms;
	uint32_t tick = shortest / 2 < TICK_MS ? shortest / 2 : TICK_MS;
	if (!timer_running(&t->tick))
		timer_start(&t->tick, tick, tick);
}

static size_t count_from(const struct sip_transport *t, const struct sockaddr *from)
{
	size_t count = 0;

	list_each(it, &t->connections)
	{
		const struct connection *c = container_of(it, struct connection, link);
		count += !c->dead && !c->ours && address_same_ip(address_of(&c->path.remote), from);
	}
	return count;
}

static void accepted(struct sip_transport *t, struct tcp *tcp, enum sip_protocol protocol)
{
	struct sockaddr_storage from = {0};

	tcp_peer(tcp, &from);
	if (!t->events->known(t->owner, address_of(&from), NULL)) {
		t->events->stranger(t->owner);
		return;
	}
	if (count_from(t, address_of(&from)) >= LIMIT_SIP_CONNECTIONS_PER_SOURCE)
		return;
	struct connection *c = connection_new(t, protocol);
	if (!c)
		return;
	c->tcp = tcp;
	c->path.remote = from;
	c->ready = true; /* nothing is written before the first data, which TLS wants */
	tcp_adopt(tcp, &tcp_events, c, LIMIT_SIP_QUEUE_BYTES);
	connection_publish(c);
}

void sip_connection_accepted(void *transport, struct tcp *tcp)
{
	accepted(transport, tcp, SIP_TCP);
}

void sip_connection_accepted_tls(void *transport, struct tcp *tcp)
{
	accepted(transport, tcp, SIP_TLS);
}

static int connect_out(struct connection *c)
{
	struct sip_transport *t = c->transport;
	char ip[ADDRESS_TEXT_SIZE];
	const char *host = *c->path.host ? c->path.host : address_ip_text(ip, address_of(&c->path.remote));

	if (c->path.protocol == SIP_TLS && !t->tls_client)
		return -EPROTONOSUPPORT;
	return tcp_connect_tls(&c->tcp, t->loop, address_of(&c->path.remote),
		c->path.protocol == SIP_TLS ? t->tls_client : NULL, host, &tcp_events, c,
		LIMIT_SIP_QUEUE_BYTES);
}

static int connection_open(struct sip_transport *t, const struct sip_path *to, struct connection **ret)
{
	struct connection *c = connection_new(t, to->protocol);
	if (!c)
		return err_new(-ENOMEM);
	c->ours = true;
	c->path.remote = to->remote;
	memcpy(c->path.host, to->host, sizeof c->path.host);
	int r = connect_out(c);
	if (r < 0) {
		mem_free(c);
		return r;
	}
	connection_publish(c);
	*ret = c;
	return 0;
}

/* TLS: what was proved for one name is not proved for another, nor by who called us. */
static bool leads_to(const struct connection *c, const struct sip_path *path)
{
	if (c->path.protocol != path->protocol ||
		!address_equal(address_of(&c->path.remote), address_of(&path->remote)))
		return false;
	return path->protocol == SIP_TCP || (c->ours && !strcasecmp(c->path.host, path->host));
}

/* The one that it names, else any that leads there. */
static struct connection *connection_find(struct sip_transport *t, const struct sip_path *path)
{
	struct connection *same = NULL;

	list_each(it, &t->connections)
	{
		struct connection *c = container_of(it, struct connection, link);
		if (c->dead)
			continue;
		if (path->connection && c->path.connection == path->connection)
			return c;
		if (leads_to(c, path))
			same = c;
	}
	return same;
}

int sip_connection_send(struct sip_transport *t, struct sip_path *path, struct span bytes)
{
	struct connection *c = connection_find(t, path);
	int r = c ? 0 : connection_open(t, path, &c);
	if (r < 0)
		return r;
	path->connection = c->path.connection;
	if (c->ready) {
		c->sent_ms = now_of(c);
		return tcp_write(c->tcp, bytes);
	}
	r = buf_add(&c->waiting, bytes.data, bytes.size);
	return r > 0 ? -ENOBUFS : r;
}

void sip_transport_suspect(struct sip_transport *t, const struct sip_path *path)
{
	struct connection *c = connection_find(t, path);

	if (c && c->heard_ms < c->sent_ms)
		connection_abort(c);
}

size_t sip_transport_connections(const struct sip_transport *t)
{
	return t->connection_count;
}

/* --- time --------------------------------------------------------------------------------- */

static bool is_overdue(const struct connection *c, uint64_t now)
{
	if (!c->ready)
		return now - c->opened_ms >= LIMIT_SIP_CONNECT_S * 1000;
	if (c->begun_ms && now - c->begun_ms >= c->transport->message_ms)
		return true;
	return c->pongs && c->stream.awaits_pong && now - c->sent_ms >= LIMIT_SIP_PONG_S * 1000;
}

static void ping(struct connection *c, uint64_t now)
{
	c->stream.awaits_pong = true;
	c->sent_ms = now;
	if (tcp_write(c->tcp, span_text("\r\n\r\n")) < 0)
		connection_abort(c);
}

static void look_after(struct connection *c, uint64_t now)
{
	uint64_t silence = now - last_word_ms(c);

	if (is_overdue(c, now)) {
		connection_abort(c);
		return;
	}
	if (silence < c->transport->ping_ms || !c->ready)
		return;
	/* Theirs are theirs to keep alive. */
	if (is_needed(c)) {
		if (c->ours)
			ping(c, now);
	} else if (silence >= c->transport->idle_ms) {
		connection_abort(c);
	}
}

static void on_tick(void *owner)
{
	struct sip_transport *t = owner;
	uint64_t now = loop_now_ms(t->loop);

	/* Nothing leaves the list inside: a stream tells its end later. */
	list_each(it, &t->connections)
	{
		struct connection *c = container_of(it, struct connection, link);
		if (!c->dead)
			look_after(c, now);
	}
}

int sip_connections_init(struct sip_transport *t)
{
	list_init(&t->connections);
	return timer_init(&t->tick, t->loop, on_tick, t);
}

void sip_connections_fini(struct sip_transport *t)
{
	timer_fini(&t->tick);
	while (!list_empty(&t->connections)) {
		struct connection *c = list_first(&t->connections, struct connection, link);
		list_remove(&c->link);
		c->transport = NULL;
		/* What was just written (a BYE, a 200) shall still arrive. */
		if (!c->dead) {
			c->dead = true;
			tcp_end(c->tcp);
		}
	}
}

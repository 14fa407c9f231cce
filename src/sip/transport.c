#include "sip/transport.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "net/address.h"
#include "net/tcp.h"
#include "net/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

enum {
	BINDS_MAX = 4,
	PORT_TRIES = 16,              /* "any port" must be free for UDP and TCP alike */
	CONNECTION_QUEUE = 512 << 10, /* bytes a peer may leave unread */
};

struct binding {
	struct udp *udp;
	struct tcp_listener *listener;
	struct sockaddr_storage local;
};

struct sip_transport {
	struct loop *loop;
	const struct sip_transport_events *events;
	void *owner;

	struct binding bindings[BINDS_MAX];
	size_t binding_count;
	char *advertised;
	uint16_t advertised_port;

	struct list connections;
	size_t connection_count;
	uint64_t last_id;
};

/* Lives until its stream says `closed`, which may be after the transport is gone. */
struct connection {
	struct list link;
	struct sip_transport *transport; /* NULL: the transport was closed */
	struct tcp *tcp;
	struct sip_path path;
	bool ready;
	bool dead;          /* aborted; only `closed` is still to come */
	struct buf in;      /* an unfinished message */
	struct buf waiting; /* to be sent once connected */
};

static const struct sockaddr *address_of(const struct sockaddr_storage *a)
{
	return (const struct sockaddr *)a;
}

bool sip_path_same(const struct sip_path *a, const struct sip_path *b)
{
	if (a->protocol != b->protocol)
		return false;
	if (a->connection && b->connection)
		return a->connection == b->connection;
	return address_equal(address_of(&a->remote), address_of(&b->remote));
}

static void deliver(struct sip_transport *t, struct span bytes, const struct sip_path *from)
{
	struct sip_message m;
	enum sip_drop why = sip_message_parse(&m, bytes);
	const struct sockaddr *remote = address_of(&from->remote);

	if (why != SIP_OK) {
		if (why != SIP_DROP_KEEPALIVE)
			t->events->dropped(t->owner, why);
		if (sip_message_answerable(&m) && t->events->known(t->owner, remote, NULL))
			t->events->broken(t->owner, &m, from);
		return;
	}
	if (!m.is_response && !t->events->known(t->owner, remote, &m)) {
		t->events->stranger(t->owner);
		return;
	}
	t->events->message(t->owner, &m, from);
}

static void on_datagram(void *owner, const struct sockaddr *from, struct span bytes)
{
	struct sip_path path = {.protocol = SIP_UDP};

	memcpy(&path.remote, from, address_size(from));
	deliver(owner, bytes, &path);
}

static void on_refused(void *owner, const struct sockaddr *to)
{
	struct sip_transport *t = owner;
	struct sip_path path = {.protocol = SIP_UDP};

	memcpy(&path.remote, to, address_size(to));
	t->events->failed(t->owner, &path);
}

static const struct udp_events udp_events = {.datagram = on_datagram, .refused = on_refused};

static void connection_abort(struct connection *c)
{
	if (c->dead)
		return;
	c->dead = true;
	tcp_abort(c->tcp);
}

static void on_connection_ready(void *owner)
{
	struct connection *c = owner;

	c->ready = true;
	if (!c->transport || !c->waiting.size)
		return;
	if (tcp_write(c->tcp, buf_span(&c->waiting)) < 0)
		connection_abort(c);
	buf_fini(&c->waiting);
}

/* RFC 5626 section 4.4.1: two line ends are a ping, one is the pong. */
static void skip_blank(struct connection *c, size_t size)
{
	if (size >= 4 && tcp_write(c->tcp, span_text("\r\n")) < 0)
		connection_abort(c);
	buf_drop_front(&c->in, size);
}

static void on_connection_data(void *owner, struct span bytes)
{
	struct connection *c = owner;

	if (c->dead || !c->transport)
		return;
	if (buf_add(&c->in, bytes.data, bytes.size)) {
		connection_abort(c);
		return;
	}
	while (!c->dead && c->transport && c->in.size) {
		size_t size = 0;
		int r = sip_message_frame(buf_span(&c->in), &size);
		if (r == SIP_FRAME_E_MORE)
			return;
		if (r == SIP_FRAME_E_BLANK) {
			skip_blank(c, size);
		} else if (r == 0) {
			deliver(c->transport, span_of(c->in.data, size), &c->path);
			buf_drop_front(&c->in, size);
		} else {
			c->transport->events->dropped(c->transport->owner, SIP_DROP_LENGTH);
			connection_abort(c);
		}
	}
}

static void on_connection_closed(void *owner, int error)
{
	struct connection *c = owner;
	struct sip_transport *t = c->transport;
	struct sip_path path = c->path;

	if (t) {
		list_remove(&c->link);
		--t->connection_count;
	}
	buf_fini(&c->in);
	buf_fini(&c->waiting);
	mem_free(c);
	if (t)
		t->events->failed(t->owner, &path);
}

static const struct tcp_events tcp_events = {
	.ready = on_connection_ready,
	.data = on_connection_data,
	.closed = on_connection_closed,
};

static struct connection *connection_new(struct sip_transport *t)
{
	if (t->connection_count >= LIMIT_SIP_TCP_CONNECTIONS)
		return NULL;
	struct connection *c = mem_zalloc(sizeof *c);
	if (!c)
		return NULL;
	c->transport = t;
	c->path.protocol = SIP_TCP;
	c->path.connection = ++t->last_id;
	/* One message and the beginning of the next. */
	c->in.max = 2 * LIMIT_SIP_MESSAGE_BYTES;
	c->waiting.max = CONNECTION_QUEUE;
	return c;
}

static void connection_publish(struct connection *c)
{
	list_add(&c->transport->connections, &c->link);
	++c->transport->connection_count;
}

static void on_accepted(void *owner, struct tcp *tcp)
{
	struct sip_transport *t = owner;
	struct sockaddr_storage from = {0};

	tcp_peer(tcp, &from);
	if (!t->events->known(t->owner, address_of(&from), NULL)) {
		t->events->stranger(t->owner);
		return;
	}
	struct connection *c = connection_new(t);
	if (!c)
		return;
	c->tcp = tcp;
	c->path.remote = from;
	c->ready = true;
	tcp_adopt(tcp, &tcp_events, c, CONNECTION_QUEUE);
	connection_publish(c);
}

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
		if (address_equal(address_of(&c->path.remote), address_of(&path->remote)))
			same = c;
	}
	return same;
}

static int connection_open(
	struct sip_transport *t, const struct sockaddr_storage *to, struct connection **ret)
{
	struct connection *c = connection_new(t);
	if (!c)
		return err_new(-ENOMEM);
	c->path.remote = *to;
	int r = tcp_connect(&c->tcp, t->loop, address_of(to), &tcp_events, c, CONNECTION_QUEUE);
	if (r < 0) {
		mem_free(c);
		return r;
	}
	connection_publish(c);
	*ret = c;
	return 0;
}

static int send_tcp(struct sip_transport *t, struct sip_path *path, struct span bytes)
{
	struct connection *c = connection_find(t, path);
	int r = c ? 0 : connection_open(t, &path->remote, &c);
	if (r < 0)
		return r;
	path->connection = c->path.connection;
	if (c->ready)
		return tcp_write(c->tcp, bytes);
	r = buf_add(&c->waiting, bytes.data, bytes.size);
	return r > 0 ? -ENOBUFS : r;
}

static bool is_any(const struct sockaddr_storage *a)
{
	if (a->ss_family == AF_INET)
		return ((const struct sockaddr_in *)a)->sin_addr.s_addr == INADDR_ANY;
	return IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

/* Bound to several addresses: loopback talks to loopback, the rest takes the first that fits. */
static const struct binding *binding_for(
	const struct sip_transport *t, const struct sockaddr *remote)
{
	const struct binding *found = NULL;

	for (size_t i = 0; i < t->binding_count; ++i) {
		const struct binding *b = &t->bindings[i];
		if (b->local.ss_family != remote->sa_family)
			continue;
		bool fits = is_any(&b->local) || address_is_loopback(address_of(&b->local)) ==
				address_is_loopback(remote);
		if (fits)
			return b;
		found = found ? found : b;
	}
	return found;
}

int sip_transport_send(struct sip_transport *t, struct sip_path *path, struct span bytes)
{
	if (path->protocol == SIP_TCP)
		return send_tcp(t, path, bytes);
	const struct binding *b = binding_for(t, address_of(&path->remote));
	return b ? udp_send(b->udp, address_of(&path->remote), bytes) : -EAFNOSUPPORT;
}

/* Which of our addresses the kernel would use: connecting a datagram socket sends nothing. */
static bool local_toward(const struct sockaddr *remote, struct sockaddr_storage *ret)
{
	socklen_t size = sizeof *ret;
	int fd = socket(remote->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	bool ok = connect(fd, remote, address_size(remote)) == 0 &&
		getsockname(fd, (struct sockaddr *)ret, &size) == 0;
	close(fd);
	return ok;
}

void sip_transport_host_port(const struct sip_transport *t, const struct sockaddr *remote,
	char out[SIP_HOST_PORT_SIZE])
{
	uint16_t port = t->advertised_port ? t->advertised_port : sip_transport_port(t);
	const struct binding *b = binding_for(t, remote);
	struct sockaddr_storage local;

	if (t->advertised) {
		snprintf(out, SIP_HOST_PORT_SIZE, strchr(t->advertised, ':') ? "[%s]:%u" : "%s:%u",
			t->advertised, port);
		return;
	}
	local = b ? b->local : t->bindings[0].local;
	if (is_any(&local) && !local_toward(remote, &local))
		local = t->bindings[0].local;
	address_set_port(&local, port);
	char text[ADDRESS_TEXT_SIZE];
	snprintf(out, SIP_HOST_PORT_SIZE, "%s", address_text(text, address_of(&local)));
}

uint16_t sip_transport_port(const struct sip_transport *t)
{
	return address_port(address_of(&t->bindings[0].local));
}

static void bindings_close(struct sip_transport *t)
{
	for (size_t i = 0; i < BINDS_MAX; ++i) {
		struct binding *b = &t->bindings[i];
		udp_close(b->udp);
		if (b->listener)
			tcp_listener_close(b->listener);
		*b = (struct binding){0};
	}
	t->binding_count = 0;
}

static int binding_open(struct sip_transport *t, const char *ip, uint16_t port)
{
	struct binding *b = &t->bindings[t->binding_count];
	struct sockaddr_storage at;

	int r = address_parse(&at, ip, port);
	if (r >= 0)
		r = udp_open(&b->udp, t->loop, address_of(&at), &udp_events, t);
	if (r < 0)
		return r;
	udp_local(b->udp, &b->local);
	r = tcp_listen(&b->listener, t->loop, address_of(&b->local), on_accepted, t);
	if (r < 0)
		return r;
	++t->binding_count;
	return 0;
}

static int bindings_open(struct sip_transport *t, const struct sip_transport_config *config)
{
	uint16_t port = config->port;

	for (size_t i = 0; i < config->bind_count && i < BINDS_MAX; ++i) {
		int r = binding_open(t, config->binds[i], port);
		if (r < 0) {
			bindings_close(t);
			return r;
		}
		port = sip_transport_port(t);
	}
	return 0;
}

int sip_transport_open(struct sip_transport **ret, struct loop *l,
	const struct sip_transport_config *config, const struct sip_transport_events *events,
	void *owner)
{
	struct sip_transport *t = mem_zalloc(sizeof *t);
	if (!t)
		return err_new(-ENOMEM);
	t->loop = l;
	t->events = events;
	t->owner = owner;
	t->advertised_port = config->advertised_port;
	list_init(&t->connections);
	if (config->advertised) {
		t->advertised = mem_strdup(config->advertised);
		if (!t->advertised) {
			sip_transport_close(t);
			return err_new(-ENOMEM);
		}
	}
	int r = bindings_open(t, config);
	for (int i = 0; r == -EADDRINUSE && !config->port && i < PORT_TRIES; ++i)
		r = bindings_open(t, config);
	if (r < 0) {
		sip_transport_close(t);
		return r;
	}
	*ret = t;
	return 0;
}

void sip_transport_close(struct sip_transport *t)
{
	if (!t)
		return;
	bindings_close(t);
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
	mem_free(t->advertised);
	mem_free(t);
}

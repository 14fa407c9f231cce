#include "sip/transport.h"

#include "base/err.h"
#include "base/mem.h"
#include "net/address.h"
#include "net/tcp.h"
#include "net/udp.h"
#include "sip/transport_inside.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

enum {
	PORT_TRIES = 16, /* "any port" must be free for UDP and TCP alike */
	PING_MS = 30000,
};

static const struct {
	const char *text, *param;
	uint16_t port;
} protocols[SIP_PROTOCOL__COUNT] = {
	[SIP_UDP] = {"UDP", "udp", 5060},
	[SIP_TCP] = {"TCP", "tcp", 5060},
	[SIP_TLS] = {"TLS", "tls", 5061},
};

const char *sip_protocol_text(enum sip_protocol p)
{
	return protocols[p].text;
}

const char *sip_protocol_param(enum sip_protocol p)
{
	return protocols[p].param;
}

uint16_t sip_protocol_port(enum sip_protocol p)
{
	return protocols[p].port;
}

bool sip_protocol_find(enum sip_protocol *ret, struct span name)
{
	for (unsigned p = 0; p < SIP_PROTOCOL__COUNT; ++p)
		if (span_is_nocase(name, protocols[p].text)) {
			*ret = (enum sip_protocol)p;
			return true;
		}
	return false;
}

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

void sip_transport_deliver(struct sip_transport *t, struct span bytes, const struct sip_path *from)
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
	sip_transport_deliver(owner, bytes, &path);
}

static void on_refused(void *owner, const struct sockaddr *to)
{
	struct sip_transport *t = owner;
	struct sip_path path = {.protocol = SIP_UDP};

	memcpy(&path.remote, to, address_size(to));
	t->events->failed(t->owner, &path, &(struct sip_trouble){0});
}

static const struct udp_events udp_events = {.datagram = on_datagram, .refused = on_refused};

static bool is_any(const struct sockaddr_storage *a)
{
	if (a->ss_family == AF_INET)
		return ((const struct sockaddr_in *)a)->sin_addr.s_addr == INADDR_ANY;
	return IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

/* Bound to several addresses: loopback talks to loopback, the rest takes the first that fits. */
static const struct sip_binding *binding_for(
	const struct sip_transport *t, const struct sockaddr *remote)
{
	const struct sip_binding *found = NULL;

	for (size_t i = 0; i < t->binding_count; ++i) {
		const struct sip_binding *b = &t->bindings[i];
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
	if (sip_is_stream(path->protocol))
		return sip_connection_send(t, path, bytes);
	const struct sip_binding *b = binding_for(t, address_of(&path->remote));
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

/* A TLS port that is not open is named all the same: the far end answers on the connection. */
static uint16_t port_toward(const struct sip_transport *t, const struct sip_path *path)
{
	if (path->protocol == SIP_TLS)
		return t->tls_server ? t->tls_port : sip_protocol_port(SIP_TLS);
	return t->advertised_port ? t->advertised_port : sip_transport_port(t);
}

void sip_transport_host_port(const struct sip_transport *t, const struct sip_path *path,
	char out[SIP_HOST_PORT_SIZE])
{
	const struct sockaddr *remote = address_of(&path->remote);
	uint16_t port = port_toward(t, path);
	const struct sip_binding *b = binding_for(t, remote);
	struct sockaddr_storage local;

	bool fits = !t->advertised_family || t->advertised_family == remote->sa_family;
	if (t->advertised && fits) {
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

uint16_t sip_transport_tls_port(const struct sip_transport *t)
{
	return t->tls_server ? t->tls_port : 0;
}

uint16_t sip_transport_port(const struct sip_transport *t)
{
	return address_port(address_of(&t->bindings[0].local));
}

static void binding_close(struct sip_binding *b)
{
	udp_close(b->udp);
	tcp_listener_close(b->listener);
	tcp_listener_close(b->tls_listener);
	*b = (struct sip_binding){0};
}

static void bindings_close(struct sip_transport *t)
{
	for (size_t i = 0; i < SIP_TRANSPORT_BINDS_MAX; ++i)
		binding_close(&t->bindings[i]);
	t->binding_count = 0;
}

/* All addresses share one port; the first says which when any will do. */
static int tls_listen(struct sip_transport *t, struct sip_binding *b, uint16_t port)
{
	struct sockaddr_storage at = b->local;
	if (!t->tls_server)
		return 0;
	address_set_port(&at, t->binding_count ? t->tls_port : port);
	int r = tcp_listen(&b->tls_listener, t->loop, address_of(&at), sip_connection_accepted_tls, t);
	if (r < 0)
		return r;
	tcp_listener_use_tls(b->tls_listener, t->tls_server);
	tcp_listener_local(b->tls_listener, &at);
	t->tls_port = address_port(address_of(&at));
	return 0;
}

static int binding_open(struct sip_transport *t, const char *ip, uint16_t port, uint16_t tls_port)
{
	struct sip_binding *b = &t->bindings[t->binding_count];
	struct sockaddr_storage at;

	int r = address_parse(&at, ip, port);
	if (r >= 0)
		r = udp_open(&b->udp, t->loop, address_of(&at), &udp_events, t);
	if (r < 0)
		return r;
	udp_local(b->udp, &b->local);
	r = tcp_listen(&b->listener, t->loop, address_of(&b->local), sip_connection_accepted, t);
	if (r >= 0)
		r = tls_listen(t, b, tls_port);
	if (r < 0)
		return r;
	++t->binding_count;
	return 0;
}

static int bindings_open(struct sip_transport *t, const struct sip_transport_config *config)
{
	uint16_t port = config->port;

	for (size_t i = 0; i < config->bind_count && i < SIP_TRANSPORT_BINDS_MAX; ++i) {
		bool optional = t->binding_count && i + config->bind_optional >= config->bind_count;
		int r = binding_open(t, config->binds[i], port, config->tls_port);
		if (r < 0 && optional) {
			binding_close(&t->bindings[t->binding_count]);
			continue;
		}
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
	t->tls_server = config->tls_server;
	t->tls_client = config->tls_client;
	t->ping_ms = config->ping_ms ? config->ping_ms : PING_MS;
	t->message_ms = config->message_ms ? config->message_ms : LIMIT_SIP_MESSAGE_S * 1000;
	t->idle_ms = config->idle_ms ? config->idle_ms : LIMIT_SIP_IDLE_S * 1000;
	int r = sip_connections_init(t);
	if (r < 0) {
		mem_free(t);
		return r;
	}
	struct sockaddr_storage literal;
	if (config->advertised && address_parse(&literal, config->advertised, 0) == 0)
		t->advertised_family = literal.ss_family;
	if (config->advertised) {
		t->advertised = mem_strdup(config->advertised);
		if (!t->advertised) {
			sip_transport_close(t);
			return err_new(-ENOMEM);
		}
	}
	r = bindings_open(t, config);
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
	sip_connections_fini(t);
	mem_free(t->advertised);
	mem_free(t);
}

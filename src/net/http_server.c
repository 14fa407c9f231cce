/* net/http_server.c - listeners and the list of connections. */
#include "net/http_private.h"

#include "base/err.h"
#include "base/mem.h"
#include "net/address.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

static void on_accepted(void *owner, struct tcp *tcp)
{
	struct http_server *s = owner;
	if (s->connection_count < LIMIT_HTTP_CONNECTIONS && !s->closed)
		http_exchange_start(s, tcp);
}

static void close_listeners(struct http_server *s)
{
	for (size_t i = 0; i < s->listener_count; ++i)
		tcp_listener_close(s->listeners[i]);
	s->listener_count = 0;
}

static int listen_on_all(struct http_server *s, const struct http_server_config *config)
{
	for (size_t i = 0; i < config->bind_count; ++i) {
		struct sockaddr_storage at = config->bind[i];
		if (i && !address_port((struct sockaddr *)&at)) /* one port for all */
			address_set_port(&at, http_server_port(s));
		int r = tcp_listen(&s->listeners[s->listener_count], s->loop,
			(struct sockaddr *)&at, on_accepted, s);
		if (r < 0 && i + config->bind_optional < config->bind_count)
			return r;
		if (r < 0)
			continue;
		tcp_listener_use_tls(s->listeners[s->listener_count], config->tls);
		++s->listener_count;
	}
	return 0;
}

int http_server_new(struct http_server **ret, struct loop *l,
	const struct http_server_config *config, const struct http_events *events, void *owner)
{
	assert(config->bind_count && config->bind_count <= HTTP_LISTENERS_MAX);

	struct http_server *s = mem_zalloc(sizeof *s);
	if (!s)
		return err_new(-ENOMEM);
	s->loop = l;
	s->events = events;
	s->owner = owner;
	s->body_bytes_max =
		config->body_bytes_max ? config->body_bytes_max : LIMIT_HTTP_BODY_BYTES;
	s->header_ms = config->header_ms ? config->header_ms : LIMIT_HTTP_HEADER_S * 1000;
	s->idle_ms = config->idle_ms ? config->idle_ms : LIMIT_HTTP_IDLE_S * 1000;
	s->ping_ms = config->ping_ms ? config->ping_ms : WS_PING_MS;
	snprintf(s->name, sizeof s->name, "%s", config->name ? config->name : "Ringdown");
	list_init(&s->connections);
	/* The library's own bound, for both together and all parsers: ours are met first. */
	http_parser_set_max_header_size(LIMIT_HTTP_URL_BYTES + 2 * LIMIT_HTTP_HEADER_BYTES);
	int r = listen_on_all(s, config);
	if (r < 0) {
		close_listeners(s);
		mem_free(s);
		return r; /* an address in use is the operator's to hear, in the opener's words */
	}
	*ret = s;
	return 0;
}

uint16_t http_server_port(const struct http_server *s)
{
	struct sockaddr_storage a;
	tcp_listener_local(s->listeners[0], &a);
	return address_port((struct sockaddr *)&a);
}

static void on_finish(struct deferred *d)
{
	struct http_server *s = container_of(d, struct http_server, finish);
	void (*closed)(void *) = s->closed;
	void *owner = s->closed_owner;
	mem_free(s);
	closed(owner);
}

void http_server_lost(struct http_server *s)
{
	--s->connection_count;
	if (s->closed && list_empty(&s->connections))
		loop_defer(s->loop, &s->finish, on_finish);
}

void http_server_close(struct http_server *s, void (*closed)(void *owner), void *owner)
{
	assert(!s->closed && closed);
	s->closed = closed;
	s->closed_owner = owner;
	close_listeners(s);
	/* Nothing leaves the list in here: streams close in a later turn. */
	list_each(it, &s->connections)
		http_exchange_shutdown(container_of(it, struct http_exchange, link));
	if (list_empty(&s->connections))
		loop_defer(s->loop, &s->finish, on_finish);
}

/* net/http_server.c - listeners and the list of connections. */
#include "net/http_private.h"

#include "base/err.h"
#include "base/mem.h"
#include "net/address.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

<<<<<<< HEAD
enum { WRITE_QUEUE_MAX = 64 << 20, PENDING_MAX = 256 << 10, CLOSE_MS = 2000 };

static void parse(struct http_exchange *x, struct span bytes);

static void deadline(struct http_exchange *x, unsigned seconds)
{
	timer_start(&x->deadline, seconds * 1000, 0);
}

/* ---- the request as it arrives ---- */

static void forget_request(struct http_exchange *x)
{
	x->url.size = x->text.size = x->body.size = 0;
	x->header_count = 0;
	x->in_value = x->is_upgrade = false;
	mem_free(x->path);
	x->path = NULL;
	for (size_t i = 0; i < x->query_count; ++i)
		mem_free(x->queries[i]);
	x->query_count = 0;
	x->gone = NULL;
}

static struct http_exchange *of(http_parser *p)
{
	return p->data;
}

static int on_begin(http_parser *p)
{
	forget_request(of(p));
	deadline(of(p), LIMIT_HTTP_HEADER_S);
	return 0;
}

static int on_url(http_parser *p, const char *at, size_t size)
{
	return buf_add(&of(p)->url, at, size);
}

/* Names and values follow each other in `text`, each ended by a zero. */
static int on_field(http_parser *p, const char *at, size_t size)
{
	struct http_exchange *x = of(p);
	if (x->in_value || x->header_count == 0) {
		if (x->header_count == HTTP_HEADERS_MAX || (x->in_value && buf_add(&x->text, "", 1)))
			return 1;
		x->headers[x->header_count++].name = (uint32_t)x->text.size;
		x->in_value = false;
	}
	return buf_add(&x->text, at, size);
}

static int on_value(http_parser *p, const char *at, size_t size)
{
	struct http_exchange *x = of(p);
	if (!x->in_value) {
		if (buf_add(&x->text, "", 1))
			return 1;
		x->headers[x->header_count - 1].value = (uint32_t)x->text.size;
		x->in_value = true;
	}
	return buf_add(&x->text, at, size);
}

static bool contains_token(const char *list, const char *token)
{
	size_t size = strlen(token);
	for (const char *at = list; at && *at; at = strchr(at, ','), at = at ? at + 1 : at) {
		while (*at == ' ')
			++at;
		if (!strncasecmp(at, token, size))
			return true;
	}
	return false;
}

static int on_headers(http_parser *p)
{
	struct http_exchange *x = of(p);
	if (x->header_count && buf_add(&x->text, "", 1))
		return 1;
	const char *upgrade = http_header(x, "Upgrade");
	const char *expect = http_header(x, "Expect");
	x->is_upgrade = p->upgrade && upgrade && contains_token(upgrade, "websocket");
	x->keep_alive = http_should_keep_alive(p) && !x->server->closed;
	/* A body that is announced too large is refused before it is read. */
	if (p->flags & F_CONTENTLENGTH && p->content_length > x->body.max)
		return -1;
	if (expect && !strcasecmp(expect, "100-continue")) {
		int r = tcp_write(x->tcp, span_text("HTTP/1.1 100 Continue\r\n\r\n"));
		if (r < 0)
			return 1;
	}
	deadline(x, LIMIT_HTTP_HEADER_S);
	return 0;
}

static int on_body(http_parser *p, const char *at, size_t size)
{
	return buf_add(&of(p)->body, at, size);
}

static int on_complete(http_parser *p)
{
	struct http_exchange *x = of(p);
	x->state = HTTP_OWED;
	timer_stop(&x->deadline);
	http_parser_pause(p, 1); /* the next request waits for this one's reply */
	return 0;
}

static const http_parser_settings settings = {
	.on_message_begin = on_begin,
	.on_url = on_url,
	.on_header_field = on_field,
	.on_header_value = on_value,
	.on_headers_complete = on_headers,
	.on_body = on_body,
	.on_message_complete = on_complete,
};

static int make_path(struct http_exchange *x)
{
	const char *url = (const char *)x->url.data;
	/* Apps that are configured with a trailing slash ask for "//rtc". */
	if (url[0] == '/' && url[1] == '/')
		++url;
	const char *query = strchr(url, '?');
	x->path = mem_strndup(url, query ? (size_t)(query - url) : strlen(url));
	return x->path ? 0 : -ENOMEM;
}

static void preflight(struct http_exchange *x)
{
	http_reply(x, 204, NULL,
		"Access-Control-Allow-Methods: OPTIONS, HEAD, GET, POST, PATCH, DELETE\r\n"
		"Access-Control-Allow-Headers: *, Authorization, Content-Type, Idempotency-Key\r\n"
		"Access-Control-Max-Age: 86400\r\n",
		(struct span){0});
}

/* A client may send its first frames along with the request. */
static void upgrade(struct http_exchange *x)
{
	x->server->events->upgrade(x->server->owner, x);
	if (x->state != HTTP_UPGRADED || !x->pending.size)
		return;
	websocket_input(x->websocket, buf_span(&x->pending));
	buf_fini(&x->pending);
}

static void dispatch(struct http_exchange *x)
{
	struct http_server *s = x->server;
	if (!x->url.size || make_path(x) < 0)
		http_reply(x, 400, "text/plain", NULL, span_text("bad request"));
	else if (x->is_upgrade)
		upgrade(x);
	else if (x->parser.method == HTTP_OPTIONS && http_header(x, "Access-Control-Request-Method"))
		preflight(x);
	else
		s->events->request(s->owner, x);
}

static void refuse_bytes(struct http_exchange *x)
{
	enum http_errno e = HTTP_PARSER_ERRNO(&x->parser);
	x->keep_alive = false;
	x->state = HTTP_OWED;
	if (e == HPE_CB_url)
		http_reply(x, 414, "text/plain", NULL, span_text("URI too long"));
	else if (e == HPE_CB_body || e == HPE_CB_headers_complete)
		http_reply(x, 413, "text/plain", NULL, span_text("request body too large"));
	else if (e == HPE_CB_header_field || e == HPE_CB_header_value || e == HPE_HEADER_OVERFLOW)
		http_reply(x, 431, "text/plain", NULL, span_text("request headers too large"));
	else
		http_reply(x, 400, "text/plain", NULL, span_text("bad request"));
}

static void keep_for_later(struct http_exchange *x, struct span rest)
{
	if (rest.size && buf_add(&x->pending, rest.data, rest.size))
		tcp_abort(x->tcp); /* pipelining without reading our replies: named limit PENDING_MAX */
}

static void parse(struct http_exchange *x, struct span bytes)
{
	size_t used = http_parser_execute(&x->parser, &settings, (const char *)bytes.data, bytes.size);
	enum http_errno e = HTTP_PARSER_ERRNO(&x->parser);

	if (x->state == HTTP_OWED && (e == HPE_PAUSED || x->parser.upgrade)) {
		keep_for_later(x, span_of(bytes.data + used, bytes.size - used));
		dispatch(x);
	} else if (e != HPE_OK) {
		refuse_bytes(x);
	}
}

/* After a reply: what came meanwhile is the next request. In a turn of its own, so that a long
 * pipeline is a loop and not a recursion. */
static void on_resume(struct deferred *d)
{
	struct http_exchange *x = container_of(d, struct http_exchange, resume);
	if (x->state != HTTP_READING || !x->pending.size)
		return;
	struct buf pending = x->pending;
	x->pending = (struct buf){.max = pending.max};
	parse(x, buf_span(&pending));
	buf_fini(&pending);
}

static void next_request(struct http_exchange *x)
{
	x->state = HTTP_READING;
	http_parser_pause(&x->parser, 0);
	deadline(x, LIMIT_HTTP_IDLE_S);
	if (x->pending.size)
		loop_defer(x->server->loop, &x->resume, on_resume);
}

/* ---- the stream ---- */

static void on_ready(void *owner)
{
}

static void on_data(void *owner, struct span bytes)
{
	struct http_exchange *x = owner;
	switch (x->state) {
	case HTTP_READING:
		if (x->pending.size)
			keep_for_later(x, bytes);
		else
			parse(x, bytes);
		return;
	case HTTP_OWED:
		keep_for_later(x, bytes);
		return;
	case HTTP_UPGRADED:
		websocket_input(x->websocket, bytes);
		return;
	case HTTP_CLOSING:
		return;
	}
}

static void finish_close(struct http_server *s);

static void on_closed(void *owner, int error)
{
	struct http_exchange *x = owner;
	struct http_server *s = x->server;
	void (*gone)(void *) = x->state == HTTP_OWED ? x->gone : NULL;
	void *gone_owner = x->gone_owner;

	list_remove(&x->link);
	--s->connection_count;
	timer_fini(&x->deadline);
	if (x->websocket)
		websocket_gone(x->websocket);
	forget_request(x);
	list_remove(&x->resume.link);
	buf_fini(&x->url);
	buf_fini(&x->text);
	buf_fini(&x->body);
	buf_fini(&x->pending);
	mem_free(x);
	if (gone)
		gone(gone_owner);
	finish_close(s);
}

static const struct tcp_events tcp_events = {.ready = on_ready, .data = on_data, .closed = on_closed};

static void on_deadline(void *owner)
{
	struct http_exchange *x = owner;
	if (x->state != HTTP_UPGRADED) {
		tcp_abort(x->tcp);
		return;
	}
	deadline(x, LIMIT_HTTP_HEADER_S);
	websocket_beat(x->websocket);
}

=======
>>>>>>> net
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
		const struct sockaddr *at = (const struct sockaddr *)&config->bind[i];
		int r = tcp_listen(&s->listeners[i], s->loop, at, on_accepted, s);
		if (r < 0)
			return r;
		++s->listener_count;
	}
	return 0;
}

int http_server_new(struct http_server **ret, struct loop *l, const struct http_server_config *config,
	const struct http_events *events, void *owner)
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

/* net/http_exchange.c - a request as it arrives, and what a handler asks about it. */
#include "net/http_private.h"

#include "base/err.h"
#include "base/mem.h"
#include "net/http_url.h"

enum { KEPT_BYTES = 4096, REQUESTS_PER_TURN = 16 };

void http_exchange_deadline(struct http_exchange *x, unsigned ms)
{
	x->queued_before = tcp_queued(x->tcp);
	timer_start(&x->deadline, ms, 0);
}

/* ---- what the parser finds ---- */

static struct http_exchange *of(http_parser *p)
{
	return p->data;
}

/* Stops the parser; the status is answered once it has returned. */
static int stop(struct http_exchange *x, unsigned status)
{
	x->refusal = status;
	return -1;
}

static int add(struct http_exchange *x, struct buf *to, const char *at, size_t size, unsigned full)
{
	int r = buf_add(to, at, size);
	if (r)
		return stop(x, r == BUF_E_FULL ? full : 503);
	return 0;
}

static int on_begin(http_parser *p)
{
	of(p)->began = true;
	http_exchange_deadline(of(p), of(p)->server->header_ms);
	return 0;
}

static int on_url(http_parser *p, const char *at, size_t size)
{
	return add(of(p), &of(p)->url, at, size, 414);
}

/* Names and values follow each other in `text`, each ended by a zero. */
static int end_of_name(struct http_exchange *x)
{
	return add(x, &x->text, "", 1, 431);
}

/* The parser leaves white space behind a value (RFC 9112 section 5: not part of it). */
static int end_of_value(struct http_exchange *x)
{
	size_t start = x->headers[x->header_count - 1].value;
	while (x->text.size > start && strchr(" \t", x->text.data[x->text.size - 1]))
		--x->text.size;
	return add(x, &x->text, "", 1, 431);
}

static int on_field(http_parser *p, const char *at, size_t size)
{
	struct http_exchange *x = of(p);
	if (x->headers_done)
		return 0; /* trailers of a chunked body: nobody asked for them */
	if (x->in_value || x->header_count == 0) {
		if (x->header_count == HTTP_HEADERS_MAX)
			return stop(x, 431);
		if (x->in_value && end_of_value(x))
			return -1;
		struct http_header_at *h = &x->headers[x->header_count++];
		h->name = h->value = (uint32_t)x->text.size;
		x->in_value = false;
	}
	return add(x, &x->text, at, size, 431);
}

static int on_value(http_parser *p, const char *at, size_t size)
{
	struct http_exchange *x = of(p);
	if (x->headers_done)
		return 0;
	if (!x->in_value) {
		if (end_of_name(x))
			return -1;
		x->headers[x->header_count - 1].value = (uint32_t)x->text.size;
		x->in_value = true;
	}
	return add(x, &x->text, at, size, 431);
}

static struct span trim(struct span s)
{
	while (s.size && (s.data[0] == ' ' || s.data[0] == '\t'))
		s = span_of(s.data + 1, s.size - 1);
	while (s.size && (s.data[s.size - 1] == ' ' || s.data[s.size - 1] == '\t'))
		--s.size;
	return s;
}

/* In a header that is a list: "Upgrade: h2c, websocket". */
static bool lists(const char *value, const char *token)
{
	while (value && *value) {
		size_t size = strcspn(value, ",");
		if (span_is_nocase(trim(span_of(value, size)), token))
			return true;
		value += size + (value[size] == ',');
	}
	return false;
}

/* The client waits for our word before it sends the body (RFC 9110 section 10.1.1). */
static int answer_expectation(struct http_exchange *x)
{
	const char *expect = http_header(x, "Expect");
	bool body = x->parser.flags & F_CHUNKED ||
		    (x->parser.flags & F_CONTENTLENGTH && x->parser.content_length > 0);
	if (!expect)
		return 0;
	if (strcasecmp(expect, "100-continue"))
		return stop(x, 417);
	if (!body || x->parser.http_minor == 0)
		return 0;
	int r = tcp_write(x->tcp, span_text("HTTP/1.1 100 Continue\r\n\r\n"));
	return r ? stop(x, 400) : 0;
}

static int on_headers(http_parser *p)
{
	struct http_exchange *x = of(p);
	if (x->in_value && end_of_value(x))
		return -1;
	x->headers_done = true;
	x->keep_alive = http_should_keep_alive(p) && !x->server->closed;
	x->upgrade = p->upgrade && p->method != HTTP_CONNECT &&
		     lists(http_header(x, "Upgrade"), "websocket");
	if (p->http_major != 1)
		return stop(x, 505);
	if (p->method == HTTP_CONNECT)
		return stop(x, 405);
	if (p->http_minor > 0 && !http_header(x, "Host"))
		return stop(x, 400); /* RFC 9112 section 3.2 */
	if (p->flags & F_CONTENTLENGTH && p->content_length > x->body.max)
		return stop(x, 413);
	/* Any other protocol in "Upgrade" is an offer, and may be ignored (RFC 9110, 7.8). */
	if (!x->upgrade)
		p->upgrade = 0;
	http_exchange_deadline(x, x->server->header_ms);
	return answer_expectation(x);
}

static int on_body(http_parser *p, const char *at, size_t size)
{
	struct http_exchange *x = of(p);
	if (x->server->body_bytes + size > HTTP_BODIES_BYTES)
		return stop(x, 503);
	if (add(x, &x->body, at, size, 413))
		return -1;
	x->server->body_bytes += size;
	if (x->body.size - x->body_mark >= HTTP_BODY_STEP_BYTES) {
		x->body_mark = x->body.size;
		http_exchange_deadline(x, x->server->header_ms);
	}
	return 0;
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

/* ---- from bytes to a handler ---- */

static void drop_buffer(struct buf *b)
{
	b->size = 0;
	if (b->capacity > KEPT_BYTES)
		buf_fini(b);
}

static void forget_request(struct http_exchange *x)
{
	x->server->body_bytes -= x->body.size;
	drop_buffer(&x->url);
	drop_buffer(&x->text);
	drop_buffer(&x->body);
	x->header_count = x->body_mark = 0;
	x->began = x->in_value = x->headers_done = x->upgrade = false;
	x->refusal = 0;
	mem_free(x->path);
	x->path = NULL;
	while (x->decoded) {
		struct http_decoded *d = x->decoded;
		x->decoded = d->next;
		mem_free(d);
	}
	x->gone = NULL;
}

static void dispatch_upgrade(struct http_exchange *x)
{
	unsigned status = websocket_check(x);
	if (status)
		http_refuse(x, status);
	else
		x->server->events->upgrade(x->server->owner, x);
}

static void dispatch(struct http_exchange *x)
{
	struct http_server *s = x->server;
	struct span path = http_url_path(buf_span(&x->url));
	x->path = mem_strndup((const char *)path.data, path.size);
	if (!x->path)
		http_refuse(x, 503);
	else if (x->upgrade)
		dispatch_upgrade(x);
	else if (x->parser.method == HTTP_OPTIONS &&
		 http_header(x, "Access-Control-Request-Method"))
		http_preflight(x);
	else
		s->events->request(s->owner, x);
}

/* Returns how many bytes were taken: all of them, or up to the end of a request. */
static size_t parse(struct http_exchange *x, struct span bytes)
{
	return http_parser_execute(&x->parser, &settings, (const char *)bytes.data, bytes.size);
}

/* After parse(): call last. */
static void act(struct http_exchange *x)
{
	if (x->state == HTTP_OWED) {
		dispatch(x);
	} else if (HTTP_PARSER_ERRNO(&x->parser) != HPE_OK) {
		bool large = HTTP_PARSER_ERRNO(&x->parser) == HPE_HEADER_OVERFLOW;
		x->state = HTTP_OWED;
		http_refuse(x, x->refusal ? x->refusal : large ? 431 : 400);
	}
}

static struct span pending_rest(const struct http_exchange *x)
{
	if (!x->pending.size)
		return (struct span){0}; /* no address to count from: NULL + 0 is undefined in C */
	return span_of(x->pending.data + x->pending_at, x->pending.size - x->pending_at);
}

static void pending_took(struct http_exchange *x, size_t size)
{
	x->pending_at += size;
	if (x->pending_at < x->pending.size)
		return;
	x->pending_at = 0;
	drop_buffer(&x->pending);
}

static void keep(struct http_exchange *x, struct span rest)
{
	if (x->pending_at) {
		buf_drop_front(&x->pending, x->pending_at);
		x->pending_at = 0;
	}
	if (rest.size && buf_add(&x->pending, rest.data, rest.size))
		tcp_abort(x->tcp); /* no memory: tcp_hold() keeps it below its maximum */
	else if (x->pending.size >= HTTP_PENDING_BYTES)
		tcp_hold(x->tcp, true);
}

static void feed_websocket(struct http_exchange *x)
{
	struct buf early = x->pending;
	size_t at = x->pending_at;
	x->pending = (struct buf){.max = early.max};
	x->pending_at = 0;
	if (early.size)
		websocket_input(x->websocket, span_of(early.data + at, early.size - at));
	buf_fini(&early);
}

/* After a reply: what came meanwhile is the next request, or a WebSocket's first frames. Later
 * than the handler, so that a long pipeline is a loop and not a recursion. */
static void on_resume(struct deferred *d)
{
	struct http_exchange *x = container_of(d, struct http_exchange, resume);
	if (x->state == HTTP_UPGRADED) {
		forget_request(x); /* its handler has returned by now */
		feed_websocket(x);
		return;
	}
	for (int i = 0; i < REQUESTS_PER_TURN && x->state == HTTP_READING && !x->draining; ++i) {
		if (!pending_rest(x).size)
			break;
		pending_took(x, parse(x, pending_rest(x)));
		act(x);
	}
	if (x->state != HTTP_READING || x->draining)
		return;
	if (pending_rest(x).size)
		loop_defer(x->server->loop, &x->resume, on_resume);
	else if (x->peer_ended)
		tcp_end(x->tcp);
	else
		tcp_hold(x->tcp, false);
}

void http_exchange_upgraded(struct http_exchange *x)
{
	x->state = HTTP_UPGRADED;
	http_exchange_deadline(x, x->server->ping_ms);
	loop_defer(x->server->loop, &x->resume, on_resume);
}

void http_exchange_next(struct http_exchange *x)
{
	forget_request(x);
	x->state = HTTP_READING;
	http_parser_pause(&x->parser, 0);
	http_exchange_deadline(x, x->server->idle_ms);
	/* Whoever does not take its replies gets no further ones. */
	x->draining = tcp_queued(x->tcp) > HTTP_PENDING_BYTES;
	if (x->draining)
		tcp_hold(x->tcp, true);
	else if (x->pending.size || x->peer_ended)
		loop_defer(x->server->loop, &x->resume, on_resume);
}

/* ---- the stream ---- */

static void on_data(void *owner, struct span bytes)
{
	struct http_exchange *x = owner;
	if (x->state == HTTP_UPGRADED) {
		feed_websocket(x);
		websocket_input(x->websocket, bytes);
	} else if (x->state == HTTP_READING && !x->pending.size && !x->draining) {
		size_t used = parse(x, bytes);
		if (x->state == HTTP_OWED)
			keep(x, span_of(bytes.data + used, bytes.size - used));
		act(x);
	} else if (x->state != HTTP_CLOSING) {
		keep(x, bytes);
	}
}

static void on_ended(void *owner)
{
	struct http_exchange *x = owner;
	x->peer_ended = true;
	switch (x->state) {
	case HTTP_READING: /* with requests still to answer, the last of them ends the stream */
		if (!x->pending.size && !x->draining)
			tcp_end(x->tcp);
		return;
	case HTTP_OWED: /* it may only have closed its half; whoever cares takes it as gone */
		if (x->gone)
			tcp_abort(x->tcp);
		return;
	case HTTP_UPGRADED:
		tcp_end(x->tcp);
		return;
	case HTTP_CLOSING:
		return;
	}
}

static void on_drained(void *owner)
{
	struct http_exchange *x = owner;
	if (!x->draining)
		return;
	x->draining = false;
	http_exchange_deadline(x, x->server->idle_ms);
	loop_defer(x->server->loop, &x->resume, on_resume);
}

static void on_closed(void *owner, int error)
{
	struct http_exchange *x = owner;
	struct http_server *s = x->server;
	void (*gone)(void *) = x->state == HTTP_OWED ? x->gone : NULL;
	void *gone_owner = x->gone_owner;
	struct websocket *w = x->websocket;

	list_remove(&x->link);
	deferred_cancel(&x->resume);
	timer_fini(&x->deadline);
	forget_request(x);
	buf_fini(&x->url);
	buf_fini(&x->text);
	buf_fini(&x->body);
	buf_fini(&x->pending);
	mem_free(x);
	http_server_lost(s);
	if (w)
		websocket_gone(w);
	else if (gone)
		gone(gone_owner);
}

static const struct tcp_events tcp_events = {
	.data = on_data,
	.ended = on_ended,
	.drained = on_drained,
	.closed = on_closed,
};

static void on_reading_deadline(struct http_exchange *x)
{
	size_t queued = tcp_queued(x->tcp);
	if (x->began) {
		x->state = HTTP_OWED;
		http_refuse(x, 408);
	} else if (queued && queued < x->queued_before) {
		http_exchange_deadline(x, x->server->idle_ms); /* still fetching a large reply */
	} else if (queued) {
		tcp_abort(x->tcp);
	} else {
		tcp_end(x->tcp);
	}
}

static void on_deadline(void *owner)
{
	struct http_exchange *x = owner;
	switch (x->state) {
	case HTTP_READING:
		on_reading_deadline(x);
		return;
	case HTTP_UPGRADED:
		http_exchange_deadline(x, x->server->ping_ms);
		websocket_beat(x->websocket);
		return;
	case HTTP_OWED: /* the server is closing */
	case HTTP_CLOSING:
		tcp_abort(x->tcp);
		return;
	}
}

void http_exchange_start(struct http_server *s, struct tcp *tcp)
{
	struct http_exchange *x = mem_zalloc(sizeof *x);
	if (!x || timer_init(&x->deadline, s->loop, on_deadline, x) < 0) {
		mem_free(x);
		return; /* not adopted: tcp closes it */
	}
	x->server = s;
	x->tcp = tcp;
	x->url.max = LIMIT_HTTP_URL_BYTES;
	x->text.max = LIMIT_HTTP_HEADER_BYTES;
	x->body.max = s->body_bytes_max;
	x->pending.max = 2 * HTTP_PENDING_BYTES; /* held at half: one more read fits */
	http_parser_init(&x->parser, HTTP_REQUEST);
	x->parser.data = x;
	tcp_peer(tcp, &x->peer);
	list_add(&s->connections, &x->link);
	++s->connection_count;
	tcp_adopt(tcp, &tcp_events, x, HTTP_WRITE_QUEUE_BYTES);
	http_exchange_deadline(x, x->server->header_ms);
}

void http_exchange_shutdown(struct http_exchange *x)
{
	x->keep_alive = false;
	http_exchange_deadline(x, HTTP_SHUTDOWN_MS);
	if (x->state == HTTP_UPGRADED)
		websocket_shutdown(x->websocket);
	else if (x->state == HTTP_READING && !x->began)
		tcp_end(x->tcp);
}

/* ---- what a handler asks ---- */

const char *http_method(const struct http_exchange *x)
{
	/* RFC 9110 section 9.3.2: HEAD is GET without the body, which http_reply() leaves out. */
	return x->parser.method == HTTP_HEAD ? "GET" : http_method_str(x->parser.method);
}

const char *http_path(const struct http_exchange *x)
{
	return x->path;
}

const char *http_header(const struct http_exchange *x, const char *name)
{
	const char *text = (const char *)x->text.data;
	for (size_t i = 0; i < x->header_count; ++i)
		if (!strcasecmp(text + x->headers[i].name, name))
			return text + x->headers[i].value;
	return NULL;
}

const char *http_query(struct http_exchange *x, const char *name)
{
	struct span value;
	if (!http_url_query(buf_span(&x->url), name, &value))
		return NULL;
	struct http_decoded *d = mem_zalloc(sizeof *d + value.size + 1);
	if (!d)
		return NULL;
	http_url_decode(d->text, value);
	d->next = x->decoded;
	x->decoded = d;
	return d->text;
}

struct span http_body(const struct http_exchange *x)
{
	return buf_span(&x->body);
}

const struct sockaddr *http_peer(const struct http_exchange *x)
{
	return (const struct sockaddr *)&x->peer;
}

void http_on_gone(struct http_exchange *x, void (*gone)(void *owner), void *owner)
{
	x->gone = gone;
	x->gone_owner = owner;
}

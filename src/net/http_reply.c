/* net/http_reply.c - the answer to a request: status, headers (with CORS), body. */
#include "net/http_private.h"

#include "base/clock.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

static const char *const plain_text = "text/plain; charset=utf-8";

/* RFC 9110 section 5.6.7. Written once a second at most. */
static const char *date(struct http_server *s)
{
	int64_t now_s = clock_unix_s();
	if (now_s != s->date_s) {
		time_t t = (time_t)now_s;
		struct tm tm;
		gmtime_r(&t, &tm);
		strftime(s->date, sizeof s->date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
		s->date_s = now_s;
	}
	return s->date;
}

static bool has_header(const char *headers, const char *name)
{
	return headers && strcasestr(headers, name);
}

/* Any page may ask, with a token of its own and never with cookies: hence no credentials. */
static int write_cors(struct buf *out, const struct http_exchange *x, const char *headers)
{
	const char *origin = http_header(x, "Origin");
	int r = buf_add_text(out, "Vary: Origin\r\n");
	if (r == 0 && origin && !has_header(headers, "Access-Control-Allow-Origin:"))
		r = buf_format(out, "Access-Control-Allow-Origin: %s\r\n", origin);
	if (r == 0 && origin)
		r = buf_add_text(out, "Access-Control-Expose-Headers: *\r\n");
	return r;
}

static bool may_have_body(unsigned status)
{
	return status >= 200 && status != 204 && status != 304;
}

static int write_head(struct buf *out, const struct http_exchange *x, unsigned status,
	const char *type, const char *headers, size_t body_size)
{
	struct http_server *s = x->server;
	int r = buf_format(out, "HTTP/1.1 %u %s\r\nServer: %s\r\nDate: %s\r\n", status,
		http_status_str((enum http_status)status), s->name, date(s));
	if (r == 0 && type)
		r = buf_format(out, "Content-Type: %s\r\n", type);
	if (r == 0 && may_have_body(status))
		r = buf_format(out, "Content-Length: %zu\r\n", body_size);
	/* Whoever writes Vary itself (the preflight) has thought about CORS. */
	if (r == 0 && !has_header(headers, "Vary:"))
		r = write_cors(out, x, headers);
	if (r == 0 && headers)
		r = buf_add_text(out, headers);
	if (r == 0 && !x->keep_alive)
		r = buf_add_text(out, "Connection: close\r\n");
	return r ? r : buf_add_text(out, "\r\n");
}

static int send_reply(struct http_exchange *x, unsigned status, const char *type,
	const char *headers, struct span body)
{
	struct buf head = {0};
	int r = write_head(&head, x, status, type, headers, body.size);
	bool bare = x->parser.method == HTTP_HEAD || !may_have_body(status);
	if (r == 0) {
		struct span parts[] = {buf_span(&head), bare ? (struct span){0} : body};
		r = tcp_write_parts(x->tcp, parts, COUNT_OF(parts));
	}
	buf_fini(&head);
	return r;
}

void http_reply(struct http_exchange *x, unsigned status, const char *content_type,
	const char *headers, struct span body)
{
	assert(x->state == HTTP_OWED && status >= 200 && status < 600);
	x->keep_alive = x->keep_alive && !x->upgrade && !x->server->closed;
	int r = send_reply(x, status, content_type, headers, body);
	x->gone = NULL;
	if (r) {
		x->state = HTTP_CLOSING;
		tcp_abort(x->tcp);
	} else if (x->keep_alive) {
		http_exchange_next(x);
	} else {
		x->state = HTTP_CLOSING;
		timer_stop(&x->deadline);
		tcp_end(x->tcp);
	}
}

void http_refuse(struct http_exchange *x, unsigned status)
{
	static const struct {
		unsigned status;
		const char *text, *headers;
	} refusals[] = {
		{400, "bad request", NULL},
		{405, "method not allowed", NULL},
		{408, "the request took too long", NULL},
		{413, "request body too large", NULL},
		{414, "request URI too long", NULL},
		{417, "only 100-continue can be expected", NULL},
		{426, "WebSocket version 13 is needed", "Sec-WebSocket-Version: 13\r\n"},
		{431, "request headers too large", NULL},
		{503, "the server is too busy", NULL},
		{505, "HTTP/1.1 is needed", NULL},
	};
	size_t i = 0;
	while (i + 1 < COUNT_OF(refusals) && refusals[i].status != status)
		++i;
	x->keep_alive = false;
	http_reply(x, status, plain_text, refusals[i].headers, span_text(refusals[i].text));
}

/* As LiveKit does (its library answers with what was asked for, not with all it would allow). */
void http_preflight(struct http_exchange *x)
{
	static const char allowed[] = " OPTIONS HEAD GET POST PATCH DELETE ";
	const char *origin = http_header(x, "Origin");
	const char *method = http_header(x, "Access-Control-Request-Method");
	const char *names = http_header(x, "Access-Control-Request-Headers");
	char word[16];
	snprintf(word, sizeof word, " %.12s ", method);
	struct buf out = {.max = LIMIT_HTTP_HEADER_BYTES};
	int r = buf_add_text(&out, "Vary: Origin, Access-Control-Request-Method, "
				   "Access-Control-Request-Headers\r\n");
	if (r == 0 && origin && strstr(allowed, word)) {
		r = buf_format(&out,
			"Access-Control-Allow-Origin: %s\r\nAccess-Control-Allow-Methods: %s\r\n"
			"Access-Control-Max-Age: 86400\r\n",
			origin, method);
		if (r == 0 && names && *names)
			r = buf_format(&out, "Access-Control-Allow-Headers: %s\r\n", names);
	}
	if (r)
		http_refuse(x, 503);
	else
		http_reply(x, 204, NULL, (char *)out.data, (struct span){0});
	buf_fini(&out);
}

#include "net/http_client.h"

#include "base/err.h"
#include "base/mem.h"

#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { CONNECT_TIMEOUT_MS = 5000 };

struct http_client {
	struct loop *loop;
	CURLM *multi;
	struct timer timer;
	struct list posts, watches;
	char user_agent[64];
	const char *authorities; /* SSL_CERT_FILE: OpenSSL's own way, at which libcurl does not look */
};

struct http_post {
	struct list link;
	struct http_client *client;
	CURL *easy;
	struct curl_slist *headers;
	http_post_done *done;
	void *owner;
	char error[CURL_ERROR_SIZE];
};

/* One socket of libcurl's, on our loop. */
struct watch {
	struct list link;
	struct http_client *client;
	uv_poll_t poll;
	curl_socket_t socket;
};

/* ---- what is over ---- */

static void post_free(struct http_post *p)
{
	list_remove(&p->link);
	if (p->easy) {
		curl_multi_remove_handle(p->client->multi, p->easy);
		curl_easy_cleanup(p->easy);
	}
	curl_slist_free_all(p->headers);
	mem_free(p);
}

static void finish(struct http_post *p, CURLcode result)
{
	char error[CURL_ERROR_SIZE];
	long status = 0;
	http_post_done *done = p->done;
	void *owner = p->owner;

	snprintf(error, sizeof error, "%s", p->error[0] ? p->error : curl_easy_strerror(result));
	if (result == CURLE_OK)
		curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &status);
	post_free(p);
	done(owner, (unsigned)status, status ? NULL : error);
}

static void act(struct http_client *c, curl_socket_t socket, int flags)
{
	int running, left;
	CURLMsg *m;

	curl_multi_socket_action(c->multi, socket, flags, &running);
	while ((m = curl_multi_info_read(c->multi, &left))) {
		struct http_post *p = NULL;
		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&p);
		finish(p, m->data.result);
	}
}

/* ---- libcurl's sockets and its timer, on the loop ---- */

static void on_ready(uv_poll_t *poll, int status, int events)
{
	const struct watch *w = container_of(poll, struct watch, poll);
	int flags = (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
		    (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
	act(w->client, w->socket, status < 0 ? CURL_CSELECT_ERR : flags);
}

static void on_closed(uv_handle_t *handle)
{
	mem_free(container_of((uv_poll_t *)handle, struct watch, poll));
}

static void watch_close(struct watch *w)
{
	list_remove(&w->link);
	uv_close((uv_handle_t *)&w->poll, on_closed);
}

static struct watch *watch_new(struct http_client *c, curl_socket_t socket)
{
	struct watch *w = mem_zalloc(sizeof *w);
	if (!w)
		return NULL;
	if (uv_poll_init_socket(&c->loop->uv, &w->poll, socket) < 0) {
		mem_free(w);
		return NULL;
	}
	w->client = c;
	w->socket = socket;
	list_add(&c->watches, &w->link);
	curl_multi_assign(c->multi, socket, w);
	return w;
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *owner, void *assigned)
{
	struct http_client *c = owner;
	struct watch *w = assigned;

	if (what == CURL_POLL_REMOVE) {
		if (w)
			watch_close(w);
		return 0;
	}
	if (!w)
		w = watch_new(c, socket);
	if (!w)
		return -1;
	return uv_poll_start(&w->poll,
		(what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0),
		on_ready);
}

static int on_timer_wanted(CURLM *multi, long ms, void *owner)
{
	struct http_client *c = owner;
	if (ms < 0)
		timer_stop(&c->timer);
	else
		timer_start(&c->timer, (uint64_t)ms, 0);
	return 0;
}

static void on_timer(void *owner)
{
	act(owner, CURL_SOCKET_TIMEOUT, 0);
}

/* ---- requests ---- */

static size_t on_body(char *bytes, size_t one, size_t count, void *owner)
{
	return one * count;
}

static int add_headers(struct http_post *p, const struct http_post_config *config)
{
	/* "Name:" takes a header of libcurl's out. */
	static const char *const unwanted[] = {"Accept:", "Expect:"};
	for (size_t i = 0; i < config->header_count + COUNT_OF(unwanted); ++i) {
		struct curl_slist *more = curl_slist_append(p->headers,
			i < config->header_count ? config->headers[i] : unwanted[i - config->header_count]);
		if (!more)
			return err_new(-ENOMEM);
		p->headers = more;
	}
	return 0;
}

static void set_options(struct http_post *p, const struct http_post_config *config)
{
	curl_easy_setopt(p->easy, CURLOPT_PRIVATE, p);
	curl_easy_setopt(p->easy, CURLOPT_ERRORBUFFER, p->error);
	curl_easy_setopt(p->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(p->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(p->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	curl_easy_setopt(p->easy, CURLOPT_TIMEOUT_MS, (long)config->timeout_ms);
	curl_easy_setopt(p->easy, CURLOPT_USERAGENT, p->client->user_agent);
	curl_easy_setopt(p->easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_easy_setopt(p->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(p->easy, CURLOPT_HTTPHEADER, p->headers);
	curl_easy_setopt(p->easy, CURLOPT_POSTFIELDSIZE, (long)config->body.size);
	curl_easy_setopt(p->easy, CURLOPT_POSTFIELDS, config->body.data);
	curl_easy_setopt(p->easy, CURLOPT_URL, config->url);
	if (p->client->authorities)
		curl_easy_setopt(p->easy, CURLOPT_CAINFO, p->client->authorities);
}

int http_post(struct http_post **ret, struct http_client *c, const struct http_post_config *config,
	http_post_done *done, void *owner)
{
	assert(ret && c && config && done);
	struct http_post *p = mem_zalloc(sizeof *p);
	if (!p)
		return err_new(-ENOMEM);
	p->client = c;
	p->done = done;
	p->owner = owner;
	list_add(&c->posts, &p->link);
	int r = add_headers(p, config);
	if (r == 0 && !(p->easy = curl_easy_init()))
		r = err_new(-ENOMEM);
	if (r == 0) {
		set_options(p, config);
		if (curl_multi_add_handle(c->multi, p->easy) != CURLM_OK)
			r = err_new(-EIO);
	}
	if (r < 0) {
		post_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

void http_post_cancel(struct http_post *p)
{
	post_free(p);
}

/* ---- life ---- */

int http_client_new(struct http_client **ret, struct loop *l, const char *user_agent)
{
	struct http_client *c = mem_zalloc(sizeof *c);
	if (!c)
		return err_new(-ENOMEM);
	c->loop = l;
	list_init(&c->posts);
	list_init(&c->watches);
	snprintf(c->user_agent, sizeof c->user_agent, "%s", user_agent);
	c->authorities = getenv("SSL_CERT_FILE");
	int r = timer_init(&c->timer, l, on_timer, c);
	if (r == 0 && !(c->multi = curl_multi_init()))
		r = err_new(-ENOMEM);
	if (r < 0) {
		http_client_free(c);
		return r;
	}
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	*ret = c;
	return 0;
}

struct http_client *http_client_free(struct http_client *c)
{
	if (!c)
		return NULL;
	while (!list_empty(&c->posts))
		post_free(list_first(&c->posts, struct http_post, link));
	if (c->multi)
		curl_multi_cleanup(c->multi);
	while (!list_empty(&c->watches))
		watch_close(list_first(&c->watches, struct watch, link));
	timer_fini(&c->timer);
	mem_free(c);
	return NULL;
}

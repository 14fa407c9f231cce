#include "webhook/webhook.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "net/http_client.h"
#include "wire/base64.h"

#include <assert.h>
#include <errno.h>
#include <openssl/sha.h>
#include <stdio.h>

enum {
	TIMEOUT_MS = 10000, /* of one request */
	FIRST_PAUSE_MS = 500,
	LAST_PAUSE_MS = 30000,
	TOKEN_LIFE_S = 300, /* as LiveKit's */
	LABEL_MAX = 128,
};

struct webhooks {
	struct webhooks_config config;
	struct http_client *client;
	struct list targets;
	char *key;
	struct webhook_counts counts;
	struct timer deadline; /* of closing */
	struct deferred closing;
	bool is_closing;
	void (*closed)(void *owner);
	void *closed_owner;
};

struct target {
	struct list link;
	struct webhooks *hooks;
	char *url;
	char label[LABEL_MAX]; /* what of the URL may be logged: no user, no query */
	struct list lanes;
	size_t queued, queued_bytes, sending;
	bool away, overflows; /* said so already */
};

/*
 *   READY --a slot is free--> SENDING --2xx, refused--> READY, or gone when nothing waits
 *                             SENDING --away--> PAUSED --its time--> READY
 */
enum lane_state {
	LANE_READY,
	LANE_SENDING,
	LANE_PAUSED,
};

struct lane {
	struct list link;
	struct target *target;
	char resource[RNG_ID_SIZE];
	enum lane_state state;
	struct list events;
	struct timer pause;
	uint32_t pause_ms;
	struct http_post *post;
	char *authorization;
};

struct event {
	struct list link;
	uint64_t born_ms;
	size_t size;
	uint8_t json[];
};

static uint64_t now_ms(const struct webhooks *w)
{
	return loop_now_ms(w->config.loop);
}

/* ---- queues ---- */

static void drop_first(struct lane *l)
{
	struct event *e = list_first(&l->events, struct event, link);
	--l->target->queued;
	l->target->queued_bytes -= e->size;
	list_remove(&e->link);
	mem_free(e);
}

static void lane_free(struct lane *l)
{
	while (!list_empty(&l->events))
		drop_first(l);
	if (l->post)
		http_post_cancel(l->post);
	mem_free(l->authorization);
	timer_fini(&l->pause);
	list_remove(&l->link);
	mem_free(l);
}

static void on_pause_over(void *owner);

static struct lane *lane_get(struct target *t, const char *resource)
{
	list_each(it, &t->lanes) {
		struct lane *l = container_of(it, struct lane, link);
		if (!strcmp(l->resource, resource))
			return l;
	}
	struct lane *l = mem_zalloc(sizeof *l);
	if (!l)
		return NULL;
	l->target = t;
	list_init(&l->events);
	list_init(&l->link);
	snprintf(l->resource, sizeof l->resource, "%s", resource);
	if (timer_init(&l->pause, t->hooks->config.loop, on_pause_over, l) < 0) {
		lane_free(l);
		return NULL;
	}
	list_add(&t->lanes, &l->link);
	return l;
}

/* The lane may be gone after it. */
static void lane_idle(struct lane *l)
{
	l->state = LANE_READY;
	if (list_empty(&l->events))
		lane_free(l);
}

/* ---- one request ---- */

/* LiveKit signs the body's hash, so that nobody can put another body under the token. */
static char *sign(const struct webhooks *w, struct span body)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	char text[BASE64_TEXT_SIZE(sizeof hash)], *token = NULL;
	const char *secret = w->config.secret_of(w->config.secret_owner, w->key);
	json_int_t now = clock_unix_s();

	if (!secret)
		return NULL;
	SHA256(body.data, body.size, hash);
	base64_encode(text, span_of(hash, sizeof hash));
	json_t *claims = json_pack("{s:s, s:I, s:I, s:I, s:s}", "iss", w->key, "iat", now, "nbf", now, "exp",
		now + TOKEN_LIFE_S, "sha256", text);
	int r = claims ? jwt_sign(&token, claims, secret) : -1;
	json_decref(claims);
	return r ? NULL : token;
}

static void pump(struct target *t);

static void on_posted(void *owner, unsigned status, const char *error);

static int post(struct lane *l)
{
	struct webhooks *w = l->target->hooks;
	const struct event *e = list_first(&l->events, struct event, link);
	struct span body = span_of(e->json, e->size);
	char *token = sign(w, body);

	if (!token)
		return err_new(-ENOENT);
	mem_free(l->authorization);
	l->authorization = mem_format("Authorization: %s", token);
	mem_free(token);
	if (!l->authorization)
		return err_new(-ENOMEM);
	const char *headers[] = {"Content-Type: application/webhook+json", l->authorization};
	const struct http_post_config config = {
		.url = l->target->url,
		.headers = headers,
		.header_count = COUNT_OF(headers),
		.body = body,
		.timeout_ms = TIMEOUT_MS,
	};
	return http_post(&l->post, w->client, &config, on_posted, l);
}

/* ---- what came of it ---- */

static bool may_come_back(unsigned status)
{
	return status == 0 || status == 408 || status == 429 || status >= 500;
}

static bool is_too_old(const struct lane *l)
{
	const struct event *e = list_first(&l->events, struct event, link);
	return now_ms(l->target->hooks) - e->born_ms > (uint64_t)LIMIT_WEBHOOK_AGE_S * 1000;
}

static void say_away(struct target *t, unsigned status, const char *error)
{
	if (t->away)
		return;
	t->away = true;
	if (status)
		log_warn("webhook", "%s answers %u: trying again", t->label, status);
	else
		log_warn("webhook", "%s cannot be reached (%s): trying again", t->label, error);
}

/* Not now; maybe later. The lane may be gone after it. */
static void retry_later(struct lane *l)
{
	struct target *t = l->target;
	struct webhook_counts *counts = &t->hooks->counts;

	if (t->hooks->is_closing || is_too_old(l)) {
		++counts->dropped;
		drop_first(l);
		lane_idle(l);
		return;
	}
	++counts->retried;
	l->state = LANE_PAUSED;
	l->pause_ms = l->pause_ms ? l->pause_ms * 2 : FIRST_PAUSE_MS;
	if (l->pause_ms > LAST_PAUSE_MS)
		l->pause_ms = LAST_PAUSE_MS;
	/* Lanes that failed together come back apart. */
	timer_start(&l->pause, l->pause_ms - rng_u32() % (l->pause_ms / 4), 0);
}

static void taken(struct lane *l, unsigned status)
{
	struct target *t = l->target;
	if (status >= 200 && status < 300) {
		++t->hooks->counts.delivered;
		if (t->away)
			log_info("webhook", "%s is back", t->label);
		t->away = t->overflows = false;
	} else {
		++t->hooks->counts.refused;
		log_warn("webhook", "%s refused an event of %s: %u", t->label, l->resource, status);
	}
	l->pause_ms = 0;
	drop_first(l);
	lane_idle(l);
}

static bool is_empty(const struct webhooks *w)
{
	list_each(it, &w->targets)
		if (container_of(it, struct target, link)->queued)
			return false;
	return true;
}

static void on_close_now(struct deferred *d)
{
	struct webhooks *w = container_of(d, struct webhooks, closing);
	void (*closed)(void *owner) = w->closed;

	timer_stop(&w->deadline);
	w->closed = NULL;
	if (closed)
		closed(w->closed_owner);
}

static void close_if_empty(struct webhooks *w)
{
	if (w->is_closing && is_empty(w))
		loop_defer(w->config.loop, &w->closing, on_close_now);
}

static void on_posted(void *owner, unsigned status, const char *error)
{
	struct lane *l = owner;
	struct target *t = l->target;

	l->post = NULL;
	--t->sending;
	if (may_come_back(status)) {
		say_away(t, status, error);
		retry_later(l);
	} else {
		taken(l, status);
	}
	pump(t);
	close_if_empty(t->hooks);
}

static void on_pause_over(void *owner)
{
	struct lane *l = owner;
	l->state = LANE_READY;
	pump(l->target);
}

static struct lane *next_ready(const struct target *t)
{
	list_each(it, &t->lanes) {
		struct lane *l = container_of(it, struct lane, link);
		if (l->state == LANE_READY && !list_empty(&l->events))
			return l;
	}
	return NULL;
}

/* Fills the slots. The one that was served goes to the end: every room has its turn. */
static void pump(struct target *t)
{
	struct lane *l;
	while (t->sending < LIMIT_WEBHOOKS_SENDING && (l = next_ready(t))) {
		list_remove(&l->link);
		list_add(&t->lanes, &l->link);
		if (post(l) < 0) {
			retry_later(l);
			continue;
		}
		l->state = LANE_SENDING;
		++t->sending;
	}
}

/* ---- from outside ---- */

static bool has_room(struct target *t, size_t size)
{
	if (t->queued < LIMIT_WEBHOOKS_QUEUED && t->queued_bytes + size <= LIMIT_WEBHOOK_QUEUE_BYTES)
		return true;
	++t->hooks->counts.dropped;
	if (!t->overflows)
		log_error("webhook", "%s is too slow: %zu events wait, more are dropped", t->label,
			t->queued);
	t->overflows = true;
	return false;
}

static void enqueue(struct target *t, const char *resource, struct span json)
{
	struct event *e;
	if (!has_room(t, json.size))
		return;
	struct lane *l = lane_get(t, resource);
	if (!l || !(e = mem_zalloc(sizeof *e + json.size))) {
		++t->hooks->counts.dropped;
		if (l && list_empty(&l->events)) /* it was made for this one */
			lane_free(l);
		return;
	}
	e->born_ms = now_ms(t->hooks);
	e->size = json.size;
	memcpy(e->json, json.data, json.size);
	list_add(&l->events, &e->link);
	++t->queued;
	t->queued_bytes += e->size;
	pump(t);
}

void webhooks_send(struct webhooks *w, const char *resource, struct span json)
{
	list_each(it, &w->targets)
		enqueue(container_of(it, struct target, link), resource, json);
}

static void hurry(struct target *t)
{
	list_each(it, &t->lanes) {
		struct lane *l = container_of(it, struct lane, link);
		if (l->state != LANE_PAUSED)
			continue;
		timer_stop(&l->pause);
		l->state = LANE_READY;
	}
	pump(t);
}

static void on_deadline(void *owner)
{
	struct webhooks *w = owner;
	log_warn("webhook", "not everything could be told before the end");
	loop_defer(w->config.loop, &w->closing, on_close_now);
}

void webhooks_close(struct webhooks *w, void (*closed)(void *owner), void *owner)
{
	w->is_closing = true;
	w->closed = closed;
	w->closed_owner = owner;
	timer_start(&w->deadline, LIMIT_WEBHOOK_CLOSE_MS, 0);
	list_each(it, &w->targets)
		hurry(container_of(it, struct target, link));
	close_if_empty(w);
}

const struct webhook_counts *webhooks_counts(const struct webhooks *w)
{
	return &w->counts;
}

/* ---- life ---- */

/* scheme://host/path */
static void label(char out[LABEL_MAX], const char *url)
{
	const char *slashes = strstr(url, "//"), *host = slashes ? slashes + 2 : url;
	size_t scheme = (size_t)(host - url), name = strcspn(host, "/?#");
	const char *at = memchr(host, '@', name);

	if (at)
		host = at + 1;
	snprintf(out, LABEL_MAX, "%.*s%.*s", (int)scheme, url, (int)strcspn(host, "?#"), host);
}

static struct target *target_free(struct target *t)
{
	while (!list_empty(&t->lanes))
		lane_free(list_first(&t->lanes, struct lane, link));
	list_remove(&t->link);
	mem_free(t->url);
	mem_free(t);
	return NULL;
}

static int add_target(struct webhooks *w, const char *url)
{
	struct target *t = mem_zalloc(sizeof *t);
	if (!t)
		return err_new(-ENOMEM);
	t->hooks = w;
	list_init(&t->lanes);
	list_add(&w->targets, &t->link);
	label(t->label, url);
	t->url = mem_strdup(url);
	return t->url ? 0 : err_new(-ENOMEM);
}

int webhooks_new(struct webhooks **ret, const struct webhooks_config *config)
{
	assert(ret && config && config->loop && config->key && config->secret_of);
	struct webhooks *w = mem_zalloc(sizeof *w);
	if (!w)
		return err_new(-ENOMEM);
	w->config = *config;
	list_init(&w->targets);
	w->key = mem_strdup(config->key);
	int r = w->key ? timer_init(&w->deadline, config->loop, on_deadline, w) : err_new(-ENOMEM);
	if (r == 0)
		r = http_client_new(&w->client, config->loop, "LiveKit");
	for (size_t i = 0; r == 0 && i < config->url_count; ++i)
		r = add_target(w, config->urls[i]);
	if (r < 0) {
		webhooks_free(w);
		return r;
	}
	*ret = w;
	return 0;
}

struct webhooks *webhooks_free(struct webhooks *w)
{
	if (!w)
		return NULL;
	while (!list_empty(&w->targets))
		target_free(list_first(&w->targets, struct target, link));
	http_client_free(w->client);
	deferred_cancel(&w->closing);
	timer_fini(&w->deadline);
	mem_free(w->key);
	mem_free(w);
	return NULL;
}

#include "api/idempotency.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

#include <errno.h>
#include <openssl/sha.h>

struct idempotency {
	struct map by_key;
	struct list entries; /* oldest first */
};

/*
 *   PENDING (somebody is at it) -> DONE (the answer is kept) -> gone, by age or for room
 *         \-> gone (not kept)
 */
struct idempotency_entry {
	struct map_node node;
	struct list link;
	struct idempotency *owner;
	struct list waiters;
	char *key; /* scope, newline, key */
	uint8_t digest[SHA256_DIGEST_LENGTH];
	uint64_t made_ms;
	bool done;
	unsigned status;
	char *answer;
	size_t answer_size;
};

struct waiter {
	struct list link;
	struct http_exchange *x;
};

static const char type_json[] = "application/json";

int idempotency_new(struct idempotency **ret)
{
	struct idempotency *i = mem_zalloc(sizeof *i);
	if (!i)
		return err_new(-ENOMEM);
	list_init(&i->entries);
	*ret = i;
	return 0;
}

static void waiter_free(struct waiter *w)
{
	list_remove(&w->link);
	mem_free(w);
}

static void entry_free(struct idempotency_entry *e)
{
	while (!list_empty(&e->waiters)) {
		struct waiter *w = list_first(&e->waiters, struct waiter, link);
		http_on_gone(w->x, NULL, NULL);
		waiter_free(w);
	}
	map_remove(&e->owner->by_key, &e->node);
	list_remove(&e->link);
	mem_free(e->key);
	mem_free(e->answer);
	mem_free(e);
}

struct idempotency *idempotency_free(struct idempotency *i)
{
	if (!i)
		return NULL;
	while (!list_empty(&i->entries))
		entry_free(list_first(&i->entries, struct idempotency_entry, link));
	map_fini(&i->by_key);
	mem_free(i);
	return NULL;
}

static void forget_old(struct idempotency *i, uint64_t now_ms)
{
	struct list *at = i->entries.next;
	while (at != &i->entries) {
		struct idempotency_entry *e = container_of(at, struct idempotency_entry, link);
		at = at->next;
		if (now_ms - e->made_ms < (uint64_t)LIMIT_IDEMPOTENCY_S * 1000)
			return;
		if (e->done)
			entry_free(e);
	}
}

/* The oldest answer goes when there is no room. False: nothing but pending ones. */
static bool make_room(struct idempotency *i)
{
	if (i->by_key.count < LIMIT_IDEMPOTENCY_KEYS)
		return true;
	list_each(at, &i->entries) {
		struct idempotency_entry *e = container_of(at, struct idempotency_entry, link);
		if (!e->done)
			continue;
		entry_free(e);
		return true;
	}
	return false;
}

static int make(struct idempotency_entry **ret, struct idempotency *i, char *key, const uint8_t *digest,
	uint64_t now_ms)
{
	struct idempotency_entry *e = mem_zalloc(sizeof *e);
	int r = e ? map_put(&i->by_key, &e->node, key) : -ENOMEM;
	if (r) {
		mem_free(e);
		return r < 0 ? r : err_new(-EEXIST);
	}
	e->owner = i;
	e->key = key;
	e->made_ms = now_ms;
	list_init(&e->waiters);
	memcpy(e->digest, digest, sizeof e->digest);
	list_add(&i->entries, &e->link);
	*ret = e;
	return 0;
}

int idempotency_begin(struct idempotency_entry **ret, struct idempotency *i, const char *scope,
	const char *key, struct span body, uint64_t now_ms)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	SHA256(body.data ? body.data : (const uint8_t *)"", body.size, digest);

	forget_old(i, now_ms);
	char *whole = mem_format("%s\n%s", scope, key);
	if (!whole)
		return err_new(-ENOMEM);
	struct idempotency_entry *e = map_entry(map_get(&i->by_key, whole), struct idempotency_entry, node);
	int r = 0;
	if (e) {
		bool same = !memcmp(e->digest, digest, sizeof digest);
		r = !same ? IDEMPOTENCY_E_OTHER : e->done ? IDEMPOTENCY_E_DONE : IDEMPOTENCY_E_PENDING;
		*ret = e;
	} else {
		r = make_room(i) ? make(ret, i, whole, digest, now_ms) : IDEMPOTENCY_E_FULL;
		if (r == 0)
			return 0; /* the entry owns the key now */
	}
	mem_free(whole);
	return r;
}

void idempotency_repeat(const struct idempotency_entry *e, struct http_exchange *x)
{
	http_reply(x, e->status, type_json, "Idempotent-Replayed: true\r\n", span_of(e->answer, e->answer_size));
}

static void on_gone(void *owner)
{
	waiter_free(owner);
}

int idempotency_wait(struct idempotency_entry *e, struct http_exchange *x)
{
	struct waiter *w = mem_zalloc(sizeof *w);
	if (!w)
		return err_new(-ENOMEM);
	w->x = x;
	list_add(&e->waiters, &w->link);
	http_on_gone(x, on_gone, w);
	return 0;
}

void idempotency_finish(struct idempotency_entry *e, unsigned status, struct span body, bool keep)
{
	e->status = status;
	e->answer = mem_strndup((const char *)body.data, body.size);
	e->answer_size = e->answer ? body.size : 0;
	e->done = true;
	while (!list_empty(&e->waiters)) {
		struct waiter *w = list_first(&e->waiters, struct waiter, link);
		struct http_exchange *x = w->x;
		waiter_free(w);
		http_reply(x, status, type_json, "Idempotent-Replayed: true\r\n", body);
	}
	if (!keep || !e->answer)
		entry_free(e);
}

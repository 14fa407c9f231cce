#include "trunk/policy_private.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { DAY_S = 24 * 3600 };

static const char table[] = "usage"; /* key: the API key; value: "day milliseconds" */

struct used {
	struct map_node node;
	struct list link; /* usage.all */
	char *key;
	uint64_t ms;
	size_t talking; /* calls */
	bool changed;
};

static struct used *find(const struct usage *u, const char *key)
{
	return map_entry(map_get(&u->by_key, key), struct used, node);
}

/* NULL when out of memory, or when there are more keys than anybody has. */
static struct used *get(struct usage *u, const char *key)
{
	struct used *k = find(u, key);
	if (k || u->by_key.count >= LIMIT_USAGE_KEYS)
		return k;
	k = mem_zalloc(sizeof *k);
	char *name = mem_strdup(key);
	if (k && name && map_put(&u->by_key, &k->node, name) == 0) {
		k->key = name;
		list_init(&k->link);
		list_add(&u->all, &k->link);
		return k;
	}
	mem_free(k);
	mem_free(name);
	return NULL;
}

static int load(void *owner, const char *key, struct span value)
{
	struct usage *u = owner;
	char text[64];
	int64_t day;
	uint64_t ms;

	snprintf(text, sizeof text, "%.*s", (int)(value.size < 60 ? value.size : 60), (const char *)value.data);
	if (sscanf(text, "%" SCNd64 " %" SCNu64, &day, &ms) != 2 || day != u->day)
		return 0;
	struct used *k = get(u, key);
	if (!k)
		return err_new(-ENOMEM);
	k->ms = ms;
	return 0;
}

int usage_init(struct usage *u, struct store *store, int64_t now_s)
{
	*u = (struct usage){.store = store, .day = now_s / DAY_S};
	list_init(&u->all);
	return store ? store_each(store, table, load, u) : 0;
}

static void used_free(struct usage *u, struct used *k)
{
	map_remove(&u->by_key, &k->node);
	list_remove(&k->link);
	mem_free(k->key);
	mem_free(k);
}

uint64_t usage_ms(const struct usage *u, const char *key)
{
	const struct used *k = find(u, key);
	return k ? k->ms : 0;
}

void usage_add(struct usage *u, const char *key, uint64_t ms)
{
	struct used *k = ms ? get(u, key) : NULL;
	if (!k)
		return;
	k->ms += ms;
	k->changed = true;
}

size_t usage_talking(const struct usage *u, const char *key)
{
	const struct used *k = find(u, key);
	return k ? k->talking : 0;
}

void usage_answered(struct usage *u, const char *key)
{
	struct used *k = get(u, key);
	if (k)
		++k->talking;
}

void usage_ended(struct usage *u, const char *key)
{
	struct used *k = find(u, key);
	if (k && k->talking)
		--k->talking;
}

static void keep(struct usage *u, struct used *k)
{
	char value[64];
	int size = snprintf(value, sizeof value, "%" PRId64 " %" PRIu64, u->day, k->ms);

	if (u->store && store_put(u->store, table, k->key, span_of(value, (size_t)size)) < 0)
		log_warn("policy", "the minutes of %s are not kept: a restart would forget them", k->key);
	k->changed = false;
}

void usage_keep(struct usage *u)
{
	list_each (it, &u->all) {
		struct used *k = container_of(it, struct used, link);
		if (k->changed)
			keep(u, k);
	}
}

void usage_fini(struct usage *u)
{
	if (u->all.next)
		usage_keep(u);
	while (u->all.next && !list_empty(&u->all))
		used_free(u, list_first(&u->all, struct used, link));
	map_fini(&u->by_key);
}

void usage_look_at_day(struct usage *u, int64_t now_s)
{
	if (now_s / DAY_S == u->day)
		return;
	usage_keep(u);
	u->day = now_s / DAY_S;
	for (struct list *it = u->all.next, *next; it != &u->all; it = next) {
		struct used *k = container_of(it, struct used, link);
		next = it->next;
		k->ms = 0;
		if (!k->talking)
			used_free(u, k);
	}
}

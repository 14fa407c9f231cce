#include "base/map.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"

#include <assert.h>
#include <errno.h>

/* Drawn before main(), hence before any thread: maps of several threads read it without a lock. */
static uint64_t seed;

__attribute__((constructor)) static void draw_seed(void)
{
	seed = rng_u64();
}

/* FNV-1a, seeded per process: a stranger who names rooms cannot aim them at one slot. */
static uint64_t hash_of(struct span key)
{
	uint64_t h = 0xcbf29ce484222325u ^ seed;
	for (size_t i = 0; i < key.size; ++i)
		h = (h ^ key.data[i]) * 0x100000001b3u;
	return h ^ h >> 29;
}

/* Numbers are often multiples of something: the product's upper bits depend on all of theirs. */
static struct map_node **slot_of(const struct map *m, uint64_t hash)
{
	return &m->slots[(hash * 0x9e3779b97f4a7c15u) >> 32 & (m->slot_count - 1)];
}

static int make_room(struct map *m)
{
	if (m->count < m->slot_count)
		return 0;

	struct map bigger = {.slot_count = m->slot_count ? m->slot_count * 2 : 16};
	bigger.slots = mem_zalloc(bigger.slot_count * sizeof(struct map_node *));
	if (!bigger.slots)
		return err_new(-ENOMEM);
	for (size_t i = 0; i < m->slot_count; ++i) {
		for (struct map_node *n = m->slots[i], *next; n; n = next) {
			next = n->next;
			struct map_node **slot = slot_of(&bigger, n->hash);
			n->next = *slot;
			*slot = n;
		}
	}
	mem_free(m->slots);
	m->slots = bigger.slots;
	m->slot_count = bigger.slot_count;
	return 0;
}

static int put(struct map *m, struct map_node *node)
{
	int r = make_room(m);
	if (r < 0)
		return r;
	struct map_node **slot = slot_of(m, node->hash);
	node->next = *slot;
	*slot = node;
	++m->count;
	return 0;
}

int map_put(struct map *m, struct map_node *node, const char *key)
{
	if (map_get(m, key))
		return MAP_E_EXISTS;
	node->key = key;
	node->hash = hash_of(span_text(key));
	return put(m, node);
}

int map_put_id(struct map *m, struct map_node *node, uint64_t id)
{
	if (map_get_id(m, id))
		return MAP_E_EXISTS;
	node->key = NULL;
	node->hash = id;
	return put(m, node);
}

struct map_node *map_get_span(const struct map *m, struct span key)
{
	if (!m->slot_count)
		return NULL;
	uint64_t hash = hash_of(key);
	struct map_node *n = *slot_of(m, hash);
	while (n && !(n->hash == hash && n->key && strlen(n->key) == key.size &&
			    memcmp(n->key, key.data, key.size) == 0))
		n = n->next;
	return n;
}

struct map_node *map_get(const struct map *m, const char *key)
{
	return map_get_span(m, span_text(key));
}

struct map_node *map_get_id(const struct map *m, uint64_t id)
{
	if (!m->slot_count)
		return NULL;
	struct map_node *n = *slot_of(m, id);
	while (n && n->hash != id)
		n = n->next;
	return n;
}

void map_remove(struct map *m, struct map_node *node)
{
	assert(m->slot_count);
	struct map_node **at = slot_of(m, node->hash);
	while (*at != node) {
		assert(*at);
		at = &(*at)->next;
	}
	*at = node->next;
	node->next = NULL;
	--m->count;
}

struct map_node *map_next(const struct map *m, const struct map_node *after)
{
	if (after && after->next)
		return after->next;
	size_t i = after ? (size_t)(slot_of(m, after->hash) - m->slots) + 1 : 0;
	while (i < m->slot_count && !m->slots[i])
		++i;
	return i < m->slot_count ? m->slots[i] : NULL;
}

void map_fini(struct map *m)
{
	mem_free(m->slots);
	*m = (struct map){0};
}

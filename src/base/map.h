/* base/map.h - find things by text or by number. Intrusive: the node lives inside the element,
 * so removing never fails and only growing the table allocates.
 *
 * Owner:   whoever embeds the map; elements are not owned by it.
 * Thread:  its owner's.
 */
#pragma once

#include "base/base.h"

struct map_node {
	struct map_node *next;
	const char *key; /* points into the element; NULL when keyed by number */
	uint64_t hash;   /* of the key, or the number itself */
};

struct map {
	struct map_node **slots;
	size_t slot_count; /* a power of two, or 0 */
	size_t count;
};

/* Outcome of map_put(), map_put_id(). */
enum {
	MAP_E_EXISTS = 1, /* the key is taken; nothing changed */
};

MUST_USE int map_put(struct map *m, struct map_node *node, const char *key);
MUST_USE int map_put_id(struct map *m, struct map_node *node, uint64_t id);
struct map_node *map_get(const struct map *m, const char *key);
struct map_node *map_get_span(const struct map *m, struct span key);
struct map_node *map_get_id(const struct map *m, uint64_t id);
void map_remove(struct map *m, struct map_node *node); /* must be in the map */
/* First node when `after` is NULL, then the following ones; NULL at the end. Removing the node
 * just returned is allowed only after fetching its successor. */
struct map_node *map_next(const struct map *m, const struct map_node *after);
void map_fini(struct map *m); /* frees the table, not the elements */

#define map_entry(node, type, member) ((node) ? container_of(node, type, member) : NULL)

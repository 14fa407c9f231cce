#include "signal/way.h"

#include "base/limits.h"
#include "base/mem.h"

enum { REMEMBERED_MS = 5 * 60000 };

struct known {
	struct list link; /* ways.known */
	enum way way;
	uint64_t since_ms;
	size_t room_size;
	char names[]; /* the room's, then the identity's, each with its zero */
};

static void forget(struct ways *w, struct known *k)
{
	list_remove(&k->link);
	--w->count;
	mem_free(k);
}

void ways_init(struct ways *w)
{
	*w = (struct ways){0};
	list_init(&w->known);
}

void ways_fini(struct ways *w)
{
	while (w->count)
		forget(w, list_first(&w->known, struct known, link));
}

static struct known *find(struct ways *w, const char *room, const char *identity)
{
	list_each(it, &w->known) {
		struct known *k = container_of(it, struct known, link);
		if (!strcmp(k->names, room) && !strcmp(k->names + k->room_size, identity))
			return k;
	}
	return NULL;
}

static void forget_old(struct ways *w, uint64_t now_ms)
{
	while (w->count) {
		struct known *k = list_first(&w->known, struct known, link);
		if (now_ms - k->since_ms < REMEMBERED_MS && w->count < LIMIT_ICE_WAYS)
			return;
		forget(w, k);
	}
}

void ways_remember(
	struct ways *w, const char *room, const char *identity, enum way way, uint64_t now_ms)
{
	size_t room_size = strlen(room) + 1, identity_size = strlen(identity) + 1;
	struct known *k = find(w, room, identity);

	if (k)
		forget(w, k);
	forget_old(w, now_ms);
	k = way == WAY_ANY ? NULL : mem_zalloc(sizeof *k + room_size + identity_size);
	if (!k)
		return;
	k->way = way;
	k->since_ms = now_ms;
	k->room_size = room_size;
	memcpy(k->names, room, room_size);
	memcpy(k->names + room_size, identity, identity_size);
	list_add(&w->known, &k->link);
	++w->count;
}

enum way ways_find(struct ways *w, const char *room, const char *identity, uint64_t now_ms)
{
	forget_old(w, now_ms);
	struct known *k = find(w, room, identity);
	return k ? k->way : WAY_ANY;
}

#include "trunk/policy_private.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"

#include <errno.h>

/* What no patience reaches: a year. A rate of nearly nothing has a wait that no number holds. */
#define RATE_WAIT_MAX_MS (366.0 * 24 * 3600 * 1000)

struct bucket {
	struct map_node node;
	struct list link; /* rates.buckets */
	char *trunk;
	double tokens, per_second;
	uint64_t filled_ms;
};

void rates_init(struct rates *r)
{
	list_init(&r->buckets);
}

static void bucket_free(struct rates *r, struct bucket *b)
{
	map_remove(&r->by_trunk, &b->node);
	list_remove(&b->link);
	mem_free(b->trunk);
	mem_free(b);
}

void rates_fini(struct rates *r)
{
	while (r->buckets.next && !list_empty(&r->buckets))
		bucket_free(r, list_first(&r->buckets, struct bucket, link));
	map_fini(&r->by_trunk);
}

static double burst(double per_second)
{
	return per_second > 1 ? per_second : 1;
}

static struct bucket *bucket_find(struct rates *r, const char *trunk)
{
	return map_entry(map_get(&r->by_trunk, trunk), struct bucket, node);
}

/* NULL when out of memory. */
static struct bucket *bucket_new(struct rates *r, const char *trunk, double per_second, uint64_t now_ms)
{
	if (r->by_trunk.count >= LIMIT_TRUNKS)
		bucket_free(r, list_first(&r->buckets, struct bucket, link));
	struct bucket *b = mem_zalloc(sizeof *b);
	char *name = mem_strdup(trunk);
	if (b && name && map_put(&r->by_trunk, &b->node, name) == 0) {
		b->trunk = name;
		b->tokens = burst(per_second);
		b->filled_ms = now_ms;
		list_init(&b->link);
		return b;
	}
	mem_free(b);
	mem_free(name);
	return NULL;
}

static void fill(struct bucket *b, double per_second, uint64_t now_ms)
{
	if (now_ms > b->filled_ms)
		b->tokens += (double)(now_ms - b->filled_ms) * per_second / 1000;
	b->filled_ms = now_ms;
	b->per_second = per_second;
	if (b->tokens > burst(per_second))
		b->tokens = burst(per_second);
}

static uint64_t wait_for(double missing, double per_second)
{
	double ms = missing * 1000 / per_second;
	return (uint64_t)(ms < RATE_WAIT_MAX_MS ? ms : RATE_WAIT_MAX_MS) + 1;
}

int rates_look(struct rates *r, const char *trunk, double per_second, uint64_t now_ms, uint64_t *wait_ms,
	uint32_t *before)
{
	struct bucket *b = bucket_find(r, trunk);

	if (!b)
		b = bucket_new(r, trunk, per_second, now_ms);
	if (!b)
		return err_new(-ENOMEM);
	list_remove(&b->link);
	list_add(&r->buckets, &b->link);
	fill(b, per_second, now_ms);
	/* A hair of slack: a caller that waits exactly as long as it was told must get through. */
	double missing = 1 - 1e-6 - b->tokens;
	*wait_ms = missing > 0 ? wait_for(missing, per_second) : 0;
	*before = missing > 0 ? (uint32_t)missing : 0;
	return 0;
}

void rates_take(struct rates *r, const char *trunk)
{
	struct bucket *b = bucket_find(r, trunk);
	if (b)
		b->tokens -= 1;
}

#include "net/dns_cache.h"

#include "base/limits.h"
#include "base/mem.h"

#include <ctype.h>
#include <stdio.h>

enum { KEY_SIZE = 280 };

void dns_cache_init(struct dns_cache *c)
{
	*c = (struct dns_cache){0};
	list_init(&c->oldest_first);
}

static void forget(struct dns_cache *c, struct dns_cached *one)
{
	map_remove(&c->by_key, &one->node);
	list_remove(&one->link);
	mem_free(one);
}

void dns_cache_clear(struct dns_cache *c)
{
	while (!list_empty(&c->oldest_first))
		forget(c, list_first(&c->oldest_first, struct dns_cached, link));
}

void dns_cache_fini(struct dns_cache *c)
{
	dns_cache_clear(c);
	map_fini(&c->by_key);
}

/* Names are the same in any case (RFC 4343). False: longer than a name can be. */
static bool write_key(char out[KEY_SIZE], int type, const char *name)
{
	int n = snprintf(out, KEY_SIZE, "%d %s", type, name);

	for (char *at = out; *at; ++at)
		*at = (char)tolower((unsigned char)*at);
	return n > 0 && n < KEY_SIZE;
}

static struct dns_cached *find(struct dns_cache *c, const char *key)
{
	return map_entry(map_get(&c->by_key, key), struct dns_cached, node);
}

const struct dns_cached *dns_cache_get(struct dns_cache *c, int type, const char *name, uint64_t now_ms)
{
	char key[KEY_SIZE];
	struct dns_cached *one = write_key(key, type, name) ? find(c, key) : NULL;

	if (!one || now_ms < one->until_ms)
		return one;
	forget(c, one);
	return NULL;
}

static void put(struct dns_cache *c, const char *key, int status, struct span bytes, uint64_t until_ms)
{
	size_t key_size = strlen(key) + 1;
	struct dns_cached *one = find(c, key);

	if (one)
		forget(c, one);
	one = bytes.size <= LIMIT_DNS_CACHED_BYTES ? mem_zalloc(sizeof *one + bytes.size + key_size) : NULL;
	if (!one)
		return;
	if (c->by_key.count >= LIMIT_DNS_CACHE)
		forget(c, list_first(&c->oldest_first, struct dns_cached, link));
	one->until_ms = until_ms;
	one->status = status;
	one->size = bytes.size;
	if (bytes.size)
		memcpy(one->bytes, bytes.data, bytes.size);
	memcpy(one->bytes + bytes.size, key, key_size);
	if (map_put(&c->by_key, &one->node, (const char *)one->bytes + bytes.size) != 0) {
		mem_free(one);
		return;
	}
	list_add(&c->oldest_first, &one->link);
}

void dns_cache_put(struct dns_cache *c, int type, const char *name, int status, struct span bytes, uint32_t ttl_s,
	uint64_t now_ms)
{
	char key[KEY_SIZE];

	if (ttl_s < LIMIT_DNS_TTL_MIN_S)
		ttl_s = LIMIT_DNS_TTL_MIN_S;
	if (ttl_s > LIMIT_DNS_TTL_MAX_S)
		ttl_s = LIMIT_DNS_TTL_MAX_S;
	if (write_key(key, type, name))
		put(c, key, status, bytes, now_ms + ttl_s * 1000ull);
}

void dns_cache_put_none(struct dns_cache *c, int type, const char *name, int status, uint64_t now_ms)
{
	char key[KEY_SIZE];

	if (write_key(key, type, name))
		put(c, key, status, (struct span){0}, now_ms + LIMIT_DNS_NEGATIVE_S * 1000ull);
}

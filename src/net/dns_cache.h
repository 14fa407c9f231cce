/* net/dns_cache.h - answers of the DNS, kept for as long as they may be: between LIMIT_DNS_TTL_MIN_S and
 * LIMIT_DNS_TTL_MAX_S, and for LIMIT_DNS_NEGATIVE_S that there is none. What could not be asked is not kept.
 *
 * Owner:   struct dns. Owns: its entries, LIMIT_DNS_CACHE of them at most; the oldest gives way.
 * Thread:  its owner's. Pure but for memory: the time is given.
 */
#pragma once

#include "base/list.h"
#include "base/map.h"

struct dns_cache {
	struct map by_key; /* "33 _sip._udp.example.com" */
	struct list oldest_first;
};

struct dns_cached {
	struct map_node node;
	struct list link;
	uint64_t until_ms;
	int status;
	size_t size;
	uint8_t bytes[];
};

void dns_cache_init(struct dns_cache *c);
void dns_cache_clear(struct dns_cache *c); /* forgets all; goes on */
void dns_cache_fini(struct dns_cache *c);
/* NULL: not known, or no longer. Valid until the next call of any of these. */
const struct dns_cached *dns_cache_get(struct dns_cache *c, int type, const char *name, uint64_t now_ms);
/* `status` and `bytes` (copied) are what _get() will tell. A long answer, or one there is no memory for, is
 * not kept. */
void dns_cache_put(struct dns_cache *c, int type, const char *name, int status, struct span bytes, uint32_t ttl_s,
	uint64_t now_ms);
/* That there is no such name, or nothing of that type. */
void dns_cache_put_none(struct dns_cache *c, int type, const char *name, int status, uint64_t now_ms);

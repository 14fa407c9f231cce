/* net/dns_inside.h - the resolver as its two files see it: dns.c (c-ares on the loop, addresses) and
 * dns_records.c (SRV and NAPTR).
 *
 * Owner, owns, thread: see net/dns.h.
 */
#pragma once

#include "base/list.h"
#include "net/dns.h"
#include "net/dns_cache.h"

#include <ares.h>

struct dns {
	struct loop *loop;
	ares_channel channel;
	struct timer tick; /* c-ares' own timeouts; runs while queries do */
	struct list sockets;
	struct list queries;
	size_t query_count;
	struct dns_cache cache;
	bool closing;
};

/* First in what each kind of query is. */
struct dns_query {
	struct dns *dns;
	struct list link;
	struct deferred deliver;
	void (*tell)(struct dns_query *q); /* NULL: cancelled */
	void *owner;
	const char *why;
	size_t count;
	int type;       /* of its records; DNS_ADDRESSES = A and AAAA */
	char name[256]; /* as asked for; "" = longer than a name may be */
};
enum { DNS_ADDRESSES = 0 };

/* Of `size` bytes, zeroed behind the query. -EBUSY: too many are under way. */
MUST_USE int dns_query_new(struct dns_query **ret, size_t size, struct dns *d, int type, const char *name,
	void (*tell)(struct dns_query *q), void *owner);
/* What is known of it still; NULL: it must be asked. */
const struct dns_cached *dns_query_known(struct dns_query *q);
/* What came: a good answer with its TTL, or that there is none. Anything else is not kept. */
void dns_query_keep(struct dns_query *q, int status, struct span bytes, uint32_t ttl_s);
/* Its answer is there, or will never be: the owner hears of it in a later turn. */
void dns_query_end(struct dns_query *q, int status);

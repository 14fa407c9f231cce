/* net/dns_inside.h - the resolver as its two files see it: dns.c (c-ares on the loop, addresses) and
 * dns_records.c (SRV and NAPTR).
 *
 * Owner, owns, thread: see net/dns.h.
 */
#pragma once

#include "base/list.h"
#include "net/dns.h"

#include <ares.h>

struct dns {
	struct loop *loop;
	ares_channel channel;
	struct timer tick; /* c-ares' own timeouts; runs while queries do */
	struct list sockets;
	struct list queries;
	size_t query_count;
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
};

/* Of `size` bytes, zeroed behind the query. -EBUSY: too many are under way. */
MUST_USE int dns_query_new(struct dns_query **ret, size_t size, struct dns *d,
	void (*tell)(struct dns_query *q), void *owner);
/* Its answer is there, or will never be: the owner hears of it in a later turn. */
void dns_query_end(struct dns_query *q, int status);

/* net/dns.h - names to addresses (A and AAAA), by c-ares on the control loop. Literals never ask;
 * localhost and the hosts file are answered without the network.
 *
 * Owner:   one per process. Owns: its channel and the queries under way. Thread: its loop's.
 */
#pragma once

#include "net/loop.h"

#include <sys/socket.h>

struct dns;
struct dns_query;

enum {
	DNS_ADDRESSES_MAX = 16,
	DNS_QUERIES_MAX = 1024, /* under way at once */
};

/* `count` 0 = not found; `why` then says so in words. IPv4 comes first, then IPv6. Called once,
 * never inside dns_resolve() unless the host is a literal (then before it returns, with *ret =
 * NULL). The query is dead by then. */
typedef void dns_answer_fn(
	void *owner, const struct sockaddr_storage *addresses, size_t count, const char *why);

MUST_USE int dns_new(struct dns **ret, struct loop *l);
struct dns *dns_free(struct dns *d); /* queries under way end without an answer */
/* -EBUSY: too many are under way. A literal IPv6 address may stand in brackets. */
MUST_USE int dns_resolve(struct dns_query **ret, struct dns *d, const char *host, uint16_t port,
	dns_answer_fn *answer, void *owner);
void dns_cancel(struct dns_query *q); /* no answer after this; NULL is fine */
/* For tests and for an operator's own resolver: "192.0.2.53:53", comma-separated, instead of the
 * system's. Returns 0 or -EINVAL. */
MUST_USE int dns_set_servers(struct dns *d, const char *servers);

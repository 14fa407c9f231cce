/* net/dns.h - names to addresses (A and AAAA), by c-ares on the control loop. Literals never ask.
 *
 * Owner:   one per process. Owns: its channel and the queries under way. Thread: its loop's.
 */
#pragma once

#include "net/loop.h"

#include <sys/socket.h>

struct dns;
struct dns_query;
enum { DNS_ADDRESSES_MAX = 16 };

/* `count` 0 = not found; `why` then says so in words. Called once, never inside dns_resolve()
 * unless the host is a literal (then before it returns, with *ret = NULL). */
typedef void dns_answer_fn(
	void *owner, const struct sockaddr_storage *addresses, size_t count, const char *why);

MUST_USE int dns_new(struct dns **ret, struct loop *l);
struct dns *dns_free(struct dns *d);
MUST_USE int dns_resolve(struct dns_query **ret, struct dns *d, const char *host, uint16_t port,
	dns_answer_fn *answer, void *owner);
void dns_cancel(struct dns_query *q); /* no answer after this; NULL is fine */

/* net/dns.h - names to addresses (A and AAAA) and to services (SRV, NAPTR), by c-ares on the control
 * loop. Literals never ask; localhost, what is under it and the hosts file are answered without the network.
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
	DNS_SERVICES_MAX = 16,
	DNS_POINTERS_MAX = 8,
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

/* RFC 2782. The order is the one to try them in: by priority, by weight at random. What cannot be
 * called (port 0) and what is there twice has gone. */
struct dns_service {
	char host[256];
	uint16_t port, priority, weight;
};
/* `count` 0: `why` says so; DNS_REFUSED when the domain says that there is no such service. */
extern const char DNS_REFUSED[];
typedef void dns_services_fn(
	void *owner, const struct dns_service *services, size_t count, const char *why);
/* `name` is "_sip._udp.example.com". Errors and life as dns_resolve(); no name is a literal. */
MUST_USE int dns_find_services(
	struct dns_query **ret, struct dns *d, const char *name, dns_services_fn *answer, void *owner);

/* RFC 3403, of which only what leads on (flags "s" and "a") is kept, in the order to try. */
struct dns_pointer {
	char service[32];     /* "SIP+D2U" */
	char replacement[256];
	bool is_service;      /* flag "s": the replacement has SRV records; else it is a host */
	uint16_t order, preference;
};
typedef void dns_pointers_fn(
	void *owner, const struct dns_pointer *pointers, size_t count, const char *why);
MUST_USE int dns_find_pointers(
	struct dns_query **ret, struct dns *d, const char *name, dns_pointers_fn *answer, void *owner);

void dns_cancel(struct dns_query *q); /* no answer after this; NULL is fine */
/* What was answered is kept for as long as its TTL says, within limits (net/dns_cache.h): no longer. */
void dns_forget(struct dns *d);
/* For tests and for an operator's own resolver: "192.0.2.53:53", comma-separated, instead of the
 * system's. Returns 0 or -EINVAL. */
MUST_USE int dns_set_servers(struct dns *d, const char *servers);

/* sip/locate.h - from the host of a URI to the addresses to try, in order, each with its protocol: NAPTR,
 * then SRV, then A and AAAA (RFC 3263).
 *
 * Owner:   who asks holds it until `found` or sip_locate_cancel().
 * Owns:    its DNS queries. Nothing leads from a record to more than one other: no loop can be made.
 * Thread:  the resolver's loop.
 * Bounds:  DNS_POINTERS_MAX pointers, DNS_SERVICES_MAX services, SIP_LOCATE_HOSTS_MAX of them looked up,
 *          SIP_TARGETS_MAX addresses in all.
 */
#pragma once

#include "net/dns.h"
#include "sip/transport.h"

enum {
	SIP_TARGETS_MAX = 16,
	SIP_LOCATE_HOSTS_MAX = 8,
};

struct sip_target {
	enum sip_protocol protocol;
	struct sockaddr_storage address;
};

struct sip_locate_wish {
	const char *host;  /* name or literal address, also in brackets; copied */
	uint16_t port;     /* 0 = not given: SRV may say it. A host with a port is only looked up */
	bool any_protocol; /* the DNS may choose; else `protocol` it is, which is also the one without a choice */
	enum sip_protocol protocol;
};

struct sip_location;
/* `count` 0: `why` says so, as the end of a sentence about the host. The location is dead by then. Never
 * inside sip_locate(), unless the host is a literal (then before it returns, with *ret = NULL). */
typedef void sip_located_fn(void *owner, const struct sip_target *targets, size_t count, const char *why);

MUST_USE int sip_locate(struct sip_location **ret, struct loop *l, struct dns *d, const struct sip_locate_wish *wish,
	sip_located_fn *found, void *owner);
void sip_locate_cancel(struct sip_location *s); /* no answer after this; NULL is fine */

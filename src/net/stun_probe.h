/* net/stun_probe.h - asks STUN servers (RFC 8489) by which address the world sees one of ours: a
 * binding request to each, again every half second, three seconds in all. The first answer counts.
 *
 * Owner:   whoever wants to know.
 * Owns:    its socket, its DNS queries.
 * Thread:  its loop's.
 */
#pragma once

#include "net/dns.h"

enum { STUN_PROBE_SERVERS_MAX = 4 };

struct stun_probe;

struct stun_probe_config {
	struct loop *loop;
	struct dns *dns;
	const struct sockaddr_storage *local; /* its port does not count */
	const char *const *servers; /* "host", "host:3478", "[::1]:3478"; the first few are asked */
	size_t server_count;
	/* Once; `mapped` NULL: nobody answered. Not inside stun_probe_start(). */
	void (*done)(void *owner, const struct sockaddr_storage *mapped);
	void *owner;
};

MUST_USE int stun_probe_start(struct stun_probe **ret, const struct stun_probe_config *c);
struct stun_probe *stun_probe_free(struct stun_probe *p); /* at any time but inside `done` */

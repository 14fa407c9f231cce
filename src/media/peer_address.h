/* media/peer_address.h - where a packet came from, in a third of sockaddr_storage, which of our
 * addresses or connections it came by, and its key in a map. Thread: any. */
#pragma once

#include "base/base.h"

#include <netinet/in.h>

struct peer_address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
	/* Ours, of the same family: what we answer from, or the peer would not know the answer.
	 * All zeros = let the kernel choose. It does not count when addresses are compared. */
	union {
		struct in_addr local4;
		struct in6_addr local6;
	};
	uint32_t stream; /* 0 = UDP; else the connection, media/rtc_streams.h */
};

static inline socklen_t peer_address_size(const struct peer_address *a)
{
	return a->any.sa_family == AF_INET6 ? sizeof a->v6 : sizeof a->v4;
}

static inline bool peer_address_equal(const struct peer_address *a, const struct peer_address *b)
{
	if (a->any.sa_family != b->any.sa_family || a->stream != b->stream)
		return false;
	if (a->any.sa_family == AF_INET6)
		return a->v6.sin6_port == b->v6.sin6_port &&
		       memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, 16) == 0;
	return a->v4.sin_port == b->v4.sin_port && a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
}

/* Exact for IPv4 and for streams. Two IPv6 addresses may share a key, so compare what the map
 * finds; `secret` is random, so nobody can choose addresses that do. */
static inline uint64_t peer_address_key(const struct peer_address *a, uint64_t secret)
{
	if (a->stream)
		return (uint64_t)1 << 63 | a->stream;
	if (a->any.sa_family != AF_INET6)
		return (uint64_t)a->v4.sin_addr.s_addr << 16 | a->v4.sin_port;

	uint64_t half[2];
	memcpy(half, &a->v6.sin6_addr, sizeof half);
	uint64_t key = secret ^ a->v6.sin6_port;
	for (int i = 0; i < 2; ++i) {
		key = (key ^ half[i]) * 0x9e3779b97f4a7c15u;
		key ^= key >> 29;
	}
	return key;
}

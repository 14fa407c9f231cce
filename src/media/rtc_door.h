/* media/rtc_door.h - the TCP port of WebRTC: takes connections, reads the first packet of each, and
 * gives socket and bytes away to the worker whose transport the packet names.
 *
 * One port for all workers, so that a firewall needs one rule. A worker could not take them itself:
 * which one a connection is for shows only in its first check.
 *
 * Owner:   struct media.
 * Owns:    its listeners, and connections until they are given away or their time is over.
 * Thread:  the control thread.
 */
#pragma once

#include "media/tcp_places.h"
#include "net/loop.h"

struct rtc_door;

struct rtc_door_config {
	struct loop *loop;
	const struct sockaddr_storage *binds; /* `port` counts, not theirs */
	size_t bind_count;
	uint16_t port; /* 0: any that is free for all of them */
	struct tcp_places *places;
	uint64_t patience_ms; /* for the first packet */
	/* `read` begins with a binding request for `ufrag`, ours. Socket and place are the
	 * receiver's. */
	void (*arrived)(void *owner, int fd, int place, struct span ufrag, struct span read);
	void *owner;
};

MUST_USE int rtc_door_new(struct rtc_door **ret, const struct rtc_door_config *c);
struct rtc_door *rtc_door_free(struct rtc_door *d);
uint16_t rtc_door_port(const struct rtc_door *d);

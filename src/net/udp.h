/* net/udp.h - a UDP socket on the control loop (SIP). Media has sockets of its own (media/).
 *
 * Owner:   whoever opened it.
 * Owns:    the socket.
 * Thread:  its loop's.
 */
#pragma once

#include "net/loop.h"

#include <sys/socket.h>

struct udp;

struct udp_events {
	void (*datagram)(void *owner, const struct sockaddr *from, struct span bytes);
	/* The kernel reported that `to` is unreachable (ICMP); advisory, may be NULL. */
	void (*refused)(void *owner, const struct sockaddr *to);
};

MUST_USE int udp_open(struct udp **ret, struct loop *l, const struct sockaddr *bind,
	const struct udp_events *events, void *owner);
MUST_USE int udp_send(struct udp *u, const struct sockaddr *to, struct span bytes);
void udp_local(const struct udp *u, struct sockaddr_storage *ret);
void udp_close(struct udp *u); /* no event after this; NULL is fine */

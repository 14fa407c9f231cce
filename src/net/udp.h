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
	/* At most 65,535 bytes, never none, valid during the call. */
	void (*datagram)(void *owner, const struct sockaddr *from, struct span bytes);
	/* The kernel learned by ICMP that nobody listens at `to`, or that no way leads there.
	 * Advisory: anyone can forge it. Never inside udp_send(). May be NULL. */
	void (*refused)(void *owner, const struct sockaddr *to);
};

/* An IPv6 socket takes IPv6 only: open two to have both. -EADDRINUSE and -EADDRNOTAVAIL are the
 * operator's to hear, in the opener's words. */
MUST_USE int udp_open(struct udp **ret, struct loop *l, const struct sockaddr *bind,
	const struct udp_events *events, void *owner);
/* Handed to the kernel, or lost because its queue is full, as datagrams may be. */
MUST_USE int udp_send(struct udp *u, const struct sockaddr *to, struct span bytes);
void udp_local(const struct udp *u, struct sockaddr_storage *ret);
void udp_close(struct udp *u); /* no event after this; NULL is fine */

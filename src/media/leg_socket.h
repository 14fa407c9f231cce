/* media/leg_socket.h - one of a leg's two UDP sockets on its worker's loop: many datagrams for one
 * system call, the arrival time with each.
 *
 * Owner:   the leg.
 * Owns:    the descriptor and its poll handle.
 * Thread:  the worker's.
 */
#pragma once

#include "net/loop.h"

#include <sys/socket.h>

struct leg_socket;

/* The bytes are the receiver's to change, during the call. */
typedef void leg_datagram_fn(
	void *owner, const struct sockaddr *from, uint8_t *bytes, size_t size, uint64_t now_us);

/* Takes the bound, non-blocking descriptor over, also on failure. */
MUST_USE int leg_socket_open(struct leg_socket **ret, struct loop *l, int fd,
	leg_datagram_fn *datagram, void *owner);
/* Returns whether the kernel took it. */
bool leg_socket_send(struct leg_socket *s, const struct sockaddr_storage *to, struct span bytes);
struct leg_socket *leg_socket_close(struct leg_socket *s); /* no datagram after this; NULL is fine */

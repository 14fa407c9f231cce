/* media/tcp_places.h - who is connected by ICE over TCP: a place for each connection, so that
 * neither all together nor one source alone can have more than limits.h says.
 *
 * Owner:   struct media; it outlives the workers.
 * Owns:    the table of places.
 * Thread:  tcp_places_take() on the control thread; a place is proven and left by whoever has it.
 * Words:   source = an IPv4 address, or the first 64 bits of an IPv6 one.
 */
#pragma once

#include "base/base.h"

#include <sys/socket.h>

struct tcp_places;

MUST_USE int tcp_places_new(struct tcp_places **ret);
struct tcp_places *tcp_places_free(struct tcp_places *p);
/* The place of a new connection from there; -1 when there is none left for it. */
MUST_USE int tcp_places_take(struct tcp_places *p, const struct sockaddr *from);
void tcp_places_prove(struct tcp_places *p, int place); /* its peer has shown that it knows us */
void tcp_places_leave(struct tcp_places *p, int place);

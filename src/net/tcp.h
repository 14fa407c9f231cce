/* net/tcp.h - a TCP byte stream, either side, on the control loop. TLS will sit behind the same
 * words.
 *
 * Owner:   whoever accepted or connected it, until `closed`.
 * Owns:    the socket and its write queue (bounded by `queue_bytes_max`).
 * Thread:  its loop's.
 * Life:    tcp_accepted / tcp_connect -> events.ready -> events.data... -> events.closed, once, last.
 */
#pragma once

#include "net/loop.h"

#include <sys/socket.h>

struct tcp;
struct tcp_listener;

struct tcp_events {
	void (*ready)(void *owner);
	void (*data)(void *owner, struct span bytes); /* never empty */
	void (*closed)(void *owner, int error);       /* 0 = orderly end, else -errno */
};

MUST_USE int tcp_listen(struct tcp_listener **ret, struct loop *l, const struct sockaddr *bind,
	void (*accepted)(void *owner, struct tcp *t), void *owner);
void tcp_listener_local(const struct tcp_listener *l, struct sockaddr_storage *ret);
void tcp_listener_close(struct tcp_listener *l);

/* Call inside `accepted`, before returning; a stream that is not adopted is closed. */
void tcp_adopt(struct tcp *t, const struct tcp_events *events, void *owner, size_t queue_bytes_max);
MUST_USE int tcp_connect(struct tcp **ret, struct loop *l, const struct sockaddr *to,
	const struct tcp_events *events, void *owner, size_t queue_bytes_max);
/* Copies what cannot be sent at once. -ENOBUFS when the queue would pass its maximum. */
MUST_USE int tcp_write(struct tcp *t, struct span bytes);
void tcp_peer(const struct tcp *t, struct sockaddr_storage *ret);
void tcp_local(const struct tcp *t, struct sockaddr_storage *ret);
void tcp_end(struct tcp *t);   /* flush, then close */
void tcp_abort(struct tcp *t); /* close now */

/* net/tcp.h - a TCP byte stream, either side, on the control loop; with TLS under it (net/tls.h) when its
 * listener was told so or it was opened with a context, behind the same words.
 *
 * Owner:   whoever accepted or connected it, until `closed`.
 * Owns:    the socket and its write queue (bounded by `queue_bytes_max`).
 * Thread:  its loop's.
 * Life:    tcp_connect -> ready -> data ... -> closed; tcp_adopt -> data ... -> closed.
 *          `closed` comes once, last, and never inside a call of ours: after it the stream is dead.
 */
#pragma once

#include "net/loop.h"

#include <sys/socket.h>

struct tcp;
struct tcp_listener;
struct tls_context;

struct tcp_events {
	/* Connected, with TLS: hands are shaken. Never for a stream that was adopted. */
	void (*ready)(void *owner);
	void (*data)(void *owner, struct span bytes); /* never empty; valid during the call */
	/* The peer will send no more but may still listen (a half-closed stream). NULL: the stream
	 * is then closed at once. */
	void (*ended)(void *owner);
	void (*drained)(void *owner); /* the queue, not empty before, is; may be NULL */
	/* TLS cannot be, or broke; `closed` follows. `why` is the end of a sentence about the far
	 * end: "its certificate has expired". May be NULL. */
	void (*tls_failed)(void *owner, const char *why);
	void (*closed)(void *owner, int error); /* 0 = orderly end, else -errno */
};

/* An IPv6 socket takes IPv6 only: listen on both to have both. */
MUST_USE int tcp_listen(struct tcp_listener **ret, struct loop *l, const struct sockaddr *bind,
	void (*accepted)(void *owner, struct tcp *t), void *owner);
/* Streams accepted from now on speak TLS. `data` and `ended` are about what the peer says inside it;
 * nothing can be written before the first `data`. Who has not shaken hands is held to
 * LIMIT_TLS_HANDSHAKE_S, and to LIMIT_TLS_HANDSHAKES of its kind. */
void tcp_listener_use_tls(struct tcp_listener *l, struct tls_context *c);
void tcp_listener_local(const struct tcp_listener *l, struct sockaddr_storage *ret);
void tcp_listener_close(struct tcp_listener *l); /* NULL is fine */

/* Call inside `accepted`, before returning; a stream that is not adopted is closed. */
void tcp_adopt(struct tcp *t, const struct tcp_events *events, void *owner, size_t queue_bytes_max);
/* A failure to connect is told by `closed`, not by the return value. */
MUST_USE int tcp_connect(struct tcp **ret, struct loop *l, const struct sockaddr *to,
	const struct tcp_events *events, void *owner, size_t queue_bytes_max);
/* The same with TLS: `host` is whom the far end must prove to be, see tls_new(). It is held to
 * LIMIT_TLS_HANDSHAKE_S once connected. */
MUST_USE int tcp_connect_tls(struct tcp **ret, struct loop *l, const struct sockaddr *to,
	struct tls_context *c, const char *host, const struct tcp_events *events, void *owner,
	size_t queue_bytes_max);

/* Copies what cannot be sent at once. -ENOBUFS when the queue would pass its maximum: then nothing
 * of it was sent. Any other error has begun to close the stream (`closed` will come). */
MUST_USE int tcp_write(struct tcp *t, struct span bytes);
/* Several spans as if they were one. At most TCP_PARTS_MAX. */
enum { TCP_PARTS_MAX = 4 };
MUST_USE int tcp_write_parts(struct tcp *t, const struct span *parts, size_t count);
size_t tcp_queued(const struct tcp *t); /* bytes written and not yet taken by the kernel */
/* While held, nothing is read: the peer is slowed down by its own full window. */
void tcp_hold(struct tcp *t, bool held);

void tcp_peer(const struct tcp *t, struct sockaddr_storage *ret);
void tcp_local(const struct tcp *t, struct sockaddr_storage *ret);

/* No more `data` from here on. What is queued is sent, then the end of the stream; what the peer
 * still sends is read and dropped until its end or two seconds, because closing on unread bytes
 * would reset the stream and take our last words with it. A peer that stops reading is cut off
 * after ten seconds. */
void tcp_end(struct tcp *t);
void tcp_abort(struct tcp *t); /* close now, dropping what is queued */
/* The socket for somebody else, on any thread, to read on where `data` stopped; non-blocking. The
 * stream ends as by tcp_abort(), without a word to the peer. Or a negative error: it did not end. */
MUST_USE int tcp_take_fd(struct tcp *t);

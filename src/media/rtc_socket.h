/* media/rtc_socket.h - a worker's UDP socket for WebRTC: datagrams come in by recvmmsg and leave
 * by sendmmsg, up to BATCH with one call each.
 *
 * Owner:   media/rtc_edge.h of a worker. Owns: the socket, its poll handle, both batches.
 * Thread:  the worker's.
 */
#pragma once

#include "base/limits.h"
#include "media/peer_address.h"
#include "media/srtp.h"
#include "net/loop.h"

struct rtc_socket;

struct rtc_socket_events {
	/* `packet` may be changed; valid during the call. */
	void (*datagram)(void *owner, uint8_t *packet, size_t size, const struct peer_address *from,
		uint64_t now_us);
	void (*dropped)(void *owner, bool sending); /* too long, or the kernel took no more */
};

enum { RTC_SOCKET_OUT_BYTES = LIMIT_PACKET_BYTES + SRTP_TRAILER_BYTES };

/* `v6_only`: an IPv6 socket takes IPv6 only, because another one takes IPv4. */
MUST_USE int rtc_socket_new(struct rtc_socket **ret, struct loop *l,
	const struct sockaddr_storage *bind, bool v6_only, const struct rtc_socket_events *events,
	void *owner);
struct rtc_socket *rtc_socket_free(struct rtc_socket *s);
uint16_t rtc_socket_port(const struct rtc_socket *s);
/* Where the next datagram is to be written: RTC_SOCKET_OUT_BYTES. */
uint8_t *rtc_socket_out(struct rtc_socket *s);
/* Queues what was written there; it leaves at the end of the turn, or when the batch is full. */
void rtc_socket_send(struct rtc_socket *s, size_t size, const struct peer_address *to);

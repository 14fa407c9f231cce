/* media/rtc_edge.h - where a worker's WebRTC packets come in and leave: a UDP socket for each family
 * of addresses, all on one port, and the TCP connections that were handed to it.
 *
 * Owner:   a worker.
 * Owns:    its sockets (media/rtc_socket.h) and streams (media/rtc_streams.h).
 * Thread:  the worker's.
 */
#pragma once

#include "media/peer_address.h"
#include "media/rtc_streams.h"
#include "net/loop.h"

struct rtc_edge;

struct rtc_edge_events {
	/* By UDP. `packet` may be changed; valid during the call. */
	void (*datagram)(void *owner, uint8_t *packet, size_t size, const struct peer_address *from,
		uint64_t now_us);
	struct rtc_streams_events streams; /* by TCP; `dropped` is for both */
};

struct rtc_edge_config {
	struct loop *loop;
	const struct sockaddr_storage *binds; /* at most one of a family; `port` counts, not theirs */
	size_t bind_count;
	uint16_t port; /* 0: any that is free for all of them */
	struct tcp_places *places;
};

/* `events` stays the caller's and must outlive it. */
MUST_USE int rtc_edge_new(struct rtc_edge **ret, const struct rtc_edge_config *c,
	const struct rtc_edge_events *events, void *owner);
struct rtc_edge *rtc_edge_free(struct rtc_edge *e);
uint16_t rtc_edge_port(const struct rtc_edge *e);
/* Where the next packet to there is to be written: RTC_SOCKET_OUT_BYTES. */
uint8_t *rtc_edge_out(struct rtc_edge *e, const struct peer_address *to);
/* Queues what was written there; it leaves at the end of the turn. */
void rtc_edge_send(struct rtc_edge *e, size_t size, const struct peer_address *to);
/* As rtc_streams_adopt() and rtc_streams_close(). */
void rtc_edge_adopt(struct rtc_edge *e, int fd, int place, struct span read);
void rtc_edge_hang_up(struct rtc_edge *e, uint32_t stream);

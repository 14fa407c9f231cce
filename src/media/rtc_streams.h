/* media/rtc_streams.h - a worker's TCP connections for WebRTC (RFC 6544, "passive"): each carries
 * the packets of one transport, framed as RFC 4571 says, and is a path like any UDP address.
 *
 * A connection comes from media/rtc_door.h with its first packet. Unless that is a good check, it
 * ends at once. A peer that does not read loses packets: what waits for it is bounded, and nobody
 * else waits.
 *
 * Owner:   media/rtc_edge.h of a worker.
 * Owns:    the sockets, their places (media/tcp_places.h), what is read in part and not yet sent.
 * Thread:  the worker's.
 */
#pragma once

#include "base/limits.h"
#include "media/peer_address.h"
#include "media/tcp_places.h"
#include "net/loop.h"

struct rtc_streams;

struct rtc_streams_events {
	/* `packet` may be changed; valid during the call. The stream may be closed inside. */
	void (*packet)(void *owner, uint8_t *packet, size_t size, const struct peer_address *from,
		uint64_t now_us);
	/* The same for the first one. False: it proves nothing, the stream ends. */
	bool (*first)(void *owner, uint8_t *packet, size_t size, const struct peer_address *from,
		uint64_t now_us);
	void (*dropped)(void *owner, bool sending);
	/* A proven stream ended by itself; not called for rtc_streams_close(). */
	void (*ended)(void *owner, const struct peer_address *from);
};

MUST_USE int rtc_streams_new(struct rtc_streams **ret, struct loop *l, struct tcp_places *places,
	const struct rtc_streams_events *events, void *owner);
struct rtc_streams *rtc_streams_free(struct rtc_streams *s);
/* Takes over the socket and its place, whatever becomes of it. `read` has been read from it. */
void rtc_streams_adopt(struct rtc_streams *s, int fd, int place, struct span read);
/* Copies; it leaves at the end of the turn, or is lost. */
void rtc_streams_send(struct rtc_streams *s, struct span packet, const struct peer_address *to);
void rtc_streams_close(struct rtc_streams *s, uint32_t stream); /* twice is fine */

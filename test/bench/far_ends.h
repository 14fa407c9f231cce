/* test/bench/far_ends.h - both ends that a call has, played from plain sockets: a WebRTC client
 * (ICE checks, DTLS, SRTP) and a telephone's RTP. No loop: the bench calls in.
 *
 * Owner:  the bench. Owns: its socket and keys.
 * Thread: the load's; everything here belongs to the one thread that makes the load.
 */
#pragma once

#include "media/dtls.h"
#include "media/media.h"
#include "wire/rtp.h"

enum {
	PUBLISHER_PT = 111, /* Opus, from a client */
	SINK_PT_OPUS = 96,
	SINK_PT_PCMU = 0,
	LEVEL_EXT = 1,
	FRAME_US = 20000,
};

/* ---- a WebRTC client ---- */
struct rtc_client {
	int fd;
	struct media_ice ice; /* of the server's side */
	struct dtls *dtls;
	struct srtp_pair *srtp; /* NULL until the handshake is done */
	bool answered;
	uint16_t seq;
	uint32_t timestamp, ssrc;
	uint64_t checked_us; /* when it last said that it is there */
};

/* Returns 0 or -errno. */
MUST_USE int rtc_client_open(
	struct rtc_client *c, uint16_t server_port, const struct dtls_identity *identity);
void rtc_client_close(struct rtc_client *c);
/* Every 20 ms or so: checks and overdue flights. */
void rtc_client_poll(struct rtc_client *c, uint64_t now_us);
/* One datagram, in place. True when it is RTP in the clear: then *ret shows it. */
bool rtc_client_input(struct rtc_client *c, uint8_t *packet, size_t size, struct rtp_view *ret);
/* 20 ms of Opus; `level` by RFC 6464. */
void rtc_client_send(struct rtc_client *c, struct span opus, uint8_t level);

/* ---- a telephone ---- */
struct phone {
	int fd;
	uint16_t port; /* its own */
	uint16_t seq;
	uint32_t timestamp, ssrc;
};
MUST_USE int phone_open(struct phone *p, uint16_t leg_port);
void phone_close(struct phone *p);
void phone_send(struct phone *p, struct span g711); /* PCMU, 20 ms */

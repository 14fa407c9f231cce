/* test/bench/rtc_client.h - the client's end of one peer connection, played from a plain socket:
 * ICE checks (either role), DTLS (either role), SRTP. No loop: the bench calls in.
 *
 * Owner:  a person of the load. Owns: its socket and keys.
 * Thread: the load's; everything here belongs to the one thread that makes the load.
 * Life:   open -> remote and reach, in any order -> poll, input -> srtp is there -> send -> close.
 */
#pragma once

#include "media/dtls.h"
#include "media/media.h"
#include "wire/rtp.h"
#include "wire/stun.h"

enum {
	PUBLISHER_PT = 111, /* Opus, from a client */
	LEVEL_EXT = 1,
	FRAME_US = 20000,
};

struct rtc_client_remote {
	char ufrag[257], pwd[257];
	char fingerprint[MEDIA_FINGERPRINT_SIZE];
	bool controlling, dtls_client; /* what we are */
};

struct rtc_client {
	int fd;
	uint16_t port; /* its own */
	struct media_ice local;
	struct rtc_client_remote remote;
	bool has_remote, reached; /* we know who it is, and where */
	bool nominated; /* the path is chosen: DTLS may begin */
	const struct dtls_identity *identity;
	struct dtls *dtls; /* NULL until has_remote */
	struct srtp_pair *srtp; /* NULL until the handshake is done with whom the SDP named */
	void (*data)(void *owner, struct span packet); /* one decrypted record; may be NULL */
	void *owner;
	uint16_t seq;
	uint32_t timestamp, ssrc;
	uint64_t checked_us; /* when it last said that it is there */
};

/* These three return 0 or a negative error. */
MUST_USE int rtc_client_open(struct rtc_client *c, const struct dtls_identity *identity);
MUST_USE int rtc_client_remote(struct rtc_client *c, const struct rtc_client_remote *remote);
MUST_USE int rtc_client_reach(struct rtc_client *c, uint16_t server_port);
void rtc_client_close(struct rtc_client *c); /* zeroed memory is fine */

/* Every 20 ms or so: checks and overdue flights. */
void rtc_client_poll(struct rtc_client *c, uint64_t now_us);
/* One datagram, in place. True when it is RTP in the clear: then *ret shows it. */
bool rtc_client_input(struct rtc_client *c, uint8_t *packet, size_t size, struct rtp_view *ret);
bool rtc_is_rtp(const uint8_t *packet, size_t size);
/* 20 ms of Opus; `level` by RFC 6464. */
void rtc_client_send(struct rtc_client *c, struct span opus, uint8_t level);

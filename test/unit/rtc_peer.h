/* test/unit/rtc_peer.h - the other end of a transport for tests: checks, DTLS and SRTP from a
 * socket of its own, UDP or TCP, on the test's loop.
 *
 * Owner: the test. Thread: the loop's.
 */
#pragma once

#include "base/writer.h"
#include "media/dtls.h"
#include "media/media.h"
#include "wire/rtp.h"

#include <uv.h>

enum { RTC_PEER_PACKETS_MAX = 512 };

struct rtc_packet_seen {
	uint16_t seq;
	uint32_t timestamp, ssrc;
	uint8_t payload_type, first_byte;
	bool marker, extended;
};

struct rtc_peer {
	/* Set before rtc_peer_open(). */
	struct loop *loop;
	const struct dtls_identity *identity;
	const char *ip; /* of the worker */
	uint16_t port;
	struct media_ice remote_ice;
	const char *ufrag;
	bool dtls_client;
	bool nominate_late; /* only after DTLS began */
	bool tcp;

	int fd;
	uv_poll_t poll;
	uv_timer_t retry;
	struct dtls *dtls;
	struct srtp_pair *srtp;
	unsigned answers; /* of checks */
	bool ended;       /* TCP: the other side closed it */
	uint8_t in[4096]; /* TCP: frames, the last one in part */
	size_t in_used;

	struct rtc_packet_seen seen[RTC_PEER_PACKETS_MAX];
	size_t seen_count;
	unsigned sender_reports, receiver_reports, byes;
	uint32_t reported_lost;
	uint64_t last_sr_ntp;
	uint32_t last_sr_timestamp;
	unsigned nacks;
	uint16_t nacked; /* the first packet of the last one */
	bool twice; /* each packet of RTP leaves twice, as a replay */
	/* As if the network had lost them: */
	unsigned lose; /* the next RTP packets, undeciphered; the last one is kept */
	uint8_t lost[512];
	size_t lost_size;
	unsigned came_again; /* the same datagram to the bit */
	uint8_t data[1200];
	size_t data_size;
};

void rtc_peer_open(struct rtc_peer *p);
void rtc_peer_close(struct rtc_peer *p); /* its handles go with the next turn of the loop */
void rtc_peer_check(struct rtc_peer *p, bool nominate);
void rtc_peer_send_rtp(struct rtc_peer *p, const struct rtp_view *v);
void rtc_peer_send_rtcp(struct rtc_peer *p, struct span compound);
void rtc_peer_send_raw(struct rtc_peer *p, const void *bytes, size_t size);

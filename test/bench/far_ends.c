#include "test/bench/far_ends.h"

#include "base/clock.h"
#include "base/rng.h"
#include "wire/stun.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

enum { CHECK_US = 2000000, HANDSHAKE_CHECK_US = 100000, SOCKET_BYTES = 1 << 18 };

static int open_socket(int *ret, uint16_t to_port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in to = at;
	int size = SOCKET_BYTES;

	to.sin_port = htons(to_port);
	*ret = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*ret < 0)
		return -errno;
	(void)setsockopt(*ret, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	if (bind(*ret, (struct sockaddr *)&at, sizeof at) < 0 ||
		connect(*ret, (struct sockaddr *)&to, sizeof to) < 0)
		return -errno;
	return 0;
}

/* What the kernel refuses shows as a packet that never came. */
static void send_bytes(int fd, const void *bytes, size_t size)
{
	if (send(fd, bytes, size, 0) < 0 && errno != ECONNREFUSED && errno != EAGAIN)
		perror("bench: send");
}

/* ---- a WebRTC client ---- */

static void on_dtls_send(void *owner, struct span datagram)
{
	struct rtc_client *c = owner;
	send_bytes(c->fd, datagram.data, datagram.size);
}

static void on_dtls_data(void *owner, struct span data)
{
}

static const struct dtls_events events = {.send = on_dtls_send, .data = on_dtls_data};

int rtc_client_open(
	struct rtc_client *c, uint16_t server_port, const struct dtls_identity *identity)
{
	int r = open_socket(&c->fd, server_port);
	if (r < 0)
		return r;
	c->ssrc = rng_u32();
	c->seq = (uint16_t)rng_u32();
	c->timestamp = rng_u32();
	return dtls_new(&c->dtls, identity, true, &events, c);
}

void rtc_client_close(struct rtc_client *c)
{
	c->dtls = dtls_free(c->dtls);
	c->srtp = srtp_pair_free(c->srtp);
	close(c->fd);
}

static void send_check(struct rtc_client *c)
{
	uint8_t out[512], transaction[STUN_TRANSACTION_BYTES] = "transaction";
	char username[64];
	struct writer w = writer_of(out, sizeof out);

	snprintf(username, sizeof username, "%s:peer", c->ice.ufrag);
	stun_write_header(&w, STUN_BINDING_REQUEST, transaction);
	stun_write_attribute(&w, STUN_USERNAME, span_text(username));
	stun_write_attribute(&w, STUN_ICE_CONTROLLING, span_text("tiebreak"));
	stun_write_attribute(&w, STUN_PRIORITY, span_text("\x7e\xff\xff\x01"));
	stun_write_attribute(&w, STUN_USE_CANDIDATE, span_text(""));
	stun_write_integrity(&w, span_text(c->ice.pwd));
	stun_write_fingerprint(&w);
	send_bytes(c->fd, out, w.used);
}

static void after_dtls(struct rtc_client *c)
{
	struct srtp_keys keys;

	if (c->srtp || dtls_state(c->dtls) != DTLS_DONE)
		return;
	if (dtls_keys(c->dtls, &keys) < 0 || srtp_pair_new(&c->srtp, &keys, true) < 0)
		fprintf(stderr, "bench: no SRTP keys\n");
}

void rtc_client_poll(struct rtc_client *c, uint64_t now_us)
{
	uint64_t every_us = c->srtp ? CHECK_US : HANDSHAKE_CHECK_US;

	if (now_us - c->checked_us >= every_us) {
		c->checked_us = now_us;
		send_check(c);
	}
	if (!c->srtp && c->answered) {
		dtls_poll(c->dtls);
		after_dtls(c);
	}
}

bool rtc_client_input(struct rtc_client *c, uint8_t *packet, size_t size, struct rtp_view *ret)
{
	if (packet[0] < 4) {
		if (!c->answered)
			dtls_start(c->dtls);
		c->answered = true;
		return false;
	}
	if (packet[0] < 64) {
		dtls_input(c->dtls, span_of(packet, size));
		after_dtls(c);
		return false;
	}
	if (!c->srtp || (packet[1] >= 192 && packet[1] <= 223))
		return false;
	return srtp_pair_unprotect(c->srtp, packet, &size) &&
	       rtp_parse(ret, span_of(packet, size)) == RTP_OK;
}

void rtc_client_send(struct rtc_client *c, struct span opus, uint8_t level)
{
	uint8_t out[1500 + SRTP_TRAILER_BYTES];
	const uint8_t extension[4] = {LEVEL_EXT << 4, level};
	struct writer w = writer_of(out, 1500);

	rtp_write(&w, &(struct rtp_view){.payload_type = PUBLISHER_PT,
			      .seq = c->seq++,
			      .timestamp = c->timestamp,
			      .ssrc = c->ssrc,
			      .extension_profile = 0xbede,
			      .extension = span_of(extension, sizeof extension),
			      .payload = opus});
	c->timestamp += 960;
	size_t size = w.used;
	if (!w.bad && srtp_pair_protect(c->srtp, out, &size))
		send_bytes(c->fd, out, size);
}

/* ---- a telephone ---- */

int phone_open(struct phone *p, uint16_t leg_port)
{
	struct sockaddr_in at;
	socklen_t size = sizeof at;

	int r = open_socket(&p->fd, leg_port);
	if (r < 0)
		return r;
	if (getsockname(p->fd, (struct sockaddr *)&at, &size) < 0)
		return -errno;
	p->port = ntohs(at.sin_port);
	p->ssrc = rng_u32();
	p->seq = (uint16_t)rng_u32();
	p->timestamp = rng_u32();
	return 0;
}

void phone_close(struct phone *p)
{
	close(p->fd);
}

void phone_send(struct phone *p, struct span g711)
{
	uint8_t out[1500];
	struct writer w = writer_of(out, sizeof out);

	rtp_write(&w, &(struct rtp_view){.payload_type = 0,
			      .seq = p->seq++,
			      .timestamp = p->timestamp,
			      .ssrc = p->ssrc,
			      .payload = g711});
	p->timestamp += (uint32_t)g711.size;
	if (!w.bad)
		send_bytes(p->fd, out, w.used);
}

#include "test/bench/rtc_client.h"

#include "base/rng.h"
#include "test/bench/udp_end.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

enum { CHECK_US = 2000000, HANDSHAKE_CHECK_US = 100000 };

/* ---- life ---- */

int rtc_client_open(struct rtc_client *c, const struct dtls_identity *identity)
{
	c->identity = identity;
	c->ssrc = rng_u32();
	c->seq = (uint16_t)rng_u32();
	c->timestamp = rng_u32();
	media_ice_make(&c->local, 0);
	return udp_end_open(&c->fd, &c->port);
}

static void on_dtls_send(void *owner, struct span datagram)
{
	struct rtc_client *c = owner;
	udp_end_send(c->fd, datagram);
}

static void on_dtls_data(void *owner, struct span data)
{
	struct rtc_client *c = owner;
	if (c->data)
		c->data(c->owner, data);
}

static const struct dtls_events events = {.send = on_dtls_send, .data = on_dtls_data};

int rtc_client_remote(struct rtc_client *c, const struct rtc_client_remote *remote)
{
	c->remote = *remote;
	c->has_remote = true;
	return c->dtls ? 0 : dtls_new(&c->dtls, c->identity, remote->dtls_client, &events, c);
}

int rtc_client_reach(struct rtc_client *c, uint16_t server_port)
{
	c->reached = true;
	return udp_end_connect(c->fd, server_port);
}

void rtc_client_close(struct rtc_client *c)
{
	c->dtls = dtls_free(c->dtls);
	c->srtp = srtp_pair_free(c->srtp);
	if (c->identity)
		close(c->fd);
}

/* ---- ICE ---- */

static void send_check(struct rtc_client *c)
{
	uint8_t out[1024], transaction[STUN_TRANSACTION_BYTES] = "transaction";
	char username[300];
	struct writer w = writer_of(out, sizeof out);

	snprintf(username, sizeof username, "%s:%s", c->remote.ufrag, c->local.ufrag);
	stun_write_header(&w, STUN_BINDING_REQUEST, transaction);
	stun_write_attribute(&w, STUN_USERNAME, span_text(username));
	stun_write_attribute(&w, c->remote.controlling ? STUN_ICE_CONTROLLING : STUN_ICE_CONTROLLED,
		span_text("tiebreak"));
	stun_write_attribute(&w, STUN_PRIORITY, span_text("\x7e\xff\xff\x01"));
	if (c->remote.controlling)
		stun_write_attribute(&w, STUN_USE_CANDIDATE, span_text(""));
	stun_write_integrity(&w, span_text(c->remote.pwd));
	stun_write_fingerprint(&w);
	udp_end_send(c->fd, writer_span(&w));
}

static void answer_check(struct rtc_client *c, const struct stun_view *v)
{
	uint8_t out[STUN_REPLY_BYTES_MAX];
	struct writer w = writer_of(out, sizeof out);
	struct sockaddr_in from = {0};
	socklen_t size = sizeof from;

	if (getpeername(c->fd, (struct sockaddr *)&from, &size) < 0)
		return;
	stun_write_header(&w, STUN_BINDING_SUCCESS, v->transaction);
	stun_write_mapped(&w, (struct sockaddr *)&from);
	stun_write_integrity(&w, span_text(c->local.pwd));
	stun_write_fingerprint(&w);
	udp_end_send(c->fd, writer_span(&w));
}

/* The one who controls has chosen the path, we or the server: now DTLS. */
static void nominate(struct rtc_client *c)
{
	if (!c->nominated && c->remote.dtls_client)
		dtls_start(c->dtls);
	c->nominated = true;
}

static void input_stun(struct rtc_client *c, struct span packet)
{
	struct stun_view v;

	if (!c->dtls || stun_parse(&v, packet) != STUN_OK)
		return;
	if (v.type == STUN_BINDING_REQUEST &&
		stun_integrity_ok(&v, packet, span_text(c->local.pwd))) {
		answer_check(c, &v);
		if (v.use_candidate && !c->remote.controlling)
			nominate(c);
	} else if (v.type == STUN_BINDING_SUCCESS && c->remote.controlling &&
		   stun_integrity_ok(&v, packet, span_text(c->remote.pwd))) {
		nominate(c);
	}
}

/* ---- DTLS ---- */

static void after_dtls(struct rtc_client *c)
{
	struct srtp_keys keys;

	if (c->srtp || dtls_state(c->dtls) != DTLS_DONE)
		return;
	if (!dtls_peer_is(c->dtls, c->remote.fingerprint))
		fprintf(stderr, "bench: the certificate is not the one in the SDP\n");
	else if (dtls_keys(c->dtls, &keys) < 0 ||
		 srtp_pair_new(&c->srtp, &keys, c->remote.dtls_client) < 0)
		fprintf(stderr, "bench: no SRTP keys\n");
}

/* ---- the bench calls in ---- */

void rtc_client_poll(struct rtc_client *c, uint64_t now_us)
{
	uint64_t every_us = c->srtp ? CHECK_US : HANDSHAKE_CHECK_US;

	if (!c->dtls || !c->reached)
		return;
	if (now_us - c->checked_us >= every_us) {
		c->checked_us = now_us;
		send_check(c);
	}
	if (!c->srtp && c->nominated) {
		dtls_poll(c->dtls);
		after_dtls(c);
	}
}

static bool is_rtcp(const uint8_t *packet)
{
	return packet[1] >= 192 && packet[1] <= 223;
}

bool rtc_is_rtp(const uint8_t *packet, size_t size)
{
	return size > RTP_HEADER_BYTES && packet[0] >= 128 && !is_rtcp(packet);
}

bool rtc_client_input(struct rtc_client *c, uint8_t *packet, size_t size, struct rtp_view *ret)
{
	if (packet[0] < 4) {
		input_stun(c, span_of(packet, size));
		return false;
	}
	if (packet[0] < 64) {
		if (c->dtls) {
			dtls_input(c->dtls, span_of(packet, size));
			after_dtls(c);
		}
		return false;
	}
	return c->srtp && rtc_is_rtp(packet, size) && srtp_pair_unprotect(c->srtp, packet, &size) &&
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
		udp_end_send(c->fd, span_of(out, size));
}

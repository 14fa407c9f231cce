#include "test/unit/rtc_peer.h"

#include "net/address.h"
#include "test/check.h"
#include "wire/frame.h"
#include "wire/rtcp.h"
#include "wire/stun.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

enum { RETRY_MS = 50 };

/* A test is patient: it waits until the kernel takes it. */
static void send_frame(struct rtc_peer *p, const void *bytes, size_t size)
{
	uint8_t frame[FRAME_HEADER_BYTES + 2048];

	CHECK(size <= sizeof frame - FRAME_HEADER_BYTES);
	frame_header(frame, size);
	memcpy(frame + FRAME_HEADER_BYTES, bytes, size);
	for (size_t sent = 0; sent < size + FRAME_HEADER_BYTES;) {
		ssize_t n = send(p->fd, frame + sent, size + FRAME_HEADER_BYTES - sent, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			return;
		sent += n > 0 ? (size_t)n : 0;
	}
}

void rtc_peer_send_raw(struct rtc_peer *p, const void *bytes, size_t size)
{
	if (p->tcp) {
		send_frame(p, bytes, size);
		return;
	}
	CHECK(send(p->fd, bytes, size, 0) == (ssize_t)size || errno == ECONNREFUSED);
}

static void on_dtls_send(void *owner, struct span datagram)
{
	rtc_peer_send_raw(owner, datagram.data, datagram.size);
}

static void on_dtls_data(void *owner, struct span data)
{
	struct rtc_peer *p = owner;
	CHECK(data.size <= sizeof p->data);
	memcpy(p->data, data.data, data.size);
	p->data_size = data.size;
}

static const struct dtls_events events = {.send = on_dtls_send, .data = on_dtls_data};

void rtc_peer_check(struct rtc_peer *p, bool nominate)
{
	uint8_t out[512], transaction[STUN_TRANSACTION_BYTES] = "transaction";
	char username[64];
	struct writer w = writer_of(out, sizeof out);

	snprintf(username, sizeof username, "%s:%s", p->remote_ice.ufrag, p->ufrag);
	stun_write_header(&w, STUN_BINDING_REQUEST, transaction);
	stun_write_attribute(&w, STUN_USERNAME, span_text(username));
	stun_write_attribute(&w, STUN_ICE_CONTROLLING, span_text("tiebreak"));
	stun_write_attribute(&w, STUN_PRIORITY, span_text("\x7e\xff\xff\x01"));
	if (nominate)
		stun_write_attribute(&w, STUN_USE_CANDIDATE, span_text(""));
	stun_write_integrity(&w, span_text(p->remote_ice.pwd));
	stun_write_fingerprint(&w);
	rtc_peer_send_raw(p, out, w.used);
}

static void after_dtls(struct rtc_peer *p)
{
	struct srtp_keys keys;

	if (p->srtp || dtls_state(p->dtls) != DTLS_DONE)
		return;
	CHECK_EQ(dtls_keys(p->dtls, &keys), 0);
	CHECK_EQ(keys.profile, SRTP_PROFILE_AEAD_AES_128_GCM);
	CHECK_EQ(srtp_pair_new(&p->srtp, &keys, p->dtls_client), 0);
	if (p->nominate_late)
		rtc_peer_check(p, true);
}

static void on_stun(struct rtc_peer *p, struct span packet)
{
	struct stun_view v;

	CHECK_EQ(stun_parse(&v, packet), STUN_OK);
	CHECK_EQ(v.type, STUN_BINDING_SUCCESS);
	CHECK(stun_integrity_ok(&v, packet, span_text(p->remote_ice.pwd)));
	++p->answers;
	if (p->dtls_client && p->answers == 1)
		dtls_start(p->dtls);
}

static void on_rtcp(struct rtc_peer *p, uint8_t *packet, size_t size)
{
	CHECK(srtp_pair_unprotect_rtcp(p->srtp, packet, &size));
	CHECK(rtcp_valid(span_of(packet, size)));
	struct reader r = reader_of(span_of(packet, size));
	for (struct rtcp_packet one; rtcp_next(&one, &r);) {
		struct rtcp_report report;
		p->sender_reports += one.type == RTCP_SR;
		p->receiver_reports += one.type == RTCP_RR && one.count > 0;
		p->byes += one.type == RTCP_BYE;
		if (rtcp_read_report(&report, &one, 0))
			p->reported_lost = (uint32_t)report.lost;
		struct rtcp_sender sender;
		if (rtcp_read_sender(&sender, &one)) {
			p->last_sr_ntp = sender.ntp;
			p->last_sr_timestamp = sender.rtp_timestamp;
		}
		struct rtcp_nack nack;
		if (rtcp_read_nack(&nack, &one, 0)) {
			++p->nacks;
			p->nacked = nack.seq;
		}
	}
}

static void on_rtp(struct rtc_peer *p, uint8_t *packet, size_t size)
{
	struct rtp_view v;

	if (p->lose) {
		--p->lose;
		CHECK(size <= sizeof p->lost);
		memcpy(p->lost, packet, size);
		p->lost_size = size;
		return;
	}
	p->came_again += size == p->lost_size && memcmp(p->lost, packet, size) == 0;
	CHECK(srtp_pair_unprotect(p->srtp, packet, &size));
	CHECK_EQ(rtp_parse(&v, span_of(packet, size)), RTP_OK);
	CHECK(p->seen_count < RTC_PEER_PACKETS_MAX && v.payload.size > 0);
	p->seen[p->seen_count++] = (struct rtc_packet_seen){.seq = v.seq,
		.timestamp = v.timestamp,
		.ssrc = v.ssrc,
		.payload_type = v.payload_type,
		.marker = v.marker,
		.extended = v.extension_profile != 0,
		.first_byte = v.payload.data[0]};
}

static void on_packet(struct rtc_peer *p, uint8_t *packet, size_t size)
{
	if (packet[0] < 4) {
		on_stun(p, span_of(packet, size));
	} else if (packet[0] < 64) {
		dtls_input(p->dtls, span_of(packet, size));
		after_dtls(p);
	} else if (!p->srtp) {
		return;
	} else if (packet[1] >= 192 && packet[1] <= 223) {
		on_rtcp(p, packet, size);
	} else {
		on_rtp(p, packet, size);
	}
}

static void on_stream(struct rtc_peer *p)
{
	struct span in, packet;
	ssize_t n;

	while ((n = recv(p->fd, p->in + p->in_used, sizeof p->in - p->in_used, 0)) > 0) {
		p->in_used += (size_t)n;
		in = span_of(p->in, p->in_used);
		while (frame_take(&packet, &in, 2048) == FRAME_OK)
			on_packet(p, p->in + (packet.data - p->in), packet.size);
		memmove(p->in, in.data, in.size);
		p->in_used = in.size;
	}
	if (n == 0 || errno != EAGAIN) {
		p->ended = true;
		uv_poll_stop(&p->poll);
	}
}

static void on_readable(uv_poll_t *poll, int status, int what)
{
	struct rtc_peer *p = poll->data;
	uint8_t packet[2048];
	ssize_t n;

	if (p->tcp) {
		on_stream(p);
		return;
	}
	while ((n = recv(p->fd, packet, sizeof packet, MSG_DONTWAIT)) > 0)
		on_packet(p, packet, (size_t)n);
}

static void on_retry(uv_timer_t *timer)
{
	struct rtc_peer *p = timer->data;

	if (!p->answers)
		rtc_peer_check(p, !p->nominate_late);
	dtls_poll(p->dtls);
	after_dtls(p);
}

void rtc_peer_open(struct rtc_peer *p)
{
	struct sockaddr_storage to;

	CHECK_EQ(address_parse(&to, p->ip, p->port), 0);
	p->fd = socket(to.ss_family, p->tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
	CHECK(p->fd >= 0);
	/* Connected: an answer from any other address does not arrive. */
	const struct sockaddr *a = (const struct sockaddr *)&to;
	CHECK_EQ(connect(p->fd, a, address_size(a)), 0);
	CHECK_EQ(fcntl(p->fd, F_SETFL, O_NONBLOCK), 0);
	CHECK_EQ(dtls_new(&p->dtls, p->identity, p->dtls_client, &events, p), 0);
	CHECK_EQ(uv_poll_init(&p->loop->uv, &p->poll, p->fd), 0);
	CHECK_EQ(uv_timer_init(&p->loop->uv, &p->retry), 0);
	p->poll.data = p->retry.data = p;
	CHECK_EQ(uv_poll_start(&p->poll, UV_READABLE, on_readable), 0);
	CHECK_EQ(uv_timer_start(&p->retry, on_retry, 0, RETRY_MS), 0);
}

void rtc_peer_close(struct rtc_peer *p)
{
	p->dtls = dtls_free(p->dtls);
	p->srtp = srtp_pair_free(p->srtp);
	uv_close((uv_handle_t *)&p->poll, NULL);
	uv_close((uv_handle_t *)&p->retry, NULL);
	close(p->fd);
}

void rtc_peer_send_rtp(struct rtc_peer *p, const struct rtp_view *v)
{
	uint8_t out[1600];
	struct writer w = writer_of(out, 1500);

	rtp_write(&w, v);
	size_t size = w.used;
	CHECK(!w.bad && srtp_pair_protect(p->srtp, out, &size));
	for (int i = 0; i <= p->twice; ++i)
		rtc_peer_send_raw(p, out, size);
}

void rtc_peer_send_rtcp(struct rtc_peer *p, struct span compound)
{
	uint8_t out[1600];
	size_t size = compound.size;

	memcpy(out, compound.data, size);
	CHECK(srtp_pair_protect_rtcp(p->srtp, out, &size));
	rtc_peer_send_raw(p, out, size);
}

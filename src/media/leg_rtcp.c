#include "media/leg_private.h"

#include "base/clock.h"
#include "base/rng.h"
#include "net/address.h"
#include "wire/rtcp.h"

enum { PACKET_MAX = 128 + SRTP_TRAILER_BYTES };

void leg_rtcp_init(struct leg *l)
{
	rng_token(l->reports.cname, sizeof l->reports.cname);
	/* The first one early, and not all calls in the same beat (RFC 3550, section 6.3). */
	l->reports.beats_to_next = LEG_BEATS_PER_S + rng_u32() % (2 * LEG_BEATS_PER_S);
}

static void read_reports(struct leg *l, const struct rtcp_packet *p, uint64_t now_us)
{
	struct rtcp_report report;
	for (unsigned i = 0; i < p->count; ++i)
		if (rtcp_read_report(&report, p, i) && report.ssrc == l->out.ssrc)
			rtp_heard_put(&l->reports.heard, &report, (uint32_t)l->out.packets,
				rtcp_ntp(clock_unix_ns()), now_us);
}

void leg_rtcp_datagram(
	struct leg *l, const struct sockaddr *from, struct span datagram, uint64_t now_us)
{
	if (!l->connected || !address_same_ip(from, (const struct sockaddr *)&l->remote.rtcp)) {
		++l->in.drops[LEG_DROP_RTCP];
		return;
	}
	struct reader r = reader_of(datagram);
	struct rtcp_sender s;
	for (struct rtcp_packet p; rtcp_next(&p, &r);) {
		read_reports(l, &p, now_us);
		if (!rtcp_read_sender(&s, &p))
			continue;
		l->reports.last_sr = (uint32_t)(s.ntp >> 16);
		l->reports.last_sr_us = now_us;
	}
	if (r.bad)
		++l->in.drops[LEG_DROP_RTCP];
	else
		leg_receive_alive(l, now_us);
}

static void write_reports(struct writer *w, struct leg *l, uint64_t now_us)
{
	struct rtcp_report report;
	size_t count = rtp_count_report(
		&l->in.count, &report, l->reports.last_sr, now_us - l->reports.last_sr_us);

	if (l->out.packets)
		rtcp_write_sender(w, &(struct rtcp_sender){
					     .ssrc = l->out.ssrc,
					     .ntp = rtcp_ntp(clock_unix_ns()),
					     .rtp_timestamp = leg_send_now(l),
					     .packets = (uint32_t)l->out.packets,
					     .octets = (uint32_t)l->out.octets,
				     });
	if (count || !l->out.packets)
		rtcp_write_receiver(w, l->out.ssrc, &report, count);
	rtcp_write_cname(w, l->out.ssrc, span_text(l->reports.cname));
}

void leg_rtcp_beat(struct leg *l, uint64_t now_us)
{
	if (--l->reports.beats_to_next)
		return;
	l->reports.beats_to_next = LEG_RTCP_BEATS;
	if (!address_port((const struct sockaddr *)&l->remote.rtcp))
		return;

	uint8_t packet[PACKET_MAX];
	struct writer w = writer_of(packet, sizeof packet - SRTP_TRAILER_BYTES);
	write_reports(&w, l, now_us);
	(void)leg_wire_rtcp(l, packet, w.used);
}

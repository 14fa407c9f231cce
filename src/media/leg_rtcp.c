#include "media/leg_private.h"

#include "base/clock.h"
#include "base/reader.h"
#include "base/rng.h"
#include "net/address.h"

enum {
	VERSION = 2 << 6,
	TYPE_SENDER = 200,
	TYPE_RECEIVER = 201,
	TYPE_SDES = 202,
	SDES_CNAME = 1,
	PACKET_MAX = 128,
	UNIX_EPOCH_1900 = 0x83aa7e80, /* 1970 in seconds since 1900 */
};

void leg_rtcp_init(struct leg *l)
{
	rng_token(l->reports.cname, sizeof l->reports.cname);
	/* The first one early, and not all calls in the same beat (RFC 3550, section 6.3). */
	l->reports.beats_to_next = LEG_BEATS_PER_S + rng_u32() % (2 * LEG_BEATS_PER_S);
}

/* ---- theirs ---- */

static void note_sender_report(struct leg *l, struct span body, uint64_t now_us)
{
	struct reader r = reader_of(body);
	read_u32(&r); /* SSRC */
	uint32_t seconds = read_u32(&r), fraction = read_u32(&r);
	if (r.bad)
		return;
	l->reports.last_sr = seconds << 16 | fraction >> 16;
	l->reports.last_sr_us = now_us;
}

void leg_rtcp_datagram(
	struct leg *l, const struct sockaddr *from, struct span datagram, uint64_t now_us)
{
	if (!l->connected || !address_same_ip(from, (const struct sockaddr *)&l->remote.rtcp)) {
		++l->in.drops[LEG_DROP_RTCP];
		return;
	}
	struct reader r = reader_of(datagram);
	while (reader_left(&r)) {
		uint8_t first = read_u8(&r), type = read_u8(&r);
		struct span body = read_bytes(&r, 4u * read_u16(&r));
		if (r.bad || first >> 6 != 2) {
			++l->in.drops[LEG_DROP_RTCP];
			return;
		}
		if (type == TYPE_SENDER)
			note_sender_report(l, body, now_us);
	}
}

/* ---- ours ---- */

static void write_header(struct writer *w, unsigned count, uint8_t type, size_t body_bytes)
{
	write_u8(w, (uint8_t)(VERSION | count));
	write_u8(w, type);
	write_u16(w, (uint16_t)(body_bytes / 4));
}

static void write_block(
	struct writer *w, struct leg *l, const struct rtp_count_report *c, uint64_t now_us)
{
	uint64_t since = l->reports.last_sr ? (now_us - l->reports.last_sr_us) * 65536 / 1000000 : 0;
	write_u32(w, c->ssrc);
	write_u32(w, (uint32_t)c->fraction_lost << 24 | ((uint32_t)c->lost & 0xffffff));
	write_u32(w, c->highest_seq);
	write_u32(w, c->jitter);
	write_u32(w, l->reports.last_sr);
	write_u32(w, (uint32_t)since);
}

static void write_reports(struct writer *w, struct leg *l, uint64_t now_us)
{
	enum { SENDER_BYTES = 20, BLOCK_BYTES = 24, SSRC_BYTES = 4 };
	struct rtp_count_report heard;
	bool has_block = rtp_count_report(&l->in.count, &heard);
	size_t block_bytes = has_block ? BLOCK_BYTES : 0;

	if (l->out.packets) {
		uint64_t unix_ns = (uint64_t)clock_unix_ns();
		write_header(w, has_block, TYPE_SENDER, SSRC_BYTES + SENDER_BYTES + block_bytes);
		write_u32(w, l->out.ssrc);
		write_u32(w, (uint32_t)(unix_ns / 1000000000 + UNIX_EPOCH_1900));
		write_u32(w, (uint32_t)((unix_ns % 1000000000 << 32) / 1000000000));
		write_u32(w, l->out.timestamp + (uint32_t)l->out.count);
		write_u32(w, (uint32_t)l->out.packets);
		write_u32(w, (uint32_t)l->out.octets);
	} else {
		write_header(w, has_block, TYPE_RECEIVER, SSRC_BYTES + block_bytes);
		write_u32(w, l->out.ssrc);
	}
	if (has_block)
		write_block(w, l, &heard, now_us);
}

static void write_name(struct writer *w, const struct leg *l)
{
	size_t size = strlen(l->reports.cname);
	size_t padded = (size + 2 + 4) & ~(size_t)3; /* type, length, text, at least one zero */
	write_header(w, 1, TYPE_SDES, 4 + padded);
	write_u32(w, l->out.ssrc);
	write_u8(w, SDES_CNAME);
	write_u8(w, (uint8_t)size);
	write_bytes(w, l->reports.cname, size);
	for (size_t i = size + 2; i < padded; ++i)
		write_u8(w, 0);
}

void leg_rtcp_beat(struct leg *l, uint64_t now_us)
{
	if (--l->reports.beats_to_next)
		return;
	l->reports.beats_to_next = LEG_RTCP_BEATS;
	if (!address_port((const struct sockaddr *)&l->remote.rtcp))
		return;

	uint8_t packet[PACKET_MAX];
	struct writer w = writer_of(packet, sizeof packet);
	write_reports(&w, l, now_us);
	write_name(&w, l);
	(void)leg_socket_send(l->rtcp, &l->remote.rtcp, writer_span(&w));
}

#include "wire/rtcp.h"

enum {
	REPORT_BYTES = 24,
	SENDER_BYTES = 24, /* SSRC and sender info */
	FEEDBACK_BYTES = 8, /* who asks, whom */
	NACK_BYTES = 4,
	NACK_MORE = 16, /* further packets that one pair can name */
	SDES_END = 0,
	SDES_CNAME = 1,
};

bool rtcp_next(struct rtcp_packet *ret, struct reader *r)
{
	struct reader at = *r;

	if (r->bad || reader_left(r) == 0)
		return false;
	uint8_t first = read_u8(&at);
	uint8_t type = read_u8(&at);
	struct span body = read_bytes(&at, 4u * read_u16(&at));
	if (at.bad || first >> 6 != 2) {
		r->bad = true;
		return false;
	}
	if (first & BIT(5)) {
		uint8_t padding = body.size ? body.data[body.size - 1] : 0;
		if (padding == 0 || padding % 4 || padding > body.size) {
			r->bad = true;
			return false;
		}
		body.size -= padding;
	}
	*ret = (struct rtcp_packet){.type = type, .count = first & 31, .body = body};
	*r = at;
	return true;
}

/* One SDES chunk: SSRC, items, zero, padding to a multiple of four. False at its end or when it
 * is broken (r->bad). */
static bool next_chunk(uint32_t *ssrc, struct span *cname, struct reader *r)
{
	const uint8_t *start = r->pos;

	if (reader_left(r) == 0)
		return false;
	*ssrc = read_u32(r);
	*cname = (struct span){0};
	for (;;) {
		uint8_t type = read_u8(r);
		if (r->bad)
			return false;
		if (type == SDES_END)
			break;
		struct span text = read_bytes(r, read_u8(r));
		if (type == SDES_CNAME)
			*cname = text;
	}
	read_bytes(r, -(size_t)(r->pos - start) & 3);
	return !r->bad;
}

static bool packet_valid(const struct rtcp_packet *p)
{
	struct rtcp_sender sender;
	struct reader r = reader_of(p->body);
	uint32_t ssrc;
	struct span cname;

	switch (p->type) {
	case RTCP_SR:
		return rtcp_read_sender(&sender, p) &&
		       p->body.size >= SENDER_BYTES + (size_t)p->count * REPORT_BYTES;
	case RTCP_RR:
		return p->body.size >= 4 + (size_t)p->count * REPORT_BYTES;
	case RTCP_SDES:
		for (unsigned i = 0; i < p->count; ++i)
			if (!next_chunk(&ssrc, &cname, &r))
				return false;
		return true;
	case RTCP_BYE:
		return p->body.size >= 4u * p->count;
	case RTCP_RTPFB:
		return p->body.size >= FEEDBACK_BYTES;
	default:
		return true;
	}
}

bool rtcp_valid(struct span datagram)
{
	struct reader r = reader_of(datagram);
	struct rtcp_packet p;

	while (rtcp_next(&p, &r))
		if (!packet_valid(&p))
			return false;
	return !r.bad && datagram.size > 0;
}

bool rtcp_read_sender(struct rtcp_sender *ret, const struct rtcp_packet *p)
{
	struct reader r = reader_of(p->body);

	if (p->type != RTCP_SR)
		return false;
	struct rtcp_sender s = {.ssrc = read_u32(&r)};
	s.ntp = (uint64_t)read_u32(&r) << 32;
	s.ntp |= read_u32(&r);
	s.rtp_timestamp = read_u32(&r);
	s.packets = read_u32(&r);
	s.octets = read_u32(&r);
	if (r.bad)
		return false;
	*ret = s;
	return true;
}

bool rtcp_read_report(struct rtcp_report *ret, const struct rtcp_packet *p, unsigned i)
{
	struct reader r = reader_of(p->body);

	if ((p->type != RTCP_SR && p->type != RTCP_RR) || i >= p->count)
		return false;
	read_bytes(&r, p->type == RTCP_SR ? SENDER_BYTES : 4);
	read_bytes(&r, (size_t)i * REPORT_BYTES);
	struct rtcp_report b = {.ssrc = read_u32(&r)};
	uint32_t loss = read_u32(&r);
	b.fraction_lost = (uint8_t)(loss >> 24);
	b.lost = (int32_t)(loss << 8) >> 8;
	b.highest_seq = read_u32(&r);
	b.jitter = read_u32(&r);
	b.last_sr = read_u32(&r);
	b.delay_since_sr = read_u32(&r);
	if (r.bad)
		return false;
	*ret = b;
	return true;
}

bool rtcp_read_bye(uint32_t *ret, const struct rtcp_packet *p, unsigned i)
{
	struct reader r = reader_of(p->body);

	if (p->type != RTCP_BYE || i >= p->count)
		return false;
	read_bytes(&r, 4u * i);
	uint32_t ssrc = read_u32(&r);
	if (r.bad)
		return false;
	*ret = ssrc;
	return true;
}

bool rtcp_read_nack(struct rtcp_nack *ret, const struct rtcp_packet *p, unsigned i)
{
	struct reader r = reader_of(p->body);

	if (p->type != RTCP_RTPFB || p->count != RTCP_NACK)
		return false;
	read_u32(&r); /* the sender's own SSRC */
	struct rtcp_nack n = {.ssrc = read_u32(&r)};
	read_bytes(&r, (size_t)i * NACK_BYTES);
	n.seq = read_u16(&r);
	n.more = read_u16(&r);
	if (r.bad)
		return false;
	*ret = n;
	return true;
}

bool rtcp_read_cname(uint32_t *ssrc, struct span *cname, const struct rtcp_packet *p)
{
	struct reader r = reader_of(p->body);

	if (p->type != RTCP_SDES)
		return false;
	for (unsigned i = 0; i < p->count; ++i) {
		uint32_t who;
		struct span name;
		if (!next_chunk(&who, &name, &r))
			return false;
		if (name.size) {
			*ssrc = who;
			*cname = name;
			return true;
		}
	}
	return false;
}

static void write_header(struct writer *w, unsigned count, enum rtcp_type type, size_t body_bytes)
{
	write_u8(w, (uint8_t)(2u << 6 | count));
	write_u8(w, (uint8_t)type);
	write_u16(w, (uint16_t)(body_bytes / 4));
}

void rtcp_write_sender(struct writer *w, const struct rtcp_sender *s)
{
	write_header(w, 0, RTCP_SR, SENDER_BYTES);
	write_u32(w, s->ssrc);
	write_u32(w, (uint32_t)(s->ntp >> 32));
	write_u32(w, (uint32_t)s->ntp);
	write_u32(w, s->rtp_timestamp);
	write_u32(w, s->packets);
	write_u32(w, s->octets);
}

static void write_report(struct writer *w, const struct rtcp_report *b)
{
	int32_t lost = b->lost;
	if (lost > 0x7fffff)
		lost = 0x7fffff;
	if (lost < -0x800000)
		lost = -0x800000;

	write_u32(w, b->ssrc);
	write_u32(w, (uint32_t)b->fraction_lost << 24 | ((uint32_t)lost & 0xffffff));
	write_u32(w, b->highest_seq);
	write_u32(w, b->jitter);
	write_u32(w, b->last_sr);
	write_u32(w, b->delay_since_sr);
}

void rtcp_write_receiver(
	struct writer *w, uint32_t ssrc, const struct rtcp_report *reports, size_t count)
{
	if (count > RTCP_REPORTS_MAX)
		count = RTCP_REPORTS_MAX;
	write_header(w, (unsigned)count, RTCP_RR, 4 + count * REPORT_BYTES);
	write_u32(w, ssrc);
	for (size_t i = 0; i < count; ++i)
		write_report(w, &reports[i]);
}

void rtcp_write_cname(struct writer *w, uint32_t ssrc, struct span cname)
{
	static const uint8_t zeros[4];

	if (cname.size > RTCP_CNAME_BYTES_MAX)
		cname.size = RTCP_CNAME_BYTES_MAX;
	/* One to four zeros: the end of the list, and padding. */
	size_t padding = 4 - (2 + cname.size) % 4;
	write_header(w, 1, RTCP_SDES, 4 + 2 + cname.size + padding);
	write_u32(w, ssrc);
	write_u8(w, SDES_CNAME);
	write_u8(w, (uint8_t)cname.size);
	write_span(w, cname);
	write_bytes(w, zeros, padding);
}

void rtcp_write_bye(struct writer *w, uint32_t ssrc)
{
	write_header(w, 1, RTCP_BYE, 4);
	write_u32(w, ssrc);
}

/* Takes from `seqs` what fits into one pair; returns how many. */
static size_t next_nack(struct rtcp_nack *ret, const uint16_t *seqs, size_t count)
{
	size_t n = 1;

	*ret = (struct rtcp_nack){.seq = seqs[0]};
	for (; n < count; ++n) {
		uint16_t bit = (uint16_t)(seqs[n] - seqs[0] - 1);
		if (bit >= NACK_MORE)
			break;
		ret->more |= (uint16_t)(1u << bit);
	}
	return n;
}

void rtcp_write_nack(
	struct writer *w, uint32_t sender, uint32_t ssrc, const uint16_t *seqs, size_t count)
{
	struct rtcp_nack n;
	size_t pairs = 0;

	if (!count)
		return;
	for (size_t at = 0; at < count; at += next_nack(&n, seqs + at, count - at))
		++pairs;
	write_header(w, RTCP_NACK, RTCP_RTPFB, FEEDBACK_BYTES + pairs * NACK_BYTES);
	write_u32(w, sender);
	write_u32(w, ssrc);
	for (size_t at = 0; at < count;) {
		at += next_nack(&n, seqs + at, count - at);
		write_u16(w, n.seq);
		write_u16(w, n.more);
	}
}

uint64_t rtcp_ntp(int64_t unix_ns)
{
	const uint64_t from_1900_to_1970_s = 2208988800u;
	uint64_t s = (uint64_t)unix_ns / 1000000000u;
	uint64_t ns = (uint64_t)unix_ns % 1000000000u;

	return (s + from_1900_to_1970_s) << 32 | (ns << 32) / 1000000000u;
}

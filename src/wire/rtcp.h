/* wire/rtcp.h - RTCP compound packets: sender and receiver reports, SDES, BYE (RFC 3550,
 * section 6), and the generic NACK (RFC 4585, 6.2.1). Other types are stepped over. Packets of
 * reduced size (RFC 5506) need no report in front.
 *
 * Pure. Fuzzed by test/fuzz/fuzz_rtcp.c.
 *
 *	struct reader r = reader_of(datagram);
 *	for (struct rtcp_packet p; rtcp_next(&p, &r);) ...
 */
#pragma once

#include "base/base.h"
#include "base/reader.h"
#include "base/writer.h"

enum rtcp_type {
	RTCP_SR = 200,
	RTCP_RR = 201,
	RTCP_SDES = 202,
	RTCP_BYE = 203,
	RTCP_RTPFB = 205, /* `count` says which: RTCP_NACK */
};
enum { RTCP_NACK = 1 };

enum {
	RTCP_HEADER_BYTES = 4,
	RTCP_REPORTS_MAX = 31, /* five bits in the header */
	RTCP_CNAME_BYTES_MAX = 255,
};

/* One packet of a compound; `body` is what follows the header, without padding. */
struct rtcp_packet {
	uint8_t type;
	uint8_t count; /* of reports, chunks or sources; the format of a feedback message */
	struct span body;
};

struct rtcp_sender {
	uint32_t ssrc;
	uint64_t ntp; /* 32.32 fixed point seconds since 1900 */
	uint32_t rtp_timestamp;
	uint32_t packets, octets;
};

struct rtcp_report {
	uint32_t ssrc;         /* whom it is about */
	uint8_t fraction_lost; /* of 256, since the last report */
	int32_t lost;          /* 24 bits, signed: duplicates may make it negative */
	uint32_t highest_seq;  /* extended by the cycles */
	uint32_t jitter;       /* media clock ticks */
	uint32_t last_sr;      /* middle 32 bits of that report's NTP time, 0 = none yet */
	uint32_t delay_since_sr; /* 1/65536 s */
};

/* The next packet; false at the end, or with r->bad set at the first malformed byte. */
MUST_USE bool rtcp_next(struct rtcp_packet *ret, struct reader *r);
/* The whole datagram is well formed: every packet and every list in it. */
MUST_USE bool rtcp_valid(struct span datagram);

/* False when the packet is of another type or too short for it. */
MUST_USE bool rtcp_read_sender(struct rtcp_sender *ret, const struct rtcp_packet *p);
/* Report `i` of an SR or RR. */
MUST_USE bool rtcp_read_report(struct rtcp_report *ret, const struct rtcp_packet *p, unsigned i);
/* SSRC `i` that says BYE. */
MUST_USE bool rtcp_read_bye(uint32_t *ret, const struct rtcp_packet *p, unsigned i);
/* Pair `i` of a NACK for `ssrc`: packet `seq` is missing, and for each bit n of `more`, `seq` + 1 + n. */
struct rtcp_nack {
	uint32_t ssrc;
	uint16_t seq, more;
};
MUST_USE bool rtcp_read_nack(struct rtcp_nack *ret, const struct rtcp_packet *p, unsigned i);
/* The first chunk that has a CNAME. */
MUST_USE bool rtcp_read_cname(uint32_t *ssrc, struct span *cname, const struct rtcp_packet *p);

void rtcp_write_sender(struct writer *w, const struct rtcp_sender *s);
void rtcp_write_receiver(
	struct writer *w, uint32_t ssrc, const struct rtcp_report *reports, size_t count);
void rtcp_write_cname(struct writer *w, uint32_t ssrc, struct span cname);
void rtcp_write_bye(struct writer *w, uint32_t ssrc);
/* `seqs` in ascending order; nothing when there are none. */
void rtcp_write_nack(
	struct writer *w, uint32_t sender, uint32_t ssrc, const uint16_t *seqs, size_t count);

/* Wall clock in ns since 1970 to NTP 32.32. */
uint64_t rtcp_ntp(int64_t unix_ns);

#include "wire/rtcp.h"

#include "test/check.h"

static void a_compound_goes_round(void)
{
	uint8_t out[256];
	struct writer w = writer_of(out, sizeof out);
	struct rtcp_sender sent = {.ssrc = 0x11223344,
		.ntp = 0x0102030405060708,
		.rtp_timestamp = 960,
		.packets = 50,
		.octets = 4000};
	struct rtcp_report report = {.ssrc = 0xaabbccdd,
		.fraction_lost = 64,
		.lost = -3,
		.highest_seq = 0x10005,
		.jitter = 17,
		.last_sr = 0x03040506,
		.delay_since_sr = 65536};

	rtcp_write_sender(&w, &sent);
	rtcp_write_receiver(&w, 9, &report, 1);
	rtcp_write_cname(&w, 0x11223344, span_text("PA_abc"));
	rtcp_write_bye(&w, 0x11223344);
	CHECK(!w.bad);
	CHECK(rtcp_valid(writer_span(&w)));

	struct reader r = reader_of(writer_span(&w));
	struct rtcp_packet p;
	struct rtcp_sender sender;
	CHECK(rtcp_next(&p, &r) && rtcp_read_sender(&sender, &p));
	CHECK(sender.ssrc == sent.ssrc && sender.ntp == sent.ntp);
	CHECK(sender.rtp_timestamp == 960 && sender.packets == 50 && sender.octets == 4000);

	struct rtcp_report got;
	CHECK(rtcp_next(&p, &r) && p.type == RTCP_RR && p.count == 1);
	CHECK(rtcp_read_report(&got, &p, 0) && !rtcp_read_report(&got, &p, 1));
	CHECK(got.ssrc == report.ssrc && got.fraction_lost == 64 && got.lost == -3);
	CHECK(got.highest_seq == 0x10005 && got.jitter == 17);
	CHECK(got.last_sr == 0x03040506 && got.delay_since_sr == 65536);

	uint32_t ssrc;
	struct span cname;
	CHECK(rtcp_next(&p, &r) && rtcp_read_cname(&ssrc, &cname, &p));
	CHECK(span_is(cname, "PA_abc") && ssrc == 0x11223344);
	CHECK(rtcp_next(&p, &r) && rtcp_read_bye(&ssrc, &p, 0) && ssrc == 0x11223344);
	CHECK(!rtcp_read_bye(&ssrc, &p, 1));
	CHECK(!rtcp_next(&p, &r) && !r.bad);

	for (size_t size = 1; size < w.used; ++size)
		if (size % 4)
			CHECK(!rtcp_valid(span_of(out, size)));
}

static void every_length_of_cname_is_padded_right(void)
{
	char name[260];

	memset(name, 'n', sizeof name);
	for (size_t size = 1; size <= RTCP_CNAME_BYTES_MAX; ++size) {
		uint8_t out[300];
		struct writer w = writer_of(out, sizeof out);
		struct rtcp_packet p;
		uint32_t ssrc;
		struct span cname;
		rtcp_write_cname(&w, 5, span_of(name, size));
		CHECK_EQ(w.used % 4, 0);
		CHECK(rtcp_valid(writer_span(&w)));
		struct reader r = reader_of(writer_span(&w));
		CHECK(rtcp_next(&p, &r) && rtcp_read_cname(&ssrc, &cname, &p));
		CHECK_EQ(cname.size, size);
	}
}

static void missing_packets_are_named(void)
{
	static const uint16_t seqs[] = {65534, 65535, 0, 14, 15, 300};
	uint8_t out[64];
	struct writer w = writer_of(out, sizeof out);
	struct rtcp_packet p;
	struct rtcp_nack n;

	rtcp_write_nack(&w, 1, 2, seqs, 0);
	CHECK_EQ(w.used, 0);
	rtcp_write_nack(&w, 1, 2, seqs, COUNT_OF(seqs));
	CHECK(rtcp_valid(writer_span(&w)));
	struct reader r = reader_of(writer_span(&w));
	CHECK(rtcp_next(&p, &r) && p.type == RTCP_RTPFB && p.count == RTCP_NACK);
	CHECK(rtcp_read_nack(&n, &p, 0) && n.ssrc == 2);
	CHECK(n.seq == 65534 && n.more == (1 | 1 << 1 | 1 << 15));
	CHECK(rtcp_read_nack(&n, &p, 1) && n.seq == 15 && n.more == 0);
	CHECK(rtcp_read_nack(&n, &p, 2) && n.seq == 300 && n.more == 0);
	CHECK(!rtcp_read_nack(&n, &p, 3));
	p.count = 15; /* transport-cc */
	CHECK(!rtcp_read_nack(&n, &p, 0));
}

static void damage_is_refused(void)
{
	static const struct {
		const char *bytes;
		size_t size;
	} cases[] = {
		{"", 0},
		{"\x80\xc9\x00", 3},
		{"\x40\xc9\x00\x01\x00\x00\x00\x01", 8},         /* version 1 */
		{"\x80\xc9\x00\x02\x00\x00\x00\x01", 8},         /* longer than it is */
		{"\x81\xc9\x00\x01\x00\x00\x00\x01", 8},         /* a report that is not there */
		{"\x80\xc8\x00\x01\x00\x00\x00\x01", 8},         /* SR without sender info */
		{"\x82\xcb\x00\x01\x00\x00\x00\x01", 8},         /* BYE of two, one there */
		{"\xa0\xc9\x00\x01\x00\x00\x00\x03", 8},         /* padding of three */
		{"\xa0\xc9\x00\x01\x00\x00\x00\x08", 8},         /* padding of more than all */
		{"\x81\xca\x00\x02\x00\x00\x00\x01\x01\x09xx", 12}, /* CNAME runs out */
		{"\x81\xca\x00\x02\x00\x00\x00\x01\x01\x02xx", 12}, /* no end of list */
	};

	for (size_t i = 0; i < COUNT_OF(cases); ++i)
		CHECK(!rtcp_valid(span_of(cases[i].bytes, cases[i].size)));
	/* Unknown types are stepped over. */
	CHECK(rtcp_valid(span_of("\x81\xce\x00\x02\0\0\0\1\0\0\0\2", 12)));
}

static void time_is_ntp(void)
{
	/* RFC 5905, figure 4: 1970 is 2208988800 s after 1900. */
	CHECK_EQ(rtcp_ntp(0) >> 32, 2208988800u);
	CHECK_EQ(rtcp_ntp(1500000000) >> 32, 2208988801u);
	CHECK_EQ((uint32_t)rtcp_ntp(1500000000), 0x80000000u);
}

int main(void)
{
	a_compound_goes_round();
	every_length_of_cname_is_padded_right();
	missing_packets_are_named();
	damage_is_refused();
	time_is_ntp();
	return 0;
}

#include "wire/rtp.h"

#include "test/check.h"

static const uint8_t one_byte[] = {0x90, 0xef, 0x12, 0x34, 0, 0, 0x03, 0xc0, 0xde, 0xad, 0xbe,
	0xef, 0xbe, 0xde, 0, 3,
	/* id 1: level 0x85; id 4: "ab"; padding; id 14: 3 bytes; padding */
	0x10, 0x85, 0x41, 'a', 'b', 0, 0xe2, 'x', 'y', 'z', 0, 0, 'o', 'p'};
static const uint8_t two_byte[] = {0x90, 0x6f, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0x10, 0x00, 0, 3,
	/* id 1: empty; id 16: level; id 200: "mid" */
	1, 0, 16, 1, 0x23, 0, 200, 3, 'm', 'i', 'd', 0, 's'};

static void both_forms_of_extension_are_found(void)
{
	struct rtp_view v;
	struct span data;

	CHECK_EQ(rtp_parse(&v, span_of(one_byte, sizeof one_byte)), RTP_OK);
	CHECK_EQ(v.seq, 0x1234);
	CHECK_EQ(v.ssrc, 0xdeadbeef);
	CHECK(v.marker && v.payload_type == 111);
	CHECK(span_is(v.payload, "op"));
	CHECK(rtp_extension(&data, &v, 4) && span_is(data, "ab"));
	CHECK(rtp_extension(&data, &v, 14) && span_is(data, "xyz"));
	CHECK(!rtp_extension(&data, &v, 2) && !rtp_extension(&data, &v, 0));
	CHECK_EQ(rtp_audio_level(&v, 1), 5);
	CHECK_EQ(rtp_audio_level(&v, 3), 127);
	CHECK_EQ(rtp_audio_level(&v, 0), 127);

	CHECK_EQ(rtp_parse(&v, span_of(two_byte, sizeof two_byte)), RTP_OK);
	CHECK(rtp_extension(&data, &v, 1) && data.size == 0);
	CHECK(rtp_extension(&data, &v, 200) && span_is(data, "mid"));
	CHECK_EQ(rtp_audio_level(&v, 16), 0x23);
	CHECK_EQ(rtp_audio_level(&v, 1), 127); /* there, but empty */
}

static void a_broken_extension_ends_the_search(void)
{
	uint8_t packet[sizeof one_byte];
	struct rtp_view v;
	struct span data;

	memcpy(packet, one_byte, sizeof packet);
	packet[22] = 0xef; /* id 14 of 16 bytes: more than there are */
	CHECK_EQ(rtp_parse(&v, span_of(packet, sizeof packet)), RTP_OK);
	CHECK(rtp_extension(&data, &v, 4));
	CHECK(!rtp_extension(&data, &v, 14));
	packet[16] = 0xf0; /* id 15: read no further */
	CHECK_EQ(rtp_parse(&v, span_of(packet, sizeof packet)), RTP_OK);
	CHECK(!rtp_extension(&data, &v, 4));
}

static void what_is_written_is_what_was_read(void)
{
	struct rtp_view v;
	uint8_t out[64];

	CHECK_EQ(rtp_parse(&v, span_of(one_byte, sizeof one_byte)), RTP_OK);
	struct writer w = writer_of(out, sizeof out);
	rtp_write(&w, &v);
	CHECK_EQ(w.used, sizeof one_byte);
	CHECK(memcmp(out, one_byte, sizeof one_byte) == 0);

	v.extension_profile = 0;
	v.ssrc = 7;
	w = writer_of(out, sizeof out);
	rtp_write(&w, &v);
	CHECK_EQ(w.used, RTP_HEADER_BYTES + 2);
	CHECK_EQ(rtp_parse(&v, writer_span(&w)), RTP_OK);
	CHECK_EQ(v.ssrc, 7);
	CHECK_EQ(v.extension.size, 0);
}

static void damage_is_named(void)
{
	struct rtp_view v;
	static const uint8_t version[12] = {0x40};
	static const uint8_t padding[13] = {0xa0, [12] = 2};
	static const uint8_t all_padding[13] = {0xa0, [12] = 1};

	for (size_t size = 0; size < 28; ++size)
		CHECK_EQ(rtp_parse(&v, span_of(one_byte, size)), RTP_DROP_SHORT);
	CHECK_EQ(rtp_parse(&v, span_of(version, sizeof version)), RTP_DROP_VERSION);
	CHECK_EQ(rtp_parse(&v, span_of(padding, sizeof padding)), RTP_DROP_PADDING);
	CHECK_EQ(rtp_parse(&v, span_of(all_padding, sizeof all_padding)), RTP_OK);
	CHECK_EQ(v.payload.size, 0);
}

int main(void)
{
	both_forms_of_extension_are_found();
	a_broken_extension_ends_the_search();
	what_is_written_is_what_was_read();
	damage_is_named();
	return 0;
}

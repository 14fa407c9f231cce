#include "signal/describe.h"

#include "base/mem.h"
#include "test/check.h"

static const struct describe_candidate candidates[] = {
	{.ip = "192.0.2.1", .port = 7882},
	{.ip = "2001:db8::1", .port = 7882},
	{.ip = "192.0.2.1", .port = 7881, .tcp = true},
};

static struct describe_section sections[] = {
	{.what = DESCRIBE_DATA, .mid = {(const uint8_t *)"0", 1}},
	{.what = DESCRIBE_AUDIO,
		.mid = {(const uint8_t *)"1", 1},
		.direction = SDP_SENDRECV,
		.codecs = {{0, "PCMU/8000", ""}, {111, "opus/48000/2", "minptime=10;useinbandfec=1", true}},
		.codec_count = 2,
		.stream = "PA_abc|TR_def",
		.track = "TR_def",
		.ssrc = 12345,
		.cname = "PA_abc"},
	{.what = DESCRIBE_AUDIO,
		.mid = {(const uint8_t *)"mic", 3},
		.direction = SDP_RECVONLY,
		.codecs = {{96, "opus/48000/2", "minptime=10"}},
		.codec_count = 1,
		.mid_ext = 4,
		.level_ext = 1},
	{.what = DESCRIBE_UNUSED, .kind = {(const uint8_t *)"video", 5}, .mid = {(const uint8_t *)"v", 1}},
	{.what = DESCRIBE_REFUSED, .kind = {(const uint8_t *)"video", 5}, .mid = {(const uint8_t *)"w", 1}},
};

static struct describe whole = {
	.origin_id = 42,
	.origin_version = 3,
	.ufrag = "uuuuuuuu",
	.pwd = "pppppppppppppppppppppppp",
	.fingerprint = "AB:CD",
	.setup = "actpass",
	.candidates = candidates,
	.candidate_count = COUNT_OF(candidates),
	.sections = sections,
	.section_count = 5,
};

static int count(const char *text, const char *what)
{
	int n = 0;
	while ((text = strstr(text, what))) {
		++n;
		text += strlen(what);
	}
	return n;
}

static void what_is_said_can_be_read(void)
{
	static struct sdp_media media[8];
	static struct sdp_format vp8 = {.pt = 98, .clock_hz = 90000, .channels = 1};
	vp8.name = span_text("VP8");
	vp8.fmtp = span_text("x=y");
	struct buf b = {0};
	struct sdp s;

	sections[3].echo = &vp8; /* stays: later cases describe the same sections */
	CHECK_EQ(describe_write(&b, &whole), 0);
	const char *text = (const char *)b.data;
	CHECK_EQ(sdp_parse(&s, media, COUNT_OF(media), buf_span(&b)), SDP_OK);
	CHECK_EQ(s.media_count, 5);
	CHECK(s.ice_lite && span_is(s.bundle, "0 1 mic v"));
	CHECK(span_is(s.origin_id, "42") && span_is(s.origin_version, "3"));

	CHECK(span_is(media[0].kind, "application") && media[0].sctp_port == 5000);
	CHECK(media[0].max_message_size > 0);

	CHECK(media[1].direction == SDP_SENDRECV && media[1].port == 7882);
	CHECK(span_is(media[1].msid_stream, "PA_abc|TR_def") && span_is(media[1].msid_track, "TR_def"));
	CHECK(media[1].formats[0].pt == 0 && media[1].formats[1].pt == 111 && media[1].ssrc[0] == 12345);
	CHECK(span_is(media[1].ice_ufrag, "uuuuuuuu") && span_is(media[1].setup, "actpass"));

	CHECK(media[2].direction == SDP_RECVONLY && span_is(media[2].mid, "mic"));
	CHECK_EQ(sdp_extmap_id(&media[2], "urn:ietf:params:rtp-hdrext:sdes:mid"), 4);
	CHECK_EQ(sdp_extmap_id(&media[2], "urn:ietf:params:rtp-hdrext:ssrc-audio-level"), 1);
	CHECK(media[2].msid_stream.size == 0 && media[2].ssrc_count == 0 && media[2].rtcp_mux);

	CHECK(media[3].direction == SDP_INACTIVE && media[3].port != 0);
	CHECK(media[3].formats[0].pt == 98 && span_is(media[3].formats[0].fmtp, "x=y"));
	CHECK(media[4].port == 0);

	CHECK_EQ(count(text, "a=candidate:"), 3); /* once for the bundle */
	CHECK(strstr(text, "a=candidate:1 1 udp 2130706431 192.0.2.1 7882 typ host\r\n"));
	CHECK(strstr(text, "a=candidate:2 1 udp 2130706175 2001:db8::1 7882 typ host\r\n"));
	CHECK(strstr(text, "a=candidate:3 1 tcp 1671429631 192.0.2.1 7881 typ host tcptype passive\r\n"));
	buf_fini(&b);
}

static void every_allocation_may_fail(void)
{
	for (int n = 0;; ++n) {
		struct buf b = {0};
		mem_fail_after(n);
		int r = describe_write(&b, &whole);
		mem_fail_after(-1);
		buf_fini(&b);
		CHECK_EQ(mem_live(), 0);
		if (r == 0)
			return;
		CHECK(r < 0);
	}
}

static void it_does_not_grow_past_its_maximum(void)
{
	for (size_t max = 1; max < 1200; max += 7) {
		struct buf b = {.max = max};
		int r = describe_write(&b, &whole);
		CHECK(r == BUF_E_FULL && b.size <= max);
		buf_fini(&b);
	}
}

int main(void)
{
	what_is_said_can_be_read();
	every_allocation_may_fail();
	it_does_not_grow_past_its_maximum();
	return 0;
}

/* What strangers may try at the port of a leg without encryption: from elsewhere, with what was not agreed on,
 * again, far off, by the thousand, as reports. */
#include "base/mem.h"
#include "net/address.h"
#include "test/check.h"
#include "test/unit/leg_bench.h"
#include "wire/rtcp.h"

#include <unistd.h>

static uint8_t sound[FRAME];

/* From anywhere; one frame of PCMU. */
static void comes_from(const struct sockaddr_storage *from, uint8_t pt, uint16_t seq, uint32_t ssrc, uint64_t now_us)
{
	uint8_t out[1500];
	struct span p = rtp_packet(out, pt, false, seq, seq * FRAME, ssrc, span_of(sound, FRAME));
	leg_receive_rtp(b->leg, (const struct sockaddr *)from, p, now_us);
}

static bool sends_to(const struct sockaddr_storage *a)
{
	return address_equal((const struct sockaddr *)&b->leg->remote.rtp, (const struct sockaddr *)a);
}

/* ---- from where ---- */

static void strangers_are_counted_not_heard(void)
{
	uint8_t out[1500];
	struct sockaddr_storage stranger;
	CHECK_EQ(address_parse(&stranger, "127.0.0.2", 9000), 0);
	begin(&(struct media_leg_config){0}, CODEC_PCMU);
	struct span p = rtp_packet(out, 0, false, 1, 1, 1, span_of(sound, FRAME));
	leg_receive_rtp(b->leg, (struct sockaddr *)&stranger, p, 1);
	CHECK_EQ(b->leg->in.drops[LEG_DROP_SOURCE], 1);
	p = rtp_packet(out, 9, false, 1, 1, 1, span_of(sound, FRAME));
	leg_receive_rtp(b->leg, (struct sockaddr *)&b->phone, p, 1);
	CHECK_EQ(b->leg->in.drops[LEG_DROP_PAYLOAD], 1);
	leg_receive_rtp(b->leg, (struct sockaddr *)&b->phone, span_of("GET /", 5), 1);
	CHECK_EQ(b->leg->in.drops[LEG_DROP_MALFORMED], 1);
	struct media_leg_remote r = remote();
	r.receive = false;
	leg_connect(b->leg, &r);
	phone_says(0, 1, 1, 1, span_of(sound, FRAME), 1);
	CHECK_EQ(b->leg->in.drops[LEG_DROP_HELD], 1);
	CHECK_EQ(b->count, 0);
	CHECK_EQ(b->w.first_rtp, 0);
	end();
}

/* The host that the SDP names, but another port: when nothing comes from the one that it names. */
static void another_port_of_the_phone_is_heard(void)
{
	uint8_t out[1500];
	begin(&(struct media_leg_config){0}, CODEC_PCMU);
	struct sockaddr_storage other = b->phone;
	address_set_port(&other, (uint16_t)(address_port((struct sockaddr *)&other) ^ 1));
	struct span p = rtp_packet(out, 0, false, 1, 1, 1, span_of(sound, FRAME));
	leg_receive_rtp(b->leg, (struct sockaddr *)&other, p, 1);
	CHECK_EQ(b->count, 1);
	phone_says(0, 2, 1 + FRAME, 1, span_of(sound, FRAME), 20000);
	p = rtp_packet(out, 0, false, 3, 1 + 2 * FRAME, 1, span_of(sound, FRAME));
	leg_receive_rtp(b->leg, (struct sockaddr *)&other, p, 40000);
	CHECK_EQ(b->leg->in.drops[LEG_DROP_SOURCE], 1);
	leg_receive_rtp(b->leg, (struct sockaddr *)&other, p, 200000);
	CHECK_EQ(b->count, 3);
	CHECK(!address_equal((struct sockaddr *)&b->leg->remote.rtp, (struct sockaddr *)&other));
	struct media_leg_remote r = remote();
	memcpy(&r.rtp, &other, sizeof other);
	leg_connect(b->leg, &r); /* it has moved: what the old port plays on is not for us */
	phone_says(0, 4, 1 + 3 * FRAME, 1, span_of(sound, FRAME), 400000);
	CHECK_EQ(b->count, 3);
	CHECK_EQ(b->leg->in.drops[LEG_DROP_SOURCE], 2);
	end();
}

/* ---- sip.symmetric_rtp ---- */

static struct sockaddr_storage somebody(const char *ip, uint16_t port)
{
	struct sockaddr_storage a;
	CHECK_EQ(address_parse(&a, ip, port), 0);
	return a;
}

/* Behind its NAT: three packets in a row are a stream. A thief with a packet for each port of ours is none, nor are
 * two who mix; and once it is settled nobody moves it. */
static void a_stream_is_followed_and_a_packet_is_not(void)
{
	struct sockaddr_storage nat = somebody("192.0.2.7", 4000), thief = somebody("198.51.100.9", 4000);
	begin(&(struct media_leg_config){.latch = true}, CODEC_PCMU);
	for (uint16_t seq = 1; seq <= 3; ++seq) {
		comes_from(&thief, 99, seq, 5, 1); /* of no agreed type */
		comes_from(&thief, 0, seq * 7, 5, 1);
	}
	comes_from(&nat, 0, 1, 1, 1);
	comes_from(&nat, 0, 2, 1, 1);
	comes_from(&thief, 0, 3, 1, 1);
	CHECK(sends_to(&b->phone));
	CHECK_EQ(b->count, 0);
	for (uint16_t seq = 3; seq <= 5; ++seq)
		comes_from(&nat, 0, seq, 1, 1);
	CHECK(sends_to(&nat));
	CHECK_EQ(address_port((struct sockaddr *)&b->leg->remote.rtcp), 4001);
	CHECK_EQ(b->count, 1);
	uint64_t drops = b->leg->in.drops[LEG_DROP_SOURCE];
	for (uint16_t seq = 10; seq <= 20; ++seq)
		comes_from(&thief, 0, seq, 5, 1);
	CHECK(sends_to(&nat));
	CHECK_EQ(b->leg->in.drops[LEG_DROP_SOURCE], drops + 11);
	end();
}

/* A thief was faster than the phone, which is where its SDP says all the same. */
static void who_was_signalled_has_it_back(void)
{
	struct sockaddr_storage thief = somebody("198.51.100.9", 4000), rtcp;
	begin(&(struct media_leg_config){.latch = true}, CODEC_PCMU);
	rtcp = b->leg->remote.rtcp;
	for (uint16_t seq = 1; seq <= 5; ++seq)
		comes_from(&thief, 0, seq, 5, 1);
	CHECK(sends_to(&thief));
	comes_from(&b->phone, 0, 1, 1, 2);
	CHECK(sends_to(&b->phone));
	CHECK(address_equal((struct sockaddr *)&b->leg->remote.rtcp, (struct sockaddr *)&rtcp));
	size_t count = b->count;
	for (uint16_t seq = 6; seq <= 12; ++seq)
		comes_from(&thief, 0, seq, 5, 3);
	CHECK(sends_to(&b->phone));
	CHECK_EQ(b->count, count);
	end();
}

/* c=0.0.0.0 is a hold: not an invitation. */
static void on_hold_nobody_is_followed(void)
{
	struct sockaddr_storage thief = somebody("198.51.100.9", 4000);
	begin(&(struct media_leg_config){.latch = true}, CODEC_PCMU);
	struct media_leg_remote r = remote();
	r.rtp = somebody("0.0.0.0", 4000);
	leg_connect(b->leg, &r);
	for (uint16_t seq = 1; seq <= 5; ++seq)
		comes_from(&thief, 0, seq, 5, 1);
	CHECK(!sends_to(&thief));
	CHECK_EQ(b->count, 0);
	end();
}

/* ---- what ---- */

static void what_was_not_agreed_on_is_not_heard(void)
{
	static uint8_t large[LEG_PAYLOAD_MAX + 1], huge[4000];
	uint8_t out[1500];
	uint64_t *drops = b->leg->in.drops;
	for (uint8_t pt = 0; pt < 128; ++pt)
		if (pt != 0 && pt != PT_DTMF && pt != LEG_PT_COMFORT_NOISE)
			comes_from(&b->phone, pt, pt, 1, 1);
	CHECK_EQ(drops[LEG_DROP_PAYLOAD], 125);
	phone_says(0, 1, 1, 1, span_of(large, sizeof large), 1);
	phone_says(0, 2, 1, 1, span_of(large, 0), 1);
	phone_says(PT_DTMF, 3, 1, 1, span_of(large, 3), 1);
	phone_says(LEG_PT_COMFORT_NOISE, 4, 1, 1, span_of(large, 0), 1);
	CHECK_EQ(drops[LEG_DROP_PAYLOAD], 129);
	/* Headers that promise more than there is. */
	struct span p = rtp_packet(out, 0, false, 5, 1, 1, span_of(sound, 20));
	for (int first = 0x81; first < 0xc0; ++first) {
		out[0] = (uint8_t)first;
		leg_receive_rtp(b->leg, (struct sockaddr *)&b->phone, span_of(p.data, 12), 1);
	}
	CHECK_EQ(drops[LEG_DROP_MALFORMED], 63);
	CHECK_EQ(b->count, 0);
	CHECK_EQ(b->w.first_rtp, 0);
	/* Longer than any packet that we know: never cut off and taken for a shorter one. */
	huge[0] = 0x80;
	send_from(b->phone_rtp, huge, sizeof huge);
	CHECK_EQ(b->count, 0);
	CHECK_EQ(drops[LEG_DROP_PAYLOAD], 129);
}

/* ---- again, and far off ---- */

static void nothing_is_heard_twice(void)
{
	for (int round = 0; round < 3; ++round)
		for (uint16_t seq = 1000; seq < 1050; ++seq)
			comes_from(&b->phone, 0, seq, 1, 1);
	CHECK_EQ(b->count, 50);
	CHECK_EQ(b->leg->in.drops[LEG_DROP_REPLAYED], 100);
}

/* Each stray at another place; the stream itself goes on without a hole. */
static void strays_do_not_move_the_stream(void)
{
	for (uint16_t i = 0; i < 40; ++i) {
		comes_from(&b->phone, 0, (uint16_t)(1000 + i), 1, i * FRAME_US);
		comes_from(&b->phone, 0, (uint16_t)(20000 + i * 517), 1, i * FRAME_US);
	}
	CHECK_EQ(b->count, 40);
	CHECK_EQ(b->leg->in.drops[LEG_DROP_WINDOW], 40);
	for (size_t i = 1; i < b->count; ++i)
		CHECK_EQ(b->got[i].seq, (uint16_t)(b->got[i - 1].seq + 1));
}

/* ---- by the thousand ---- */

static void many_ssrcs_cost_nothing(void)
{
	comes_from(&b->phone, 0, 1, 1, 1);
	fake_worker_beat(&b->w);
	size_t before = mem_live();
	mem_fail_after(0);
	for (uint32_t i = 0; i < 1500; ++i)
		comes_from(&b->phone, 0, (uint16_t)(i * 31), 1000 + i, 2 + i);
	mem_fail_after(-1);
	CHECK_EQ(mem_live(), before);
	for (size_t i = 1; i < b->count; ++i) { /* one stream for the listeners all the same */
		CHECK_EQ(b->got[i].ssrc, b->got[0].ssrc);
		CHECK_EQ(b->got[i].seq, (uint16_t)(b->got[i - 1].seq + 1));
	}
	struct media_leg_stats s;
	leg_receive_stats(b->leg, &s);
	CHECK_EQ(s.lost, 0);
}

/* ---- reports ---- */

static void report_from(const struct sockaddr_storage *from, const void *bytes, size_t size)
{
	leg_rtcp_datagram(b->leg, (const struct sockaddr *)from, span_of(bytes, size), b->w.now_us);
}

static void a_goodbye_ends_nothing(void)
{
	static const uint8_t bye[8] = {0x81, RTCP_BYE, 0, 1, 0, 0, 0, 1}, cut[8] = {0x80, RTCP_SR, 0, 200, 0, 0, 0, 1};
	struct sockaddr_storage stranger = somebody("198.51.100.9", 4001);
	comes_from(&b->phone, 0, 1, 1, b->w.now_us);
	report_from(&stranger, bye, sizeof bye);
	CHECK_EQ(b->leg->in.drops[LEG_DROP_RTCP], 1);
	report_from(&b->leg->remote.rtcp, bye, sizeof bye);
	comes_from(&b->phone, 0, 2, 1, b->w.now_us);
	CHECK_EQ(b->count, 2);
	CHECK_EQ(b->w.silent, 0);
	/* What cannot be read is no sign of life, from the right address either. */
	for (int i = 0; i < 60; ++i) {
		report_from(&b->leg->remote.rtcp, cut, sizeof cut);
		fake_worker_beat(&b->w);
	}
	CHECK_EQ(b->leg->in.drops[LEG_DROP_RTCP], 61);
	CHECK_EQ(b->w.silent, 1);
}

/* About streams that are not ours, or with figures that cannot be. */
static void false_reports_do_not_spoil_the_figures(void)
{
	uint8_t bytes[64];
	struct media_leg_stats s;
	static const struct rtcp_report lies[] = {
		{.ssrc = 1, .fraction_lost = 255, .lost = 0x7fffff, .highest_seq = 5},
		{.ssrc = 0, .fraction_lost = 255, .lost = 0x7fffff, .highest_seq = 0xffffffff, .jitter = 1}, /* ours */
		{.ssrc = 0, .lost = -0x800000, .highest_seq = 7, .last_sr = 1, .delay_since_sr = 0xffffffff},
	};
	for (size_t i = 0; i < COUNT_OF(lies); ++i) {
		struct writer w = writer_of(bytes, sizeof bytes);
		struct rtcp_report report = lies[i];
		report.ssrc = report.ssrc ? report.ssrc : b->leg->out.ssrc;
		rtcp_write_receiver(&w, 9, &report, 1);
		report_from(&b->leg->remote.rtcp, bytes, w.used);
	}
	leg_send_stats(b->leg, &s);
	CHECK(s.far_lost <= s.far_expected && s.far_expected <= UINT16_MAX);
}

static void with_a_leg(void (*test)(void))
{
	begin(&(struct media_leg_config){.media_timeout_ms = 1000}, CODEC_PCMU);
	test();
	end();
}

int main(void)
{
	strangers_are_counted_not_heard();
	another_port_of_the_phone_is_heard();
	a_stream_is_followed_and_a_packet_is_not();
	who_was_signalled_has_it_back();
	on_hold_nobody_is_followed();
	with_a_leg(what_was_not_agreed_on_is_not_heard);
	with_a_leg(nothing_is_heard_twice);
	with_a_leg(strays_do_not_move_the_stream);
	with_a_leg(many_ssrcs_cost_nothing);
	with_a_leg(a_goodbye_ends_nothing);
	with_a_leg(false_reports_do_not_spoil_the_figures);
	return 0;
}

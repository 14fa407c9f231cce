/* The E-model against values reckoned by hand from G.107's formulas, what phones report, and the meter
 * of a call. */
#include "call/quality.h"
#include "media/mos.h"
#include "media/rtp_heard.h"
#include "test/check.h"

#include <math.h>

static bool near(float got, double want, double off)
{
	if (fabs(got - want) <= off)
		return true;
	fprintf(stderr, "%f is not %f\n", (double)got, want);
	return false;
}

static void ratings_are_those_of_the_recommendation(void)
{
	static const struct {
		enum codec codec;
		float loss, burst, delay_ms;
		double r, mos;
	} cases[] = {
		{CODEC_PCMU, 0, 0, 0, 93.20, 4.409}, /* G.107: the default rating */
		{CODEC_PCMU, 0, 0, 100, 93.20, 4.409},
		{CODEC_PCMU, 0, 0, 150, 93.04, 4.406},
		{CODEC_PCMU, 0, 0, 200, 90.16, 4.343},
		{CODEC_PCMA, 0, 0, 300, 78.44, 3.964},
		{CODEC_PCMA, 0, 0, 400, 69.13, 3.556},
		{CODEC_PCMU, 0.01f, 0, 50, 89.56, 4.328},
		{CODEC_PCMU, 0.05f, 0, 50, 77.42, 3.923},
		{CODEC_PCMU, 0.05f, 0, 200, 74.37, 3.795},
		{CODEC_PCMU, 0.20f, 1, 100, 51.07, 2.631},
		{CODEC_PCMU, 0.05f, 2, 50, 75.99, 3.864}, /* in a row it is worse */
		{CODEC_G722, 0.05f, 0, 50, 74.20, 3.787},
		{CODEC_PCMU, 1, 0, 0, 17.26, 1.177},
		{CODEC_PCMU, 1, 0, 5000, 0, 1},
		{CODEC_NONE, 2, -1, -3, 17.26, 1.177}, /* nonsense has bounds */
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		const struct mos_line l = {cases[i].codec, cases[i].loss, cases[i].burst, cases[i].delay_ms};
		CHECK(near(mos_rating(&l), cases[i].r, 0.02));
		CHECK(near(mos_of(&l), cases[i].mos, 0.002));
	}
	CHECK(near(mos_of_rating(-5), 1, 0));
	CHECK(mos_of_rating(3) >= 1); /* the formula alone would be below */
}

static void names_follow_annex_b(void)
{
	CHECK_EQ(quality_of_mos(4.3f).quality, LIVEKIT__CONNECTION_QUALITY__EXCELLENT);
	CHECK_EQ(quality_of_mos(3.8f).quality, LIVEKIT__CONNECTION_QUALITY__GOOD);
	CHECK_EQ(quality_of_mos(2).quality, LIVEKIT__CONNECTION_QUALITY__POOR);
}

static void reports_become_counts_that_grow(void)
{
	struct rtp_heard h = {0};
	uint64_t ntp = 0x1234567800000000u;
	struct rtcp_report r = {.highest_seq = 1000, .lost = 5, .jitter = 80};
	rtp_heard_put(&h, &r, 250, ntp, 1);
	CHECK_EQ(h.expected, 250); /* of the first one: what was sent so far */
	CHECK_EQ(h.lost, 5);
	CHECK_EQ(h.rtt_us, 0);
	/* Sent 300 ms ago, held there for 250 ms. */
	r = (struct rtcp_report){.highest_seq = 1250, .lost = 15,
		.last_sr = (uint32_t)(ntp >> 16) - 300 * 65536 / 1000, .delay_since_sr = 250 * 65536 / 1000};
	rtp_heard_put(&h, &r, 500, ntp, 2);
	CHECK_EQ(h.expected, 500);
	CHECK_EQ(h.lost, 15);
	CHECK(h.rtt_us > 49000 && h.rtt_us < 51000);
	r.last_sr += 70 << 16; /* of the future: the clock was set */
	r.lost = 13;           /* two came late */
	r.highest_seq = 1300;
	rtp_heard_put(&h, &r, 550, ntp, 3);
	CHECK(h.rtt_us < 51000);
	CHECK_EQ(h.lost, 13);
	rtp_heard_put(&h, &(struct rtcp_report){.highest_seq = 5, .lost = 0}, 600, ntp, 4);
	CHECK_EQ(h.expected, 550);
}

/* Five seconds of figures are a window; the whole call has a score of its own. */
static void a_call_is_measured(void)
{
	struct call_meter m = {0};
	struct connection_quality now;
	struct media_leg_stats s = {.codec_in = CODEC_PCMU, .codec_out = CODEC_PCMU, .ptime_ms = 20};
	CHECK(!call_meter_now(&m, &now));
	for (unsigned second = 1; second <= 15; ++second) {
		bool bad = second > 5 && second <= 10;
		s.received += bad ? 40 : 50;
		s.lost += bad ? 10 : 0;
		s.holes += bad ? 5 : 0;
		s.far_expected += 50;
		CHECK_EQ(call_meter_put(&m, &s), second % 5 == 0);
		if (second % 5 != 0)
			continue;
		CHECK(call_meter_now(&m, &now));
		CHECK_EQ(now.quality, bad ? LIVEKIT__CONNECTION_QUALITY__POOR : LIVEKIT__CONNECTION_QUALITY__EXCELLENT);
	}
	CHECK(m.quality.mos_in > 3 && m.quality.mos_in < 4);
	CHECK(m.quality.mos_in_worst < 2.9f);
	CHECK(m.quality.mos_out > 4.4f && m.quality.mos_out_worst > 4.4f);
	for (unsigned second = 0; second < 5; ++second) /* nothing comes, nothing is known */
		(void)call_meter_put(&m, &s);
	CHECK(!call_meter_now(&m, &now));
}

int main(void)
{
	ratings_are_those_of_the_recommendation();
	names_follow_annex_b();
	reports_become_counts_that_grow();
	a_call_is_measured();
	return 0;
}

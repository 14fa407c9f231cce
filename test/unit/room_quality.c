#include "room/quality.h"
#include "test/check.h"

#include <math.h>

enum {
	POOR = LIVEKIT__CONNECTION_QUALITY__POOR,
	GOOD = LIVEKIT__CONNECTION_QUALITY__GOOD,
	EXCELLENT = LIVEKIT__CONNECTION_QUALITY__EXCELLENT,
	LOST = LIVEKIT__CONNECTION_QUALITY__LOST,
};

struct voice {
	struct quality q;
	struct quality_window w;
};

static int shown(const struct voice *v)
{
	struct connection_quality c = quality_best();
	quality_add(&c, &v->q);
	return (int)c.quality;
}

/* One window of 5 s of 50 packets a second, `lost` of them lost. */
static int hear(struct voice *v, unsigned expected, unsigned lost)
{
	v->w.now_ms += QUALITY_WINDOW_MS;
	v->w.expected += expected;
	v->w.lost += lost;
	v->w.sent += v->w.up ? 0 : expected;
	quality_put(&v->q, &v->w);
	return shown(v);
}

static struct voice begin(bool up)
{
	struct voice v = {.w = {.now_ms = 1000, .up = up}};
	quality_put(&v.q, &v.w);
	return v;
}

/* 250 packets, of which so many per cent are lost, with this round trip and jitter: at once, and
 * when it has lasted. */
static void what_is_measured_is_named(void)
{
	static const struct {
		unsigned percent, rtt_ms, jitter_ms;
		bool red;
		int first, lasting;
	} cases[] = {
		{0, 0, 0, false, EXCELLENT, EXCELLENT},
		{0, 200, 20, false, EXCELLENT, EXCELLENT}, /* 140 ms: 3.5 */
		{0, 800, 30, false, GOOD, GOOD},           /* 460 ms: 34 */
		{0, 1600, 50, false, POOR, POOR},
		{2, 50, 5, false, EXCELLENT, EXCELLENT},
		{4, 50, 5, false, EXCELLENT, GOOD}, /* 79 */
		{8, 50, 5, false, GOOD, GOOD},
		{12, 50, 5, false, GOOD, POOR},
		{12, 50, 5, true, GOOD, GOOD},
		{30, 50, 5, false, POOR, POOR},
		{30, 50, 5, true, POOR, POOR},
		{100, 50, 5, false, POOR, POOR}, /* never lost: its packets are missed, so some come */
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct voice v = begin(true);
		v.w.rtt_us = cases[i].rtt_ms * 1000;
		v.w.jitter_us = cases[i].jitter_ms * 1000;
		v.w.red = cases[i].red;
		unsigned lost = 250 * cases[i].percent / 100;
		int first = hear(&v, 250, lost), lasting = first;
		for (int n = 0; n < 10; ++n)
			lasting = hear(&v, 250, lost);
		if (first != cases[i].first || lasting != cases[i].lasting)
			fprintf(stderr, "case %zu: %d, %d\n", i, first, lasting);
		CHECK(first == cases[i].first && lasting == cases[i].lasting);
	}
}

static void it_falls_fast_and_rises_slowly(void)
{
	struct voice v = begin(true);
	CHECK_EQ(hear(&v, 250, 0), EXCELLENT);
	CHECK_EQ(hear(&v, 250, 75), POOR);
	CHECK_EQ(hear(&v, 250, 0), GOOD); /* 58 */
	CHECK_EQ(hear(&v, 250, 0), GOOD); /* 75 */
	CHECK_EQ(hear(&v, 250, 0), EXCELLENT);
}

static void loss_in_silence_weighs_little(void)
{
	struct voice v = begin(true);
	CHECK_EQ(hear(&v, 250, 0), EXCELLENT);
	CHECK_EQ(hear(&v, 12, 1), EXCELLENT); /* DTX: 8 % of a fifth of a weight */
	CHECK_EQ(hear(&v, 250, 20), GOOD);
}

static void who_is_not_heard_is_lost(void)
{
	struct voice v = begin(true);
	CHECK_EQ(hear(&v, 250, 0), EXCELLENT);
	v.w.silent_ms = QUALITY_SILENT_UP_MS - 1;
	CHECK_EQ(hear(&v, 0, 0), POOR);
	v.w.silent_ms = QUALITY_SILENT_UP_MS;
	CHECK_EQ(hear(&v, 0, 0), LOST);
	v.w.silent_ms = 0;
	CHECK_EQ(hear(&v, 250, 0), POOR); /* 40 % of the way */
	v.w.muted = true;
	v.w.silent_ms = 60000;
	CHECK_EQ(hear(&v, 0, 0), EXCELLENT);
	CHECK_EQ(hear(&v, 0, 0), EXCELLENT);
	v.w.muted = false;
	CHECK_EQ(hear(&v, 10, 0), EXCELLENT); /* not judged yet */
	v.w.silent_ms = QUALITY_SILENT_UP_MS;
	CHECK_EQ(hear(&v, 0, 0), LOST);
}

static void a_listener_is_judged_by_its_reports(void)
{
	struct voice v = begin(false);
	v.w.sent = 250;
	v.w.silent_ms = 60000; /* it never reported: nothing is known */
	quality_put(&v.q, &v.w);
	CHECK_EQ(shown(&v), EXCELLENT);
	v.w.silent_ms = 0;
	CHECK_EQ(hear(&v, 250, 75), POOR);
	CHECK_EQ(hear(&v, 0, 0), POOR); /* the speaker is silent */
	v.w.silent_ms = QUALITY_SILENT_DOWN_MS;
	CHECK_EQ(hear(&v, 0, 0), POOR);
	v.w.sent += 250; /* it is spoken to, and does not answer */
	v.w.now_ms += QUALITY_WINDOW_MS;
	quality_put(&v.q, &v.w);
	CHECK_EQ(shown(&v), LOST);
}

static void the_worst_voice_counts(void)
{
	struct quality good = {.measured = true, .score = 100}, poor = {.measured = true, .score = 30};
	struct quality lost = {.measured = true}, none = {0};
	struct connection_quality c = quality_best();

	quality_add(&c, &none);
	CHECK((int)c.quality == EXCELLENT && fabsf(c.score - 4.5f) < 0.001f);
	quality_add(&c, &poor);
	quality_add(&c, &good);
	CHECK((int)c.quality == POOR && fabsf(c.score - 1) < 0.001f);
	quality_add(&c, &lost);
	quality_add(&c, &poor);
	CHECK((int)c.quality == LOST);
}

int main(void)
{
	what_is_measured_is_named();
	it_falls_fast_and_rises_slowly();
	loss_in_silence_weighs_little();
	who_is_not_heard_is_lost();
	a_listener_is_judged_by_its_reports();
	the_worst_voice_counts();
	return 0;
}

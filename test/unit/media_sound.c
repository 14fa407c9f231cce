/* The small pure parts of the sound path: mixer, cuts, concealment, Opus at 8 kHz, numbering and
 * counting of streams. */
#include "base/mem.h"
#include "media/mixer.h"
#include "media/opus_voice.h"
#include "media/plc.h"
#include "media/rebase.h"
#include "media/rtp_count.h"
#include "media/stretch.h"
#include "test/check.h"
#include "test/unit/sound.h"

enum { FRAME = 160 };

/* ---- mixer ---- */

static void voices_add_up_and_clip(void)
{
	struct mixer m;
	int16_t loud[FRAME], soft[FRAME], out[FRAME];
	for (int i = 0; i < FRAME; ++i) {
		loud[i] = i % 2 ? 30000 : -30000;
		soft[i] = 1000;
	}
	mixer_init(&m, FRAME);
	mixer_take(&m, out);
	CHECK_EQ(out[7], 0);
	mixer_add(&m, soft);
	mixer_add(&m, soft);
	mixer_take(&m, out);
	CHECK_EQ(out[7], 2000);
	mixer_add(&m, loud);
	mixer_add(&m, loud);
	CHECK_EQ(m.voices, 4);
	mixer_take(&m, out);
	CHECK_EQ(out[0], INT16_MIN);
	CHECK_EQ(out[1], INT16_MAX);
}

static void levels_are_those_of_rfc_6464(void)
{
	int16_t pcm[FRAME] = {0};
	CHECK_EQ(mixer_level(pcm, FRAME), 127);
	CHECK_EQ(mixer_level(pcm, 0), 127);
	for (int i = 0; i < FRAME; ++i)
		pcm[i] = i % 2 ? INT16_MIN : INT16_MAX;
	CHECK_EQ(mixer_level(pcm, FRAME), 0);
	for (int i = 0; i < FRAME; ++i)
		pcm[i] = 328; /* a hundredth: -40 dB */
	CHECK_EQ(mixer_level(pcm, FRAME), 40);
	memset(pcm, 0, sizeof pcm);
	pcm[0] = 1;
	CHECK(mixer_level(pcm, FRAME) > 100);
}

/* ---- cuts ---- */

static void a_cut_is_not_heard(void)
{
	static int16_t pcm[8000];
	static const double pitches[] = {70, 110, 200, 300, 440, 1000};
	for (size_t p = 0; p < COUNT_OF(pitches); ++p) {
		size_t count = 8000;
		sound_tone(pcm, count, 0, pitches[p], 8000);
		for (unsigned at = 0; at + 800 < count; at += 1600) {
			size_t left = stretch_cut(pcm + at, count - at, 1);
			CHECK(count - at - left >= STRETCH_MIN && count - at - left <= STRETCH_MAX);
			count = at + left;
		}
		/* No sample jumps more than the tone itself does (with some room for rounding). */
		double steepest = 8000 * 2 * SOUND_PI * pitches[p] / 8000 * 1.3 + 50;
		for (size_t i = 1; i < count; ++i)
			CHECK(fabs((double)pcm[i] - pcm[i - 1]) < steepest);
		CHECK(fabs(sound_rms(pcm, count) * 1.41421356 - 8000) < 400);
	}
	CHECK_EQ(stretch_cut(pcm, STRETCH_NEEDS - 1, 1), STRETCH_NEEDS - 1);
}

/* ---- concealment ---- */

static void a_hole_is_filled_and_fades(void)
{
	static int16_t pcm[FRAME * 50];
	struct plc p;
	plc_init(&p, 8000);
	sound_tone(pcm, COUNT_OF(pcm), 0, 150, 8000);
	for (int i = 0; i < 50; ++i) {
		int16_t *frame = pcm + i * FRAME;
		if (i == 20 || i == 30 || i == 31)
			plc_missing(&p, frame, FRAME);
		else
			plc_received(&p, frame, FRAME);
	}
	CHECK(sound_rms(pcm + 20 * FRAME, FRAME) > 8000 / 1.42 * 0.8);
	CHECK(sound_rms(pcm + 31 * FRAME, FRAME) > 8000 / 1.42 * 0.4);
	for (size_t i = 1; i < COUNT_OF(pcm); ++i)
		CHECK(abs(pcm[i] - pcm[i - 1]) < 2500);

	/* Gone after 60 ms, for as long as it takes. */
	for (int i = 0; i < 100; ++i) {
		plc_missing(&p, pcm, FRAME);
		if (i >= 3)
			CHECK(sound_rms(pcm, FRAME) < 1);
	}
	sound_tone(pcm, FRAME, 0, 150, 8000);
	plc_received(&p, pcm, FRAME);
	CHECK(sound_rms(pcm + 80, 80) > 1000);
	plc_missing(&p, pcm, 7); /* any length */
	plc_received(&p, pcm, 3);
	plc_received(&p, pcm, 0);
}

/* ---- Opus ---- */

static void opus_carries_a_tone(void)
{
	struct opus_voice_encoder *e;
	struct opus_voice_decoder *d;
	static int16_t in[FRAME * 50], out[FRAME * 50 + OPUS_VOICE_SAMPLES_MAX];
	uint8_t packet[OPUS_VOICE_PACKET_MAX];
	size_t count = 0;

	CHECK_EQ(opus_voice_encoder_new(&e, 8000), 0);
	CHECK_EQ(opus_voice_decoder_new(&d, 8000), 0);
	sound_tone(in, COUNT_OF(in), 0, 440, 8000);
	for (int i = 0; i < 50; ++i) {
		size_t size = opus_voice_encode(e, packet, in + i * FRAME, FRAME);
		CHECK(size > 0);
		CHECK_EQ(opus_voice_packet_ticks(span_of(packet, size)), OPUS_VOICE_FRAME_TICKS);
		count += i == 25 ? opus_voice_conceal(d, out + count, FRAME, (struct span){0})
				 : opus_voice_decode(d, out + count, span_of(packet, size));
	}
	CHECK_EQ(count, COUNT_OF(in));
	CHECK(sound_amplitude(out + 1600, 2000, 440) > 7000);
	CHECK_EQ(opus_voice_decode(d, out, span_of("", 0)), 0);
	CHECK_EQ(opus_voice_packet_ticks(span_of("", 0)), 0);
	CHECK_EQ(opus_voice_conceal(d, out, 19, (struct span){0}), 0);
	CHECK_EQ(opus_voice_conceal(d, out, 5000, (struct span){0}), OPUS_VOICE_SAMPLES_MAX);
	opus_voice_decoder_reset(d, 16000);
	opus_voice_encoder_free(e);
	opus_voice_decoder_free(d);
	CHECK_EQ(mem_live(), 0);
}

static void opus_without_memory(void)
{
	struct opus_voice_encoder *e = NULL;
	struct opus_voice_decoder *d = NULL;
	mem_fail_after(0);
	int r = opus_voice_encoder_new(&e, 8000), s = opus_voice_decoder_new(&d, 8000);
	mem_fail_after(-1);
	CHECK(r < 0 && s < 0 && !e && !d);
	CHECK_EQ(mem_live(), 0);
}

/* ---- numbering ---- */

static void numbers_stay_while_the_stream_is_whole(void)
{
	struct rebase r = {0};
	for (unsigned i = 0; i < 1000; ++i) {
		uint16_t seq = (uint16_t)(65000 + i);
		uint32_t timestamp = 0xffffff00u + i * FRAME;
		if (i % 7 == 3) /* overtaken by the next */
			continue;
		CHECK(rebase_put(&r, 1, &seq, &timestamp, 8000, i * 20000));
		CHECK_EQ(seq, (uint16_t)(65000 + i));
		CHECK_EQ(timestamp, 0xffffff00u + i * FRAME);
		if (i % 7 == 4) {
			--seq;
			timestamp -= FRAME;
			CHECK(rebase_put(&r, 1, &seq, &timestamp, 8000, i * 20000));
			CHECK_EQ(seq, (uint16_t)(65000 + i - 1));
		}
	}
}

static void numbers_go_on_where_the_stream_breaks(void)
{
	struct rebase r = {0};
	uint16_t seq = 10;
	uint32_t timestamp = 1000;
	CHECK(rebase_put(&r, 1, &seq, &timestamp, 8000, 0));
	seq = 5;
	timestamp = 0x80000000u;
	CHECK(rebase_put(&r, 2, &seq, &timestamp, 8000, 1000000)); /* a second later, another SSRC */
	CHECK_EQ(seq, 11);
	CHECK_EQ(timestamp, 1000 + 8000);
	rebase_skip(&r, 2, 6, 0x80000000u + FRAME, 8000, 1020000);
	seq = 7;
	timestamp = 0x80000000u + 2 * FRAME;
	CHECK(rebase_put(&r, 2, &seq, &timestamp, 8000, 1040000));
	CHECK_EQ(seq, 12);
	CHECK_EQ(timestamp, 1000 + 8000 + 2 * FRAME);
}

/* Frames of comfort noise take the numbers that follow; sound goes on behind them, and what comes too
 * late for that has none. */
static void made_packets_get_numbers_of_their_own(void)
{
	struct rebase r = {0};
	uint16_t seq = 10;
	uint32_t timestamp = 1000;
	CHECK(rebase_put(&r, 1, &seq, &timestamp, 8000, 0));
	rebase_skip(&r, 1, 12, 1000 + 2 * FRAME, 8000, 40000);
	for (unsigned i = 0; i < 3; ++i) {
		rebase_insert(&r, &seq, &timestamp, FRAME);
		CHECK_EQ(seq, 12 + i);
		CHECK_EQ(timestamp, 1000 + (2 + i) * FRAME);
	}
	seq = 11; /* overtaken by the noise */
	timestamp = 1000 + FRAME;
	CHECK(!rebase_put(&r, 1, &seq, &timestamp, 8000, 100000));
	seq = 13;
	timestamp = 1000 + 4 * FRAME; /* the sender's clock says that the third frame was not needed */
	CHECK(rebase_put(&r, 1, &seq, &timestamp, 8000, 100000));
	CHECK_EQ(seq, 15);
	CHECK_EQ(timestamp, 1000 + 5 * FRAME);
	seq = 14;
	timestamp = 1000 + 5 * FRAME;
	CHECK(rebase_put(&r, 1, &seq, &timestamp, 8000, 120000));
	CHECK_EQ(seq, 16);
	CHECK_EQ(timestamp, 1000 + 6 * FRAME);
}

/* ---- counting ---- */

static void losses_are_counted(void)
{
	struct rtp_count c = {0};
	struct rtcp_report report;
	CHECK(!rtp_count_report(&c, &report, 0, 0));
	for (unsigned i = 0; i < 1000; ++i)
		if (i % 4)
			rtp_count_put(&c, 1, (uint16_t)(65001 + i), i * FRAME, 8000, i * 20000);
	CHECK_EQ(rtp_count_received(&c), 750);
	CHECK_EQ(rtp_count_lost(&c), 249); /* the very first is not known of */
	CHECK_EQ(rtp_count_jitter(&c), 0);
	CHECK(rtp_count_report(&c, &report, 0, 0));
	CHECK_EQ(report.lost, 249);
	CHECK_EQ(report.fraction_lost, 249 * 255 / 999);
	CHECK_EQ(report.highest_seq, 65536 + (65001 + 999) % 65536);
	CHECK(rtp_count_report(&c, &report, 0, 0));
	CHECK_EQ(report.fraction_lost, 0);
	/* Another stream: what was known stays. */
	rtp_count_put(&c, 2, 7, 0, 8000, 0);
	CHECK_EQ(rtp_count_received(&c), 751);
	CHECK_EQ(rtp_count_lost(&c), 249);
	rtp_count_put(&c, 2, 7, 0, 8000, 0); /* doubled: fewer lost than none */
	CHECK(rtp_count_report(&c, &report, 0, 0));
	CHECK_EQ(report.lost, -1);
}

static void jitter_is_measured(void)
{
	struct rtp_count c = {0};
	for (unsigned i = 0; i < 500; ++i) /* every other one 10 ms late */
		rtp_count_put(&c, 1, (uint16_t)i, i * FRAME, 8000, i * 20000 + i % 2 * 10000);
	CHECK(rtp_count_jitter(&c) >= 75 && rtp_count_jitter(&c) <= 80); /* 10 ms = 80 ticks */
}

int main(void)
{
	voices_add_up_and_clip();
	levels_are_those_of_rfc_6464();
	a_cut_is_not_heard();
	a_hole_is_filled_and_fades();
	opus_carries_a_tone();
	opus_without_memory();
	numbers_stay_while_the_stream_is_whole();
	numbers_go_on_where_the_stream_breaks();
	made_packets_get_numbers_of_their_own();
	losses_are_counted();
	jitter_is_measured();
	return 0;
}

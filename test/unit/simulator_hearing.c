/* What the carrier says about the RTP that it is sent; and its bad line, which is the same for the same seed. */
#include "simulator/hearing.h"
#include "simulator/voice_line.h"
#include "test/check.h"

static const struct hearing_expects expects = {
	.types = {0, 8}, .type_count = 2, .dtmf_type = 96, .codec = CODEC_PCMU};

static uint8_t quiet[160], loud[160];

struct talker {
	struct hearing h;
	uint64_t us;
	struct rtp_view rtp;
};

static struct talker begin(void)
{
	memset(quiet, 0xff, sizeof quiet);
	memset(loud, 0x10, sizeof loud);
	return (struct talker){.rtp = {.seq = 65530, .timestamp = 0xffffff00, .ssrc = 1, .payload = {loud, sizeof loud}}};
}

static void say(struct talker *t, int count)
{
	for (int i = 0; i < count; ++i) {
		(void)hearing_packet(&t->h, &expects, &t->rtp, t->us);
		++t->rtp.seq;
		t->rtp.timestamp += 160;
		t->us += 20000;
		t->rtp.marker = false;
	}
}

static void good_streams_are_good(void)
{
	struct talker t = begin();
	CHECK_STR(hearing_verdict(&t.h), "nothing");
	say(&t, 50);
	CHECK_STR(hearing_verdict(&t.h), "good");
	CHECK_EQ(hearing_mean_us(&t.h), 20000);
	CHECK_EQ(t.h.sound_ms, 1000);
	t.rtp.payload.data = quiet;
	say(&t, 50);
	CHECK_EQ(t.h.quiet_ms, 1000);
	CHECK_EQ(t.h.last_sound_at, 1000);

	/* A key in between, a pause with a marker, a lost packet and one that comes again. */
	t.rtp.payload_type = 96;
	t.rtp.payload.size = 4;
	say(&t, 8);
	t.rtp.payload_type = 8;
	t.rtp.payload.size = 160;
	say(&t, 10);
	t.us += 3000000;
	t.rtp.timestamp += 24000;
	t.rtp.marker = true;
	say(&t, 10);
	++t.rtp.seq;
	t.rtp.timestamp += 160;
	say(&t, 10);
	--t.rtp.seq;
	t.rtp.timestamp -= 160;
	say(&t, 1);
	CHECK_STR(hearing_verdict(&t.h), "good");
	CHECK_EQ(t.h.events, 8);
	CHECK_EQ(t.h.gaps, 1);
	CHECK_EQ(t.h.lost, 1);
	CHECK_EQ(t.h.doubled, 1);
}

static void each_fault_has_its_word(void)
{
	struct talker t = begin();
	say(&t, 10);
	t.rtp.timestamp += 80;
	say(&t, 10);
	CHECK_STR(hearing_verdict(&t.h), "timestamps");

	t = begin();
	say(&t, 10);
	t.rtp.ssrc = 2;
	say(&t, 10);
	CHECK_STR(hearing_verdict(&t.h), "ssrc");

	t = begin();
	t.rtp.payload_type = 3;
	say(&t, 1);
	CHECK_STR(hearing_verdict(&t.h), "type");

	t = begin();
	for (int i = 0; i < 60; ++i) {
		say(&t, 1);
		t.us += 10000;
	}
	CHECK_STR(hearing_verdict(&t.h), "cadence");

	t = begin();
	t.h.wrong_source = 1;
	CHECK_STR(hearing_verdict(&t.h), "source");
}

static void a_bad_line_is_the_same_again(void)
{
	static struct voice_line lines[2];
	const uint8_t packet[172] = {0};
	size_t kept = 0, came = 0;
	for (int i = 0; i < 2; ++i)
		lines[i] = (struct voice_line){.faults = {.loss = 10, .reorder = 5, .duplicate = 5, .jitter_ms = 30}, .random.state = 9};
	for (uint64_t now = 0; now < 20000000; now += 20000) {
		uint8_t out[2][LINE_PACKET_MAX];
		bool a = voice_line_keeps(&lines[0], span_of(packet, sizeof packet), now);
		CHECK_EQ(a, voice_line_keeps(&lines[1], span_of(packet, sizeof packet), now));
		CHECK_EQ(voice_line_doubles(&lines[0]), voice_line_doubles(&lines[1]));
		CHECK_EQ(voice_line_due(&lines[0]), voice_line_due(&lines[1]));
		kept += a;
		came += !a;
		for (struct span s; (s = voice_line_take(&lines[0], now, out[0])).size; ++came)
			CHECK_EQ(voice_line_take(&lines[1], now, out[1]).size, sizeof packet);
	}
	CHECK(kept > 900);
	CHECK(came > 850 && came < 950); /* a tenth of a thousand is lost */
}

int main(void)
{
	good_streams_are_good();
	each_fault_has_its_word();
	a_bad_line_is_the_same_again();
	return 0;
}

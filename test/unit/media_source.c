#include "media/worker.h"
#include "test/check.h"

struct ear {
	struct source_sink base;
	unsigned heard, gone;
	char payload[16];
	enum codec codec;
};

static void hear(struct source_sink *s, const struct media_packet *p)
{
	struct ear *e = container_of(s, struct ear, base);
	snprintf(e->payload, sizeof e->payload, "%.*s", (int)p->rtp->payload.size,
		(const char *)p->rtp->payload.data);
	e->codec = p->codec;
	++e->heard;
}

static void lose(struct source_sink *s)
{
	++container_of(s, struct ear, base)->gone;
}

static struct ear make_ear(enum codec codec)
{
	return (struct ear){.base = {.codec = codec, .write = hear, .source_gone = lose}};
}

static void push(struct source *s, enum codec codec, const char *payload)
{
	static uint16_t seq;
	struct rtp_view v = {.seq = seq++, .payload = span_text(payload)};
	source_push(s, &(struct media_packet){.rtp = &v, .codec = codec});
}

static void each_sink_gets_what_it_takes(void)
{
	struct source s;
	struct ear opus = make_ear(CODEC_OPUS), red = make_ear(CODEC_RED);
	struct ear any = make_ear(CODEC_NONE), pcmu = make_ear(CODEC_PCMU);

	source_init(&s, 1);
	source_add_sink(&s, &opus.base);
	source_add_sink(&s, &red.base);
	source_add_sink(&s, &any.base);
	source_add_sink(&s, &pcmu.base);
	CHECK_EQ(s.wants[CODEC_RED], 1);

	push(&s, CODEC_OPUS, "plain");
	CHECK(opus.heard == 1 && any.heard == 1 && red.heard == 1 && !pcmu.heard);
	CHECK_EQ(red.codec, CODEC_OPUS); /* who takes RED takes what it holds */
	push(&s, CODEC_RED, "oinner"); /* 'o' is 111: one block, the primary */
	CHECK(opus.heard == 2 && any.heard == 2 && red.heard == 2 && !pcmu.heard);
	CHECK_STR(opus.payload, "inner");
	CHECK_EQ(opus.codec, CODEC_OPUS);
	CHECK_STR(any.payload, "oinner");
	CHECK_STR(red.payload, "oinner");
	push(&s, CODEC_RED, "\xef"); /* broken inside: nothing to unwrap */
	CHECK(opus.heard == 2 && any.heard == 3 && red.heard == 3);

	opus.base.paused = true;
	push(&s, CODEC_OPUS, "x");
	CHECK(opus.heard == 2 && any.heard == 4);
	source_mute(&s, true);
	push(&s, CODEC_OPUS, "x");
	CHECK_EQ(any.heard, 4);
	source_mute(&s, false);
	CHECK_EQ(s.epoch, 1);

	source_remove_sink(&any.base);
	source_remove_sink(&any.base);
	CHECK_EQ(s.wants[CODEC_NONE], 0);
	source_fini(&s);
	CHECK(!any.gone && opus.gone == 1 && red.gone == 1 && pcmu.gone == 1);
	CHECK(!opus.base.source);
}

static void codecs_are_found_by_name(void)
{
	CHECK_EQ(codec_by_name(span_text("OPUS"), 48000), CODEC_OPUS);
	CHECK_EQ(codec_by_name(span_text("pcmu"), 8000), CODEC_PCMU);
	CHECK_EQ(codec_by_name(span_text("red"), 48000), CODEC_RED);
	CHECK_EQ(codec_by_name(span_text("opus"), 8000), CODEC_NONE);
	CHECK_EQ(codec_by_name(span_text(""), 8000), CODEC_NONE);
	CHECK_EQ(codec_facts(CODEC_PCMA)->static_pt, 8);
}

int main(void)
{
	each_sink_gets_what_it_takes();
	codecs_are_found_by_name();
	return 0;
}

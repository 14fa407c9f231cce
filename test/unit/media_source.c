#include "media/worker.h"
#include "test/check.h"

struct ear {
	struct source_sink base;
	unsigned heard, gone;
	uint16_t seq;
	uint32_t timestamp;
	size_t size;
	char payload[16];
	enum codec codec;
};

static void hear(struct source_sink *s, const struct media_packet *p)
{
	struct ear *e = container_of(s, struct ear, base);
	snprintf(e->payload, sizeof e->payload, "%.*s", (int)p->rtp->payload.size,
		(const char *)p->rtp->payload.data);
	e->codec = p->codec;
	e->seq = p->rtp->seq;
	e->timestamp = p->rtp->timestamp;
	e->size = p->rtp->payload.size;
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

/* A decoder that is left alone goes on with the last sound for half a second. */
static void muting_ends_with_silence(void)
{
	static const char *const trailers[] = {"", "trailer"};

	for (size_t i = 0; i < COUNT_OF(trailers); ++i) {
		struct source s;
		struct ear opus = make_ear(CODEC_OPUS), red = make_ear(CODEC_RED);
		struct ear any = make_ear(CODEC_NONE);

		source_init(&s, 1);
		snprintf(s.sif_trailer, sizeof s.sif_trailer, "%s", trailers[i]);
		source_add_sink(&s, &opus.base);
		source_add_sink(&s, &red.base);
		source_add_sink(&s, &any.base);
		source_mute(&s, true); /* nothing was heard yet: nothing to end */
		source_mute(&s, false);
		CHECK_EQ(opus.heard, 0);

		push(&s, CODEC_OPUS, "sound");
		uint16_t last = opus.seq;
		source_mute(&s, true);
		CHECK(opus.heard == 6 && red.heard == 6 && any.heard == 1);
		CHECK_EQ((uint16_t)(opus.seq - last), 5);
		CHECK_EQ(opus.timestamp, 5 * 960);
		CHECK_EQ(opus.size, 80 + strlen(trailers[i]));
		CHECK(!memcmp(opus.payload, "\xf8\xff\xfe", 4)); /* and zeros */
		source_mute(&s, true);
		CHECK_EQ(opus.heard, 6);
		source_fini(&s);
	}
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
	muting_ends_with_silence();
	codecs_are_found_by_name();
	return 0;
}

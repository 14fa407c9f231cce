/* A leg whose phone speaks G.722 or Opus, and a phone that changes its mind. */
#include "base/mem.h"
#include "media/g711.h"
#include "media/g722.h"
#include "test/check.h"
#include "test/unit/leg_bench.h"
#include "test/unit/sound.h"

enum {
	PT_G722 = 9,
	PT_OPUS = 111,
	PT_DTMF_WIDE = 102,
	WIDE = 320,
	BEATS = 150,
	AMPLITUDE = 8000,
};

static int16_t pcm[(BEATS + 20) * WIDE];

static double wide_amplitude(const int16_t *at, size_t count, double hz)
{
	return sound_amplitude(at, count, hz / 2); /* it reckons with 8 kHz */
}

static void connect_as(enum codec codec, uint8_t ptime_ms)
{
	struct media_leg_remote r = remote();
	r.codec = codec;
	r.pt = codec == CODEC_G722 ? PT_G722 : codec == CODEC_OPUS ? PT_OPUS : codec_facts(codec)->static_pt;
	r.ptime_ms = ptime_ms;
	leg_connect(b->leg, &r);
}

static size_t decode_recorded(void)
{
	int error;
	size_t count = 0;
	OpusDecoder *d = opus_decoder_create(16000, 1, &error);
	for (size_t i = 0; i < b->count; ++i) {
		const struct recorded *r = &b->got[i];
		CHECK_EQ(r->codec, CODEC_OPUS);
		if (i) {
			CHECK_EQ(r->seq, (uint16_t)(r[-1].seq + 1));
			CHECK_EQ(r->timestamp - r[-1].timestamp, 960);
		}
		int got = opus_decode(d, r->bytes, (opus_int32)r->size, pcm + count, WIDE, 0);
		CHECK_EQ(got, WIDE);
		count += WIDE;
	}
	opus_decoder_destroy(d);
	return count;
}

/* 5 kHz: only a wide path carries it. `listens` to G.711 gets Opus too: there is nothing else. */
static void g722_is_made_opus(enum codec listens, unsigned ms)
{
	struct g722_coder e;
	g722_init(&e);
	begin(&(struct media_leg_config){0}, listens);
	connect_as(CODEC_G722, 20);
	fake_worker_beat(&b->w);
	for (unsigned i = 0; i < BEATS * 20 / ms; ++i) {
		int16_t tone[960];
		uint8_t coded[480];
		sound_tone(tone, 16 * ms, (uint64_t)i * 16 * ms, 5000.0 / 2, AMPLITUDE);
		g722_encode(&e, coded, tone, 16 * ms);
		phone_says(PT_G722, (uint16_t)i, i * 8 * ms, 1, span_of(coded, 8 * ms), b->w.now_us + i * ms * 1000);
	}
	fake_worker_beat(&b->w);
	size_t count = decode_recorded();
	CHECK(count >= (BEATS - 3) * WIDE);
	CHECK(wide_amplitude(pcm + 4 * WIDE, count - 4 * WIDE, 5000) > AMPLITUDE * 0.8);
	CHECK(b->got[50].level >= 14 && b->got[50].level <= 17);
	CHECK(b->w.levels > 0);
	end();
}

static void opus_goes_on_as_it_came(enum codec listens)
{
	uint8_t packet[1000];
	struct speaker s;
	begin(&(struct media_leg_config){0}, listens);
	connect_as(CODEC_OPUS, 20);
	speaker_init(&s, 20, CODEC_OPUS, 440, AMPLITUDE);
	for (unsigned i = 0; i < 20; ++i) {
		size_t size = speaker_packet(&s, i, 20, packet);
		phone_says(PT_OPUS, (uint16_t)(7 + i), 5000 + i * 960, 1, span_of(packet, size), i * FRAME_US);
		CHECK_EQ(b->count, i + 1); /* without a beat */
		CHECK_EQ(b->got[i].codec, CODEC_OPUS);
		CHECK_EQ(b->got[i].seq, 7 + i);
		CHECK_EQ(b->got[i].timestamp, 5000 + i * 960);
		CHECK(b->got[i].size == size && !memcmp(b->got[i].bytes, packet, size));
	}
	CHECK(b->got[19].level >= 14 && b->got[19].level <= 17);
	phone_says(PT_OPUS, 27, 5000 + 20 * 960, 1, span_of("\xff\xff\xff", 3), 20 * FRAME_US);
	CHECK_EQ(b->leg->in.drops[LEG_DROP_PAYLOAD], 1); /* no Opus */
	speaker_fini(&s);
	end();
}

struct ear {
	struct g722_coder g722;
	OpusDecoder *opus;
	size_t count, packets;
	uint32_t timestamp;
};

static void ear_listen(struct ear *e, enum codec codec, unsigned ms)
{
	uint8_t bytes[1500];
	struct rtp_view v;
	while (phone_hears(&v, bytes)) {
		uint32_t step = ms * codec_facts(codec)->clock_hz / 1000;
		if (e->packets++)
			CHECK_EQ(v.timestamp - e->timestamp, step);
		e->timestamp = v.timestamp;
		CHECK(e->count + 16 * ms <= COUNT_OF(pcm));
		if (codec == CODEC_G722) {
			CHECK_EQ(v.payload_type, PT_G722);
			CHECK_EQ(v.payload.size, 8 * ms);
			g722_decode(&e->g722, pcm + e->count, v.payload.data, v.payload.size);
		} else {
			CHECK_EQ(v.payload_type, PT_OPUS);
			int got = opus_decode(e->opus, v.payload.data, (opus_int32)v.payload.size, pcm + e->count,
				(int)(16 * ms), 0);
			CHECK_EQ(got, 16 * ms);
		}
		e->count += 16 * ms;
	}
}

static void wide_to_the_phone(enum codec codec, uint8_t asked_ms, unsigned ms, enum codec speaks, double hz)
{
	uint8_t packet[1000];
	struct speaker s;
	int error;
	struct ear ear = {.opus = opus_decoder_create(16000, 1, &error)};
	g722_init(&ear.g722);
	begin(&(struct media_leg_config){0}, CODEC_NONE);
	connect_as(codec, asked_ms);
	speaker_init(&s, 20, speaks, hz, AMPLITUDE);
	leg_hear(b->leg, &s.source);
	for (unsigned i = 0; i < BEATS; ++i) {
		size_t size = speaker_packet(&s, i, 20, packet);
		speaker_says(&s, i, 20, span_of(packet, size), 20, b->w.now_us - 2000);
		fake_worker_beat(&b->w);
		ear_listen(&ear, codec, ms);
	}
	double a = wide_amplitude(pcm + 10 * WIDE, 100 * WIDE, hz);
	printf("%s of %u ms, %.0f Hz: %.0f\n", codec_facts(codec)->name, ms, hz, a);
	CHECK(a > AMPLITUDE * 0.8 && a < AMPLITUDE * 1.2);
	CHECK_EQ(ear.packets, BEATS * 20 / ms);
	opus_decoder_destroy(ear.opus);
	speaker_fini(&s);
	end();
}

/* A re-INVITE from G.711 to G.722 and back, somebody speaking all the while: no hole, no click. */
static void another_codec_in_the_middle(void)
{
	uint8_t packet[1000], bytes[1500];
	struct speaker s;
	struct rtp_view v;
	struct g722_coder far;
	int16_t wide[WIDE];
	size_t count = 0;
	uint32_t ssrc = 0, timestamp = 0;
	g722_init(&far);
	begin(&(struct media_leg_config){0}, CODEC_NONE);
	speaker_init(&s, 20, CODEC_OPUS, 300, AMPLITUDE);
	leg_hear(b->leg, &s.source);
	for (unsigned i = 0; i < BEATS; ++i) {
		if (i == 50)
			connect_as(CODEC_G722, 20);
		if (i == 100)
			connect_as(CODEC_PCMA, 20);
		size_t size = speaker_packet(&s, i, 20, packet);
		speaker_says(&s, i, 20, span_of(packet, size), 20, b->w.now_us - 2000);
		fake_worker_beat(&b->w);
		CHECK(phone_hears(&v, bytes));
		if (i) {
			CHECK_EQ(v.ssrc, ssrc); /* the same clock: the same stream */
			CHECK_EQ(v.timestamp - timestamp, FRAME);
		}
		ssrc = v.ssrc;
		timestamp = v.timestamp;
		if (v.payload_type == PT_G722) {
			g722_decode(&far, wide, v.payload.data, v.payload.size);
			for (unsigned n = 0; n < FRAME; ++n)
				pcm[count + n] = wide[2 * n];
		} else {
			g711_decode(pcm + count, v.payload.data, FRAME, v.payload_type ? G711_ALAW : G711_ULAW);
		}
		count += FRAME;
	}
	for (size_t at = 10 * FRAME; at + FRAME <= count; at += FRAME)
		CHECK(sound_rms(pcm + at, FRAME) > AMPLITUDE / 1.42 * 0.5);
	speaker_fini(&s);
	end();
}

/* Opus counts 48000 ticks a second: such a stream is another one (RFC 7160). */
static void another_clock_is_another_stream(void)
{
	uint8_t bytes[1500];
	struct rtp_view before, v;
	begin(&(struct media_leg_config){0}, CODEC_NONE);
	fake_worker_beat(&b->w);
	CHECK(phone_hears(&before, bytes));
	connect_as(CODEC_OPUS, 30); /* there is no Opus of 30 ms: 20 */
	fake_worker_beat(&b->w);
	CHECK(phone_hears(&v, bytes));
	CHECK(v.ssrc != before.ssrc);
	CHECK(v.marker);
	CHECK_EQ(v.payload_type, PT_OPUS);
	end();
}

/* The answer had several codecs: it may send any of them, from one packet to the next. */
static void the_phone_changes_its_codec_unasked(void)
{
	uint8_t sound[FRAME];
	memset(sound, 0x55, sizeof sound);
	begin(&(struct media_leg_config){0}, CODEC_OPUS);
	struct media_leg_remote r = remote();
	r.payloads[r.payload_count++] = (struct media_leg_payload){0, CODEC_PCMU};
	r.payloads[r.payload_count++] = (struct media_leg_payload){PT_G722, CODEC_G722};
	r.payloads[r.payload_count++] = (struct media_leg_payload){99, CODEC_NONE};
	leg_connect(b->leg, &r);
	fake_worker_beat(&b->w);
	for (unsigned i = 0; i < 60; ++i) {
		phone_says(i / 20 == 1 ? PT_G722 : 0, (uint16_t)i, i * FRAME, 1, span_of(sound, FRAME), b->w.now_us);
		fake_worker_beat(&b->w);
	}
	CHECK(b->count >= 57);
	phone_says(8, 61, 61 * FRAME, 1, span_of(sound, FRAME), b->w.now_us); /* but no other */
	phone_says(PT_DTMF, 62, 62 * FRAME, 1, span_of("\x01\x0a\x00\xa0", 4), b->w.now_us); /* theirs, not ours */
	CHECK_EQ(b->leg->in.drops[LEG_DROP_PAYLOAD], 2);
	phone_says(99, 63, 63 * FRAME, 1, span_of("\x02\x0a\x00\xa0", 4), b->w.now_us);
	CHECK_STR(b->w.digits, "2");
	end();
}

/* Digits beside Opus count in its clock, or in the one that was agreed on. */
static void digits_count_in_their_own_clock(uint32_t agreed_hz, unsigned want)
{
	uint8_t bytes[1500];
	struct rtp_view v;
	struct dtmf_event e;
	begin(&(struct media_leg_config){0}, CODEC_NONE);
	struct media_leg_remote r = remote();
	r.codec = CODEC_OPUS;
	r.pt = PT_OPUS;
	r.dtmf_pt = PT_DTMF_WIDE;
	r.dtmf_hz = agreed_hz;
	leg_connect(b->leg, &r);
	leg_digits(b->leg, "5");
	uint32_t start = 0;
	for (unsigned i = 0; i < 10; ++i) {
		fake_worker_beat(&b->w);
		CHECK(phone_hears(&v, bytes));
		CHECK_EQ(v.payload_type, PT_DTMF_WIDE);
		CHECK(dtmf_event_parse(&e, v.payload));
		start = i ? start : v.timestamp;
		CHECK_EQ(v.timestamp, start);
		CHECK_EQ(e.duration, (i < 7 ? i + 1 : 8) * want);
	}
	for (unsigned i = 10; i < 14; ++i) {
		fake_worker_beat(&b->w);
		CHECK(phone_hears(&v, bytes));
		CHECK_EQ(v.timestamp - start, i * 960);
	}
	end();
}

/* ---- comfort noise ---- */

static void comfort_noise_is_heard(enum codec listens)
{
	uint8_t sound[FRAME];
	memset(sound, 0x20, sizeof sound);
	begin(&(struct media_leg_config){0}, listens);
	fake_worker_beat(&b->w);
	uint16_t seq = 0;
	for (unsigned i = 0; i < 150; ++i) {
		bool talks = i < 50 || i >= 100;
		if (talks)
			phone_says(0, seq++, i * FRAME, 1, span_of(sound, FRAME), b->w.now_us - 1000);
		else if (i == 50)
			phone_says(13, seq++, i * FRAME, 1, span_of("\x28\x30\x40", 3), b->w.now_us - 1000); /* -40 dB */
		fake_worker_beat(&b->w);
	}
	CHECK(b->count >= 147 && b->count <= 151);
	for (size_t i = 1; i < b->count; ++i) {
		CHECK_EQ(b->got[i].seq, (uint16_t)(b->got[i - 1].seq + 1));
		CHECK_EQ(b->got[i].timestamp - b->got[i - 1].timestamp, listens == CODEC_OPUS ? 960 : FRAME);
		if (i > 55 && i < 95)
			CHECK(b->got[i].level >= 38 && b->got[i].level <= 42);
	}
	CHECK_EQ(rtp_count_lost(&b->leg->in.count), 0);
	CHECK_EQ(b->leg->in.voice.concealed, 0);
	end();
}

/* ---- absurdities ---- */

static void absurd_packets_are_counted_not_heard(void)
{
	uint8_t sound[1200];
	memset(sound, 0x20, sizeof sound);
	begin(&(struct media_leg_config){0}, CODEC_PCMU);
	const uint64_t *drops = b->leg->in.drops;
	phone_says(0, 100, 0, 1, span_of(sound, FRAME), 0);
	phone_says(0, 100, 0, 1, span_of(sound, FRAME), 1);           /* replayed */
	phone_says(0, 101, FRAME, 1, span_of(sound, FRAME), 20000);
	phone_says(0, 100, 0, 1, span_of(sound, FRAME), 20001);
	CHECK_EQ(drops[LEG_DROP_REPLAYED], 2);
	phone_says(0, 30000, 5, 1, span_of(sound, FRAME), 20002);     /* far ahead */
	phone_says(0, (uint16_t)(100 - 300), 5, 1, span_of(sound, FRAME), 20003); /* far behind */
	CHECK_EQ(drops[LEG_DROP_WINDOW], 2);
	phone_says(0, 102, 2 * FRAME, 1, span_of(sound, 1200), 20004); /* 150 ms */
	phone_says(0, 102, 2 * FRAME, 1, span_of(sound, 0), 20005);
	phone_says(PT_DTMF, 102, 2 * FRAME, 1, span_of("\x01\x0a\x00", 3), 20006); /* half an event */
	phone_says(13, 102, 2 * FRAME, 1, span_of(sound, 0), 20007);
	CHECK_EQ(drops[LEG_DROP_PAYLOAD], 4);
	phone_says(0, 102, 2 * FRAME, 1, span_of(sound, 77), 40000);  /* an odd length is fine */
	phone_says(0, 103, 2 * FRAME + 77, 1, span_of(sound, FRAME), 50000);
	CHECK_EQ(b->count, 4);
	for (size_t i = 1; i < b->count; ++i)
		CHECK_EQ(b->got[i].seq, 100 + i);
	end();
}

int main(void)
{
	g722_is_made_opus(CODEC_OPUS, 20);
	g722_is_made_opus(CODEC_PCMU, 20);
	g722_is_made_opus(CODEC_PCMA, 30);
	opus_goes_on_as_it_came(CODEC_OPUS);
	opus_goes_on_as_it_came(CODEC_PCMU);
	wide_to_the_phone(CODEC_G722, 20, 20, CODEC_OPUS, 5000);
	wide_to_the_phone(CODEC_G722, 10, 10, CODEC_OPUS, 1000);
	wide_to_the_phone(CODEC_G722, 60, 60, CODEC_OPUS, 1000);
	wide_to_the_phone(CODEC_G722, 20, 20, CODEC_PCMU, 1000);
	wide_to_the_phone(CODEC_OPUS, 20, 20, CODEC_OPUS, 1000);
	wide_to_the_phone(CODEC_OPUS, 10, 10, CODEC_OPUS, 1000);
	wide_to_the_phone(CODEC_OPUS, 60, 60, CODEC_OPUS, 1000);
	wide_to_the_phone(CODEC_OPUS, 50, 40, CODEC_OPUS, 1000);
	another_codec_in_the_middle();
	another_clock_is_another_stream();
	the_phone_changes_its_codec_unasked();
	digits_count_in_their_own_clock(0, 960);
	digits_count_in_their_own_clock(8000, 160);
	comfort_noise_is_heard(CODEC_PCMU);
	comfort_noise_is_heard(CODEC_OPUS);
	absurd_packets_are_counted_not_heard();
	return 0;
}

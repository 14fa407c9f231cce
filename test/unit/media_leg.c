/* A leg between a phone (real sockets on loopback, a clock of our own) and a room (sources and sinks
 * of our own). Sound is judged by ear: a tone goes in, its frequency, level and purity are
 * measured at the other end. */
#include "base/mem.h"
#include "base/reader.h"
#include "base/writer.h"
#include "media/g711.h"
#include "media/leg_private.h"
#include "net/address.h"
#include "test/check.h"
#include "test/unit/leg_bench.h"
#include "test/unit/sound.h"
#include "wire/rtcp.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <opus/opus.h>
#include <unistd.h>

enum {
	SECONDS = 10,
	SOUND_MAX = 8000 * (SECONDS + 3),
	AMPLITUDE = 8000,
	TONE_HZ = 440,
};

/* ---- networks ---- */

struct network {
	const char *name;
	unsigned loss_percent, jitter_us, reorder_percent;
	int drift_ppm;
	unsigned ptime_ms;
	double noise_max, silence_max_s;
	double opus_silence_max_s; /* Opus itself lets a lost pure tone (no voice, so no FEC) fade */
};

static unsigned seed;

static unsigned chance(unsigned below)
{
	seed = seed * 1103515245 + 12345;
	return below ? (seed >> 8) % below : 0;
}

struct arrival {
	uint64_t at_us;
	unsigned packet;
};

static int by_time(const void *x, const void *y)
{
	const struct arrival *a = x, *c = y;
	return a->at_us < c->at_us ? -1 : a->at_us > c->at_us;
}

/* When each packet arrives; the lost ones do not. */
static size_t travel(struct arrival *out, const struct network *n, unsigned packets, uint64_t start_us)
{
	size_t count = 0;
	seed = 42;
	for (unsigned i = 0; i < packets; ++i) {
		uint64_t sent_us = (uint64_t)i * n->ptime_ms * 1000;
		sent_us += (uint64_t)((int64_t)sent_us * n->drift_ppm / 1000000);
		bool lost = chance(100) < n->loss_percent;
		bool overtaken = chance(100) < n->reorder_percent;
		uint64_t delay_us = chance(n->jitter_us) + (overtaken ? 25000 : 0);
		if (!lost)
			out[count++] = (struct arrival){.at_us = start_us + sent_us + delay_us, .packet = i};
	}
	qsort(out, count, sizeof *out, by_time);
	return count;
}

static void judge(const char *what, const struct network *n, const int16_t *pcm, size_t count,
	double opus_silence_s)
{
	double amplitude = 0, noise = sound_noise(pcm, count, TONE_HZ);
	double silence_s = sound_silence_s(pcm, count, AMPLITUDE), rms = sound_rms(pcm, count);
	amplitude = rms * 1.41421356;
	printf("%s, %s: %.2f s, amplitude %.0f, noise %.4f, silent %.2f s\n", what, n->name,
		(double)count / 8000, amplitude, noise, silence_s);
	CHECK(amplitude > AMPLITUDE * 0.8 && amplitude < AMPLITUDE * 1.15);
	CHECK(noise < n->noise_max);
	CHECK(silence_s <= n->silence_max_s + opus_silence_s);
}

static const struct network networks[] = {
	{"clean", .ptime_ms = 20, .noise_max = 0.02},
	{"packets of 10 ms", .ptime_ms = 10, .noise_max = 0.02},
	{"packets of 30 ms", .ptime_ms = 30, .noise_max = 0.02},
	{"packets of 60 ms", .ptime_ms = 60, .noise_max = 0.02},
	{"5 % loss", .ptime_ms = 20, .loss_percent = 5, .noise_max = 0.06, .silence_max_s = 0.2,
		.opus_silence_max_s = 0.6},
	{"30 ms of jitter", .ptime_ms = 20, .jitter_us = 30000, .noise_max = 0.04, .silence_max_s = 0.1},
	{"reordered", .ptime_ms = 20, .reorder_percent = 10, .noise_max = 0.04, .silence_max_s = 0.1},
	{"slow clock, 100 ppm", .ptime_ms = 20, .drift_ppm = 100, .noise_max = 0.02},
	{"fast clock, 5000 ppm", .ptime_ms = 20, .drift_ppm = -5000, .noise_max = 0.04},
	{"slow clock, 5000 ppm", .ptime_ms = 20, .drift_ppm = 5000, .noise_max = 0.06,
		.opus_silence_max_s = 0.1},
};

/* ---- phone -> room ---- */

static size_t decode_recorded(int16_t *pcm)
{
	int error;
	size_t count = 0;
	OpusDecoder *d = opus_decoder_create(8000, 1, &error);
	CHECK(d);
	for (size_t i = 0; i < b->count; ++i) {
		const struct recorded *r = &b->got[i];
		CHECK_EQ(r->codec, CODEC_OPUS);
		if (i) {
			CHECK_EQ(r->seq, (uint16_t)(r[-1].seq + 1));
			CHECK_EQ(r->timestamp - r[-1].timestamp, 960);
			CHECK_EQ(r->ssrc, r[-1].ssrc);
		}
		int got = opus_decode(d, r->bytes, (opus_int32)r->size, pcm + count, 960, 0);
		CHECK_EQ(got, FRAME);
		count += (size_t)got;
	}
	opus_decoder_destroy(d);
	return count;
}

static void tone_to_opus(const struct network *n)
{
	static struct arrival arrivals[PACKETS_MAX];
	static int16_t pcm[SOUND_MAX];
	unsigned samples = n->ptime_ms * 8, packets = SECONDS * 1000 / n->ptime_ms;

	begin(&(struct media_leg_config){0}, CODEC_OPUS);
	fake_worker_beat(&b->w); /* makes the encoder */
	size_t count = travel(arrivals, n, packets, b->w.now_us + 3000), next = 0;
	while (next < count || b->w.now_us < arrivals[count - 1].at_us + 300000) {
		for (; next < count && arrivals[next].at_us < b->w.now_us; ++next) {
			int16_t tone[480];
			uint8_t coded[480];
			unsigned at = arrivals[next].packet;
			sound_tone(tone, samples, (uint64_t)at * samples, TONE_HZ, AMPLITUDE);
			g711_encode(coded, tone, samples, G711_ULAW);
			phone_says(0, (uint16_t)(65000 + at), at * samples, 1, span_of(coded, samples),
				arrivals[next].at_us);
		}
		fake_worker_beat(&b->w);
	}
	CHECK_EQ(b->w.first_rtp, 1);
	size_t heard = decode_recorded(pcm);
	CHECK(heard >= (SECONDS - 1) * 8000 && heard <= SOUND_MAX);
	judge("phone to room", n, pcm + 800, heard - 800, 0);
	CHECK(b->got[100].level >= 14 && b->got[100].level <= 16); /* 8000 of 32768, a sine: -15.3 dB */
	end();
}

static void passed_on_at_once_as_it_came(void)
{
	int16_t tone[FRAME];
	uint8_t coded[FRAME];
	begin(&(struct media_leg_config){0}, CODEC_PCMU);
	for (unsigned i = 0; i < 10; ++i) {
		sound_tone(tone, FRAME, i * FRAME, TONE_HZ, AMPLITUDE);
		g711_encode(coded, tone, FRAME, G711_ULAW);
		phone_says(0, (uint16_t)(100 + i), 5000 + i * FRAME, 1, span_of(coded, FRAME), 1000 + i * FRAME_US);
		CHECK_EQ(b->count, i + 1); /* without a beat */
		CHECK_EQ(b->got[i].codec, CODEC_PCMU);
		CHECK_EQ(b->got[i].seq, 100 + i);
		CHECK_EQ(b->got[i].timestamp, 5000 + i * FRAME);
		CHECK_EQ(b->got[i].size, FRAME);
		CHECK(!memcmp(b->got[i].bytes, coded, FRAME));
		CHECK(b->got[i].level >= 14 && b->got[i].level <= 16);
	}
	CHECK_EQ(b->w.level_ms, 200);
	end();
}

/* The other law is a matter of a table. */
static void passed_on_in_the_other_law(void)
{
	uint8_t coded[FRAME], want[FRAME];
	begin(&(struct media_leg_config){0}, CODEC_PCMA);
	for (unsigned i = 0; i < FRAME; ++i)
		coded[i] = (uint8_t)i;
	g711_convert(want, coded, FRAME, G711_ULAW);
	phone_says(0, 1, 1, 1, span_of(coded, FRAME), 1000);
	CHECK_EQ(b->count, 1);
	CHECK_EQ(b->got[0].codec, CODEC_PCMA);
	CHECK(!memcmp(b->got[0].bytes, want, FRAME));
	end();
}

static void a_broken_stream_is_passed_on_whole(void)
{
	uint8_t sound[FRAME] = {0};
	struct span s = span_of(sound, FRAME);
	begin(&(struct media_leg_config){0}, CODEC_PCMU);
	phone_says(0, 10, 1000, 1, s, 0);
	phone_says(0, 11, 1160, 1, s, 20000);
	phone_says(13, 12, 1320, 1, span_of("\x40", 1), 40000);      /* comfort noise */
	phone_says(PT_DTMF, 13, 1320, 1, span_of("\x01\x0a\x00\xa0", 4), 60000);
	phone_says(0, 14, 1640, 1, s, 80000);
	phone_says(0, 900, 7777777, 99, s, 100000);                  /* another media server */
	phone_says(0, 901, 7777937, 99, s, 120000);
	phone_says(0, 40000, 7778097, 99, s, 140000);                /* a stray? No: */
	phone_says(0, 40001, 7778257, 99, s, 160000);                /* a jump of numbers ... */
	phone_says(0, 40002, 99, 99, s, 180000);                     /* ... and of time */
	CHECK_EQ(b->count, 7);
	CHECK_EQ(b->leg->in.drops[LEG_DROP_WINDOW], 1);
	for (size_t i = 1; i < b->count; ++i) {
		CHECK_EQ(b->got[i].seq, (uint16_t)(b->got[i - 1].seq + 1));
		CHECK_EQ(b->got[i].ssrc, b->got[0].ssrc);
		uint32_t step = b->got[i].timestamp - b->got[i - 1].timestamp;
		CHECK_EQ(step, i == 2 ? 480 : i == 5 ? 320 : 160);
	}
	CHECK_STR(b->w.digits, "1");
	end();
}

static void a_broken_stream_goes_on_as_opus(void)
{
	uint8_t sound[FRAME];
	struct span s = span_of(sound, FRAME);
	memset(sound, 0x10, sizeof sound);
	begin(&(struct media_leg_config){0}, CODEC_OPUS);
	fake_worker_beat(&b->w);
	uint64_t now_us = b->w.now_us;
	for (unsigned i = 0; i < 200; ++i) {
		unsigned part = i / 50; /* SSRC, then sequence numbers, then timestamps change */
		uint16_t seq = (uint16_t)(i + (part >= 2 ? 30000 : 0));
		uint32_t timestamp = i * FRAME + (part >= 3 ? 0x70000000u : 0);
		phone_says(0, seq, timestamp, part >= 1 ? 2 : 1, s, now_us + i * FRAME_US);
		fake_worker_beat(&b->w);
	}
	CHECK(b->count >= 198);
	for (size_t i = 1; i < b->count; ++i)
		CHECK_EQ(b->got[i].seq, (uint16_t)(b->got[i - 1].seq + 1));
	CHECK((b->got[b->count - 1].timestamp - b->got[0].timestamp) / 960 <= 200);
	/* A hold of 5 s: time passed, whatever the timestamps say. */
	phone_says(0, 30200, 0x70000000u + 200 * FRAME, 2, s, now_us + 199 * FRAME_US + 5000000);
	uint32_t step = b->got[b->count - 1].timestamp - b->got[b->count - 2].timestamp;
	CHECK(step > 48000 * 4 && step < 48000 * 6);
	CHECK(b->got[b->count - 1].marker);
	end();
}

static void silence_is_reported_once(void)
{
	uint8_t sound[FRAME] = {0};
	begin(&(struct media_leg_config){.media_timeout_initial_ms = 2000, .media_timeout_ms = 1000},
		CODEC_NONE);
	for (int i = 0; i < 99; ++i)
		fake_worker_beat(&b->w);
	CHECK_EQ(b->w.silent, 0);
	for (int i = 0; i < 50; ++i)
		fake_worker_beat(&b->w);
	CHECK_EQ(b->w.silent, 1);
	phone_says(0, 1, 1, 1, span_of(sound, FRAME), b->w.now_us);
	for (int i = 0; i < 49; ++i)
		fake_worker_beat(&b->w);
	CHECK_EQ(b->w.silent, 1);
	for (int i = 0; i < 49; ++i)
		fake_worker_beat(&b->w);
	CHECK_EQ(b->w.silent, 2);
	CHECK_EQ(b->w.first_rtp, 1);
	end();
}

/* ---- room -> phone ---- */

struct line {
	size_t count;
	unsigned packets;
	uint16_t seq;
	uint32_t timestamp;
	int16_t pcm[SOUND_MAX + 8000];
};
static struct line line;

/* What came out of the leg, checked for even numbering. */
static void listen_on_line(size_t samples, enum g711_law law)
{
	uint8_t bytes[1500];
	struct rtp_view v;
	while (phone_hears(&v, bytes)) {
		CHECK_EQ(v.payload.size, samples);
		CHECK_EQ(v.marker, line.packets == 0);
		if (line.packets) {
			CHECK_EQ(v.seq, (uint16_t)(line.seq + 1));
			CHECK_EQ(v.timestamp - line.timestamp, samples);
		}
		line.seq = v.seq;
		line.timestamp = v.timestamp;
		++line.packets;
		CHECK(line.count + samples <= COUNT_OF(line.pcm));
		g711_decode(line.pcm + line.count, v.payload.data, samples, law);
		line.count += samples;
	}
}

static void tone_to_phone(const struct network *n, enum codec codec)
{
	static struct arrival arrivals[PACKETS_MAX];
	static uint8_t packets[PACKETS_MAX][1000];
	static size_t sizes[PACKETS_MAX];
	struct speaker s;
	unsigned count = SECONDS * 1000 / n->ptime_ms, warm_up = 5;

	begin(&(struct media_leg_config){0}, CODEC_NONE);
	speaker_init(&s, 20, codec, TONE_HZ, AMPLITUDE);
	for (unsigned i = 0; i < count; ++i)
		sizes[i] = speaker_packet(&s, i, n->ptime_ms, packets[i]);
	leg_hear(b->leg, &s.source);
	line = (struct line){0};
	for (unsigned i = 0; i < warm_up; ++i)
		fake_worker_beat(&b->w);
	size_t arrived = travel(arrivals, n, count, b->w.now_us + 3000), next = 0;
	for (unsigned beat = 0; beat < SECONDS * 50; ++beat) {
		for (; next < arrived && arrivals[next].at_us < b->w.now_us; ++next) {
			unsigned at = arrivals[next].packet;
			speaker_says(&s, at, n->ptime_ms, span_of(packets[at], sizes[at]), 20,
				arrivals[next].at_us);
		}
		fake_worker_beat(&b->w);
		listen_on_line(FRAME, G711_ULAW);
	}
	CHECK_EQ(line.packets, warm_up + SECONDS * 50); /* one for each beat, from the first */
	size_t from = warm_up * FRAME + 4 * FRAME;
	judge("room to phone", n, line.pcm + from, line.count - from - FRAME,
		codec == CODEC_OPUS || codec == CODEC_RED ? n->opus_silence_max_s : 0);
	speaker_fini(&s);
	/* What had come of it is played out. */
	for (int i = 0; i < 15; ++i)
		fake_worker_beat(&b->w);
	CHECK(list_empty(&b->leg->out.voices));
	end();
}

/* How long a packet takes through the leg, of a stream that arrives right before the beat. */
static void delay_to_the_phone(void)
{
	uint8_t packet[1000];
	struct speaker s;
	begin(&(struct media_leg_config){0}, CODEC_NONE);
	speaker_init(&s, 20, CODEC_PCMU, TONE_HZ, AMPLITUDE);
	leg_hear(b->leg, &s.source);
	line = (struct line){0};
	for (unsigned i = 0; i < 20; ++i) {
		if (i >= 10) {
			size_t size = speaker_packet(&s, i - 10, 20, packet);
			speaker_says(&s, i - 10, 20, span_of(packet, size), 20, b->w.now_us - 1000);
		}
		fake_worker_beat(&b->w);
		listen_on_line(FRAME, G711_ULAW);
		CHECK_EQ(sound_rms(line.pcm + line.count - FRAME, FRAME) > 1000, i >= 10);
	}
	speaker_fini(&s);
	end();
}

static void two_voices_are_mixed(void)
{
	uint8_t packet[1000];
	struct speaker one, two;
	begin(&(struct media_leg_config){0}, CODEC_NONE);
	speaker_init(&one, 21, CODEC_OPUS, 400, 6000);
	speaker_init(&two, 22, CODEC_PCMA, 1000, 6000);
	leg_hear(b->leg, &one.source);
	leg_hear(b->leg, &two.source);
	leg_hear(b->leg, &two.source);          /* not twice */
	leg_hear(b->leg, leg_source(b->leg));   /* never oneself */
	CHECK_EQ(b->leg->out.voice_count, 2);
	line = (struct line){0};
	for (unsigned i = 0; i < 100; ++i) {
		size_t size = speaker_packet(&one, i, 20, packet);
		speaker_says(&one, i, 20, span_of(packet, size), 20, b->w.now_us - 2000);
		size = speaker_packet(&two, i, 20, packet);
		speaker_says(&two, i, 20, span_of(packet, size), 127, b->w.now_us - 1000);
		fake_worker_beat(&b->w);
		listen_on_line(FRAME, G711_ULAW);
	}
	double a = sound_amplitude(line.pcm + 4000, 8000, 400), c = sound_amplitude(line.pcm + 4000, 8000, 1000);
	CHECK(a > 5000 && a < 7000 && c > 5000 && c < 7000);

	leg_unhear(b->leg, 22);
	for (unsigned i = 100; i < 150; ++i) {
		size_t size = speaker_packet(&one, i, 20, packet);
		speaker_says(&one, i, 20, span_of(packet, size), 20, b->w.now_us - 2000);
		fake_worker_beat(&b->w);
		listen_on_line(FRAME, G711_ULAW);
	}
	CHECK(sound_amplitude(line.pcm + line.count - 4000, 4000, 1000) < 300);
	CHECK(sound_amplitude(line.pcm + line.count - 4000, 4000, 400) > 5000);
	speaker_fini(&one); /* the room takes it away */
	CHECK_EQ(b->leg->out.voice_count, 0);
	speaker_fini(&two);
	end();
}

static void a_voice_that_says_it_is_silent_is_not_decoded(void)
{
	uint8_t packet[1000];
	struct speaker s;
	begin(&(struct media_leg_config){0}, CODEC_NONE);
	speaker_init(&s, 20, CODEC_PCMU, TONE_HZ, AMPLITUDE);
	leg_hear(b->leg, &s.source);
	line = (struct line){0};
	for (unsigned i = 0; i < 60; ++i) {
		/* Sound by its bytes, silence by its level: whoever decodes it is found out. */
		size_t size = speaker_packet(&s, i, 20, packet);
		speaker_says(&s, i, 20, span_of(packet, size), i < 20 ? 30 : 127, b->w.now_us - 2000);
		fake_worker_beat(&b->w);
		listen_on_line(FRAME, G711_ULAW);
	}
	CHECK(sound_rms(line.pcm + FRAME, 15 * FRAME) > 4000);
	CHECK(sound_rms(line.pcm + 25 * FRAME, 30 * FRAME) < 10);
	speaker_fini(&s);
	end();
}

static void other_packet_times(void)
{
	static const uint8_t times_ms[] = {10, 20, 30, 40, 50, 60};
	for (size_t t = 0; t < COUNT_OF(times_ms); ++t) {
		uint8_t packet[1000];
		struct speaker s;
		begin(&(struct media_leg_config){0}, CODEC_NONE);
		struct media_leg_remote r = remote();
		r.ptime_ms = times_ms[t];
		r.codec = CODEC_PCMA;
		r.pt = 8;
		leg_connect(b->leg, &r);
		speaker_init(&s, 20, CODEC_PCMU, TONE_HZ, AMPLITUDE);
		leg_hear(b->leg, &s.source);
		line = (struct line){0};
		for (unsigned i = 0; i < 150; ++i) {
			size_t size = speaker_packet(&s, i, 20, packet);
			speaker_says(&s, i, 20, span_of(packet, size), 20, b->w.now_us - 2000);
			fake_worker_beat(&b->w);
			listen_on_line(times_ms[t] * 8u, G711_ALAW);
		}
		CHECK_EQ(line.packets, 3000 / times_ms[t]);
		CHECK(sound_noise(line.pcm, line.count, TONE_HZ) < 0.02);
		speaker_fini(&s);
		end();
	}
}

static void nothing_is_sent_on_hold(void)
{
	uint8_t bytes[1500];
	struct rtp_view v, before;
	begin(&(struct media_leg_config){0}, CODEC_NONE);
	fake_worker_beat(&b->w);
	CHECK(phone_hears(&before, bytes));
	struct media_leg_remote r = remote();
	r.send = false;
	leg_connect(b->leg, &r);
	for (int i = 0; i < 10; ++i)
		fake_worker_beat(&b->w);
	CHECK(!phone_hears(&v, bytes));
	r.send = true;
	leg_connect(b->leg, &r);
	fake_worker_beat(&b->w);
	CHECK(phone_hears(&v, bytes));
	CHECK_EQ(v.seq, (uint16_t)(before.seq + 1));
	CHECK_EQ(v.timestamp - before.timestamp, 11 * FRAME); /* time went on */
	CHECK(v.marker);
	end();
}

/* ---- digits ---- */

static void digits_go_out_between_the_sound(void)
{
	uint8_t bytes[1500];
	struct rtp_view v;
	unsigned events = 0, sounds = 0;
	uint16_t seq = 0;
	uint32_t clock = 0;
	struct dtmf_receiver far = {0};
	char got[8] = "";

	begin(&(struct media_leg_config){0}, CODEC_NONE);
	leg_digits(b->leg, "x");
	CHECK_EQ(b->w.digits_done, 1); /* nothing to do is done at once */
	b->w.digits_done = 0;
	leg_digits(b->leg, "42#");
	for (unsigned i = 0; i < 60; ++i) {
		fake_worker_beat(&b->w);
		CHECK(phone_hears(&v, bytes)); /* exactly one packet for each beat */
		if (i)
			CHECK_EQ(v.seq, (uint16_t)(seq + 1));
		seq = v.seq;
		if (v.payload_type == PT_DTMF) {
			char digit;
			++events;
			if (dtmf_receiver_packet(&far, v.payload, v.timestamp, &digit)) {
				got[strlen(got)] = digit;
				CHECK(v.marker);
				if (i)
					CHECK_EQ(v.timestamp - clock, i * FRAME); /* aligned with the sound */
				else
					clock = v.timestamp;
			}
		} else {
			++sounds;
			CHECK_EQ(v.timestamp - clock, i * FRAME);
		}
		CHECK(!phone_hears(&v, bytes));
	}
	CHECK_STR(got, "42#");
	CHECK_EQ(events, 30);
	CHECK_EQ(sounds, 30);
	CHECK_EQ(b->w.digits_done, 1);
	end();
}

static void without_telephone_event_the_tone_itself_is_sent(void)
{
	begin(&(struct media_leg_config){0}, CODEC_NONE);
	struct media_leg_remote r = remote();
	r.dtmf_pt = 0;
	leg_connect(b->leg, &r);
	leg_digits(b->leg, "6"); /* 770 and 1477 Hz */
	line = (struct line){0};
	for (unsigned i = 0; i < 13; ++i) {
		fake_worker_beat(&b->w);
		listen_on_line(FRAME, G711_ULAW);
	}
	CHECK(sound_amplitude(line.pcm, 1280, 770) > 4000);
	CHECK(sound_amplitude(line.pcm, 1280, 1477) > 4000);
	CHECK(sound_rms(line.pcm + 1280, 800) < 10);
	CHECK_EQ(b->w.digits_done, 1);
	end();
}

/* A key pressed while the phone speaks is a pause for the listeners, not a loss to be concealed. */
static void a_digit_is_no_hole_in_the_opus_stream(void)
{
	uint8_t sound[FRAME], event[4] = {1, 0x0a, 0, 160};
	memset(sound, 0x20, sizeof sound);
	begin(&(struct media_leg_config){0}, CODEC_OPUS);
	fake_worker_beat(&b->w);
	for (unsigned i = 0; i < 60; ++i) {
		bool key = i >= 20 && i < 30;
		phone_says(key ? PT_DTMF : 0, (uint16_t)i, key ? 20 * FRAME : i * FRAME, 1,
			key ? span_of(event, 4) : span_of(sound, FRAME), b->w.now_us);
		fake_worker_beat(&b->w);
	}
	CHECK_EQ(b->count, 50);
	CHECK_EQ(b->leg->in.voice.concealed, 0);
	CHECK_EQ(b->got[20].timestamp - b->got[19].timestamp, 11 * 960);
	CHECK(b->got[20].marker);
	CHECK_STR(b->w.digits, "1");
	end();
}

static void digits_come_in_once(void)
{
	uint8_t sound[FRAME] = {0};
	begin(&(struct media_leg_config){0}, CODEC_PCMU);
	uint16_t seq = 1;
	for (unsigned digit = 0; digit < 4; ++digit)
		for (unsigned i = 0; i < 10; ++i, ++seq) {
			uint8_t event[4] = {(uint8_t)digit, i > 6 ? 0x8a : 0x0a, (uint8_t)((i + 1) * 160 >> 8),
				(uint8_t)((i + 1) * 160)};
			if ((i + digit) % 3 == 0) /* every third is lost, for 0 and 3 the first */
				continue;
			phone_says(PT_DTMF, seq, digit * 3000, 1, span_of(event, 4), seq * FRAME_US);
		}
	phone_says(0, seq, 12000, 1, span_of(sound, FRAME), seq * FRAME_US);
	CHECK_STR(b->w.digits, "0123");
	CHECK_EQ(b->count, 1); /* only the sound went on */
	end();
}

/* ---- reports ---- */

static void reports_both_ways(void)
{
	uint8_t sound[FRAME] = {0}, bytes[1500], heard[1500];
	struct rtp_view v;
	begin(&(struct media_leg_config){0}, CODEC_NONE);
	struct sockaddr_storage from = b->leg->remote.rtcp;
	/* SR of SSRC 1: NTP 0x00011234.56780000. */
	const uint8_t sr[28] = {0x80, 200, 0, 6, 0, 0, 0, 1, 0x00, 0x01, 0x12, 0x34, 0x56, 0x78};
	leg_rtcp_datagram(b->leg, (struct sockaddr *)&from, span_of(sr, sizeof sr), b->w.now_us);
	leg_rtcp_datagram(b->leg, (struct sockaddr *)&from, span_of(sr, 7), b->w.now_us);
	CHECK_EQ(b->leg->in.drops[LEG_DROP_RTCP], 1);
	uint64_t start_us = b->w.now_us;
	unsigned beats = 0;
	ssize_t size;
	while ((size = recv(b->phone_rtcp, bytes, sizeof bytes, MSG_DONTWAIT)) < 0) {
		CHECK(++beats <= 151);
		if (beats % 10) /* one in ten is lost */
			phone_says(0, (uint16_t)beats, beats * FRAME, 1, span_of(sound, FRAME), b->w.now_us);
		fake_worker_beat(&b->w);
		CHECK(phone_hears(&v, heard));
	}
	CHECK(beats >= 50);
	struct reader r = reader_of(span_of(bytes, (size_t)size));
	struct rtcp_packet p;
	struct rtcp_sender sender;
	struct rtcp_report report;
	struct span cname;
	uint32_t ssrc;
	CHECK(rtcp_valid(span_of(bytes, (size_t)size)));
	CHECK(rtcp_next(&p, &r) && rtcp_read_sender(&sender, &p));
	CHECK_EQ(sender.ssrc, v.ssrc);
	CHECK(sender.ntp >> 32 > 3900000000u); /* after 2023, in seconds since 1900 */
	CHECK_EQ(sender.rtp_timestamp, v.timestamp + FRAME);
	CHECK_EQ(sender.packets, beats);
	CHECK_EQ(sender.octets, beats * FRAME);
	CHECK(rtcp_next(&p, &r) && rtcp_read_report(&report, &p, 0));
	CHECK_EQ(report.ssrc, 1);
	CHECK(report.fraction_lost >= 15 && report.fraction_lost <= 30);
	CHECK(report.lost >= 4 && report.lost <= 15);
	CHECK_EQ(report.highest_seq, beats % 10 ? beats : beats - 1);
	CHECK_EQ(report.jitter, 0);
	CHECK_EQ(report.last_sr, 0x12345678);
	uint32_t want = (uint32_t)((b->w.now_us - FRAME_US - start_us) * 65536 / 1000000);
	CHECK(report.delay_since_sr >= want - 2 && report.delay_since_sr <= want + 2);
	CHECK(rtcp_next(&p, &r) && rtcp_read_cname(&ssrc, &cname, &p));
	CHECK_EQ(ssrc, v.ssrc);
	CHECK(!rtcp_next(&p, &r) && !r.bad);
	unsigned sent = beats; /* a first report is about all that was sent */
	for (; b->w.stats_count < 2; ++sent) /* the first comes before the first loss */
		fake_worker_beat(&b->w);
	CHECK(b->w.stats.received > 0 && b->w.stats.lost > 0 && b->w.stats.sent > 0);

	/* The phone answers with what it heard of us: loss, jitter, and the round trip by our own clock. */
	uint8_t rr[64];
	struct writer w = writer_of(rr, sizeof rr);
	rtcp_write_receiver(&w, 1,
		&(struct rtcp_report){.ssrc = sender.ssrc, .lost = 2, .highest_seq = v.seq, .jitter = 80,
			.last_sr = (uint32_t)(sender.ntp >> 16), .delay_since_sr = 0},
		1);
	leg_rtcp_datagram(b->leg, (struct sockaddr *)&from, writer_span(&w), b->w.now_us);
	for (int i = 0; i < 50; ++i)
		fake_worker_beat(&b->w);
	CHECK_EQ(b->w.stats.far_lost, 2);
	CHECK_EQ(b->w.stats.far_expected, sent);
	CHECK_EQ(b->w.stats.far_jitter_us, 10000);
	CHECK(b->w.stats.rtt_us > 0 && b->w.stats.rtt_us < 5000000);
	end();
}

/* ---- sockets and life ---- */

static void through_the_real_sockets(void)
{
	uint8_t out[1500], sound[FRAME] = {0};
	begin(&(struct media_leg_config){0}, CODEC_PCMU);
	struct span p = rtp_packet(out, 0, false, 1, 1, 1, span_of(sound, FRAME));
	for (int i = 0; i < 20; ++i) {
		out[3] = (uint8_t)i;
		CHECK_EQ(sendto(b->phone_rtp, p.data, p.size, 0, (struct sockaddr *)&b->leg_rtp,
				 sizeof(struct sockaddr_in)), (ssize_t)p.size);
	}
	for (int i = 0; i < 100 && b->count < 20; ++i)
		fake_worker_turn(&b->w);
	CHECK_EQ(b->count, 20);
	CHECK_EQ(b->w.first_rtp, 1);
	end();
}

static void before_it_is_connected_a_leg_is_deaf(void)
{
	struct worker w;
	struct sockaddr_storage to, other;
	struct leg *l;
	uint8_t sound[200] = {0x80};
	fake_worker_init(&w);
	int rtp = bound(&to), rtcp = bound(&other), phone = bound(&other);
	CHECK_EQ(leg_new(&l, &w, 1, rtp, rtcp, &(struct media_leg_config){.latch = true}), 0);
	CHECK(sendto(phone, sound, sizeof sound, 0, (struct sockaddr *)&to, sizeof(struct sockaddr_in)) > 0);
	fake_worker_turn(&w);
	fake_worker_beat(&w);
	CHECK_EQ(l->in.drops[LEG_DROP_EARLY], 1);
	CHECK_EQ(w.first_rtp, 0);
	leg_free(l);
	close(phone);
	fake_worker_fini(&w);
	CHECK_EQ(mem_live(), 0);
}

static void every_allocation_may_fail(void)
{
	for (int n = 0;; ++n) {
		struct worker w;
		struct sockaddr_storage a, c;
		struct leg *l = NULL;
		fake_worker_init(&w);
		int rtp = bound(&a), rtcp = bound(&c);
		mem_fail_after(n);
		int r = leg_new(&l, &w, 1, rtp, rtcp, &(struct media_leg_config){0});
		mem_fail_after(-1);
		leg_free(l);
		fake_worker_fini(&w);
		CHECK_EQ(mem_live(), 0);
		/* Both descriptors are closed either way. */
		CHECK(fcntl(rtp, F_GETFD) < 0 && fcntl(rtcp, F_GETFD) < 0);
		if (r == 0)
			break;
		CHECK(r < 0 && !l);
	}
	begin(&(struct media_leg_config){0}, CODEC_OPUS);
	struct speaker s;
	speaker_init(&s, 20, CODEC_OPUS, TONE_HZ, AMPLITUDE);
	mem_fail_after(0);
	leg_hear(b->leg, &s.source);
	fake_worker_beat(&b->w); /* no encoder yet: tried again at the next beat */
	mem_fail_after(1);
	leg_hear(b->leg, &s.source);
	mem_fail_after(-1);
	CHECK_EQ(b->leg->out.voice_count, 0);
	fake_worker_beat(&b->w);
	CHECK(phone_voice_started(&b->leg->in.voice));
	speaker_fini(&s);
	end();
}

static void a_call_is_small(void)
{
	size_t bytes = sizeof(struct leg) + sizeof(struct leg_voice) + (size_t)opus_encoder_get_size(1) +
		(size_t)opus_decoder_get_size(1);
	printf("one call with one voice and an encoder: %zu bytes\n", bytes);
	CHECK(bytes < 150000);
}

int main(void)
{
	passed_on_at_once_as_it_came();
	passed_on_in_the_other_law();
	a_broken_stream_is_passed_on_whole();
	a_broken_stream_goes_on_as_opus();
	silence_is_reported_once();
	delay_to_the_phone();
	two_voices_are_mixed();
	a_voice_that_says_it_is_silent_is_not_decoded();
	other_packet_times();
	nothing_is_sent_on_hold();
	digits_go_out_between_the_sound();
	without_telephone_event_the_tone_itself_is_sent();
	digits_come_in_once();
	a_digit_is_no_hole_in_the_opus_stream();
	reports_both_ways();
	through_the_real_sockets();
	before_it_is_connected_a_leg_is_deaf();
	every_allocation_may_fail();
	a_call_is_small();
	for (size_t i = 0; i < COUNT_OF(networks); ++i)
		tone_to_opus(&networks[i]);
	for (size_t i = 0; i < COUNT_OF(networks); ++i)
		tone_to_phone(&networks[i], networks[i].ptime_ms == 30 ? CODEC_PCMU : i % 9 ? CODEC_OPUS : CODEC_RED);
	tone_to_phone(&networks[5], CODEC_PCMU);
	tone_to_phone(&networks[4], CODEC_PCMA);
	tone_to_phone(&networks[4], CODEC_RED);
	return 0;
}

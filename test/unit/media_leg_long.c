/* Ten minutes of a call by a clock of our own: the phone's and the speaker's clocks are 100 ppm off, the
 * network loses 5 % and delays by up to 60 ms. The delay through the leg ends as it began. */
#include "base/mem.h"
#include "media/g711.h"
#include "test/check.h"
#include "test/unit/leg_bench.h"
#include "test/unit/sound.h"

enum {
	SECONDS = 600,
	BEATS = SECONDS * 50,
	JITTER_US = 60000,
	LOSS_PERCENT = 5,
	PIECE_BEATS = 30 * 50, /* half a minute */
	PIECES = BEATS / PIECE_BEATS,
};

static unsigned seed = 5;

static unsigned chance(unsigned below)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % below;
}

struct arrival {
	uint64_t at_us;
	unsigned packet;
};
static struct arrival arrivals[BEATS];

static int by_time(const void *x, const void *y)
{
	const struct arrival *a = x, *c = y;
	return a->at_us < c->at_us ? -1 : a->at_us > c->at_us;
}

static size_t travel(int drift_ppm, uint64_t start_us)
{
	size_t count = 0;
	for (unsigned i = 0; i < BEATS; ++i) {
		int64_t sent_us = (int64_t)i * FRAME_US;
		sent_us += sent_us * drift_ppm / 1000000;
		if (chance(100) >= LOSS_PERCENT)
			arrivals[count++] = (struct arrival){start_us + (uint64_t)sent_us + chance(JITTER_US), i};
	}
	qsort(arrivals, count, sizeof *arrivals, by_time);
	return count;
}

/* How much sound waits in the leg, by its own figures, averaged over half minutes. */
static void room_to_phone(int drift_ppm)
{
	uint8_t bytes[1500], coded[FRAME];
	int16_t tone[FRAME];
	struct rtp_view v;
	struct speaker s;
	double depth_ms[PIECES] = {0};
	size_t next = 0, made_up = 0;

	begin(&(struct media_leg_config){0}, CODEC_NONE);
	speaker_init(&s, 20, CODEC_PCMU, 300, 8000);
	leg_hear(b->leg, &s.source);
	size_t count = travel(drift_ppm, b->w.now_us);
	for (unsigned beat = 0; beat < BEATS; ++beat) {
		for (; next < count && arrivals[next].at_us < b->w.now_us; ++next) {
			unsigned at = arrivals[next].packet;
			sound_tone(tone, FRAME, (uint64_t)at * FRAME, 300, 8000);
			g711_encode(coded, tone, FRAME, G711_ULAW);
			speaker_says(&s, at, 20, span_of(coded, FRAME), 20, arrivals[next].at_us);
		}
		fake_worker_beat(&b->w);
		while (phone_hears(&v, bytes))
			continue;
		depth_ms[beat / PIECE_BEATS] += (double)b->w.stats.buffer_ms / PIECE_BEATS;
		made_up = b->w.stats.concealed;
	}
	double first = depth_ms[1], least = first, most = first;
	for (int i = 1; i < PIECES; ++i) {
		least = depth_ms[i] < least ? depth_ms[i] : least;
		most = depth_ms[i] > most ? depth_ms[i] : most;
	}
	double share = (double)made_up / BEATS;
	printf("room to phone, %d ppm: %.0f ms in the second half minute, %.0f to %.0f over ten minutes, %.0f in the "
	       "last; %.1f %% of the beats made up\n", drift_ppm, first, least, most, depth_ms[PIECES - 1], share * 100);
	CHECK(most < 90 && most - least < 25);
	CHECK(depth_ms[PIECES - 1] < first + 15 && depth_ms[PIECES - 1] > first - 15);
	CHECK(share < 0.09); /* of which 5 % were lost */
	speaker_fini(&s);
	end();
}

static size_t passed_on;
static uint32_t first_timestamp, last_timestamp;
static uint64_t delay_sum_us[PIECES], delay_count[PIECES];
static uint64_t began_us;

static void note(struct source_sink *s, const struct media_packet *p)
{
	if (!passed_on++)
		first_timestamp = p->rtp->timestamp;
	last_timestamp = p->rtp->timestamp;
	/* The sound's own time against the time at which it leaves. */
	uint64_t sound_us = (uint64_t)(p->rtp->timestamp - first_timestamp) * 1000 / 48;
	uint64_t left_us = p->arrived_us - began_us;
	unsigned piece = (unsigned)(sound_us / ((uint64_t)PIECE_BEATS * FRAME_US));
	if (piece < PIECES) {
		delay_sum_us[piece] += left_us > sound_us ? left_us - sound_us : 0;
		++delay_count[piece];
	}
}

/* Made Opus: every frame of the ten minutes is there, and leaves as late in the end as in the beginning;
 * what the phone's clock is off is for the listener's buffer. */
static void phone_to_room(int drift_ppm)
{
	uint8_t coded[FRAME];
	int16_t tone[FRAME];
	size_t next = 0;

	passed_on = 0;
	memset(delay_sum_us, 0, sizeof delay_sum_us);
	memset(delay_count, 0, sizeof delay_count);
	begin(&(struct media_leg_config){0}, CODEC_OPUS);
	b->sink.write = note;
	fake_worker_beat(&b->w);
	began_us = b->w.now_us;
	size_t count = travel(drift_ppm, began_us);
	for (unsigned beat = 0; beat < BEATS + 20; ++beat) {
		for (; next < count && arrivals[next].at_us < b->w.now_us; ++next) {
			unsigned at = arrivals[next].packet;
			sound_tone(tone, FRAME, (uint64_t)at * FRAME, 300, 8000);
			g711_encode(coded, tone, FRAME, G711_ULAW);
			phone_says(0, (uint16_t)at, at * FRAME, 1, span_of(coded, FRAME), arrivals[next].at_us);
		}
		fake_worker_beat(&b->w);
		uint8_t bytes[1500];
		struct rtp_view v;
		while (phone_hears(&v, bytes))
			continue;
	}
	double first = (double)delay_sum_us[0] / (double)delay_count[0] / 1000;
	double last = (double)delay_sum_us[PIECES - 1] / (double)delay_count[PIECES - 1] / 1000;
	double drift_ms = SECONDS * 1e-3 * drift_ppm * (PIECES - 1) / PIECES;
	printf("phone to room, %d ppm: %zu frames, %u of timestamps, %.0f ms late at first, %.0f in the end, of which "
	       "%.0f are the clock's; late %llu\n", drift_ppm, passed_on, (last_timestamp - first_timestamp) / 960 + 1, first, last,
		drift_ms, (unsigned long long)b->w.stats.late);
	CHECK(passed_on > BEATS - 10 && passed_on <= BEATS);
	CHECK_EQ((last_timestamp - first_timestamp) / 960 + 1, passed_on);
	CHECK(fabs(last - first - drift_ms) < 15);
	CHECK(b->w.stats.late < BEATS / 200);
	end();
}

int main(void)
{
	room_to_phone(100);
	room_to_phone(-100);
	phone_to_room(100);
	return 0;
}

/* The two ends of a call as a leg knows them: what is heard before the answer, and what is still
 * played after the hang-up. Sockets on loopback, a clock of our own. */
#include "base/mem.h"
#include "base/writer.h"
#include "media/g711.h"
#include "media/leg_private.h"
#include "net/address.h"
#include "test/check.h"
#include "test/unit/fake_worker.h"
#include "test/unit/sound.h"

#include <arpa/inet.h>
#include <unistd.h>

enum { FRAME = 160, AMPLITUDE = 8000, PT_DTMF = 101 };

static struct worker w;
static struct leg *leg;
static int phone, phone_rtcp; /* of their own: a report is no sound, and the first comes when chance says so */
static struct media_leg_remote remote;
static struct source_sink room;
static int16_t heard[8000 * 8]; /* by the room */
static size_t heard_count;

static int bound(struct sockaddr_storage *ret)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof a;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&a, size) == 0);
	CHECK_EQ(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	*ret = (struct sockaddr_storage){0};
	memcpy(ret, &a, sizeof a);
	return fd;
}

static void in_the_room(struct source_sink *s, const struct media_packet *p)
{
	CHECK_EQ(p->codec, CODEC_PCMU);
	CHECK(heard_count + p->rtp->payload.size <= COUNT_OF(heard));
	g711_decode(heard + heard_count, p->rtp->payload.data, p->rtp->payload.size, G711_ULAW);
	heard_count += p->rtp->payload.size;
}

static void begin(const struct media_leg_config *config)
{
	struct sockaddr_storage a, b;
	fake_worker_init(&w);
	heard_count = 0;
	phone = bound(&a);
	phone_rtcp = bound(&b);
	remote = (struct media_leg_remote){.rtp = a, .rtcp = b, .codec = CODEC_PCMU, .dtmf_pt = PT_DTMF,
		.ptime_ms = 20, .send = true, .receive = true};
	int rtp = bound(&a), rtcp = bound(&a);
	CHECK_EQ(leg_new(&leg, &w, 7, rtp, rtcp, config), 0);
	room = (struct source_sink){.codec = CODEC_PCMU, .write = in_the_room};
	list_init(&room.link);
	source_add_sink(leg_source(leg), &room);
}

static void end(void)
{
	leg = leg_free(leg);
	fake_worker_fini(&w);
	close(phone);
	close(phone_rtcp);
	CHECK_EQ(mem_live(), 0);
}

static void connect_leg(bool early)
{
	remote.early = early;
	leg_connect(leg, &remote);
}

static void beats(unsigned count)
{
	while (count--)
		fake_worker_beat(&w);
}

static void phone_says(unsigned at)
{
	uint8_t sound[FRAME], bytes[FRAME + RTP_HEADER_BYTES];
	int16_t pcm[FRAME];
	struct writer out = writer_of(bytes, sizeof bytes);
	sound_tone(pcm, FRAME, at * FRAME, 700, AMPLITUDE);
	g711_encode(sound, pcm, FRAME, G711_ULAW);
	rtp_write(&out, &(struct rtp_view){.seq = (uint16_t)at, .timestamp = at * FRAME, .ssrc = 5,
				.payload = span_of(sound, FRAME)});
	leg_receive_rtp(leg, (struct sockaddr *)&remote.rtp, writer_span(&out), w.now_us);
}

/* The loudest sample of what the phone got; *events counts its digits' packets. */
static int phone_hears(unsigned *packets, unsigned *events)
{
	uint8_t bytes[1500];
	struct rtp_view v;
	int loudest = 0;
	ssize_t size;
	*packets = *events = 0;
	while ((size = recv(phone, bytes, sizeof bytes, 0)) > 0) {
		int16_t pcm[1500];
		CHECK_EQ(rtp_parse(&v, span_of(bytes, (size_t)size)), RTP_OK);
		++*packets;
		if (v.payload_type == PT_DTMF) {
			++*events;
			continue;
		}
		g711_decode(pcm, v.payload.data, v.payload.size, G711_ULAW);
		for (size_t i = 0; i < v.payload.size; ++i)
			loudest = abs(pcm[i]) > loudest ? abs(pcm[i]) : loudest;
	}
	return loudest;
}

static struct source person;

static void person_says(unsigned at)
{
	uint8_t sound[FRAME];
	int16_t pcm[FRAME];
	sound_tone(pcm, FRAME, at * FRAME, 440, AMPLITUDE);
	g711_encode(sound, pcm, FRAME, G711_ULAW);
	struct rtp_view v = {.seq = (uint16_t)at, .timestamp = at * FRAME, .ssrc = 20, .payload = span_of(sound, FRAME)};
	source_push(&person, &(struct media_packet){.rtp = &v, .codec = CODEC_PCMU, .level = 20, .arrived_us = w.now_us});
}

/* ---- before the answer ---- */

static void an_announcement_is_heard_and_the_room_is_not(void)
{
	unsigned packets, events;
	begin(&(struct media_leg_config){.media_timeout_initial_ms = 200, .media_timeout_ms = 100});
	source_init(&person, 20);
	connect_leg(true);
	leg_hear(leg, &person);
	for (unsigned i = 0; i < 50; ++i) {
		phone_says(i);
		person_says(i);
		beats(1);
	}
	CHECK_EQ(heard_count, 50 * FRAME);
	CHECK(sound_amplitude(heard + 800, 4000, 700) > AMPLITUDE * 0.9);
	CHECK(phone_hears(&packets, &events) < 20);
	CHECK_EQ(packets, 50); /* silence, which opens the way */
	/* An announcement may end, and the phone ring on without a sound. */
	beats(100);
	CHECK_EQ(w.silent, 0);
	(void)phone_hears(&packets, &events);

	connect_leg(false);
	for (unsigned i = 50; i < 63; ++i) {
		person_says(i);
		beats(1);
	}
	CHECK(phone_hears(&packets, &events) > AMPLITUDE / 2);
	CHECK_EQ(w.silent, 1); /* after the answer it must speak: 200 ms, as at the start */
	source_fini(&person);
	end();
}

static void a_ringing_tone_until_the_phone_is_heard(void)
{
	begin(&(struct media_leg_config){0});
	leg_ringback(leg, &(struct media_ringback){.hz = {440, 480}, .cadence_ms = {200, 300}});
	beats(50); /* 1 s, two cycles */
	CHECK_EQ(heard_count, 50 * FRAME);
	CHECK(sound_amplitude(heard, 1600, 440) > 3000 && sound_amplitude(heard, 1600, 480) > 3000);
	CHECK(sound_rms(heard + 1600, 2400) < 10);
	CHECK(sound_amplitude(heard + 4000, 1600, 440) > 3000);
	CHECK_EQ(w.levels, 0); /* nobody speaks */

	connect_leg(true); /* described, but silent: it goes on */
	heard_count = 0;
	beats(10);
	CHECK_EQ(heard_count, 10 * FRAME);
	phone_says(1);
	beats(10);
	CHECK_EQ(heard_count, 11 * FRAME);
	CHECK(w.levels > 0);

	/* Never after the answer. */
	connect_leg(false);
	leg_ringback(leg, &(struct media_ringback){.hz = {440}, .cadence_ms = {200, 300}});
	beats(10);
	CHECK_EQ(heard_count, 11 * FRAME);
	end();

	begin(&(struct media_leg_config){0});
	leg_ringback(leg, &(struct media_ringback){.hz = {440}, .cadence_ms = {200, 300}});
	beats(5);
	connect_leg(false);
	beats(10);
	CHECK_EQ(heard_count, 5 * FRAME);
	end();
	/* Freed while it rings; a tone without a cadence is none. */
	begin(&(struct media_leg_config){0});
	leg_ringback(leg, &(struct media_ringback){.hz = {440}});
	beats(1);
	CHECK_EQ(heard_count, 0);
	leg_ringback(leg, &(struct media_ringback){.hz = {440}, .cadence_ms = {200, 300}});
	end();
}

/* ---- silence and life ---- */

static void silence_that_ends_no_call(void)
{
	const uint8_t report[8] = {0x80, 201, 0, 1, 0, 0, 0, 5};
	begin(&(struct media_leg_config){.media_timeout_initial_ms = 500, .media_timeout_ms = 500});
	connect_leg(false);
	phone_says(1);
	/* Reports are life, when sound is suppressed. */
	for (int i = 0; i < 10; ++i) {
		leg_rtcp_datagram(leg, (struct sockaddr *)&remote.rtcp, span_of(report, sizeof report), w.now_us);
		beats(20);
	}
	CHECK_EQ(w.silent, 0);
	/* So is what we cannot play, once we could. */
	const uint8_t noise[13] = {0x80, 98, 0, 9};
	for (int i = 0; i < 5; ++i) {
		leg_receive_rtp(leg, (struct sockaddr *)&remote.rtp, span_of(noise, sizeof noise), w.now_us);
		beats(20);
	}
	CHECK_EQ(w.silent, 0);
	/* On hold: by direction, by 0.0.0.0, by port 0. */
	remote.receive = false;
	connect_leg(false);
	beats(100);
	struct sockaddr_storage was = remote.rtp;
	remote.receive = true;
	CHECK_EQ(address_parse(&remote.rtp, "0.0.0.0", address_port((struct sockaddr *)&was)), 0);
	connect_leg(false);
	beats(100);
	CHECK_EQ(address_parse(&remote.rtp, "127.0.0.1", 0), 0);
	connect_leg(false);
	beats(100);
	CHECK_EQ(w.silent, 0);
	/* Taken off hold the clock starts anew. */
	remote.rtp = was;
	connect_leg(false);
	beats(24);
	CHECK_EQ(w.silent, 0);
	beats(5);
	CHECK_EQ(w.silent, 1);
	end();
}

/* ---- after the end ---- */

static void last_words_are_played_out(void)
{
	unsigned packets, events;
	begin(&(struct media_leg_config){0});
	source_init(&person, 20);
	connect_leg(false);
	leg_hear(leg, &person);
	for (unsigned i = 0; i < 20; ++i) {
		person_says(i);
		beats(1);
	}
	for (unsigned i = 20; i < 25; ++i) /* five at once, then the speaker is gone */
		person_says(i);
	(void)phone_hears(&packets, &events);
	leg_drain(leg, 300, 0);
	source_fini(&person);
	unsigned beat = 0;
	for (; !w.drained && beat < 50; ++beat)
		beats(1);
	CHECK_EQ(w.drained, 1);
	CHECK(beat >= 5 + 5 && beat <= 21); /* what was held, the phone's own buffer, never more than it may */
	CHECK(phone_hears(&packets, &events) > AMPLITUDE / 2);
	beats(20);
	CHECK_EQ(w.drained, 1);
	end();

	/* Nothing waits, but somebody was speaking: the phone's own buffer has not played it yet. */
	begin(&(struct media_leg_config){0});
	source_init(&person, 20);
	connect_leg(false);
	leg_hear(leg, &person);
	for (unsigned i = 0; i < 20; ++i) {
		person_says(i);
		beats(1);
	}
	beats(1);
	leg_drain(leg, 300, 0);
	beats(5);
	CHECK_EQ(w.drained, 0);
	beats(10);
	CHECK_EQ(w.drained, 1);
	source_fini(&person);
	end();
}

static void digits_are_finished(void)
{
	unsigned packets, events;
	begin(&(struct media_leg_config){0});
	connect_leg(false);
	leg_digits(leg, "12");
	leg_drain(leg, 300, 5000);
	beats(26);
	CHECK_EQ(w.drained, 0);
	beats(10);
	CHECK_EQ(w.drained, 1);
	(void)phone_hears(&packets, &events);
	CHECK_EQ(events, 20);
	/* But not for ever. */
	leg_digits(leg, "123456789012345678901234567890");
	leg_drain(leg, 300, 1000);
	beats(70);
	CHECK_EQ(w.drained, 2);
	end();
}

static void nothing_to_play_is_done_at_once(void)
{
	begin(&(struct media_leg_config){0});
	leg_drain(leg, 300, 5000); /* never connected */
	CHECK_EQ(w.drained, 1);
	connect_leg(false);
	leg_drain(leg, 300, 5000);
	beats(1);
	CHECK_EQ(w.drained, 2);
	remote.send = false; /* on hold */
	connect_leg(false);
	leg_digits(leg, "1");
	leg_drain(leg, 300, 5000);
	CHECK_EQ(w.drained, 3);
	end();
}

int main(void)
{
	an_announcement_is_heard_and_the_room_is_not();
	a_ringing_tone_until_the_phone_is_heard();
	silence_that_ends_no_call();
	last_words_are_played_out();
	digits_are_finished();
	nothing_to_play_is_done_at_once();
	return 0;
}

/* Two phones in one room, one of them by IPv6, through the whole data plane: real sockets, a real worker thread, real
 * time. What one says the other hears; a key that is pressed is reported; figures arrive. */
#include "base/clock.h"
#include "base/mem.h"
#include "media/g711.h"
#include "media/media.h"
#include "net/address.h"
#include "test/check.h"
#include "test/unit/sound.h"
#include "wire/rtp.h"

#include <unistd.h>

enum { FRAME = 160, QUIET_FRAMES = 25, DEADLINE_MS = 30000 };

struct phone {
	media_id leg;
	int fd;
	struct sockaddr_storage local, gateway;
	uint16_t seq;
	uint32_t timestamp;
	unsigned heard, loud;
	uint64_t loud_us;
};

static struct {
	struct loop loop;
	struct media *media;
	struct timer beat, deadline;
	struct phone a, b;
	unsigned frames, first_rtp, done;
	uint64_t spoke_us; /* when phone a's tone began */
	char digit;
} t;

static void nothing_state(void *owner, media_id id, enum media_transport_state s)
{
}

static void nothing_sctp(void *owner, media_id id, struct span packet)
{
}

static void nothing_levels(void *owner, const struct media_level *levels, size_t count)
{
}

static void on_event(void *owner, media_id leg, enum media_leg_event e)
{
	t.first_rtp += e == MEDIA_LEG_FIRST_RTP;
}

static void on_digit(void *owner, media_id leg, char digit)
{
	CHECK_EQ(leg, t.b.leg);
	t.digit = digit;
}

static void on_digits_done(void *owner, media_id leg)
{
	CHECK_EQ(leg, t.a.leg);
	++t.done;
}

/* A leg opens by IPv4, and is moved before the far end hears of it. */
static void leg_open(struct phone *p, const char *ip)
{
	struct media_leg_local local;

	CHECK_EQ(media_leg_open(&p->leg, &local, t.media, 0, &(struct media_leg_config){0}), 0);
	CHECK_EQ(media_leg_move(&local, t.media, p->leg, AF_UNIX), MEDIA_LEG_E_FAMILY);
	if (strchr(ip, ':'))
		CHECK_EQ(media_leg_move(&local, t.media, p->leg, AF_INET6), 0);
	CHECK_EQ(address_parse(&p->gateway, ip, local.rtp_port), 0);
}

static void phone_open(struct phone *p, const char *ip)
{
	socklen_t size = sizeof p->local;

	CHECK_EQ(address_parse(&p->local, ip, 0), 0);
	const struct sockaddr *at = (struct sockaddr *)&p->local;
	p->fd = socket(p->local.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	CHECK_EQ(bind(p->fd, at, address_size(at)), 0);
	CHECK_EQ(getsockname(p->fd, (struct sockaddr *)&p->local, &size), 0);
	leg_open(p, ip);

	struct media_leg_remote r = {.codec = CODEC_PCMU, .dtmf_pt = 101, .ptime_ms = 20, .send = true,
		.receive = true, .rtp = p->local, .rtcp = p->local};
	media_leg_connect(t.media, p->leg, &r);
}

static void phone_says(struct phone *p, uint8_t pt, struct span payload)
{
	uint8_t bytes[300];
	struct writer w = writer_of(bytes, sizeof bytes);
	rtp_write(&w, &(struct rtp_view){.payload_type = pt, .seq = p->seq++, .timestamp = p->timestamp,
			      .ssrc = (uint32_t)p->leg, .payload = payload});
	p->timestamp += FRAME;
	const struct sockaddr *to = (struct sockaddr *)&p->gateway;
	CHECK(sendto(p->fd, bytes, w.used, 0, to, address_size(to)) > 0);
}

static void phone_hears(struct phone *p)
{
	uint8_t bytes[1500];
	for (ssize_t size; (size = recv(p->fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0;) {
		struct rtp_view v;
		int16_t pcm[FRAME];
		CHECK_EQ(rtp_parse(&v, span_of(bytes, (size_t)size)), RTP_OK);
		if (v.payload_type != 0)
			continue;
		CHECK_EQ(v.payload.size, FRAME);
		g711_decode(pcm, v.payload.data, FRAME, G711_ULAW);
		++p->heard;
		if (sound_amplitude(pcm, FRAME, 440) > 4000 && !p->loud++)
			p->loud_us = clock_us();
	}
}

static bool complete(void)
{
	struct media_leg_stats s;
	media_leg_stats(t.media, t.b.leg, &s);
	return t.b.loud >= 20 && t.digit && t.done && t.first_rtp == 2 && s.received && s.sent;
}

/* Every millisecond: listen; every 20 ms: speak. */
static void on_beat(void *owner)
{
	static uint64_t next_us;
	uint64_t now_us = clock_us();
	phone_hears(&t.a);
	phone_hears(&t.b);
	if (complete())
		loop_stop(&t.loop);
	if (now_us < next_us)
		return;
	next_us = (next_us ? next_us : now_us) + 20000;

	int16_t tone[FRAME];
	uint8_t coded[FRAME];
	sound_tone(tone, FRAME, t.frames * FRAME, 440, t.frames < QUIET_FRAMES ? 0 : 8000);
	if (t.frames++ == QUIET_FRAMES)
		t.spoke_us = now_us;
	g711_encode(coded, tone, FRAME, G711_ULAW);
	phone_says(&t.a, 0, span_of(coded, FRAME));
	phone_says(&t.b, 101, span_of("\x05\x0a\x00\xa0", 4));
}

static void on_deadline(void *owner)
{
	fprintf(stderr, "loud %u, digit %d, digits done %u, first rtp %u\n", t.b.loud, t.digit, t.done,
		t.first_rtp);
	exit(1);
}

int main(void)
{
	static const struct media_events events = {nothing_state, nothing_sctp, nothing_levels, on_event,
		on_digit, on_digits_done};
	struct media_config config = {.workers = 1,
		.rtc_bind_count = 1,
		.rtp_ip = "127.0.0.1",
		.rtp_ip6 = "::1",
		.rtp_port_min = 42000,
		.rtp_port_max = 42999};

	CHECK_EQ(address_parse(&config.rtc_binds[0], "127.0.0.1", 0), 0);
	CHECK_EQ(loop_init(&t.loop), 0);
	CHECK_EQ(media_new(&t.media, &t.loop, &config, &events, NULL), 0);
	phone_open(&t.a, "127.0.0.1");
	phone_open(&t.b, "::1");
	media_leg_hear(t.media, t.b.leg, t.a.leg);
	media_leg_digits(t.media, t.a.leg, "1");
	CHECK_EQ(timer_init(&t.beat, &t.loop, on_beat, NULL), 0);
	CHECK_EQ(timer_init(&t.deadline, &t.loop, on_deadline, NULL), 0);
	timer_start(&t.beat, 1, 1);
	timer_start(&t.deadline, DEADLINE_MS, 0);
	loop_run(&t.loop);

	CHECK_EQ(t.a.loud, 0); /* nobody hears himself */
	printf("phone to phone after %.1f ms\n", (double)(t.b.loud_us - t.spoke_us) / 1000);
	media_leg_close(t.media, t.a.leg);
	timer_fini(&t.beat);
	timer_fini(&t.deadline);
	t.media = media_free(t.media);
	close(t.a.fd);
	close(t.b.fd);
	loop_fini(&t.loop);
	CHECK_EQ(mem_live(), 0);
	return 0;
}

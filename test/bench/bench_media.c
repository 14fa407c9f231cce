/* test/bench/bench_media.c - the media plane of one process between far ends of its own: delay,
 * CPU per bridged call, CPU per forwarded packet. Called by tools/bench.py.
 *
 *   bench_media delay   pcmu|opus CALLS SECONDS [JITTER_MS]
 *   bench_media calls   pcmu|opus CALLS SECONDS [cm80|cm32|aes256|gcm]
 *   bench_media forward SPEAKERS LISTENERS SECONDS
 *
 * pcmu, opus: what the people in the room take of the phone's voice; cm80 and so on: SRTP on the
 * phone's side too (AES-CM of 128 bits with tags of 80 and 32, of 256 bits, AES-GCM). The last line of the output
 * is one JSON object. With JITTER_MS each packet of both far ends leaves up to so much later than its
 * turn, in order; the delay is counted from when it left. The media plane has one worker thread, the load has one thread; CPU is that
 * of every thread but the load's.
 */
#include "base/clock.h"
#include "base/rng.h"
#include "media/g711.h"
#include "media/media.h"
#include "media/opus_voice.h"
#include "test/bench/phone.h"
#include "test/bench/rtc_client.h"
#include "test/bench/sound.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum {
	PEOPLE_MAX = 512,
	SAMPLES_MAX = 20000,
	HANDSHAKE_US = 20000000,
	SETTLE_US = 2000000,
	PHONE_PHASE_US = 7000, /* the phone speaks so much later than the person */
	SINK_PT_OPUS = 96,
	SINK_PT_PCMU = 0,
	SINK_SSRC = 0x1000,
	READ_US = 1000,
	SPARE_US = 450000, /* a burst that is not heard within this is lost */
	ROOM_PORT_MIN = 28000,
	ROOM_PORT_MAX = 29998,
};

enum mode { MODE_DELAY, MODE_CALLS, MODE_FORWARD };

struct delays {
	uint32_t us[SAMPLES_MAX];
	size_t count;
	unsigned lost;
};

/* One person, and the telephone that the person talks to, if any. */
struct person {
	struct rtc_client client;
	struct phone phone;
	media_id transport, source, leg;
	bool speaks, calls;
	unsigned client_frame, phone_frame;
	uint64_t client_next_us, phone_next_us; /* its turn */
	uint64_t client_at_us, phone_at_us;     /* when it leaves */
	/* When a burst left, 0 when none is under way. */
	uint64_t client_burst_us, phone_burst_us;
	struct opus_voice_decoder *ear;
};

struct bench {
	enum mode mode;
	enum codec codec; /* of the phone's voice in the room */
	bool secure;      /* SRTP on the phone's side, of this profile */
	enum srtp_profile srtp;
	unsigned people_count, speakers;
	uint64_t window_us, jitter_us;

	struct loop loop;
	uv_async_t done;
	struct media *media;
	struct dtls_identity *identity;
	struct sound sound;
	struct person people[PEOPLE_MAX];
	int epoll, rtcp_fd;
	uint16_t rtcp_port;

	struct delays to_room, to_phone;
	uint64_t sent, client_packets, phone_packets; /* in the window */
	uint64_t read_us;
	double cpu_s, wall_s, waited_s;
	bool counting;
};

static struct bench bench;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

static void need(int r, const char *what)
{
	if (r < 0) {
		fprintf(stderr, "bench: %s: %s\n", what, strerror(-r));
		exit(1);
	}
}

/* ---- the server's side ---- */

static void on_state(void *owner, media_id id, enum media_transport_state state)
{
	if (state == MEDIA_TRANSPORT_FAILED)
		die("a transport failed");
}
static void on_sctp(void *owner, media_id id, struct span packet) {}
static void on_levels(void *owner, const struct media_level *levels, size_t count) {}
static void on_leg_event(void *owner, media_id leg, enum media_leg_event event) {}
static void on_leg_digit(void *owner, media_id leg, char digit) {}
static void on_leg_done(void *owner, media_id leg) {}

static const struct media_events events = {
	.transport_state = on_state,
	.transport_sctp = on_sctp,
	.levels = on_levels,
	.leg_event = on_leg_event,
	.leg_digit = on_leg_digit,
	.leg_digits_done = on_leg_done,
};

static void open_sink(struct bench *b, const struct person *to, media_id source, enum codec codec)
{
	static uint32_t sinks;
	media_id id;
	struct media_sink_config c = {.source = source,
		.transport = to->transport,
		.ssrc = SINK_SSRC + ++sinks,
		.pt = codec == CODEC_OPUS ? SINK_PT_OPUS : SINK_PT_PCMU,
		.codec = codec,
		.cname = "PA_bench"};
	need(media_sink_open(&id, b->media, &c), "sink");
}

static void open_person(struct bench *b, struct person *p)
{
	struct rtc_client_remote server = {.controlling = true, .dtls_client = true};
	struct media_remote remote = {0};
	struct media_ice ice;
	struct media_source_config source = {.mid = "0",
		.level_ext = LEVEL_EXT,
		.payloads = {{.pt = PUBLISHER_PT, .codec = CODEC_OPUS}},
		.payload_count = 1};

	need(rtc_client_open(&p->client, b->identity), "client");
	media_ice_make(&ice, 0);
	need(media_transport_open(&p->transport, b->media, 0, &ice), "transport");
	snprintf(remote.ufrag, sizeof remote.ufrag, "%s", p->client.local.ufrag);
	snprintf(remote.fingerprint, sizeof remote.fingerprint, "%s",
		dtls_identity_fingerprint(b->identity));
	media_transport_remote(b->media, p->transport, &remote, NULL);
	snprintf(server.ufrag, sizeof server.ufrag, "%s", ice.ufrag);
	snprintf(server.pwd, sizeof server.pwd, "%s", ice.pwd);
	snprintf(server.fingerprint, sizeof server.fingerprint, "%s", media_fingerprint(b->media));
	need(rtc_client_remote(&p->client, &server), "client");
	need(rtc_client_reach(&p->client, media_rtc_port(b->media, 0)), "client");
	need(opus_voice_decoder_new(&p->ear, 8000), "decoder");
	source.transport = p->transport;
	source.ssrc = p->client.ssrc;
	need(media_source_open(&p->source, b->media, &source), "source");
}

static struct sockaddr_storage loopback(uint16_t port)
{
	struct sockaddr_storage ret = {0};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&ret;
	v4->sin_family = AF_INET;
	v4->sin_port = htons(port);
	v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return ret;
}

static void open_call(struct bench *b, struct person *p)
{
	struct media_leg_config c = {.latch = false};
	struct media_leg_local local;

	need(media_leg_open(&p->leg, &local, b->media, 0, &c), "leg");
	struct srtp_keys keys = {.profile = b->srtp};
	rng_bytes(keys.client, sizeof keys.client);
	rng_bytes(keys.server, sizeof keys.server);
	need(phone_open(&p->phone, local.rtp_port, b->secure ? &keys : NULL), "phone");
	struct media_leg_remote remote = {.rtp = loopback(p->phone.port),
		.rtcp = loopback(b->rtcp_port),
		.codec = CODEC_PCMU,
		.ptime_ms = 20,
		.send = true,
		.receive = true,
		.secure = b->secure,
		.keys = keys};
	media_leg_hear(b->media, p->leg, p->source);
	open_sink(b, p, p->leg, b->codec);
	media_leg_connect(b->media, p->leg, &remote);
	p->calls = true;
}

/* Reports of the legs go here and are never read: the kernel lets go of what is too much. */
static void open_rtcp_sink(struct bench *b)
{
	struct sockaddr_storage at = loopback(0);
	socklen_t size = sizeof(struct sockaddr_in);

	b->rtcp_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (b->rtcp_fd < 0 || bind(b->rtcp_fd, (struct sockaddr *)&at, size) < 0 ||
		getsockname(b->rtcp_fd, (struct sockaddr *)&at, &size) < 0)
		die("no socket for RTCP");
	b->rtcp_port = ntohs(((struct sockaddr_in *)&at)->sin_port);
}

static void open_everyone(struct bench *b)
{
	for (unsigned i = 0; i < b->people_count; ++i) {
		struct person *p = &b->people[i];
		open_person(b, p);
		p->speaks = b->mode != MODE_FORWARD || i < b->speakers;
		if (b->mode != MODE_FORWARD) {
			open_call(b, p);
			continue;
		}
		for (unsigned s = 0; i >= b->speakers && s < b->speakers; ++s)
			open_sink(b, p, b->people[s].source, CODEC_OPUS);
	}
}

/* ---- CPU of every thread but this one ---- */

static double cpu_of_thread(pid_t tid)
{
	/* The kernel's number for "CPU clock of that thread" (clock_getcpuclockid has it for
	 * processes only). */
	clockid_t id = (clockid_t)(~(unsigned)tid << 3 | 6);
	struct timespec t;
	return clock_gettime(id, &t) == 0 ? (double)t.tv_sec + (double)t.tv_nsec / 1e9 : 0;
}

/* How long the thread was ready and no core was free for it, in seconds; 0 when unknown. */
static double waited_by_thread(pid_t tid)
{
	char path[64];
	unsigned long long ran_ns, waited_ns = 0;

	snprintf(path, sizeof path, "/proc/self/task/%d/schedstat", (int)tid);
	FILE *f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%llu %llu", &ran_ns, &waited_ns) != 2)
		waited_ns = 0;
	fclose(f);
	return (double)waited_ns / 1e9;
}

static double sum_of_others(double (*of)(pid_t tid))
{
	double sum = 0;
	DIR *d = opendir("/proc/self/task");
	if (!d)
		die("no /proc/self/task");
	for (struct dirent *e; (e = readdir(d));) {
		pid_t tid = (pid_t)strtol(e->d_name, NULL, 10);
		if (tid > 0 && tid != gettid())
			sum += of(tid);
	}
	closedir(d);
	return sum;
}

/* ---- the load: what is said ---- */

static void note_burst(struct bench *b, struct delays *d, uint64_t *burst, unsigned frame,
	uint64_t now_us)
{
	if (b->mode != MODE_DELAY || frame != 0)
		return;
	if (*burst && b->counting)
		++d->lost;
	*burst = now_us;
}

/* The next packet's turn, and when it leaves: not before the one before it. */
static void schedule(const struct bench *b, uint64_t *next_us, uint64_t *at_us)
{
	uint64_t late_us = b->jitter_us ? rng_u32() % b->jitter_us : 0;

	*next_us += FRAME_US;
	*at_us = *next_us + late_us > *at_us ? *next_us + late_us : *at_us;
}

static void speak(struct bench *b, struct person *p, uint64_t now_us)
{
	struct sound *s = &b->sound;

	if (p->speaks && now_us >= p->client_at_us) {
		unsigned f = p->client_frame++ % SOUND_FRAMES;
		note_burst(b, &b->to_phone, &p->client_burst_us, f, clock_us());
		rtc_client_send(&p->client, span_of(s->opus[f], s->opus_size[f]), s->level[f]);
		schedule(b, &p->client_next_us, &p->client_at_us);
		b->sent += b->counting;
	}
	if (p->calls && now_us >= p->phone_at_us) {
		unsigned f = p->phone_frame++ % SOUND_FRAMES;
		note_burst(b, &b->to_room, &p->phone_burst_us, f, clock_us());
		phone_send(&p->phone, span_of(s->pcmu[f], SOUND_PCMU_BYTES));
		schedule(b, &p->phone_next_us, &p->phone_at_us);
	}
	rtc_client_poll(&p->client, now_us);
}

/* ---- the load: what is heard ---- */

static void heard(struct bench *b, struct delays *d, uint64_t *burst, uint64_t now_us,
	uint32_t said_us, const int16_t *pcm, size_t count)
{
	size_t at = sound_onset(pcm, count);
	if (at == count || !*burst || now_us - *burst > SPARE_US)
		return;
	int64_t delay = (int64_t)(now_us + sound_us(at)) - (int64_t)(*burst + said_us);
	*burst = 0;
	if (b->counting && d->count < SAMPLES_MAX)
		d->us[d->count++] = delay > 0 ? (uint32_t)delay : 0;
}

static void client_hears(struct bench *b, struct person *p, const struct rtp_view *v, uint64_t now_us)
{
	int16_t pcm[OPUS_VOICE_SAMPLES_MAX];
	size_t count = 0;

	if (v->payload_type == SINK_PT_PCMU && v->payload.size <= COUNT_OF(pcm)) {
		count = v->payload.size;
		g711_decode(pcm, v->payload.data, count, G711_ULAW);
	} else if (v->payload_type == SINK_PT_OPUS) {
		count = opus_voice_decode(p->ear, pcm, v->payload);
	}
	heard(b, &b->to_room, &p->phone_burst_us, now_us, b->sound.pcmu_onset_us, pcm, count);
}

static void read_client(struct bench *b, struct person *p)
{
	uint8_t packet[2048];
	struct rtp_view v;

	for (ssize_t n; (n = recv(p->client.fd, packet, sizeof packet, 0)) > 0;) {
		uint64_t now_us = clock_us();
		bool rtp = rtc_is_rtp(packet, (size_t)n);
		b->client_packets += rtp && b->counting;
		/* Deciphering is the listener's cost: left out where only CPU is asked for. */
		if (rtp && b->mode != MODE_DELAY)
			continue;
		if (rtc_client_input(&p->client, packet, (size_t)n, &v))
			client_hears(b, p, &v, now_us);
	}
}

static void read_phone(struct bench *b, struct person *p)
{
	uint8_t packet[2048];
	int16_t pcm[2048];
	struct rtp_view v;

	for (ssize_t n; (n = recv(p->phone.fd, packet, sizeof packet, 0)) > 0;) {
		uint64_t now_us = clock_us();
		size_t size = (size_t)n;
		if (!phone_input(&p->phone, packet, &size))
			continue;
		b->phone_packets += b->counting;
		if (b->mode != MODE_DELAY || rtp_parse(&v, span_of(packet, size)) != RTP_OK)
			continue;
		g711_decode(pcm, v.payload.data, v.payload.size, G711_ULAW);
		heard(b, &b->to_phone, &p->client_burst_us, now_us, b->sound.opus_onset_us, pcm,
			v.payload.size);
	}
}

/* ---- the load: its thread ---- */

static void read_ready(struct bench *b)
{
	struct epoll_event ready[256];
	int n = epoll_wait(b->epoll, ready, COUNT_OF(ready), 0);

	for (int i = 0; i < n; ++i) {
		struct person *who = &b->people[ready[i].data.u32 >> 1];
		if (ready[i].data.u32 & 1)
			read_phone(b, who);
		else
			read_client(b, who);
	}
}

static struct timespec time_of(uint64_t us)
{
	return (struct timespec){.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000};
}

/* Waits until `until_us` and reads what comes. Where delay is asked for, each packet wakes us. Where
 * CPU is, none does: over loopback the sender pays for the waking, and a network would not bill that
 * to the server; so we look every READ_US. */
static void turn(struct bench *b, uint64_t until_us)
{
	struct pollfd p = {.fd = b->epoll, .events = POLLIN};
	uint64_t now_us = clock_us();
	uint64_t wait_us = until_us > now_us ? until_us - now_us : 0;
	struct timespec t = time_of(wait_us < FRAME_US ? wait_us : FRAME_US);

	if (b->mode == MODE_DELAY) {
		if (ppoll(&p, 1, &t, NULL) > 0)
			read_ready(b);
		return;
	}
	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
	if (now_us - b->read_us >= READ_US) {
		b->read_us = now_us;
		read_ready(b);
	}
}

static void watch(struct bench *b, int fd, uint32_t mark)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u32 = mark};
	if (epoll_ctl(b->epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		die("epoll");
}

static bool everyone_connected(const struct bench *b)
{
	for (unsigned i = 0; i < b->people_count; ++i)
		if (!b->people[i].client.srtp)
			return false;
	return true;
}

static void connect_everyone(struct bench *b)
{
	uint64_t late_us = clock_us() + HANDSHAKE_US;

	for (unsigned i = 0; i < b->people_count; ++i) {
		watch(b, b->people[i].client.fd, i << 1);
		if (b->people[i].calls)
			watch(b, b->people[i].phone.fd, i << 1 | 1);
	}
	while (!everyone_connected(b)) {
		uint64_t now_us = clock_us();
		if (now_us > late_us)
			die("not everyone got connected");
		for (unsigned i = 0; i < b->people_count; ++i)
			rtc_client_poll(&b->people[i].client, now_us);
		turn(b, now_us + 5000);
	}
}

static uint64_t next_due(const struct bench *b)
{
	uint64_t due_us = UINT64_MAX;
	for (unsigned i = 0; i < b->people_count; ++i) {
		const struct person *p = &b->people[i];
		if (p->speaks && p->client_at_us < due_us)
			due_us = p->client_at_us;
		if (p->calls && p->phone_at_us < due_us)
			due_us = p->phone_at_us;
	}
	return due_us;
}

static void talk_until(struct bench *b, uint64_t end_us)
{
	for (uint64_t now_us; (now_us = clock_us()) < end_us;) {
		for (unsigned i = 0; i < b->people_count; ++i)
			speak(b, &b->people[i], now_us);
		turn(b, next_due(b));
	}
}

static void *load(void *arg)
{
	struct bench *b = arg;

	connect_everyone(b);
	/* Spread over the 20 ms, so that every phase against the worker's beat is met. */
	uint64_t start_us = clock_us() + FRAME_US;
	for (unsigned i = 0; i < b->people_count; ++i) {
		struct person *p = &b->people[i];
		p->client_next_us = start_us + (uint64_t)i * FRAME_US / b->people_count;
		p->phone_next_us = p->client_next_us + PHONE_PHASE_US;
		p->client_at_us = p->client_next_us;
		p->phone_at_us = p->phone_next_us;
	}
	talk_until(b, start_us + SETTLE_US);

	double cpu_s = sum_of_others(cpu_of_thread), waited_s = sum_of_others(waited_by_thread);
	uint64_t began_us = clock_us();
	b->counting = true;
	talk_until(b, began_us + b->window_us);
	b->counting = false;
	b->cpu_s = sum_of_others(cpu_of_thread) - cpu_s;
	b->waited_s = sum_of_others(waited_by_thread) - waited_s;
	b->wall_s = (double)(clock_us() - began_us) / 1e6;
	uv_async_send(&b->done);
	return NULL;
}

static void on_done(uv_async_t *done)
{
	uv_close((uv_handle_t *)done, NULL);
	loop_stop(&bench.loop);
}

/* ---- the report ---- */

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static void print_delays(const char *name, struct delays *d)
{
	if (!d->count)
		die("not one burst was heard");
	qsort(d->us, d->count, sizeof *d->us, compare);
	printf("\"%s\": {\"p50_ms\": %.3f, \"p95_ms\": %.3f, \"p99_ms\": %.3f, \"samples\": %zu, \"lost\": %u}", name,
		d->us[d->count / 2] / 1000.0, d->us[d->count * 95 / 100] / 1000.0,
		d->us[d->count * 99 / 100] / 1000.0, d->count, d->lost);
}

static void report(struct bench *b)
{
	printf("{\"cpu_s\": %.6f, \"wall_s\": %.3f, \"sent\": %llu, \"client_packets\": %llu, "
	       "\"phone_packets\": %llu, \"waited_ms_per_s\": %.3f",
		b->cpu_s, b->wall_s, (unsigned long long)b->sent,
		(unsigned long long)b->client_packets, (unsigned long long)b->phone_packets,
		b->waited_s * 1000 / b->wall_s);
	if (b->mode == MODE_DELAY) {
		printf(", ");
		print_delays("to_room", &b->to_room);
		printf(", ");
		print_delays("to_phone", &b->to_phone);
	}
	printf("}\n");
}

/* ---- main ---- */

static unsigned number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);
	if (*end || n < 1 || n > PEOPLE_MAX / 2)
		die("a count is not a number from 1 to 256");
	return (unsigned)n;
}

static void read_srtp(struct bench *b, const char *name)
{
	static const struct {
		const char *name;
		enum srtp_profile profile;
	} profiles[] = {
		{"cm80", SRTP_PROFILE_AES128_CM_SHA1_80},
		{"cm32", SRTP_PROFILE_AES128_CM_SHA1_32},
		{"aes256", SRTP_PROFILE_AES256_CM_SHA1_80},
		{"gcm", SRTP_PROFILE_AEAD_AES_128_GCM},
	};
	for (size_t i = 0; i < COUNT_OF(profiles); ++i) {
		if (strcmp(name, profiles[i].name) == 0) {
			b->secure = true;
			b->srtp = profiles[i].profile;
			return;
		}
	}
	die("no such profile of SRTP");
}

static void read_options(struct bench *b, int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "delay") == 0)
		b->jitter_us = number(argv[5]) * 1000ull;
	else if (argc == 6)
		read_srtp(b, argv[5]);
	else if (argc != 5)
		die("usage: bench_media delay pcmu|opus CALLS SECONDS [JITTER_MS], calls pcmu|opus CALLS "
		    "SECONDS [SRTP], or forward SPEAKERS LISTENERS SECONDS");
	b->window_us = number(argv[4]) * 1000000ull;
	b->people_count = number(argv[3]);
	if (strcmp(argv[1], "forward") == 0) {
		b->mode = MODE_FORWARD;
		b->speakers = number(argv[2]);
		b->people_count += b->speakers;
	} else {
		b->mode = strcmp(argv[1], "delay") == 0 ? MODE_DELAY : MODE_CALLS;
		b->codec = strcmp(argv[2], "opus") == 0 ? CODEC_OPUS : CODEC_PCMU;
	}
}

static void open_bench(struct bench *b)
{
	struct media_config config = {.workers = 1,
		.rtc_binds = {loopback(0)},
		.rtc_bind_count = 1,
		.rtp_ip = "127.0.0.1",
		.rtp_port_min = ROOM_PORT_MIN,
		.rtp_port_max = ROOM_PORT_MAX};

	need(sound_make(&b->sound, b->mode == MODE_DELAY ? SOUND_BURST : SOUND_SPEECH), "sound");
	need(loop_init(&b->loop), "loop");
	need(uv_async_init(&b->loop.uv, &b->done, on_done), "async");
	need(media_new(&b->media, &b->loop, &config, &events, b), "media");
	need(dtls_identity_new(&b->identity), "identity");
	b->epoll = epoll_create1(EPOLL_CLOEXEC);
	open_rtcp_sink(b);
	open_everyone(b);
}

static void close_bench(struct bench *b)
{
	for (unsigned i = 0; i < b->people_count; ++i) {
		struct person *p = &b->people[i];
		if (p->calls) {
			media_leg_close(b->media, p->leg);
			phone_close(&p->phone);
		}
		media_transport_close(b->media, p->transport);
		rtc_client_close(&p->client);
		opus_voice_decoder_free(p->ear);
	}
	media_free(b->media);
	loop_fini(&b->loop);
	dtls_identity_free(b->identity);
	close(b->epoll);
	close(b->rtcp_fd);
}

int main(int argc, char **argv)
{
	pthread_t thread;

	read_options(&bench, argc, argv);
	open_bench(&bench);
	if (pthread_create(&thread, NULL, load, &bench) != 0)
		die("no thread");
	loop_run(&bench.loop);
	pthread_join(thread, NULL);
	report(&bench);
	close_bench(&bench);
	return 0;
}

/* test/bench/bench_people.c - many participants in one process, against any LiveKit server on
 * 127.0.0.1. Called by tools/bench.py.
 *
 *   bench_people PORT, with lines on stdin:
 *     person SPEAKS HEARS TOKEN   one more who waits at the door: 1 = has a microphone, how many
 *                                 voices it must hear to be done
 *     go SECONDS      all who wait open their WebSocket now -> {"missing": n, "ms": [...]}: how long
 *                     each took until it was done
 *     count SECONDS   -> {"packets": n, "sent": n, "wall_s": s}
 *     probe SECONDS   the first asks the server every 5 ms if it is there -> {"ms": [...]}
 *
 * Each command is answered by one line of JSON. The end of the input lets everybody leave.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "test/bench/person.h"
#include "test/bench/sound.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
	PEOPLE_MAX = 2048,
	TICK_MS = 1,
	POLL_US = 20000,
	PING_US = 4000000,  /* well inside every server's patience */
	PROBE_US = 5000,    /* how often it is asked while others join */
	PINGS_MAX = 20000,
	GATHER_NS = 1000000,
	GOODBYE_US = 1000000,
	LINE_BYTES_MAX = 4096,
};

enum phase { PHASE_IDLE, PHASE_JOIN, PHASE_COUNT, PHASE_PROBE, PHASE_LEAVE };

struct load {
	struct loop loop;
	uv_timer_t tick;
	uv_prepare_t prepare;
	uv_poll_t input;
	struct buf lines;
	uint16_t port;
	struct dtls_identity *identity;
	struct sound sound;

	struct person *people[PEOPLE_MAX];
	char *tokens[PEOPLE_MAX]; /* of those who wait */
	unsigned count, inside;

	enum phase phase;
	unsigned first; /* of those who join now */
	uint64_t until_us, began_us, polled_us, pinged_us, probed_us;
	uint64_t sent, sent_before, packets_before;
	uint32_t ping_us[PINGS_MAX];
	unsigned ping_count;
};

static struct load load;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

/* ---- answers ---- */

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

/* The end of an answer. */
static void print_ms(uint32_t *us, unsigned count)
{
	qsort(us, count, sizeof *us, compare);
	printf("\"ms\": [");
	for (unsigned i = 0; i < count; ++i)
		printf("%s%.3f", i ? ", " : "", us[i] / 1000.0);
	printf("]}\n");
	fflush(stdout);
}

static void report_join(struct load *l)
{
	static uint32_t us[PEOPLE_MAX];
	unsigned done = 0, gone = 0;

	for (unsigned i = l->first; i < l->inside; ++i) {
		const struct person *p = l->people[i];
		gone += p->gone;
		if (person_is_done(p))
			us[done++] = (uint32_t)(p->done_us - p->began_us);
	}
	printf("{\"missing\": %u, \"gone\": %u, ", l->inside - l->first - done, gone);
	print_ms(us, done);
}

static void report_probe(struct load *l)
{
	printf("{");
	print_ms(l->ping_us, l->ping_count);
}

static uint64_t packets_of_all(const struct load *l)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < l->inside; ++i)
		sum += l->people[i]->packets;
	return sum;
}

static void report_count(struct load *l, uint64_t now_us)
{
	printf("{\"packets\": %llu, \"sent\": %llu, \"wall_s\": %.3f}\n",
		(unsigned long long)(packets_of_all(l) - l->packets_before),
		(unsigned long long)(l->sent - l->sent_before), (double)(now_us - l->began_us) / 1e6);
	fflush(stdout);
}

/* ---- what goes on all the time ---- */

static void speak(struct load *l, struct person *p, uint64_t now_us)
{
	struct sound *s = &l->sound;

	if (!p->frame_us)
		p->frame_us = now_us + rand() % FRAME_US;
	while (now_us >= p->frame_us) {
		unsigned f = p->frame++ % SOUND_FRAMES;
		rtc_client_send(&p->up.rtc, span_of(s->opus[f], s->opus_size[f]), s->level[f]);
		p->frame_us += FRAME_US;
		++l->sent;
	}
}

static void on_pong(struct person *p, int64_t sent_us)
{
	uint64_t took_us = clock_us() - (uint64_t)sent_us;
	if (load.phase == PHASE_PROBE && load.ping_count < PINGS_MAX)
		load.ping_us[load.ping_count++] = (uint32_t)took_us;
}

static bool is_due(uint64_t *last_us, uint64_t now_us, uint64_t every_us)
{
	if (now_us - *last_us < every_us)
		return false;
	*last_us = now_us;
	return true;
}

static void carry_on(struct load *l, uint64_t now_us)
{
	bool poll = is_due(&l->polled_us, now_us, POLL_US);
	bool ping = is_due(&l->pinged_us, now_us, PING_US);

	for (unsigned i = 0; i < l->inside; ++i) {
		struct person *p = l->people[i];
		if (person_can_speak(p))
			speak(l, p, now_us);
		if (poll)
			person_poll(p, now_us);
		if (ping)
			person_ping(p, now_us);
	}
}

/* ---- commands ---- */

static void add_person(struct load *l, const char *line)
{
	struct person *p = mem_zalloc(sizeof *p);
	unsigned speaks;
	char token[1000];

	if (!p || l->count == PEOPLE_MAX ||
		sscanf(line, "person %u %u %999s", &speaks, &p->hears, token) != 3)
		die("a person cannot be added");
	p->speaks = speaks;
	p->loop = &l->loop;
	p->identity = l->identity;
	l->tokens[l->count] = mem_strdup(token);
	l->people[l->count++] = p;
}

static void begin_probe(struct load *l)
{
	if (!l->inside)
		die("nobody is there to probe");
	l->phase = PHASE_PROBE;
	l->ping_count = 0;
	l->people[0]->pong = on_pong;
}

static void begin_join(struct load *l)
{
	l->phase = PHASE_JOIN;
	l->first = l->inside;
	for (; l->inside < l->count; ++l->inside) {
		char *token = l->tokens[l->inside];
		if (person_join(l->people[l->inside], l->port, token) < 0)
			die("no connection");
		mem_free(token);
	}
}

static void begin_count(struct load *l)
{
	l->phase = PHASE_COUNT;
	for (unsigned i = 0; i < l->inside; ++i)
		l->people[i]->counts = true;
	l->packets_before = packets_of_all(l);
	l->sent_before = l->sent;
}

static void begin_leave(struct load *l, uint64_t now_us)
{
	l->phase = PHASE_LEAVE;
	l->until_us = now_us + GOODBYE_US;
	for (unsigned i = 0; i < l->inside; ++i)
		person_leave(l->people[i]);
}

static void obey(struct load *l, const char *line)
{
	uint64_t now_us = clock_us();
	unsigned seconds;
	char word[16];

	l->began_us = now_us;
	if (sscanf(line, "%15s %u", word, &seconds) != 2)
		die("no such command");
	if (strcmp(word, "person") == 0) {
		add_person(l, line);
		return;
	}
	l->until_us = now_us + seconds * 1000000ull;
	if (strcmp(word, "go") == 0)
		begin_join(l);
	else if (strcmp(word, "count") == 0)
		begin_count(l);
	else if (strcmp(word, "probe") == 0)
		begin_probe(l);
	else
		die("no such command");
}

static void on_input(uv_poll_t *poll, int status, int events)
{
	struct load *l = &load;
	char bytes[65536];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);

	if (n <= 0) {
		uv_close((uv_handle_t *)&l->input, NULL);
		begin_leave(l, clock_us());
		return;
	}
	if (buf_add(&l->lines, bytes, (size_t)n) != 0)
		die("no memory");
	for (char *end; (end = memchr(l->lines.data, '\n', l->lines.size));) {
		*end = '\0';
		obey(l, (const char *)l->lines.data);
		buf_drop_front(&l->lines, (size_t)(end + 1 - (char *)l->lines.data));
	}
}

/* ---- the beat ---- */

static bool all_done(const struct load *l)
{
	for (unsigned i = l->first; i < l->inside; ++i)
		if (!person_is_done(l->people[i]) && !l->people[i]->gone)
			return false;
	return true;
}

static bool all_gone(const struct load *l)
{
	for (unsigned i = 0; i < l->inside; ++i)
		if (!l->people[i]->gone)
			return false;
	return true;
}

static void end(struct load *l)
{
	for (unsigned i = 0; i < l->inside; ++i)
		if (l->people[i]->signal.tcp)
			tcp_abort(l->people[i]->signal.tcp);
	uv_close((uv_handle_t *)&l->tick, NULL);
	uv_close((uv_handle_t *)&l->prepare, NULL);
	loop_stop(&l->loop);
}

static void on_tick(uv_timer_t *t)
{
	struct load *l = &load;
	uint64_t now_us = clock_us();
	bool late = now_us >= l->until_us;

	if (l->phase == PHASE_LEAVE) {
		if (late || all_gone(l))
			end(l);
		return;
	}
	carry_on(l, now_us);
	if (l->phase == PHASE_PROBE && is_due(&l->probed_us, now_us, PROBE_US))
		person_ping(l->people[0], now_us);
	if (l->phase == PHASE_JOIN && (late || all_done(l)))
		report_join(l);
	else if (l->phase == PHASE_COUNT && late)
		report_count(l, now_us);
	else if (l->phase == PHASE_PROBE && late)
		report_probe(l);
	else
		return;
	l->phase = PHASE_IDLE;
}

/* While CPU is asked for, no packet wakes us: over loopback the sender pays for the waking, and a
 * network would not bill that to the server. */
static void on_prepare(uv_prepare_t *p)
{
	if (load.phase == PHASE_COUNT)
		nanosleep(&(struct timespec){.tv_nsec = GATHER_NS}, NULL);
}

/* ---- main ---- */

static void open_load(struct load *l, const char *port)
{
	l->port = (uint16_t)strtoul(port, NULL, 10);
	if (sound_make(&l->sound, SOUND_SPEECH) < 0 || loop_init(&l->loop) < 0 ||
		dtls_identity_new(&l->identity) < 0 || sctp_stack_start(&l->loop) < 0)
		die("cannot begin");
	(void)fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	uv_timer_init(&l->loop.uv, &l->tick);
	uv_timer_start(&l->tick, on_tick, TICK_MS, TICK_MS);
	uv_prepare_init(&l->loop.uv, &l->prepare);
	uv_prepare_start(&l->prepare, on_prepare);
	if (uv_poll_init(&l->loop.uv, &l->input, STDIN_FILENO) < 0 ||
		uv_poll_start(&l->input, UV_READABLE, on_input) < 0)
		die("stdin is no pipe");
}

int main(int argc, char **argv)
{
	if (argc != 2)
		die("usage: bench_people PORT");
	open_load(&load, argv[1]);
	loop_run(&load.loop);
	sctp_stack_stop();
	loop_fini(&load.loop);
	for (unsigned i = 0; i < load.count; ++i)
		mem_free(load.people[i]);
	buf_fini(&load.lines);
	dtls_identity_free(load.identity);
	return 0;
}

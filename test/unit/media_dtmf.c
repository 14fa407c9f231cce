/* Digits out and in: the sender's packets are what the receiver is tried with. */
#include "media/dtmf_receiver.h"
#include "media/dtmf_sender.h"
#include "test/check.h"

enum { PACKETS_MAX = 1000 };
struct sent {
	struct dtmf_packet packets[PACKETS_MAX];
	size_t count;
	unsigned beats, quiet, idle, done;
};

static void run(struct sent *s, const char *digits)
{
	struct dtmf_sender sender = {0};
	uint32_t ticks = 0xfffffe00u; /* turns over soon */
	*s = (struct sent){0};
	dtmf_sender_queue(&sender, digits);
	while (dtmf_sender_busy(&sender)) {
		bool done;
		switch (dtmf_sender_step(&sender, &s->packets[s->count], &done, ticks, 8000)) {
		case DTMF_STEP_EVENT:
			++s->count;
			break;
		case DTMF_STEP_QUIET:
			++s->quiet;
			break;
		case DTMF_STEP_IDLE:
			++s->idle;
			break;
		}
		s->done += done;
		ticks += 160;
		++s->beats;
	}
}

static void one_digit_in_thirteen_beats(void)
{
	static struct sent s;
	run(&s, "5");
	CHECK_EQ(s.beats, 13);
	CHECK_EQ(s.count, 10);
	CHECK_EQ(s.quiet, 3);
	CHECK_EQ(s.done, 1);
	for (size_t i = 0; i < s.count; ++i) {
		const struct dtmf_packet *p = &s.packets[i];
		CHECK_EQ(p->event.event, 5);
		CHECK_EQ(p->marker, i == 0);
		CHECK_EQ(p->timestamp, 0xfffffe00u);
		CHECK_EQ(p->event.duration, i < 7 ? (i + 1) * 160 : 1280);
		CHECK_EQ(p->event.end, i >= 7);
	}
}

static void a_pause_sends_nothing(void)
{
	static struct sent s;
	run(&s, "1w2");
	CHECK_EQ(s.beats, 13 + 25 + 13);
	CHECK_EQ(s.idle, 25);
	CHECK_EQ(s.packets[10].timestamp - s.packets[0].timestamp, (13 + 25) * 160);
	CHECK_EQ(s.done, 1);
}

static void the_queue_has_an_end(void)
{
	struct dtmf_sender sender = {0};
	char many[200];
	memset(many, '1', sizeof many - 1);
	many[sizeof many - 1] = 0;
	CHECK_EQ(dtmf_sender_queue(&sender, "x1-2!"), 2);
	CHECK_EQ(dtmf_sender_queue(&sender, many), LIMIT_DTMF_QUEUE - 2);
	CHECK_EQ(dtmf_sender_queue(&sender, "1"), 0);
}

/* Which packets of each digit arrive: bit i of `mask` is packet i. */
static void heard_through(const char *digits, unsigned mask, const char *want)
{
	static struct sent s;
	struct dtmf_receiver r = {0};
	char got[64] = "";
	size_t n = 0;

	run(&s, digits);
	for (size_t i = 0; i < s.count; ++i) {
		uint8_t bytes[4];
		struct writer w = writer_of(bytes, sizeof bytes);
		if (!(mask >> (i % 10) & 1))
			continue;
		dtmf_event_write(&w, &s.packets[i].event);
		if (dtmf_receiver_packet(&r, writer_span(&w), s.packets[i].timestamp, &got[n]))
			got[++n] = 0;
	}
	CHECK_STR(got, want);
}

static void digits_survive_loss(void)
{
	const char *all = "0123456789*#ABCD";
	const char *twice = "112233##";
	heard_through(all, 0x3ff, all);
	heard_through(twice, 0x3ff, twice);
	for (unsigned i = 0; i < 10; ++i) {
		heard_through(twice, 1u << i, twice);          /* only one packet of each comes */
		heard_through(twice, 0x3ff & ~(1u << i), twice); /* one is lost */
	}
	heard_through(twice, 0x07f, twice); /* no end */
	heard_through(twice, 0x380, twice); /* nothing but the end */
}

static bool event(struct dtmf_receiver *r, uint32_t timestamp, uint8_t number, unsigned duration,
	bool end)
{
	uint8_t bytes[] = {number, (uint8_t)(end << 7 | 10), (uint8_t)(duration >> 8), (uint8_t)duration};
	char digit;
	return dtmf_receiver_packet(r, span_of(bytes, sizeof bytes), timestamp, &digit);
}

static void odd_senders(void)
{
	struct dtmf_receiver r = {0};
	/* The timestamp moves with every packet of one tone. */
	CHECK(event(&r, 1000, 4, 160, false));
	for (uint32_t i = 1; i < 8; ++i)
		CHECK(!event(&r, 1000 + i * 160, 4, 160 + i * 160, i == 7));
	CHECK(event(&r, 1000 + 8 * 160 + 400, 4, 160, false));

	/* A key held for more than 8 s goes on in segments. */
	CHECK(event(&r, 100000, 7, 0xff00, false));
	CHECK(!event(&r, 100000, 7, 0xffff, false));
	CHECK(!event(&r, 100000 + 0xffff, 7, 160, false));
	CHECK(!event(&r, 100000 + 0xffff, 7, 320, true));

	/* Stragglers of an earlier tone, in any order. */
	CHECK(event(&r, 200000, 1, 160, false));
	CHECK(!event(&r, 165535, 7, 320, true));
	CHECK(!event(&r, 200000, 1, 1280, true));
	CHECK(!event(&r, 200000, 1, 320, false));

	/* A hook flash is no digit; the clock was set back. */
	CHECK(!event(&r, 400000, 16, 160, false));
	CHECK(event(&r, 500, 2, 160, false));
	char digit;
	CHECK(!dtmf_receiver_packet(&r, span_of("\x03\x00", 2), 9999, &digit));
}

int main(void)
{
	one_digit_in_thirteen_beats();
	a_pause_sends_nothing();
	the_queue_has_an_end();
	digits_survive_loss();
	odd_senders();
	return 0;
}

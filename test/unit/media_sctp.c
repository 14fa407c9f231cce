/* Two associations in one process, each one's packets given to the other. */
#include "media/sctp.h"

#include "base/limits.h"
#include "base/mem.h"
#include "media/dtls.h"
#include "test/check.h"

enum { DEADLINE_MS = 20000, BIG_BYTES = 60000 };

struct end {
	struct sctp_association *association;
	struct end *other;
	unsigned lose_every, packets;

	unsigned opened, messages, closed;
	uint16_t channel;
	char label[64];
	size_t size;
	bool binary, right;
	bool free_when_opened;
};

static struct loop loop;
static bool late;

static void on_output(void *owner, struct span packet)
{
	struct end *e = owner;

	CHECK(packet.size <= DTLS_DATA_BYTES_MAX);
	if (e->lose_every && ++e->packets % e->lose_every == 0)
		return;
	if (e->other->association)
		sctp_association_input(e->other->association, packet);
}

static void on_open(void *owner, const char *label, uint16_t channel)
{
	struct end *e = owner;
	snprintf(e->label, sizeof e->label, "%s", label);
	e->channel = channel;
	++e->opened;
	if (e->free_when_opened)
		e->association = sctp_association_free(e->association);
}

static void on_message(void *owner, uint16_t channel, struct span bytes, bool binary)
{
	struct end *e = owner;
	e->size = bytes.size;
	e->binary = binary;
	e->right = true;
	for (size_t i = 0; i < bytes.size; ++i)
		e->right &= bytes.data[i] == (uint8_t)(i * 7);
	++e->messages;
}

static void on_closed(void *owner)
{
	++((struct end *)owner)->closed;
}

static const struct sctp_events events = {.output = on_output,
	.channel_open = on_open,
	.message = on_message,
	.closed = on_closed};

static void on_deadline(void *owner)
{
	late = true;
}

static void wait_until(const unsigned *counter, unsigned least)
{
	struct timer t = {0};

	CHECK_EQ(timer_init(&t, &loop, on_deadline, NULL), 0);
	timer_start(&t, DEADLINE_MS, 0);
	while (*counter < least && !late)
		uv_run(&loop.uv, UV_RUN_ONCE);
	CHECK(!late);
	timer_fini(&t);
}

static void open_ends(struct end *a, struct end *b, unsigned lose_every)
{
	*a = (struct end){.other = b, .lose_every = lose_every};
	*b = (struct end){.other = a};
	CHECK_EQ(sctp_association_new(&a->association, &events, a, true), 0);
	CHECK_EQ(sctp_association_new(&b->association, &events, b, false), 0);
}

static struct span pattern(size_t size)
{
	static uint8_t bytes[LIMIT_DATA_PACKET_BYTES + 1];
	for (size_t i = 0; i < sizeof bytes; ++i)
		bytes[i] = (uint8_t)(i * 7);
	return span_of(bytes, size);
}

static void channels_open_and_messages_go_both_ways(unsigned lose_every)
{
	static const size_t sizes[] = {1, 0, 1200, BIG_BYTES, LIMIT_DATA_PACKET_BYTES};
	struct end a, b;
	uint16_t reliable, lossy;

	open_ends(&a, &b, lose_every);
	CHECK_EQ(sctp_association_open_channel(&reliable, a.association, "_reliable", true, -1), 0);
	CHECK_EQ(reliable % 2, 0);
	wait_until(&a.opened, 1);
	wait_until(&b.opened, 1);
	CHECK_STR(b.label, "_reliable");
	CHECK_EQ(b.channel, reliable);
	for (size_t i = 0; i < COUNT_OF(sizes); ++i) {
		CHECK_EQ(sctp_association_send(a.association, reliable, pattern(sizes[i]), i & 1), 0);
		wait_until(&b.messages, (unsigned)i + 1);
		CHECK_EQ(b.size, sizes[i]);
		CHECK_EQ(b.binary, i & 1);
		CHECK(b.right);
		CHECK_EQ(sctp_association_send(b.association, reliable, pattern(sizes[i]), true), 0);
		wait_until(&a.messages, (unsigned)i + 1);
		CHECK_EQ(a.size, sizes[i]);
		CHECK(a.binary && a.right);
	}

	CHECK_EQ(sctp_association_open_channel(&lossy, b.association, "_lossy", false, 0), 0);
	CHECK_EQ(lossy % 2, 1);
	wait_until(&b.opened, 2);
	CHECK_STR(a.label, "_lossy");
	if (!lose_every) {
		CHECK_EQ(sctp_association_send(b.association, lossy, pattern(100), true), 0);
		wait_until(&a.messages, (unsigned)COUNT_OF(sizes) + 1);
	}

	a.lose_every = 0; /* nobody repeats a goodbye */
	a.association = sctp_association_free(a.association);
	wait_until(&b.closed, 1);
	CHECK_EQ(sctp_association_send(b.association, lossy, pattern(1), true), SCTP_E_NO_CHANNEL);
	b.association = sctp_association_free(b.association);
}

static void limits_hold(void)
{
	struct end a, b;
	uint16_t id, more = 0;
	int r = 0;

	open_ends(&a, &b, 0);
	CHECK_EQ(sctp_association_send(a.association, 4, pattern(1), true), SCTP_E_NO_CHANNEL);
	CHECK_EQ(sctp_association_open_channel(&id, a.association, "x", true, -1), 0);
	CHECK(sctp_association_send(
		      a.association, id, pattern(LIMIT_DATA_PACKET_BYTES + 1), true) < 0);
	for (unsigned i = 0; i < 2 * LIMIT_SCTP_QUEUE_BYTES / BIG_BYTES && r == 0; ++i)
		r = sctp_association_send(a.association, id, pattern(BIG_BYTES), true);
	CHECK_EQ(r, SCTP_E_FULL);
	wait_until(&b.messages, LIMIT_SCTP_QUEUE_BYTES / BIG_BYTES);
	for (unsigned i = 1; i < LIMIT_DATA_CHANNELS; ++i)
		CHECK_EQ(sctp_association_open_channel(&more, a.association, "y", true, -1), 0);
	CHECK_EQ(sctp_association_open_channel(&more, a.association, "y", true, -1),
		SCTP_E_NO_CHANNEL);
	a.association = sctp_association_free(a.association);
	b.association = sctp_association_free(b.association);
}

/* What keeping a message costs counts as well: it may hold a single byte. */
static void tiny_messages_are_bounded_too(void)
{
	struct end a, b;
	uint16_t id;
	size_t before = mem_live(), sent = 0;

	open_ends(&a, &b, 0);
	CHECK_EQ(sctp_association_open_channel(&id, a.association, "x", true, -1), 0);
	const struct span tiny = span_text("x");
	while (sctp_association_send(a.association, id, tiny, true) == 0)
		++sent;
	CHECK(sent > 1000 && sent < LIMIT_SCTP_QUEUE_BYTES / 16);
	CHECK(mem_live() - before < LIMIT_SCTP_QUEUE_BYTES / 16);
	wait_until(&b.messages, 200);
	CHECK_EQ(sctp_association_send(a.association, id, pattern(1), true), 0);
	a.association = sctp_association_free(a.association);
	b.association = sctp_association_free(b.association);
}

static size_t fill(struct end *e, uint16_t *id)
{
	size_t bytes = 0;

	if (!e->association)
		CHECK_EQ(sctp_association_new(&e->association, &events, e, true), 0);
	CHECK_EQ(sctp_association_open_channel(id, e->association, "x", true, -1), 0);
	while (sctp_association_send(e->association, *id, pattern(BIG_BYTES), true) == 0)
		bytes += BIG_BYTES;
	return bytes;
}

/* Readers who never come: nobody is at the other end. */
static void many_slow_readers_get_less_each(void)
{
	enum { MANY = LIMIT_SCTP_QUEUES_BYTES / LIMIT_SCTP_QUEUE_BYTES + 1 };
	static struct end ends[MANY], more, nobody;
	uint16_t id, last;

	for (unsigned i = 0; i < MANY; ++i) {
		ends[i].other = &nobody;
		size_t bytes = fill(&ends[i], &id); /* the last one gets what is left */
		CHECK(i == MANY - 1 || bytes > LIMIT_SCTP_QUEUE_BYTES / 2);
	}
	more.other = &nobody;
	CHECK(fill(&more, &last) <= LIMIT_SCTP_QUEUE_BYTES_SCARCE);
	for (unsigned i = 0; i < MANY; ++i)
		ends[i].association = sctp_association_free(ends[i].association);
	CHECK_EQ(sctp_association_send(more.association, last, pattern(BIG_BYTES), true), 0);
	more.association = sctp_association_free(more.association);
}

static void it_may_be_freed_in_its_own_event(void)
{
	struct end a, b;
	uint16_t id;

	open_ends(&a, &b, 0);
	b.free_when_opened = true;
	CHECK_EQ(sctp_association_open_channel(&id, a.association, "x", true, -1), 0);
	wait_until(&a.closed, 1);
	CHECK(!b.association);
	a.association = sctp_association_free(a.association);
}

static void garbage_is_ignored(void)
{
	struct end a, b;
	uint16_t id;

	open_ends(&a, &b, 0);
	for (size_t size = 0; size < 300; ++size)
		sctp_association_input(a.association, pattern(size));
	CHECK_EQ(sctp_association_open_channel(&id, a.association, "x", true, -1), 0);
	wait_until(&b.opened, 1);
	a.association = sctp_association_free(a.association);
	b.association = sctp_association_free(b.association);
}

int main(void)
{
	CHECK_EQ(loop_init(&loop), 0);
	CHECK_EQ(sctp_stack_start(&loop), 0);
	channels_open_and_messages_go_both_ways(0);
	channels_open_and_messages_go_both_ways(9);
	limits_hold();
	tiny_messages_are_bounded_too();
	many_slow_readers_get_less_each();
	it_may_be_freed_in_its_own_event();
	garbage_is_ignored();
	sctp_stack_stop();
	loop_fini(&loop);
	CHECK_EQ(mem_live(), 0);
	return 0;
}

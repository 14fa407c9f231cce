#include "net/udp.h"

#include "base/mem.h"
#include "loop_wait.h"
#include "net/address.h"

#include <errno.h>

static struct loop loop;

struct end {
	struct udp *udp;
	struct sockaddr_storage local, from, refused;
	size_t count, last_size, refused_count;
	uint8_t last[65536];
	bool close_at_first;
};

static void on_datagram(void *owner, const struct sockaddr *from, struct span bytes)
{
	struct end *e = owner;
	CHECK(bytes.size > 0);
	++e->count;
	e->last_size = bytes.size;
	memcpy(e->last, bytes.data, bytes.size);
	memcpy(&e->from, from, address_size(from));
	if (e->close_at_first) {
		udp_close(e->udp);
		e->udp = NULL;
	}
}

static void on_refused(void *owner, const struct sockaddr *to)
{
	struct end *e = owner;
	++e->refused_count;
	memcpy(&e->refused, to, address_size(to));
}

static const struct udp_events events = {.datagram = on_datagram, .refused = on_refused};

static void end_open(struct end *e, const char *ip)
{
	struct sockaddr_storage any;
	memset(e, 0, sizeof *e);
	CHECK_EQ(address_parse(&any, ip, 0), 0);
	CHECK_EQ(udp_open(&e->udp, &loop, (struct sockaddr *)&any, &events, e), 0);
	udp_local(e->udp, &e->local);
	CHECK(address_port((struct sockaddr *)&e->local) != 0);
}

static void datagrams_of_all_sizes_arrive(const char *ip)
{
	static struct end a, b;
	static uint8_t bytes[65000];
	static const size_t sizes[] = {1, 1400, 9000, sizeof bytes};
	end_open(&a, ip);
	end_open(&b, ip);
	for (size_t i = 0; i < COUNT_OF(sizes); ++i) {
		memset(bytes, (int)i + 1, sizes[i]);
		CHECK_EQ(udp_send(a.udp, (struct sockaddr *)&b.local, span_of(bytes, sizes[i])), 0);
		LOOP_WAIT(&loop, b.count == i + 1);
		CHECK_EQ(b.last_size, sizes[i]);
		CHECK(!memcmp(b.last, bytes, sizes[i]));
		CHECK(address_equal((struct sockaddr *)&b.from, (struct sockaddr *)&a.local));
	}
	/* An empty one is no event. */
	CHECK(udp_send(a.udp, (struct sockaddr *)&b.local, span_of(bytes, 0)) == 0);
	CHECK_EQ(udp_send(a.udp, (struct sockaddr *)&b.local, span_text("x")), 0);
	LOOP_WAIT(&loop, b.last_size == 1);
	CHECK_EQ(b.count, COUNT_OF(sizes) + 1);
	udp_close(a.udp);
	udp_close(b.udp);
}

/* One dead far end must neither stop the socket nor be blamed on another. */
static void icmp_is_reported_with_the_right_destination(const char *ip)
{
	static struct end a, b, dead;
	end_open(&a, ip);
	end_open(&b, ip);
	end_open(&dead, ip);
	udp_close(dead.udp);
	uv_run(&loop.uv, UV_RUN_NOWAIT);

	for (int i = 0; i < 3; ++i) {
		CHECK_EQ(udp_send(a.udp, (struct sockaddr *)&dead.local, span_text("hello")), 0);
		CHECK_EQ(udp_send(a.udp, (struct sockaddr *)&b.local, span_text("hello")), 0);
	}
	LOOP_WAIT(&loop, a.refused_count == 3 && b.count == 3);
	CHECK(address_equal((struct sockaddr *)&a.refused, (struct sockaddr *)&dead.local));
	CHECK_EQ(udp_send(b.udp, (struct sockaddr *)&a.local, span_text("back")), 0);
	LOOP_WAIT(&loop, a.count == 1);

	/* The report is taken out: the loop must sleep again, not spin. */
	struct timer pulse = {0};
	int turns = 0;
	CHECK_EQ(timer_init(&pulse, &loop, loop_wait_pulse, NULL), 0);
	timer_start(&pulse, 10, 10);
	for (uint64_t until = clock_ms() + 50; clock_ms() < until; ++turns)
		uv_run(&loop.uv, UV_RUN_ONCE);
	timer_fini(&pulse);
	CHECK(turns < 30);
	udp_close(a.udp);
	udp_close(b.udp);
}

static void it_may_be_closed_inside_its_event(void)
{
	static struct end a, b;
	end_open(&a, "127.0.0.1");
	end_open(&b, "127.0.0.1");
	b.close_at_first = true;
	for (int i = 0; i < 5; ++i)
		CHECK_EQ(udp_send(a.udp, (struct sockaddr *)&b.local, span_text("x")), 0);
	LOOP_WAIT(&loop, !b.udp);
	uv_run(&loop.uv, UV_RUN_NOWAIT);
	CHECK_EQ(b.count, 1);
	udp_close(a.udp);
	udp_close(NULL);
}

static void a_taken_port_is_an_answer(void)
{
	static struct end a;
	struct udp *second = NULL;
	end_open(&a, "127.0.0.1");
	int r = udp_open(&second, &loop, (struct sockaddr *)&a.local, &events, &a);
	CHECK_EQ(r, -EADDRINUSE);
	CHECK(!second);
	mem_fail_after(0);
	r = udp_open(&second, &loop, (struct sockaddr *)&a.local, &events, &a);
	mem_fail_after(-1);
	CHECK_EQ(r, -ENOMEM);
	udp_close(a.udp);
}

static bool have_ipv6(void)
{
	struct sockaddr_storage a;
	struct udp *u;
	static struct end e;
	CHECK_EQ(address_parse(&a, "::1", 0), 0);
	if (udp_open(&u, &loop, (struct sockaddr *)&a, &events, &e) < 0)
		return false;
	udp_close(u);
	return true;
}

int main(void)
{
	CHECK_EQ(loop_init(&loop), 0);
	datagrams_of_all_sizes_arrive("127.0.0.1");
	icmp_is_reported_with_the_right_destination("127.0.0.1");
	if (have_ipv6()) {
		datagrams_of_all_sizes_arrive("::1");
		icmp_is_reported_with_the_right_destination("::1");
	}
	it_may_be_closed_inside_its_event();
	a_taken_port_is_an_answer();
	loop_fini(&loop);
	CHECK_EQ(mem_live(), 0);
	return 0;
}

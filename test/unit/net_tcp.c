#include "net/tcp.h"

#include "base/buf.h"
#include "base/mem.h"
#include "loop_wait.h"
#include "net/address.h"

#include <errno.h>

enum { QUEUE_MAX = 4 << 20 };

static struct loop loop;

/* One end of a stream and all that happened to it. */
struct end {
	struct tcp *tcp; /* NULL once closed */
	struct buf in;
	int ready, ended, closed, error;
	bool abort_at_data, echo, refuse;
};

static void on_ready(void *owner)
{
	++((struct end *)owner)->ready;
}

static void on_data(void *owner, struct span bytes)
{
	struct end *e = owner;
	CHECK(bytes.size && !e->closed);
	CHECK_EQ(buf_add(&e->in, bytes.data, bytes.size), 0);
	if (e->abort_at_data)
		tcp_abort(e->tcp);
	else if (e->echo)
		CHECK_EQ(tcp_write(e->tcp, bytes), 0);
}

static void on_ended(void *owner)
{
	++((struct end *)owner)->ended;
}

static void on_closed(void *owner, int error)
{
	struct end *e = owner;
	CHECK_EQ(e->closed, 0);
	++e->closed;
	e->error = error;
	e->tcp = NULL;
}

static const struct tcp_events plain = {.ready = on_ready, .data = on_data, .closed = on_closed};
static const struct tcp_events half = {
	.ready = on_ready, .data = on_data, .ended = on_ended, .closed = on_closed};

static struct end client, server;
static const struct tcp_events *server_events;
static struct tcp_listener *listener;
static struct sockaddr_storage at;

static void on_accepted(void *owner, struct tcp *t)
{
	struct end *e = owner;
	if (e->refuse)
		return;
	e->tcp = t;
	tcp_adopt(t, server_events, e, QUEUE_MAX);
}

static void listen_on(const char *ip)
{
	CHECK_EQ(address_parse(&at, ip, 0), 0);
	CHECK_EQ(tcp_listen(&listener, &loop, (struct sockaddr *)&at, on_accepted, &server), 0);
	tcp_listener_local(listener, &at);
}

static void start(const struct tcp_events *of_server)
{
	memset(&client, 0, sizeof client);
	memset(&server, 0, sizeof server);
	server_events = of_server;
	struct sockaddr *to = (struct sockaddr *)&at;
	CHECK_EQ(tcp_connect(&client.tcp, &loop, to, &plain, &client, QUEUE_MAX), 0);
}

static void connect_pair(const struct tcp_events *of_server)
{
	start(of_server);
	LOOP_WAIT(&loop, client.ready && server.tcp);
}

static void finish(void)
{
	if (client.tcp)
		tcp_abort(client.tcp);
	if (server.tcp)
		tcp_abort(server.tcp);
	LOOP_WAIT(&loop, !client.tcp && !server.tcp);
	buf_fini(&client.in);
	buf_fini(&server.in);
}

static void bytes_go_both_ways_and_names_agree(void)
{
	struct sockaddr_storage a, b;
	connect_pair(&plain);
	server.echo = true;
	tcp_local(client.tcp, &a);
	tcp_peer(server.tcp, &b);
	CHECK(address_equal((struct sockaddr *)&a, (struct sockaddr *)&b));
	CHECK_EQ(tcp_write(client.tcp, span_text("")), 0);
	struct span parts[] = {
		span_text("one "), span_text(""), span_text("two "), span_text("three")};
	CHECK_EQ(tcp_write_parts(client.tcp, parts, COUNT_OF(parts)), 0);
	LOOP_WAIT(&loop, client.in.size == 13);
	CHECK_STR((char *)client.in.data, "one two three");
	CHECK_EQ(server.ready, 0);
	finish();
	CHECK_EQ(client.closed, 1);
	CHECK_EQ(server.closed, 1);
}

/* The peer does not read, so everything beyond the kernel's buffers must wait in the queue; then
 * the end overtakes nothing. */
static void the_end_flushes_what_is_queued(void)
{
	static uint8_t block[100000];
	size_t sent = 0;
	connect_pair(&plain);
	tcp_hold(server.tcp, true);
	while (tcp_queued(client.tcp) < 2 << 20) {
		memset(block, (int)(sent / sizeof block), sizeof block);
		struct span parts[] = {span_of(block, 1), span_of(block + 1, sizeof block - 1)};
		CHECK_EQ(tcp_write_parts(client.tcp, parts, 2), 0);
		sent += sizeof block;
	}
	tcp_end(client.tcp);
	CHECK_EQ(tcp_write(client.tcp, span_text("late")), -EPIPE);
	CHECK(client.tcp);
	tcp_hold(server.tcp, false);
	LOOP_WAIT(&loop, server.closed && client.closed);
	CHECK_EQ(server.in.size, sent);
	for (size_t i = 0; i < sent; i += sizeof block / 4)
		CHECK_EQ(server.in.data[i], (uint8_t)(i / sizeof block));
	CHECK_EQ(server.error, 0);
	CHECK_EQ(client.error, 0);
	finish();
}

static void a_full_queue_takes_all_or_nothing(void)
{
	static uint8_t block[1 << 20];
	int r;
	connect_pair(&plain);
	tcp_hold(server.tcp, true);
	while ((r = tcp_write(client.tcp, span_of(block, sizeof block))) == 0)
		CHECK(tcp_queued(client.tcp) <= QUEUE_MAX);
	CHECK_EQ(r, -ENOBUFS);
	CHECK(tcp_queued(client.tcp) > QUEUE_MAX - sizeof block);
	CHECK_EQ(tcp_write(client.tcp, span_of(block, 1)), 0); /* a small one still fits */
	finish();
}

static void a_half_closed_stream_can_still_be_answered(void)
{
	connect_pair(&half);
	CHECK_EQ(tcp_write(client.tcp, span_text("question")), 0);
	tcp_end(client.tcp); /* reads and drops what comes */
	LOOP_WAIT(&loop, server.ended == 1);
	CHECK_STR((char *)server.in.data, "question");
	CHECK(!server.closed);
	CHECK_EQ(tcp_write(server.tcp, span_text("answer")), 0);
	tcp_end(server.tcp);
	LOOP_WAIT(&loop, server.closed && client.closed);
	CHECK_EQ(server.error, 0);
	finish();
}

static void it_may_be_aborted_inside_its_event(void)
{
	connect_pair(&plain);
	server.abort_at_data = true;
	CHECK_EQ(tcp_write(client.tcp, span_text("x")), 0);
	LOOP_WAIT(&loop, server.closed && client.closed);
	finish();
}

static void failures_to_connect_are_told_by_closed(void)
{
	struct sockaddr_storage good = at;
	struct tcp_listener *gone;
	CHECK_EQ(address_parse(&at, "127.0.0.1", 0), 0);
	CHECK_EQ(tcp_listen(&gone, &loop, (struct sockaddr *)&at, on_accepted, &server), 0);
	tcp_listener_local(gone, &at);
	tcp_listener_close(gone);
	uv_run(&loop.uv, UV_RUN_NOWAIT);
	start(&plain);
	CHECK_EQ(client.closed, 0);
	CHECK_EQ(tcp_write(client.tcp, span_text("queued while connecting")), 0);
	LOOP_WAIT(&loop, client.closed);
	CHECK_EQ(client.error, -ECONNREFUSED);
	CHECK_EQ(client.ready, 0);
	finish();
	at = good;
}

static void it_may_end_while_connecting(void)
{
	start(&plain);
	tcp_end(client.tcp);
	LOOP_WAIT(&loop, client.closed);
	finish();
	start(&plain);
	tcp_abort(client.tcp);
	LOOP_WAIT(&loop, client.closed);
	CHECK_EQ(client.ready, 0);
	finish();
}

static void what_is_written_while_connecting_arrives(void)
{
	start(&plain);
	CHECK_EQ(tcp_write(client.tcp, span_text("early")), 0);
	LOOP_WAIT(&loop, server.in.size == 5);
	finish();
}

static void a_stream_that_nobody_adopts_is_closed(void)
{
	start(&plain);
	server.refuse = true;
	LOOP_WAIT(&loop, client.closed);
	finish();
}

static void every_allocation_may_fail(void)
{
	for (int n = 0;; ++n) {
		memset(&client, 0, sizeof client);
		memset(&server, 0, sizeof server);
		server.refuse = true;
		mem_fail_after(n);
		int r = tcp_connect(
			&client.tcp, &loop, (struct sockaddr *)&at, &plain, &client, QUEUE_MAX);
		mem_fail_after(-1);
		if (r == 0)
			break;
		CHECK_EQ(r, -ENOMEM);
		CHECK(!client.tcp);
	}
	LOOP_WAIT(&loop, client.closed);

	/* No memory for what the kernel does not take: the stream is closed, not silently cut. */
	static uint8_t block[1 << 20];
	int r = 0;
	connect_pair(&plain);
	tcp_hold(server.tcp, true);
	mem_fail_after(0);
	while (r == 0)
		r = tcp_write(client.tcp, span_of(block, sizeof block));
	mem_fail_after(-1);
	CHECK_EQ(r, -ENOMEM);
	LOOP_WAIT(&loop, client.closed);
	CHECK_EQ(client.error, -ENOMEM);
	finish();
}

static void all(const char *ip)
{
	listen_on(ip);
	bytes_go_both_ways_and_names_agree();
	the_end_flushes_what_is_queued();
	a_full_queue_takes_all_or_nothing();
	a_half_closed_stream_can_still_be_answered();
	it_may_be_aborted_inside_its_event();
	failures_to_connect_are_told_by_closed();
	it_may_end_while_connecting();
	what_is_written_while_connecting_arrives();
	a_stream_that_nobody_adopts_is_closed();
	every_allocation_may_fail();
	tcp_listener_close(listener);
}

int main(void)
{
	CHECK_EQ(loop_init(&loop), 0);
	all("127.0.0.1");
	loop_fini(&loop);
	CHECK_EQ(mem_live(), 0);
	return 0;
}

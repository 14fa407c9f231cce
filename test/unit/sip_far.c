#include "sip_far.h"

#include <stdlib.h>
#include <sys/wait.h>

static void on_trying(void *owner, const struct sip_message *m)
{
	++((struct world *)owner)->trying;
}

static void on_progress(void *owner, const struct sip_message *m)
{
	struct world *w = owner;
	++w->progress;
	w->status = m->status;
}

static void on_answered(void *owner, const struct sip_message *m)
{
	struct world *w = owner;
	++w->answered;
	snprintf(w->body, sizeof w->body, "%.*s", (int)m->body.size, (const char *)m->body.data);
}

static void on_offer(void *owner, const struct sip_message *m)
{
	struct world *w = owner;
	++w->offers;
	if (w->offer_waits)
		return;
	if (w->offer_status)
		CHECK_EQ(sip_call_refuse(w->call, w->offer_status, "305 test \"no\""), 0);
	else
		CHECK_EQ(sip_call_answer(w->call, 200, span_text(w->answer ? w->answer : "v=0 answer")), 0);
}

static void on_acked(void *owner, const struct sip_message *m)
{
	++((struct world *)owner)->acks;
}

static void on_reanswered(void *owner, const struct sip_message *m)
{
	struct world *w = owner;
	++w->reanswers;
	w->status = m->status;
}

static bool on_redirect(void *owner, const struct sip_uri *to)
{
	const struct world *w = owner;
	return w->redirect_to && span_is(to->user, w->redirect_to);
}

static void on_info(void *owner, const struct sip_message *m)
{
	++((struct world *)owner)->infos;
}

static void on_failed(void *owner, const struct sip_failure *f)
{
	struct world *w = owner;
	++w->failed;
	w->status = f->status;
	w->why = f->why;
	snprintf(w->sentence, sizeof w->sentence, "%s", f->sentence);
	w->call = NULL;
}

static void on_ended(void *owner, const struct sip_end *e)
{
	struct world *w = owner;
	++w->ended;
	w->by_far_end = e->by_far_end;
	w->reason_cause = e->reason.cause;
	snprintf(w->end_why, sizeof w->end_why, "%s", e->why);
	w->call = NULL;
}

const struct sip_call_events far_events = {
	.trying = on_trying,
	.progress = on_progress,
	.answered = on_answered,
	.redirect = on_redirect,
	.offer = on_offer,
	.acked = on_acked,
	.reanswered = on_reanswered,
	.info = on_info,
	.failed = on_failed,
	.ended = on_ended,
};

/* One port for UDP and TCP alike; somebody else may have the half of it. */
static bool far_try(struct far *f)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof at;
	int on = 1;

	f->link = -1;
	f->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	f->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	CHECK(f->fd >= 0 && f->tcp >= 0);
	CHECK(bind(f->fd, (struct sockaddr *)&at, sizeof at) == 0);
	CHECK(getsockname(f->fd, (struct sockaddr *)&at, &size) == 0);
	f->port = ntohs(at.sin_port);
	setsockopt(f->tcp, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(f->tcp, (struct sockaddr *)&at, sizeof at) == 0)
		return true;
	close(f->fd);
	close(f->tcp);
	return false;
}

void far_open(struct far *f)
{
	int tries = 0;
	while (!far_try(f))
		CHECK(++tries < 20);
}

static void on_in_acked(void *owner, const struct sip_message *m)
{
	++((struct world *)owner)->acks;
}

static void on_in_offer(void *owner, const struct sip_message *m)
{
	struct world *w = owner;
	++w->offers;
	if (!w->offer_waits)
		CHECK_EQ(sip_incoming_answer(w->in, 200, span_text("v=0 answer")), 0);
}

static void on_in_ended(void *owner, const struct sip_end *e)
{
	on_ended(owner, e);
	((struct world *)owner)->in = NULL;
}

static void on_incoming(void *owner, struct sip_incoming *in, const struct sip_message *invite)
{
	static const struct sip_incoming_events events = {
		.acked = on_in_acked, .offer = on_in_offer, .ended = on_in_ended};
	struct world *w = owner;

	++w->incoming;
	w->in = in;
	sip_incoming_accept(in, &events, w);
}

static void open_with(struct world *w, const struct sip_agent_events *e)
{
	*w = (struct world){0};
	struct sip_agent_config config = {
		.binds = {"127.0.0.1"},
		.user_agent = "Ringdown/test",
		.timers = {.t1_ms = 20, .t2_ms = 80, .t4_ms = 40}, /* 64*T1 = 1280 ms */
		.failover_ms = 100,
		.open_to_all = e != NULL,
	};
	CHECK_EQ(loop_init(&w->loop), 0);
	CHECK_EQ(dns_new(&w->dns, &w->loop), 0);
	CHECK_EQ(sip_agent_new(&w->agent, &w->loop, w->dns, &config, e, w), 0);
	far_open(&w->far);
}

void world_open(struct world *w)
{
	open_with(w, NULL);
}

void world_open_for_calls(struct world *w)
{
	static const struct sip_agent_events e = {.incoming = on_incoming};
	open_with(w, &e);
}

void world_close(struct world *w)
{
	w->agent = sip_agent_free(w->agent);
	w->dns = dns_free(w->dns);
	close(w->far.fd);
	close(w->far.tcp);
	if (w->far.link >= 0)
		close(w->far.link);
	loop_fini(&w->loop);
	CHECK_EQ(mem_live(), 0);
}

/* Turns the loop once; waits at most a millisecond for the far end's socket. */
void turn(struct world *w)
{
	struct pollfd p = {.fd = w->far.link >= 0 ? w->far.link : w->far.fd, .events = POLLIN};

	uv_run(&w->loop.uv, UV_RUN_NOWAIT);
	poll(&p, 1, 1);
}

bool receive_udp(struct world *w, struct got *g)
{
	socklen_t size = sizeof w->far.from;
	ssize_t n = recvfrom(w->far.fd, g->bytes, sizeof g->bytes, MSG_DONTWAIT,
		(struct sockaddr *)&w->far.from, &size);
	g->size = n > 0 ? (size_t)n : 0;
	return n > 0;
}

bool receive_tcp(struct world *w, struct got *g)
{
	struct far *f = &w->far;
	size_t size = 0;

	if (f->link < 0)
		f->link = accept4(f->tcp, NULL, NULL, SOCK_CLOEXEC);
	if (f->link < 0)
		return false;
	ssize_t n = recv(f->link, f->stream + f->stream_size, sizeof f->stream - f->stream_size,
		MSG_DONTWAIT);
	if (n > 0)
		f->stream_size += (size_t)n;
	if (sip_message_frame(span_of(f->stream, f->stream_size), &size))
		return false;
	memcpy(g->bytes, f->stream, size);
	g->size = size;
	memmove(f->stream, f->stream + size, f->stream_size - size);
	f->stream_size -= size;
	return true;
}

/* The next message at the far end. */
bool next(struct world *w, struct got *g, uint64_t wait_ms)
{
	uint64_t end = clock_ms() + wait_ms;

	do {
		if (receive_udp(w, g) || receive_tcp(w, g)) {
			CHECK_EQ(sip_message_parse(&g->m, span_of(g->bytes, g->size)), SIP_OK);
			return true;
		}
		turn(w);
	} while (clock_ms() < end);
	return false;
}

/* Passes over repetitions of other requests. */
void expect(struct world *w, struct got *g, enum sip_method method)
{
	do {
		CHECK(next(w, g, WAIT_MS));
	} while (g->m.is_response || g->m.method != method);
}

void expect_status(struct world *w, struct got *g, unsigned status)
{
	do {
		CHECK(next(w, g, WAIT_MS));
	} while (!g->m.is_response);
	CHECK_EQ(g->m.status, status);
}

void expect_none(struct world *w, enum sip_method method)
{
	struct got g;
	uint64_t end = clock_ms() + QUIET_MS;

	while (clock_ms() < end)
		if (next(w, &g, 5))
			CHECK(g.m.is_response || g.m.method != method);
}

void far_send(struct world *w, const char *bytes, size_t size)
{
	if (w->far.link >= 0)
		CHECK(send(w->far.link, bytes, size, MSG_NOSIGNAL) == (ssize_t)size);
	else
		CHECK(sendto(w->far.fd, bytes, size, 0, (struct sockaddr *)&w->far.from,
			      sizeof w->far.from) == (ssize_t)size);
}

/* `headers` are whole lines. */
void reply(struct world *w, const struct got *g, unsigned status, const char *tag,
	const char *headers, const char *body)
{
	char out[8192];
	struct writer wr = writer_of(out, sizeof out);
	struct sip_response_head head = {.status = status, .to_tag = tag};

	sip_write_response_head(&wr, &g->m, &head);
	write_text(&wr, headers ? headers : "");
	sip_write_end(&wr, "application/sdp", span_text(body));
	CHECK(!wr.bad);
	far_send(w, out, wr.used);
}

const char *contact(struct world *w)
{
	static char line[128];
	snprintf(line, sizeof line, "Contact: <sip:far@127.0.0.1:%u%s>\r\n", w->far.port,
		w->far.link >= 0 ? ";transport=tcp" : "");
	return line;
}

/* A request of the far end within the dialog that `invite` and `tag` made. */
void far_request(struct world *w, const struct got *invite, const char *tag,
	const char *method, unsigned cseq, const char *headers, const char *body)
{
	char out[8192];
	struct writer wr = writer_of(out, sizeof out);
	struct sip_name_addr us;

	CHECK_EQ(sip_name_addr_parse(
			 &us, sip_message_value(&invite->m, SIP_H_CONTACT)),
		0);
	sip_write_request(&wr, span_text(method), us.uri);
	write_format(&wr, "Via: SIP/2.0/%s 127.0.0.1:%u;rport;branch=z9hG4bKfar%s%u\r\n",
		w->far.link >= 0 ? "TCP" : "UDP", w->far.port, method, cseq);
	sip_write_copy(&wr, "To", sip_message_value(&invite->m, SIP_H_FROM));
	write_text(&wr, "From: ");
	write_span(&wr, sip_message_value(&invite->m, SIP_H_TO));
	write_format(&wr, ";tag=%s\r\n", tag);
	sip_write_copies(&wr, &invite->m, SIP_H_CALL_ID);
	sip_write_header_format(&wr, "CSeq", "%u %s", cseq, method);
	write_text(&wr, "Max-Forwards: 70\r\n");
	write_text(&wr, headers ? headers : "");
	bool digits = !strcmp(method, "INFO");
	sip_write_end(&wr, digits ? "application/dtmf-relay" : "application/sdp", span_text(body));
	CHECK(!wr.bad);
	far_send(w, out, wr.used);
}

void far_invite(struct world *w, const char *branch, const char *body)
{
	char out[2048];
	struct writer wr = writer_of(out, sizeof out);

	w->far.from = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(sip_agent_port(w->agent)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	write_format(&wr, "INVITE sip:us@127.0.0.1:%u SIP/2.0\r\n", sip_agent_port(w->agent));
	write_format(&wr, "Via: SIP/2.0/UDP 127.0.0.1:%u;rport;branch=%s\r\n", w->far.port, branch);
	write_format(&wr, "From: <sip:far@127.0.0.1>;tag=caller\r\nTo: <sip:us@127.0.0.1>\r\n"
		"Call-ID: theirs\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n%s", contact(w));
	sip_write_end(&wr, "application/sdp", span_text(body));
	CHECK(!wr.bad);
	far_send(w, out, wr.used);
}

void far_caller_request(struct world *w, const struct got *response, const char *method, unsigned cseq,
	const char *branch, const char *body)
{
	char out[4096], mine[64];
	struct writer wr = writer_of(out, sizeof out);

	snprintf(mine, sizeof mine, "z9hG4bKcaller%s%u", method, cseq);
	write_format(&wr, "%s sip:us@127.0.0.1:%u SIP/2.0\r\n", method, sip_agent_port(w->agent));
	write_format(&wr, "Via: SIP/2.0/UDP 127.0.0.1:%u;rport;branch=%s\r\n", w->far.port, branch ? branch : mine);
	sip_write_copies(&wr, &response->m, SIP_H_FROM);
	if (strcmp(method, "CANCEL"))
		sip_write_copies(&wr, &response->m, SIP_H_TO);
	else
		write_text(&wr, "To: <sip:us@127.0.0.1>\r\n");
	write_format(&wr, "Call-ID: theirs\r\nCSeq: %u %s\r\nMax-Forwards: 70\r\n%s", cseq, method, contact(w));
	sip_write_end(&wr, "application/sdp", span_text(body));
	CHECK(!wr.bad);
	far_send(w, out, wr.used);
}

struct sip_invite_config plain(struct world *w)
{
	static char uri[64];
	snprintf(uri, sizeof uri, "sip:+15550100@127.0.0.1:%u", w->far.port);
	return (struct sip_invite_config){
		.request_uri = uri,
		.from_uri = "sip:+15550199@gateway.example",
		.body = span_text("v=0 offer"),
	};
}

void dial(struct world *w, const struct sip_invite_config *config)
{
	CHECK_EQ(sip_invite(&w->call, w->agent, config, &far_events, w), 0);
}

/* Dial, ring, answer: `invite` is kept for later requests. */
void establish(struct world *w, struct got *invite)
{
	struct got ack;
	struct sip_invite_config config = plain(w);

	dial(w, &config);
	expect(w, invite, SIP_INVITE);
	reply(w, invite, 180, "far1", contact(w), NULL);
	reply(w, invite, 200, "far1", contact(w), "v=0 far");
	expect(w, &ack, SIP_ACK);
	UNTIL(w, w->answered == 1);
}

void hang_up(struct world *w)
{
	struct got bye;

	sip_call_hangup(w->call, NULL);
	expect(w, &bye, SIP_BYE);
	reply(w, &bye, 200, NULL, NULL, NULL);
	UNTIL(w, w->ended == 1);
	CHECK(!w->by_far_end);
	CHECK_EQ(w->failed, 0);
}

bool value_is(const struct got *g, enum sip_header_id id, const char *text)
{
	return span_is(sip_message_value(&g->m, id), text);
}

void at_once(void (*const tests[])(void), size_t count)
{
	int status, failed = 0;

	for (size_t i = 0; i < count; ++i) {
		pid_t child = fork();
		CHECK(child >= 0);
		if (child == 0) {
			tests[i]();
			exit(0);
		}
	}
	while (wait(&status) > 0)
		failed += !WIFEXITED(status) || WEXITSTATUS(status);
	CHECK_EQ(failed, 0);
}

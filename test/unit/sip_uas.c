/* Incoming calls: one agent calls another in the same loop, as the gateway calls the simulator;
 * and a bare socket, where a caller must misbehave. */
#include "base/clock.h"
#include "base/mem.h"
#include "net/address.h"
#include "sip/digest.h"
#include "sip/uas.h"
#include "test/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

static const struct sip_timers fast = {.t1_ms = 10, .t2_ms = 40, .t4_ms = 20};

enum { WAIT_MS = 5000 };

struct world {
	struct loop loop;
	struct dns *dns;
	struct sip_agent *caller, *callee;
	struct sip_call *call;
	struct sip_incoming *in;

	const char *ip;
	bool may_fail; /* memory is short: a response may not go out */
	const char *script; /* what the callee does with an INVITE */
	int invites, acked, in_ended, offers, reanswered;
	char in_why[16];
	int answered, failed, ended, progress, rereanswered;
	unsigned status;
	enum sip_why why;
	char route[64];
	bool by_far_end;
};

/* --- callee ------------------------------------------------------------------------------- */

static void on_acked(void *owner, const struct sip_message *m)
{
	++((struct world *)owner)->acked;
}

static void on_in_ended(void *owner, const struct sip_end *e)
{
	struct world *w = owner;
	++w->in_ended;
	snprintf(w->in_why, sizeof w->in_why, "%s", e->why);
	w->in = NULL;
}

static void on_reanswered(void *owner, const struct sip_message *m)
{
	struct world *w = owner;
	++w->reanswered;
	CHECK_EQ(m->status, 200);
	CHECK(span_is(m->body, "v=0 caller"));
}

static const struct sip_incoming_events in_events = {
	.acked = on_acked,
	.ended = on_in_ended,
	.reanswered = on_reanswered,
};

static void respond(struct world *w, struct sip_incoming *in, unsigned status, const struct sip_extra *headers,
	size_t count, const char *body)
{
	struct sip_response r = {.status = status, .headers = headers, .header_count = count,
		.body = span_text(body)};
	int sent = sip_incoming_respond(in, &r);
	CHECK(sent == 0 || w->may_fail);
}

static void challenge(struct world *w, struct sip_incoming *in, const struct sip_message *invite)
{
	static const struct sip_extra ask = {"Proxy-Authenticate",
		"Digest realm=\"sip.twilio.com\",qop=\"auth\",nonce=\"nn\",opaque=\"oo\""};
	static const struct sip_extra error = {"X-Twilio-Error", "32202 bad credentials"};
	char contact[64];
	struct sip_extra ok[] = {
		{"Contact", "<sip:172.25.11.7:5060;transport=udp>"},
		{"Record-Route", w->route},
		{"X-Twilio-CallSid", "CA1"},
	};

	snprintf(contact, sizeof contact, "<sip:127.0.0.1:%u;lr>", sip_agent_port(w->callee));
	snprintf(w->route, sizeof w->route, "%s", contact);
	int r = sip_digest_verify(invite, SIP_H_PROXY_AUTHORIZATION, "sip.twilio.com", "nn", "alice",
		"secret");
	if (r == SIP_VERIFY_E_NONE) {
		respond(w, in, 407, &ask, 1, NULL);
		return;
	}
	if (r) {
		respond(w, in, 403, &error, 1, NULL);
		return;
	}
	sip_incoming_accept(in, &in_events, w);
	w->in = in;
	respond(w, in, 183, ok, 2, "v=0 early");
	respond(w, in, 200, ok, 3, "v=0 callee");
}

static void on_incoming(void *owner, struct sip_incoming *in, const struct sip_message *invite)
{
	struct world *w = owner;

	++w->invites;
	if (!strcmp(w->script, "drop")) {
		sip_incoming_drop(in);
	} else if (!strcmp(w->script, "nothing")) {
		return;
	} else if (!strcmp(w->script, "twilio")) {
		challenge(w, in, invite);
	} else {
		sip_incoming_accept(in, &in_events, w);
		w->in = in;
		respond(w, in, 180, NULL, 0, NULL);
		if (!strcmp(w->script, "busy"))
			respond(w, in, 486, NULL, 0, NULL);
		if (!strcmp(w->script, "answer"))
			respond(w, in, 200, NULL, 0, "v=0 callee");
	}
}

static const struct sip_agent_events callee_events = {.incoming = on_incoming};

/* --- caller ------------------------------------------------------------------------------- */

static void on_progress(void *owner, const struct sip_message *m)
{
	++((struct world *)owner)->progress;
}

static void on_answered(void *owner, const struct sip_message *m)
{
	++((struct world *)owner)->answered;
}

static void on_failed(void *owner, const struct sip_failure *f)
{
	struct world *w = owner;
	++w->failed;
	w->status = f->status;
	w->why = f->why;
	w->call = NULL;
}

static void on_ended(void *owner, const struct sip_end *e)
{
	struct world *w = owner;
	++w->ended;
	w->by_far_end = e->by_far_end;
	w->call = NULL;
}

static void on_call_reanswered(void *owner, const struct sip_message *m)
{
	struct world *w = owner;
	CHECK_EQ(m->status, 200);
	CHECK(span_is(m->body, "v=0 hold"));
	++w->rereanswered;
}

static const struct sip_call_events call_events = {
	.reanswered = on_call_reanswered,
	.progress = on_progress,
	.answered = on_answered,
	.failed = on_failed,
	.ended = on_ended,
};

static void world_open_at(struct world *w, const char *script, const char *ip)
{
	*w = (struct world){.script = script, .ip = ip};
	struct sip_agent_config caller = {.binds = {ip}, .timers = fast};
	struct sip_agent_config callee = {.binds = {ip}, .timers = fast, .open_to_all = true,
		.user_agent = "Twilio Gateway"};

	CHECK_EQ(loop_init(&w->loop), 0);
	CHECK_EQ(dns_new(&w->dns, &w->loop), 0);
	CHECK_EQ(sip_agent_new(&w->caller, &w->loop, w->dns, &caller, NULL, NULL), 0);
	CHECK_EQ(sip_agent_new(&w->callee, &w->loop, w->dns, &callee, &callee_events, w), 0);
}

static void world_open(struct world *w, const char *script)
{
	world_open_at(w, script, "127.0.0.1");
}

static void turn(struct world *w)
{
	uv_run(&w->loop.uv, UV_RUN_NOWAIT);
	usleep(200);
}

#define UNTIL(w, cond)                                                                             \
	do {                                                                                       \
		uint64_t end_ = clock_ms() + WAIT_MS;                                              \
		while (!(cond) && clock_ms() < end_)                                               \
			turn(w);                                                                   \
		CHECK(cond);                                                                       \
	} while (0)

static void world_close(struct world *w)
{
	w->caller = sip_agent_free(w->caller);
	w->callee = sip_agent_free(w->callee);
	w->dns = dns_free(w->dns);
	loop_fini(&w->loop);
	CHECK_EQ(mem_live(), 0);
}

static void dial(struct world *w, const char *password, bool tcp)
{
	char uri[64];
	snprintf(uri, sizeof uri, strchr(w->ip, ':') ? "sip:1@[%s]:%u" : "sip:1@%s:%u", w->ip,
		sip_agent_port(w->callee));
	struct sip_invite_config config = {
		.request_uri = uri,
		.from_uri = "sip:+15550199@gw.example",
		.username = password ? "alice" : NULL,
		.password = password,
		.body = span_text("v=0 caller"),
		.protocol = tcp ? SIP_PROTOCOL_TCP : SIP_PROTOCOL_UDP,
	};
	CHECK_EQ(sip_invite(&w->call, w->caller, &config, &call_events, w), 0);
}

/* --- cases -------------------------------------------------------------------------------- */

static void a_call_from_end_to_end(const char *ip, bool tcp, bool callee_hangs_up)
{
	struct world w;

	world_open_at(&w, "answer", ip);
	dial(&w, NULL, tcp);
	UNTIL(&w, w.answered && w.acked);
	CHECK_EQ(w.progress, 1);
	CHECK_EQ(sip_incoming_is_tcp(w.in), tcp);
	CHECK_STR(sip_incoming_call_id(w.in), sip_call_id(w.call));
	CHECK_EQ(sip_incoming_reinvite(w.in, span_text("v=0 hold")), 0);
	UNTIL(&w, w.reanswered == 1);
	/* Not before their ACK is here: one offer at a time. */
	int begun = -EINVAL;
	UNTIL(&w, begun == 0 || (begun = sip_call_reinvite(w.call, span_text("v=0 us"))) == 0);
	CHECK_EQ(sip_call_reinvite(w.call, span_text("v=0 twice")), -EINVAL);
	UNTIL(&w, w.rereanswered == 1);
	if (callee_hangs_up)
		sip_incoming_hangup(w.in, "Q.850;cause=16");
	else
		sip_call_hangup(w.call, NULL);
	UNTIL(&w, w.ended && w.in_ended);
	CHECK_EQ(w.by_far_end, callee_hangs_up);
	CHECK_STR(w.in_why, callee_hangs_up ? "hangup" : "bye");
	UNTIL(&w, !sip_agent_calls(w.caller) && !sip_agent_calls(w.callee));
	world_close(&w);
}

static void like_twilio(void)
{
	struct world w;

	world_open(&w, "twilio");
	dial(&w, "secret", false);
	UNTIL(&w, w.answered && w.acked);
	CHECK_EQ(w.invites, 2);
	CHECK_EQ(w.progress, 1);
	sip_call_hangup(w.call, NULL);
	UNTIL(&w, w.ended && w.in_ended);
	CHECK_STR(w.in_why, "bye");

	dial(&w, "wrong", false);
	UNTIL(&w, w.failed);
	CHECK_EQ(w.status, 403);
	CHECK_EQ(w.invites, 4);
	world_close(&w);
}

static void no_call(void)
{
	static const struct {
		const char *script;
		unsigned status;
		enum sip_why why;
	} cases[] = {
		{"busy", 486, SIP_WHY_RESPONSE},
		{"nothing", 480, SIP_WHY_RESPONSE},
		{"drop", 0, SIP_WHY_TIMEOUT},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct world w;
		world_open(&w, cases[i].script);
		dial(&w, NULL, false);
		UNTIL(&w, w.failed);
		CHECK_EQ(w.status, cases[i].status);
		CHECK_EQ(w.why, cases[i].why);
		CHECK_EQ(w.invites, 1);
		UNTIL(&w, !sip_agent_calls(w.callee));
		CHECK_EQ(w.in_ended, !strcmp(cases[i].script, "busy"));
		world_close(&w);
	}
}

static void the_caller_gives_up(void)
{
	struct world w;

	world_open(&w, "ring");
	dial(&w, NULL, false);
	UNTIL(&w, w.progress);
	sip_call_hangup(w.call, "SIP;cause=487");
	UNTIL(&w, w.failed && w.in_ended);
	CHECK_STR(w.in_why, "cancel");
	CHECK_EQ(w.why, SIP_WHY_CANCELLED);
	CHECK_EQ(w.status, 487);
	world_close(&w);
}

/* A caller that never acknowledges: the 200 comes again and again, then a BYE. */
static void no_ack_comes(void)
{
	struct world w;
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in me = to;
	socklen_t size = sizeof me;
	char out[1024], in[65536];
	int oks = 0, byes = 0;

	world_open(&w, "answer");
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK(bind(fd, (struct sockaddr *)&me, sizeof me) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&me, &size) == 0);
	to.sin_port = htons(sip_agent_port(w.callee));
	int n = snprintf(out, sizeof out,
		"INVITE sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK1\r\n"
		"From: <sip:s@x>;tag=1\r\nTo: <sip:x@127.0.0.1>\r\nCall-ID: one\r\nCSeq: 1 INVITE\r\n"
		"Contact: <sip:me@127.0.0.1:%u>\r\nContent-Length: 0\r\n\r\n",
		ntohs(me.sin_port), ntohs(me.sin_port));
	CHECK(sendto(fd, out, (size_t)n, 0, (struct sockaddr *)&to, sizeof to) == n);
	uint64_t end = clock_ms() + WAIT_MS;
	while (clock_ms() < end && !byes) {
		turn(&w);
		ssize_t got = recv(fd, in, sizeof in - 1, MSG_DONTWAIT);
		if (got <= 0)
			continue;
		in[got] = 0;
		oks += !strncmp(in, "SIP/2.0 200", 11);
		byes += !strncmp(in, "BYE sip:me@127", 14);
	}
	CHECK(oks >= 5);
	CHECK_EQ(byes, 1);
	CHECK_EQ(w.in_ended, 1);
	CHECK_STR(w.in_why, "no ack");
	close(fd);
	world_close(&w);
}

static void going_away_in_the_middle(void)
{
	static const char *const scripts[] = {"ring", "answer", "twilio"};

	for (size_t i = 0; i < COUNT_OF(scripts); ++i) {
		struct world w;
		world_open(&w, scripts[i]);
		dial(&w, "secret", i == 1);
		UNTIL(&w, w.progress);
		world_close(&w);
	}
}

/* Whatever allocation fails on either side, at any moment: nothing leaks, nothing ends twice. */
static void memory_runs_out(void)
{
	for (int i = 0; i < 90; ++i) {
		struct world w;

		world_open(&w, i % 2 ? "twilio" : "answer");
		dial(&w, "secret", i % 3 == 0);
		/* The far end's script expects its responses to go out. */
		w.may_fail = true;
		mem_fail_after(i);
		for (int k = 0; k < 12; ++k)
			turn(&w);
		mem_fail_after(-1);
		if (w.call)
			sip_call_hangup(w.call, NULL);
		for (int k = 0; k < 12; ++k)
			turn(&w);
		CHECK(w.failed + w.ended <= 1 && w.in_ended <= w.invites);
		world_close(&w);
	}
}

static bool has_ipv6(void)
{
	struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool has = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0;

	if (fd >= 0)
		close(fd);
	return has;
}

int main(void)
{
	for (int i = 0; i < 4; ++i)
		a_call_from_end_to_end("127.0.0.1", i & 1, i & 2);
	for (int i = 0; i < 4 && has_ipv6(); ++i)
		a_call_from_end_to_end("::1", i & 1, i & 2);
	like_twilio();
	no_call();
	the_caller_gives_up();
	no_ack_comes();
	going_away_in_the_middle();
	memory_runs_out();
	return 0;
}

/* The dialog engine driven by sequences of messages: an agent with its real transport on loopback, a
 * far end whose every message is decoded from the input, and a clock that goes only when told to.
 * Whatever comes: what we send can be read and has nothing wrong with it, a call ends once and says
 * nothing after it, all of it is gone in the end, and no memory is left.
 *
 * Each deed begins with a byte; see deed(). Nothing leaves the loopback: names and addresses in the
 * messages lead to a resolver that refuses, and to sends that are swallowed here. */
#include "base/mem.h"
#include "net/loop.h"
#include "sip/call.h"
#include "sip/uas.h"
#include "wire/sip_write.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(cond) ((cond) ? (void)0 : abort())

enum { HEARD_MAX = 12, DEEDS_MAX = 200, SENDS_MAX = 4000, LAST_MS = 300000, BYTES_MAX = 4096 };

/* One message that reached the far end. */
struct heard {
	uint8_t bytes[BYTES_MAX];
	size_t size;
};

static struct {
	const uint8_t *at, *end;
	uint64_t now_ms;
	struct loop loop;
	struct dns *dns;
	struct sip_agent *agent;
	int far;
	struct sockaddr_in us;
	struct heard ours[HEARD_MAX]; /* requests of ours, the latest last */
	size_t our_count;
	struct heard answers[HEARD_MAX]; /* our responses */
	size_t answer_count;
	struct heard last; /* what the far end sent last */
	struct sip_call *call;
	struct sip_incoming *in;
	int calls, ends, in_calls, in_ends;
	unsigned serial;
	size_t sends;
} w;

/* --- the world outside -------------------------------------------------------------------- */

/* libuv and we ask for the time here. */
int clock_gettime(clockid_t which, struct timespec *ret)
{
	if (which != CLOCK_MONOTONIC && which != CLOCK_MONOTONIC_COARSE)
		return (int)syscall(SYS_clock_gettime, which, ret);
	*ret = (struct timespec){.tv_sec = (time_t)(w.now_ms / 1000), .tv_nsec = (long)(w.now_ms % 1000) * 1000000};
	return 0;
}

static bool is_far(const struct sockaddr *to, uint16_t port)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)to;
	return to->sa_family == AF_INET && in->sin_addr.s_addr == htonl(INADDR_LOOPBACK) && in->sin_port == port;
}

static uint16_t far_port(void)
{
	struct sockaddr_in me;
	socklen_t size = sizeof me;
	return getsockname(w.far, (struct sockaddr *)&me, &size) == 0 ? me.sin_port : 0;
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	if (m->msg_name && !is_far(m->msg_name, far_port())) {
		ssize_t size = 0;
		for (size_t i = 0; i < m->msg_iovlen; ++i)
			size += (ssize_t)m->msg_iov[i].iov_len;
		return size;
	}
	return syscall(SYS_sendmsg, fd, m, flags);
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t to_size)
{
	if (to && fd != w.far && !is_far(to, far_port()))
		return (ssize_t)size;
	return syscall(SYS_sendto, fd, data, size, flags, to, to_size);
}

int connect(int fd, const struct sockaddr *to, socklen_t size)
{
	errno = ECONNREFUSED;
	return -1;
}

/* --- the input ---------------------------------------------------------------------------- */

static uint8_t next_byte(void)
{
	return w.at < w.end ? *w.at++ : 0;
}

static struct span next_bytes(size_t size)
{
	size_t left = (size_t)(w.end - w.at);
	struct span s = span_of(w.at, size < left ? size : left);
	w.at += s.size;
	return s;
}

/* --- what the far end hears --------------------------------------------------------------- */

static void keep(struct heard *list, size_t *count, const uint8_t *bytes, size_t size)
{
	if (size > BYTES_MAX)
		return;
	if (*count == HEARD_MAX) {
		memmove(list, list + 1, (HEARD_MAX - 1) * sizeof *list);
		--*count;
	}
	memcpy(list[*count].bytes, bytes, size);
	list[(*count)++].size = size;
}

static void hear(void)
{
	static uint8_t bytes[65536];
	struct sip_message m;
	ssize_t size;

	while ((size = recv(w.far, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
		MUST(++w.sends < SENDS_MAX);
		MUST(sip_message_parse(&m, span_of(bytes, (size_t)size)) == SIP_OK);
		MUST(m.is_response || sip_message_refusal(&m) == 0);
		if (m.is_response)
			keep(w.answers, &w.answer_count, bytes, (size_t)size);
		else
			keep(w.ours, &w.our_count, bytes, (size_t)size);
	}
}

static void turn(void)
{
	for (int i = 0; i < 4; ++i) {
		uv_run(&w.loop.uv, UV_RUN_NOWAIT);
		hear();
	}
}

/* Timers fire in between, not all at the end. */
static void pass(uint64_t ms)
{
	uint64_t end = w.now_ms + ms;
	while (w.now_ms < end) {
		uint64_t step = ms / 16 + 1;
		w.now_ms += step < end - w.now_ms ? step : end - w.now_ms;
		uv_run(&w.loop.uv, UV_RUN_NOWAIT);
		hear();
	}
	turn();
}

static void say(const uint8_t *bytes, size_t size)
{
	if (size <= BYTES_MAX) {
		memcpy(w.last.bytes, bytes, size);
		w.last.size = size;
	}
	(void)!sendto(w.far, bytes, size, 0, (struct sockaddr *)&w.us, sizeof w.us);
	turn();
}

/* --- what our side does ------------------------------------------------------------------- */

static void answer_offer(int (*answer)(unsigned status))
{
	switch (next_byte() % 4) {
	case 0:
	case 1:
		(void)!answer(200);
		return;
	case 2:
		(void)!answer(488);
		return;
	default: /* later, or never */
		return;
	}
}

static int call_answers(unsigned status)
{
	return status == 200 ? sip_call_answer(w.call, status, span_text("v=0 answer"))
			     : sip_call_refuse(w.call, status, "399 fuzz \"no\"");
}

static int in_answers(unsigned status)
{
	return sip_incoming_answer(w.in, status, span_text("v=0 answer"));
}

static void on_message(void *owner, const struct sip_message *m)
{
	MUST(w.call);
	if (next_byte() % 16 == 1)
		sip_call_hangup(w.call, NULL);
}

static void on_offer(void *owner, const struct sip_message *m)
{
	MUST(w.call);
	answer_offer(call_answers);
}

static bool on_redirect(void *owner, const struct sip_uri *to)
{
	MUST(w.call);
	return next_byte() % 2;
}

static void on_referred(void *owner, const struct sip_refer_result *r)
{
	MUST(w.call);
}

static void on_failed(void *owner, const struct sip_failure *f)
{
	MUST(w.call && *f->sentence);
	w.call = NULL;
	++w.ends;
}

static void on_ended(void *owner, const struct sip_end *e)
{
	MUST(w.call && e->why);
	w.call = NULL;
	++w.ends;
}

static const struct sip_call_events call_events = {
	.trying = on_message,
	.progress = on_message,
	.answered = on_message,
	.redirect = on_redirect,
	.offer = on_offer,
	.acked = on_message,
	.info = on_message,
	.reanswered = on_message,
	.referred = on_referred,
	.failed = on_failed,
	.ended = on_ended,
};

static void on_in_message(void *owner, const struct sip_message *m)
{
	MUST(w.in);
}

static void on_in_offer(void *owner, const struct sip_message *m)
{
	MUST(w.in);
	answer_offer(in_answers);
}

static void on_in_ended(void *owner, const struct sip_end *e)
{
	MUST(w.in && e->why);
	w.in = NULL;
	++w.in_ends;
}

static void on_incoming(void *owner, struct sip_incoming *in, const struct sip_message *invite)
{
	static const struct sip_incoming_events events = {.acked = on_in_message,
		.offer = on_in_offer,
		.info = on_in_message,
		.reanswered = on_in_message,
		.ended = on_in_ended};

	if (w.in) {
		sip_incoming_drop(in);
		return;
	}
	++w.in_calls;
	w.in = in;
	sip_incoming_accept(in, &events, NULL);
}

static void dial(void)
{
	char uri[64];
	static const struct sip_extra extra = {"X-Room", "fuzz"};

	if (w.call)
		return;
	snprintf(uri, sizeof uri, "sip:+15550100@127.0.0.1:%u", ntohs(far_port()));
	const struct sip_invite_config config = {
		.request_uri = uri,
		.from_uri = "sip:+15550199@gateway.example",
		.username = "alice",
		.password = "secret",
		.protocol = SIP_PROTOCOL_UDP,
		.headers = &extra,
		.header_count = 1,
		.body = span_text("v=0 offer"),
		.session_expires_s = next_byte() % 2 ? 120 : 0,
	};
	MUST(sip_invite(&w.call, w.agent, &config, &call_events, NULL) == 0);
	++w.calls;
	turn();
}

static void wish(void)
{
	static const struct sip_refer_request refer = {.refer_to = "<sip:b@127.0.0.1>"};
	struct sip_response r = {.status = 180, .body = span_text("v=0 ours")};
	static const unsigned statuses[] = {180, 183, 200, 200, 200, 486};

	switch (next_byte() % 8) {
	case 0:
		if (w.call)
			sip_call_hangup(w.call, "Q.850;cause=16");
		break;
	case 1:
		if (w.call)
			(void)!sip_call_reinvite(w.call, span_text("v=0 again"));
		break;
	case 2:
		if (w.call)
			(void)!call_answers(next_byte() % 2 ? 200 : 488);
		break;
	case 3:
		if (w.call)
			(void)!sip_call_refer(w.call, &refer);
		break;
	case 4:
		r.status = statuses[next_byte() % COUNT_OF(statuses)];
		if (w.in)
			(void)!sip_incoming_respond(w.in, &r);
		break;
	case 5:
		if (w.in)
			(void)!sip_incoming_reinvite(w.in, span_text("v=0 again"));
		break;
	case 6:
		if (w.in)
			(void)!in_answers(next_byte() % 2 ? 200 : 488);
		break;
	default:
		if (w.in)
			sip_incoming_hangup(w.in, NULL);
	}
	turn();
}

/* --- what the far end says ---------------------------------------------------------------- */

static const char *const tags[] = {"a", "b", "c", ""};

static void write_contact(struct writer *out)
{
	static const char *const hosts[] = {"127.0.0.1", "10.1.2.3", "[::1]", "far.example"};
	uint8_t b = next_byte();

	write_format(out, "Contact: <sip:far@%s:%u%s>\r\n", hosts[b % 8 < 5 ? 0 : b % 8 - 4],
		ntohs(far_port()), b & 64 ? ";transport=tcp" : "");
	if (b & 128)
		write_format(out, "Record-Route: <sip:127.0.0.1:%u%s>\r\n", ntohs(far_port()), b & 32 ? ";lr" : "");
}

static void write_timer(struct writer *out)
{
	static const unsigned seconds[] = {0, 2, 90, 1800, 4000000000u, 30};
	uint8_t b = next_byte();

	write_format(out, "Session-Expires: %u%s\r\n", seconds[b % COUNT_OF(seconds)],
		b & 64 ? ";refresher=uac" : b & 128 ? ";refresher=uas" : "");
	write_text(out, "Min-SE: 300\r\n");
}

/* Bits of a deed: what comes with the message. */
enum { WITH_BODY = 1, WITH_100REL = 2, WITH_TIMER = 4, WITH_CONTACT = 8, WITH_CHALLENGE = 16, WITH_ALLOW = 32,
	WITH_SUPPORTED = 64, WITH_BYTES = 128 };

static void write_more(struct writer *out, unsigned with)
{
	if (with & WITH_100REL)
		write_format(out, "Require: 100rel\r\nRSeq: %u\r\n", next_byte() % 8);
	if (with & WITH_TIMER)
		write_timer(out);
	if (with & WITH_CONTACT)
		write_contact(out);
	if (with & WITH_CHALLENGE)
		write_format(out, "Proxy-Authenticate: Digest realm=\"r%u\",nonce=\"n%u\",qop=\"auth\"%s\r\n",
			next_byte() % 3, next_byte() % 4, next_byte() % 2 ? ",stale=true" : "");
	if (with & WITH_ALLOW)
		write_text(out, "Allow: INVITE, ACK, BYE, UPDATE, PRACK\r\n");
	if (with & WITH_SUPPORTED)
		write_text(out, "Supported: timer\r\nEvent: refer\r\nSubscription-State: active\r\n");
	if (with & WITH_BYTES) {
		struct span raw = next_bytes(next_byte() % 32);
		write_text(out, "X-Raw: ");
		write_span(out, raw);
		write_text(out, "\r\n");
	}
	sip_write_end(out, with & WITH_SUPPORTED ? "message/sipfrag" : "application/sdp",
		span_text(with & WITH_BODY ? "v=0 far" : NULL));
}

static void respond(void)
{
	static const unsigned statuses[] = {100, 180, 183, 199, 200, 200, 202, 302, 401, 407, 407, 408, 422, 481, 486, 487,
		488, 491, 500, 503, 603};
	uint8_t bytes[BYTES_MAX];
	struct writer out = writer_of(bytes, sizeof bytes);
	struct sip_message m;

	size_t which = next_byte();
	struct sip_response_head head = {.status = statuses[next_byte() % COUNT_OF(statuses)]};
	head.to_tag = tags[next_byte() % COUNT_OF(tags)];
	unsigned with = next_byte();
	if (!w.our_count)
		return;
	const struct heard *h = &w.ours[w.our_count - 1 - which % w.our_count];
	if (sip_message_parse(&m, span_of(h->bytes, h->size)) != SIP_OK || m.method == SIP_ACK)
		return;
	sip_write_response_head(&out, &m, &head);
	write_more(&out, with);
	if (!out.bad)
		say(bytes, out.used);
}

static const char *const methods[] = {"INVITE", "BYE", "UPDATE", "ACK", "INFO", "OPTIONS", "PRACK", "NOTIFY", "MESSAGE",
	"REFER", "CANCEL", "FOO"};

/* Within the call that we made: From and To are the other way round. */
static void write_within_ours(struct writer *out, const char *tag)
{
	struct sip_message m;

	for (size_t i = 0; i < w.our_count; ++i) {
		if (sip_message_parse(&m, span_of(w.ours[i].bytes, w.ours[i].size)) != SIP_OK)
			continue;
		write_text(out, "From: <sip:far@x>;tag=");
		write_text(out, tag);
		write_text(out, "\r\n");
		sip_write_copy(out, "To", sip_message_value(&m, SIP_H_FROM));
		sip_write_copies(out, &m, SIP_H_CALL_ID);
		return;
	}
	out->bad = true;
}

static void write_within_theirs(struct writer *out, bool cancel)
{
	struct sip_message m;

	for (size_t i = w.answer_count; i-- > 0;) {
		if (sip_message_parse(&m, span_of(w.answers[i].bytes, w.answers[i].size)) != SIP_OK ||
			!span_is(m.call_id, "theirs"))
			continue;
		sip_write_copies(out, &m, SIP_H_FROM);
		if (cancel)
			write_text(out, "To: <sip:us@127.0.0.1>\r\n");
		else
			sip_write_copies(out, &m, SIP_H_TO);
		write_text(out, "Call-ID: theirs\r\n");
		return;
	}
	out->bad = true;
}

static void request(void)
{
	uint8_t bytes[BYTES_MAX], b = next_byte();
	struct writer out = writer_of(bytes, sizeof bytes);
	const char *method = methods[b % COUNT_OF(methods)];
	uint8_t cseq = next_byte(), how = next_byte();
	unsigned with = next_byte();
	/* A branch of its own, or that of the request before. */
	unsigned branch = how & 16 ? w.serial : ++w.serial;

	write_format(&out, "%s sip:us@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;rport;branch=z9hG4bK%u\r\n", method,
		ntohs(far_port()), branch);
	if (how & 32)
		write_within_theirs(&out, !strcmp(method, "CANCEL"));
	else
		write_within_ours(&out, tags[how % COUNT_OF(tags)]);
	write_format(&out, "CSeq: %u %s\r\nMax-Forwards: 70\r\nRAck: 1 1 INVITE\r\n", cseq, method);
	if (how & 64)
		write_text(&out, "Require: timer, blue-sky\r\n");
	write_more(&out, with & ~(unsigned)WITH_CHALLENGE);
	if (!out.bad)
		say(bytes, out.used);
}

static void invite(void)
{
	uint8_t bytes[BYTES_MAX];
	struct writer out = writer_of(bytes, sizeof bytes);
	unsigned with = next_byte();

	write_format(&out, "INVITE sip:us@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;rport;branch=z9hG4bK%u\r\n"
		"From: <sip:far@x>;tag=caller\r\nTo: <sip:us@127.0.0.1>\r\nCall-ID: theirs\r\n"
		"CSeq: 1 INVITE\r\nMax-Forwards: 70\r\n", ntohs(far_port()), ++w.serial);
	write_more(&out, with & ~(unsigned)WITH_CHALLENGE);
	if (!out.bad)
		say(bytes, out.used);
}

static void deed(void)
{
	static const uint32_t waits[] = {0, 1, 20, 500, 2100, 4000, 33000, 200000};

	switch (next_byte() % 8) {
	case 0:
		dial();
		return;
	case 1:
	case 2:
		respond();
		return;
	case 3:
		request();
		return;
	case 4:
		wish();
		return;
	case 5:
		pass(waits[next_byte() % COUNT_OF(waits)]);
		return;
	case 6:
		if (next_byte() % 2)
			invite();
		else
			say(w.last.bytes, w.last.size); /* once more */
		return;
	default: {
		struct span raw = next_bytes(next_byte());
		say(raw.data, raw.size);
	}
	}
}

/* --- life --------------------------------------------------------------------------------- */

static void open_once(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	if (w.dns)
		return;
	w.now_ms = 1000000;
	w.far = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	MUST(w.far >= 0 && bind(w.far, (struct sockaddr *)&at, sizeof at) == 0);
	MUST(loop_init(&w.loop) == 0);
	MUST(dns_new(&w.dns, &w.loop) == 0);
	MUST(dns_set_servers(w.dns, "127.0.0.1:1") == 0);
}

static void begin(void)
{
	static const struct sip_agent_events events = {.incoming = on_incoming};
	const struct sip_agent_config config = {.binds = {"127.0.0.1"}, .user_agent = "Ringdown/fuzz", .open_to_all = true};

	MUST(sip_agent_new(&w.agent, &w.loop, w.dns, &config, &events, NULL) == 0);
	w.us = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(sip_agent_port(w.agent)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	w.our_count = w.answer_count = w.last.size = 0;
	w.calls = w.ends = w.in_calls = w.in_ends = 0;
	w.serial = 0;
	w.sends = 0;
}

/* The far end says no more: within five minutes everything has ended by itself. */
static void end(void)
{
	w.at = w.end;
	if (w.call)
		sip_call_hangup(w.call, NULL);
	if (w.in && w.in_calls)
		sip_incoming_hangup(w.in, NULL);
	for (uint64_t passed = 0; passed < LAST_MS && (w.call || w.in || sip_agent_calls(w.agent)); passed += 2000) {
		w.now_ms += 2000;
		turn();
		/* An INVITE of theirs that nobody has answered is not ended by us but by hand. */
		if (w.in)
			sip_incoming_hangup(w.in, NULL);
	}
	MUST(!w.call && !w.in);
	MUST(w.calls == w.ends && w.in_calls == w.in_ends);
	MUST(sip_agent_calls(w.agent) == 0);
	w.agent = sip_agent_free(w.agent);
	for (int i = 0; i < 8; ++i)
		uv_run(&w.loop.uv, UV_RUN_NOWAIT);
	hear();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	open_once();
	size_t before = mem_live();
	w.at = data;
	w.end = data + size;
	begin();
	for (int i = 0; i < DEEDS_MAX && w.at < w.end; ++i)
		deed();
	end();
	MUST(mem_live() == before);
	return 0;
}

/* A trunk with several addresses (RFC 3263 section 4.3), and a route that is a name. The DNS is
 * ours: this file's dns_* stand in for net/dns.c. */
#include "base/clock.h"
#include "base/mem.h"
#include "net/address.h"
#include "sip/call.h"
#include "wire/sip_write.h"
#include "test/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

static const struct sip_timers fast = {.t1_ms = 20, .t2_ms = 80, .t4_ms = 40};

enum { WAIT_MS = 5000, FARS = 3 };

/* --- a DNS that answers when it is told to ------------------------------------------------- */

struct dns_query {
	dns_answer_fn *answer;
	void *owner;
	uint16_t port;
};
struct dns {
	struct dns_query query;
	bool waiting;
	char asked[64];
};

int dns_new(struct dns **ret, struct loop *l)
{
	*ret = mem_zalloc(sizeof **ret);
	return *ret ? 0 : -1;
}

struct dns *dns_free(struct dns *d)
{
	mem_free(d);
	return NULL;
}

int dns_resolve(struct dns_query **ret, struct dns *d, const char *host, uint16_t port,
	dns_answer_fn *answer, void *owner)
{
	struct sockaddr_storage literal;

	if (address_parse(&literal, host, port) == 0) {
		*ret = NULL;
		answer(owner, &literal, 1, NULL);
		return 0;
	}
	snprintf(d->asked, sizeof d->asked, "%s", host);
	d->query = (struct dns_query){answer, owner, port};
	d->waiting = true;
	*ret = &d->query;
	return 0;
}

/* Nobody has such records here. */
const char DNS_REFUSED[] = "";

int dns_find_services(struct dns_query **ret, struct dns *d, const char *name, dns_services_fn *answer, void *owner)
{
	return -1;
}

int dns_find_pointers(struct dns_query **ret, struct dns *d, const char *name, dns_pointers_fn *answer, void *owner)
{
	return -1;
}

void dns_cancel(struct dns_query *q)
{
	if (q)
		q->answer = NULL;
}

/* 127.0.0.(first), and so on. */
static void dns_tell(struct dns *d, int first, int count)
{
	struct sockaddr_storage addresses[FARS];

	CHECK(d->waiting);
	d->waiting = false;
	for (int i = 0; i < count; ++i) {
		char ip[32];
		snprintf(ip, sizeof ip, "127.0.0.%d", first + i);
		CHECK_EQ(address_parse(&addresses[i], ip, d->query.port), 0);
	}
	if (d->query.answer)
		d->query.answer(d->query.owner, addresses, (size_t)count, count ? NULL : "NXDOMAIN");
}

/* --- the world ---------------------------------------------------------------------------- */

struct world {
	struct loop loop;
	struct dns *dns;
	struct sip_agent *agent;
	struct sip_call *call;
	int fars[FARS]; /* 127.0.0.2, .3, .4, one port */
	uint16_t port;
	struct sockaddr_in from;
	int answered, failed, ended, progress;
	unsigned status;
	enum sip_why why;
	char sentence[320];
};

struct got {
	char bytes[65536];
	struct sip_message m;
};

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
	snprintf(w->sentence, sizeof w->sentence, "%s", f->sentence);
}

static void on_ended(void *owner, const struct sip_end *e)
{
	++((struct world *)owner)->ended;
}

static const struct sip_call_events events = {
	.progress = on_progress,
	.answered = on_answered,
	.failed = on_failed,
	.ended = on_ended,
};

static int far_open(int last, uint16_t *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(*port),
		.sin_addr.s_addr = htonl(0x7f000000u | (uint32_t)last)};
	socklen_t size = sizeof at;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(bind(fd, (struct sockaddr *)&at, sizeof at) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&at, &size) == 0);
	*port = ntohs(at.sin_port);
	return fd;
}

static void world_open(struct world *w)
{
	struct sip_agent_config config = {.binds = {"127.0.0.1"}, .timers = fast, .failover_ms = 60};

	*w = (struct world){0};
	CHECK_EQ(loop_init(&w->loop), 0);
	CHECK_EQ(dns_new(&w->dns, &w->loop), 0);
	CHECK_EQ(sip_agent_new(&w->agent, &w->loop, w->dns, &config, NULL, NULL), 0);
	for (int i = 0; i < FARS; ++i)
		w->fars[i] = far_open(2 + i, &w->port);
}

static void world_close(struct world *w)
{
	w->agent = sip_agent_free(w->agent);
	w->dns = dns_free(w->dns);
	for (int i = 0; i < FARS; ++i)
		close(w->fars[i]);
	loop_fini(&w->loop);
	CHECK_EQ(mem_live(), 0);
}

static void turn(struct world *w)
{
	struct pollfd p = {.fd = w->fars[0], .events = POLLIN};
	uv_run(&w->loop.uv, UV_RUN_NOWAIT);
	poll(&p, 1, 1);
}

#define UNTIL(w, cond)                                                                             \
	do {                                                                                       \
		uint64_t end_ = clock_ms() + WAIT_MS;                                              \
		while (!(cond) && clock_ms() < end_)                                               \
			turn(w);                                                                   \
		CHECK(cond);                                                                       \
	} while (0)

static bool receive(struct world *w, int far, struct got *g)
{
	socklen_t size = sizeof w->from;
	ssize_t n = recvfrom(w->fars[far], g->bytes, sizeof g->bytes, MSG_DONTWAIT,
		(struct sockaddr *)&w->from, &size);
	if (n <= 0)
		return false;
	CHECK_EQ(sip_message_parse(&g->m, span_of(g->bytes, (size_t)n)), SIP_OK);
	return true;
}

static void expect(struct world *w, int far, struct got *g, enum sip_method method)
{
	uint64_t end = clock_ms() + WAIT_MS;

	while (clock_ms() < end) {
		if (receive(w, far, g) && !g->m.is_response && g->m.method == method)
			return;
		turn(w);
	}
	fprintf(stderr, "no %s at far end %d\n", sip_method_text(method), far);
	exit(1);
}

static void reply(struct world *w, int far, const struct got *g, unsigned status, const char *tag,
	const char *headers)
{
	char out[4096];
	struct writer wr = writer_of(out, sizeof out);
	struct sip_response_head head = {.status = status, .to_tag = tag};

	sip_write_response_head(&wr, &g->m, &head);
	write_text(&wr, headers);
	sip_write_end(&wr, "application/sdp", (struct span){0});
	CHECK(sendto(w->fars[far], out, wr.used, 0, (struct sockaddr *)&w->from,
		      sizeof w->from) == (ssize_t)wr.used);
}

static void dial(struct world *w, int addresses)
{
	char uri[64];
	snprintf(uri, sizeof uri, "sip:+15550100@trunk.example:%u", w->port);
	struct sip_invite_config config = {
		.request_uri = uri, .from_uri = "sip:a@gw.example", .body = span_text("v=0")};
	CHECK_EQ(sip_invite(&w->call, w->agent, &config, &events, w), 0);
	CHECK_STR(w->dns->asked, "trunk.example");
	dns_tell(w->dns, 2, addresses);
}

static void answer_and_hang_up(struct world *w, int far, struct got *invite)
{
	struct got g;
	char contact[64];

	snprintf(contact, sizeof contact, "Contact: <sip:127.0.0.%d:%u>\r\n", 2 + far, w->port);
	reply(w, far, invite, 200, "right", contact);
	expect(w, far, &g, SIP_ACK);
	UNTIL(w, w->answered == 1);
	sip_call_hangup(w->call, NULL);
	expect(w, far, &g, SIP_BYE);
	reply(w, far, &g, 200, NULL, "");
	UNTIL(w, w->ended == 1);
	CHECK_EQ(w->failed, 0);
}

/* --- cases -------------------------------------------------------------------------------- */

static void a_silent_address(void)
{
	struct world w;
	struct got first, second, g;
	char host[64];

	world_open(&w);
	dial(&w, 2);
	expect(&w, 0, &first, SIP_INVITE);
	expect(&w, 1, &second, SIP_INVITE);
	/* The same request, as a new transaction; the host of the trunk stays in it. */
	snprintf(host, sizeof host, "sip:+15550100@trunk.example:%u", w.port);
	CHECK(span_is(second.m.uri, host));
	CHECK_EQ(first.m.call_id.size, second.m.call_id.size);
	CHECK(!memcmp(first.m.call_id.data, second.m.call_id.data, first.m.call_id.size));
	CHECK_EQ(first.m.cseq.number, second.m.cseq.number);
	CHECK(memcmp(first.m.via.branch.data, second.m.via.branch.data, first.m.via.branch.size));
	/* The first was only slow: it rings, so it is cancelled; and answers all the same. */
	reply(&w, 0, &first, 180, "slow", "");
	expect(&w, 0, &g, SIP_CANCEL);
	char contact[64];
	snprintf(contact, sizeof contact, "Contact: <sip:127.0.0.2:%u>\r\n", w.port);
	reply(&w, 0, &first, 200, "slow", contact);
	expect(&w, 0, &g, SIP_ACK);
	expect(&w, 0, &g, SIP_BYE);
	CHECK(span_is(g.m.to.tag, "slow"));
	CHECK_EQ(w.progress + w.answered + w.failed, 0);
	answer_and_hang_up(&w, 1, &second);
	world_close(&w);
}

/* Who was silent in one call is tried last in the next; who says 503 too, for as long as it asks. */
static void the_dead_are_tried_last(void)
{
	struct world w;
	struct got g;

	world_open(&w);
	dial(&w, 2);
	expect(&w, 0, &g, SIP_INVITE);
	expect(&w, 1, &g, SIP_INVITE);
	answer_and_hang_up(&w, 1, &g);
	while (receive(&w, 0, &g))
		; /* the first call's, again and again */
	w.answered = w.ended = 0;
	dial(&w, 2);
	expect(&w, 1, &g, SIP_INVITE);
	reply(&w, 1, &g, 503, "full", "Retry-After: 1800 (maintenance);duration=3600\r\n");
	expect(&w, 1, &g, SIP_ACK);
	/* Both are dead now: the order is the DNS's again, and both are tried. */
	expect(&w, 0, &g, SIP_INVITE);
	answer_and_hang_up(&w, 0, &g);
	w.answered = w.ended = 0;
	dial(&w, 2);
	expect(&w, 0, &g, SIP_INVITE); /* it has answered meanwhile */
	answer_and_hang_up(&w, 0, &g);
	world_close(&w);
}

static void addresses_that_refuse(void)
{
	struct world w;
	struct got g;

	world_open(&w);
	close(w.fars[0]); /* the kernel says so */
	w.fars[0] = dup(w.fars[1]);
	dial(&w, 3);
	expect(&w, 1, &g, SIP_INVITE);
	reply(&w, 1, &g, 100, NULL, "");
	reply(&w, 1, &g, 503, "full", "Retry-After: 10\r\n");
	expect(&w, 1, &g, SIP_ACK);
	expect(&w, 2, &g, SIP_INVITE);
	answer_and_hang_up(&w, 2, &g);
	world_close(&w);

	/* The last one's 503 is the call's. */
	world_open(&w);
	dial(&w, 1);
	expect(&w, 0, &g, SIP_INVITE);
	reply(&w, 0, &g, 503, "full", "");
	UNTIL(&w, w.failed);
	CHECK_EQ(w.status, 503);
	world_close(&w);
}

static void no_address(void)
{
	struct world w;

	world_open(&w);
	dial(&w, 0);
	CHECK_EQ(w.failed, 0);
	UNTIL(&w, w.failed);
	CHECK_EQ(w.why, SIP_WHY_DNS);
	CHECK(strstr(w.sentence, "trunk.example has no address: NXDOMAIN"));
	UNTIL(&w, !sip_agent_calls(w.agent));
	world_close(&w);

	/* Hung up while the name is being looked up. */
	world_open(&w);
	struct sip_invite_config config = {
		.request_uri = "sip:trunk.example", .from_uri = "sip:a@gw.example"};
	CHECK_EQ(sip_invite(&w.call, w.agent, &config, &events, &w), 0);
	sip_call_hangup(w.call, NULL);
	UNTIL(&w, w.failed);
	CHECK_EQ(w.why, SIP_WHY_CANCELLED);
	world_close(&w);
}

static void a_route_by_name(void)
{
	struct world w;
	struct got invite, g;
	char head[160];

	world_open(&w);
	dial(&w, 1);
	expect(&w, 0, &invite, SIP_INVITE);
	snprintf(head, sizeof head,
		"Contact: <sip:10.1.1.1>\r\nRecord-Route: <sip:edge.example:%u;lr>\r\n", w.port);
	reply(&w, 0, &invite, 200, "far", head);
	UNTIL(&w, w.answered == 1);
	CHECK_STR(w.dns->asked, "edge.example");
	/* The ACK waits for the address. */
	dns_tell(w.dns, 3, 1);
	expect(&w, 1, &g, SIP_ACK);
	CHECK(span_is(g.m.uri, "sip:10.1.1.1"));
	sip_call_hangup(w.call, NULL);
	expect(&w, 1, &g, SIP_BYE);
	reply(&w, 1, &g, 200, NULL, "");
	UNTIL(&w, w.ended == 1);
	world_close(&w);
}

int main(void)
{
	a_silent_address();
	the_dead_are_tried_last();
	addresses_that_refuse();
	no_address();
	a_route_by_name();
	return 0;
}

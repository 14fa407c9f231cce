#include "net/stun_probe.h"

#include "base/mem.h"
#include "loop_wait.h"
#include "net/address.h"
#include "net/udp.h"
#include "wire/stun.h"

/* A server that answers as it is told. */
struct responder {
	struct udp *udp;
	char text[64]; /* "127.0.0.1:port" */
	const char *says;
	bool forges;        /* another transaction */
	unsigned ignores;   /* so many requests */
	unsigned requests;
};

static struct loop loop;
static struct dns *dns;
static unsigned answers;
static char mapped_ip[ADDRESS_TEXT_SIZE];

static void on_request(void *owner, const struct sockaddr *from, struct span bytes)
{
	struct responder *r = owner;
	struct stun_view v;
	struct sockaddr_storage says;
	uint8_t out[256];
	struct writer w = writer_of(out, sizeof out);

	CHECK_EQ(stun_parse(&v, bytes), STUN_OK);
	CHECK_EQ(v.type, STUN_BINDING_REQUEST);
	if (++r->requests <= r->ignores || !r->says)
		return;
	CHECK_EQ(address_parse(&says, r->says, 1234), 0);
	v.transaction[3] ^= r->forges;
	stun_write_header(&w, STUN_BINDING_SUCCESS, v.transaction);
	stun_write_mapped(&w, (struct sockaddr *)&says);
	stun_write_fingerprint(&w);
	CHECK_EQ(udp_send(r->udp, from, writer_span(&w)), 0);
}

static const struct udp_events events = {.datagram = on_request};

static void open_responder(struct responder *r)
{
	struct sockaddr_storage at;
	CHECK_EQ(address_parse(&at, "127.0.0.1", 0), 0);
	CHECK_EQ(udp_open(&r->udp, &loop, (struct sockaddr *)&at, &events, r), 0);
	udp_local(r->udp, &at);
	address_text(r->text, (struct sockaddr *)&at);
}

static void on_done(void *owner, const struct sockaddr_storage *mapped)
{
	++answers;
	mapped_ip[0] = 0;
	if (mapped)
		address_ip_text(mapped_ip, (const struct sockaddr *)mapped);
}

static void probe(const char *const *servers, size_t count)
{
	struct sockaddr_storage local;
	struct stun_probe *p;

	CHECK_EQ(address_parse(&local, "127.0.0.1", 0), 0);
	answers = 0;
	CHECK_EQ(stun_probe_start(&p, &(struct stun_probe_config){.loop = &loop,
					      .dns = dns,
					      .local = &local,
					      .servers = servers,
					      .server_count = count,
					      .done = on_done}), 0);
	LOOP_WAIT(&loop, answers > 0);
	CHECK_EQ(answers, 1);
	stun_probe_free(p);
}

static void the_first_answer_counts(void)
{
	struct responder mute = {0}, slow = {.says = "203.0.113.9", .ignores = 1},
		forger = {.says = "203.0.113.1", .forges = true}, other = {.says = "2001:db8::1"};
	open_responder(&mute);
	open_responder(&slow);
	open_responder(&forger);
	open_responder(&other);
	const char *servers[] = {mute.text, forger.text, other.text, slow.text};
	probe(servers, 4);
	CHECK_STR(mapped_ip, "203.0.113.9");
	CHECK_EQ(slow.requests, 2);
	CHECK_EQ(mute.requests, 2);
	udp_close(mute.udp);
	udp_close(slow.udp);
	udp_close(forger.udp);
	udp_close(other.udp);
}

/* Three seconds, whatever the servers are. */
static void nobody_answers(void)
{
	struct responder mute = {0};
	open_responder(&mute);
	const char *servers[] = {mute.text, "not a host:1", "127.0.0.1:0", ":7"};
	uint64_t before = clock_ms();
	probe(servers, 4);
	CHECK_STR(mapped_ip, "");
	CHECK(clock_ms() - before >= 2500 && clock_ms() - before < 6000);
	CHECK_EQ(mute.requests, 6);
	udp_close(mute.udp);
}

static void memory_may_run_out(void)
{
	struct sockaddr_storage local;
	const char *servers[] = {"127.0.0.1:9", "[::1]:9"};
	int r = -1;

	CHECK_EQ(address_parse(&local, "127.0.0.1", 0), 0);
	for (int allowed = 0; r < 0; ++allowed) {
		struct stun_probe *p = NULL;
		mem_fail_after(allowed);
		r = stun_probe_start(&p, &(struct stun_probe_config){.loop = &loop,
						 .dns = dns,
						 .local = &local,
						 .servers = servers,
						 .server_count = 2,
						 .done = on_done});
		mem_fail_after(-1);
		stun_probe_free(p);
		CHECK(allowed < 50);
	}
}

int main(void)
{
	CHECK_EQ(loop_init(&loop), 0);
	CHECK_EQ(dns_new(&dns, &loop), 0);
	the_first_answer_counts();
	memory_may_run_out();
	nobody_answers();
	dns_free(dns);
	loop_fini(&loop);
	CHECK_EQ(mem_live(), 0);
	return 0;
}

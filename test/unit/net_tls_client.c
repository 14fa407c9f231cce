/* We call by TLS: who the far end must prove to be, and what is said when it does not. */
#include "net/tls.h"

#include "base/mem.h"
#include "certificates.h"
#include "loop_wait.h"
#include "net/address.h"
#include "net/tcp.h"

#include <errno.h>
#include <unistd.h>

static struct loop loop;
static struct tls_context *trusting, *doubting;
static struct sockaddr_storage at;
static char folder[] = "/tmp/ringdown-tls-XXXXXX";
static char ca[64], cert[64], key[64], other_ca[64];

/* ---- two ends of one stream ---- */

struct end {
	struct tcp *tcp; /* NULL once closed */
	char heard[64], why[TLS_WHY_SIZE];
	int ready, closed, error;
};
static struct end near_end, far_end;

static void on_ready(void *owner)
{
	struct end *e = owner;
	++e->ready;
	CHECK_EQ(tcp_write(e->tcp, span_text("hello")), 0);
}

static void on_data(void *owner, struct span bytes)
{
	struct end *e = owner;
	size_t n = strlen(e->heard);
	snprintf(e->heard + n, sizeof e->heard - n, "%.*s", (int)bytes.size, (const char *)bytes.data);
	if (e == &far_end)
		CHECK_EQ(tcp_write(e->tcp, span_text("good day")), 0);
}

static void on_tls_failed(void *owner, const char *why)
{
	struct end *e = owner;
	CHECK(e->tcp && !*e->why);
	snprintf(e->why, sizeof e->why, "%s", why);
}

static void on_closed(void *owner, int error)
{
	struct end *e = owner;
	++e->closed;
	e->error = error;
	e->tcp = NULL;
}

static const struct tcp_events events = {
	.ready = on_ready, .data = on_data, .tls_failed = on_tls_failed, .closed = on_closed};

static void on_accepted(void *owner, struct tcp *t)
{
	far_end.tcp = t;
	tcp_adopt(t, &events, &far_end, 1000);
}

static void call(struct tls_context *client, struct tls_context *server, const char *host)
{
	struct tcp_listener *listener;
	near_end = far_end = (struct end){0};
	CHECK_EQ(address_parse(&at, "127.0.0.1", 0), 0);
	CHECK_EQ(tcp_listen(&listener, &loop, (struct sockaddr *)&at, on_accepted, NULL), 0);
	if (server)
		tcp_listener_use_tls(listener, server);
	tcp_listener_local(listener, &at);
	CHECK_EQ(tcp_connect_tls(&near_end.tcp, &loop, (struct sockaddr *)&at, client, host, &events, &near_end, 1000), 0);
	CHECK_EQ(tcp_write(near_end.tcp, span_text("early")), -EPIPE);
	LOOP_WAIT(&loop, near_end.closed || *near_end.heard);
	tcp_listener_close(listener);
}

static void hang_up(void)
{
	if (near_end.tcp)
		tcp_end(near_end.tcp);
	LOOP_WAIT(&loop, !near_end.tcp && !far_end.tcp);
}

static struct tls_context *server_context(const struct authority *a, const char *names, long valid_s)
{
	char why[TLS_WHY_SIZE];
	const struct tls_config config = {.cert_file = cert, .key_file = key};
	struct tls_context *c;
	authority_sign(a, names, valid_s, cert, key);
	CHECK_EQ(tls_context_new(&c, &config, why), 0);
	return c;
}

/* ---- what must hold ---- */

static void only_the_host_of_the_uri_will_do(const struct authority *a)
{
	static const char unknown[] = "signed by an authority that is not trusted here";
	const struct {
		const char *names, *host;
		long valid_s;
		bool doubt;
		const char *why; /* NULL: it is fine */
	} cases[] = {
		{"DNS:trunk.example", "trunk.example", 600, false, NULL},
		{"DNS:trunk.example", "TRUNK.example", 600, false, NULL},
		{"DNS:trunk.example", "trunk.example.", 600, false, NULL},
		{"DNS:other.example,DNS:trunk.example", "trunk.example", 600, false, NULL},
		{"DNS:*.pstn.example", "acme.pstn.example", 600, false, NULL},
		{"DNS:*.pstn.example", "pstn.example", 600, false, "for *.pstn.example, not for pstn.example"},
		{"DNS:*.pstn.example", "a.b.pstn.example", 600, false, "not for a.b.pstn.example"},
		{"DNS:f*.example", "foo.example", 600, false, "not for foo.example"},
		{"DNS:other.example,DNS:more.example", "trunk.example", 600, false,
			"its certificate is for other.example, more.example, not for trunk.example"},
		{"DNS:trunk.example.evil.example", "trunk.example", 600, false, "not for trunk.example"},
		{"IP:127.0.0.1", "127.0.0.1", 600, false, NULL},
		{"IP:::1", "::1", 600, false, NULL},
		{"DNS:127.0.0.1", "127.0.0.1", 600, false, "not for 127.0.0.1"},
		{"IP:127.0.0.1", "trunk.example", 600, false, "for far end, not for trunk.example"},
		{"DNS:trunk.example", "trunk.example", -600, false, "its certificate has expired"},
		{"DNS:trunk.example", "trunk.example", 600, true, unknown},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct tls_context *server = server_context(a, cases[i].names, cases[i].valid_s);
		call(cases[i].doubt ? doubting : trusting, server, cases[i].host);
		CHECK_EQ(near_end.ready, cases[i].why == NULL);
		if (cases[i].why && !strstr(near_end.why, cases[i].why))
			CHECK_STR(near_end.why, cases[i].why);
		CHECK_STR(near_end.heard, cases[i].why ? "" : "good day");
		hang_up();
		CHECK_STR(far_end.heard, cases[i].why ? "" : "hello");
		tls_context_free(server);
	}
}

static void who_speaks_no_tls(void)
{
	/* It answers the ClientHello with what it says to everybody. */
	call(trusting, NULL, "trunk.example");
	CHECK_STR(near_end.why, "it does not speak TLS on that port");
	CHECK_EQ(near_end.error, -EPROTO);
	hang_up();
	CHECK_EQ(address_parse(&at, "127.0.0.1", 1), 0);
	near_end = (struct end){0};
	CHECK_EQ(tcp_connect_tls(&near_end.tcp, &loop, (struct sockaddr *)&at, trusting, "x", &events, &near_end, 9), 0);
	LOOP_WAIT(&loop, near_end.closed);
	CHECK_EQ(near_end.error, -ECONNREFUSED);
	CHECK_STR(near_end.why, "");
}

static void ours_are_shown_when_they_are_asked_for(const struct authority *a)
{
	char why[TLS_WHY_SIZE];
	struct tls_context *server = server_context(a, "DNS:trunk.example", 600), *named;
	const struct tls_config config = {.client = true, .cert_file = cert, .key_file = key, .ca_file = ca};
	CHECK_EQ(tls_context_new(&named, &config, why), 0);
	call(named, server, "trunk.example");
	CHECK_STR(near_end.heard, "good day");
	hang_up();
	tls_context_free(named);
	tls_context_free(server);
	struct tls_config bad = {.client = true, .ca_file = key};
	CHECK_EQ(tls_context_new(&named, &bad, why), TLS_E_FILES);
	CHECK(strstr(why, key));
	bad.ca_file = "/no/such/file.pem";
	CHECK_EQ(tls_context_new(&named, &bad, why), TLS_E_FILES);
	CHECK(strstr(why, "/no/such/file.pem: No such file"));
}

static void without_memory(void)
{
	for (int i = 0; i < 6; ++i) {
		struct tcp *t = NULL;
		mem_fail_after(i);
		int r = tcp_connect_tls(
			&t, &loop, (struct sockaddr *)&at, trusting, "trunk.example", &events, &near_end, 9);
		mem_fail_after(-1);
		near_end = (struct end){.tcp = r ? NULL : t};
		if (t && !r)
			tcp_abort(t);
		LOOP_WAIT(&loop, r || near_end.closed);
	}
}

int main(void)
{
	struct authority a, other;
	char why[TLS_WHY_SIZE];
	CHECK(mkdtemp(folder));
	snprintf(ca, sizeof ca, "%s/ca.pem", folder);
	snprintf(other_ca, sizeof other_ca, "%s/other.pem", folder);
	snprintf(cert, sizeof cert, "%s/cert.pem", folder);
	snprintf(key, sizeof key, "%s/key.pem", folder);
	authority_make(&a, ca);
	authority_make(&other, other_ca);
	CHECK_EQ(loop_init(&loop), 0);
	CHECK_EQ(tls_context_new(&trusting, &(struct tls_config){.client = true, .ca_file = ca}, why), 0);
	CHECK_EQ(tls_context_new(&doubting, &(struct tls_config){.client = true, .ca_file = other_ca}, why), 0);

	only_the_host_of_the_uri_will_do(&a);
	who_speaks_no_tls();
	ours_are_shown_when_they_are_asked_for(&a);
	without_memory();

	loop_run(&loop);
	loop_fini(&loop);
	tls_context_free(trusting);
	tls_context_free(doubting);
	authority_free(&a);
	authority_free(&other);
	unlink(ca);
	unlink(other_ca);
	unlink(cert);
	unlink(key);
	rmdir(folder);
	CHECK_EQ(mem_live(), 0);
	return 0;
}

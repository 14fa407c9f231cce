/* SIP over TCP and TLS: pieces, nonsense, the slow and the many; pings; a connection that died unnoticed. */
#include "sip/transport.h"

#include "base/limits.h"
#include "base/mem.h"
#include "certificates.h"
#include "loop_wait.h"
#include "net/address.h"
#include "sip/core.h"
#include "sip/register.h"
#include "sip/request.h"
#include "wire/sip_write.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE(id, length)                                                                        \
	"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nFrom: <sip:b>;tag=1\r\n"   \
	"To: <sip:a>\r\nCall-ID: " id "\r\nCSeq: 1 OPTIONS\r\n" length "\r\n"
#define WHOLE(id) MESSAGE(id, "Content-Length: 0\r\n")

static struct loop loop;

/* ---- one side ---- */

struct side {
	struct sip_transport *transport;
	char got[256]; /* Call-IDs, in the order of coming */
	int dropped, failed, strangers;
	char tls_why[TLS_WHY_SIZE];
	bool was_good, needed, refuses;
	struct sip_path from;
};

static bool on_known(void *owner, const struct sockaddr *from, const struct sip_message *m)
{
	return !((struct side *)owner)->refuses;
}

static void on_message(void *owner, const struct sip_message *m, const struct sip_path *from)
{
	struct side *s = owner;
	size_t n = strlen(s->got);
	snprintf(s->got + n, sizeof s->got - n, "%.*s ", (int)m->call_id.size, (const char *)m->call_id.data);
	s->from = *from;
}

static void on_dropped(void *owner, enum sip_drop why)
{
	CHECK_EQ(why, SIP_DROP_LENGTH);
	++((struct side *)owner)->dropped;
}

static void on_stranger(void *owner)
{
	++((struct side *)owner)->strangers;
}

static void on_failed(void *owner, const struct sip_path *path, const struct sip_trouble *why)
{
	struct side *s = owner;
	++s->failed;
	s->was_good = why->was_good;
	snprintf(s->tls_why, sizeof s->tls_why, "%s", why->tls ? why->tls : "");
}

static bool on_needed(void *owner, uint64_t connection)
{
	return ((struct side *)owner)->needed;
}

static const struct sip_transport_events events = {.known = on_known, .message = on_message, .dropped = on_dropped,
	.stranger = on_stranger, .failed = on_failed, .needed = on_needed};

static void side_open(struct side *s, struct sip_transport_config config)
{
	static const char *const binds[] = {"127.0.0.1"};
	*s = (struct side){0};
	config.binds = binds;
	config.bind_count = 1;
	CHECK_EQ(sip_transport_open(&s->transport, &loop, &config, &events, s), 0);
}

static void side_close(struct side *s)
{
	sip_transport_close(s->transport);
	s->transport = NULL;
}

/* ---- a peer that is a bare socket ---- */

static int dial(uint16_t port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_EQ(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void say(int fd, const char *text)
{
	CHECK_EQ(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static char heard[4096];

/* True once `text` has been heard. */
static bool hears(int fd, const char *text)
{
	size_t n = strlen(heard);
	ssize_t got = recv(fd, heard + n, sizeof heard - 1 - n, 0);
	if (got > 0)
		heard[n + (size_t)got] = 0;
	return strstr(heard, text);
}

static bool is_cut_off(int fd)
{
	char piece[256];
	ssize_t n = recv(fd, piece, sizeof piece, 0);
	return n == 0 || (n < 0 && errno != EAGAIN);
}

/* ---- what must hold ---- */

static void messages_in_pieces(void)
{
	struct side s;
	side_open(&s, (struct sip_transport_config){0});
	uint16_t port = sip_transport_port(s.transport);
	int one = dial(port), two = dial(port);
	static const char slow[] = WHOLE("slow");
	for (size_t i = 0; i < sizeof slow - 1; ++i) {
		CHECK_EQ(send(one, &slow[i], 1, 0), 1);
		uv_run(&loop.uv, UV_RUN_NOWAIT);
		if (i == 20)
			say(two, WHOLE("between")); /* another connection has nothing to do with it */
	}
	LOOP_WAIT(&loop, strstr(s.got, "slow"));
	CHECK_STR(s.got, "between slow ");
	say(one, WHOLE("a") WHOLE("b") MESSAGE("c", "Content-Length: 3\r\n") "xyz" WHOLE("d"));
	LOOP_WAIT(&loop, strstr(s.got, "d"));
	CHECK_STR(s.got, "between slow a b c d ");
	heard[0] = 0;
	say(one, "\r\n\r\n");
	LOOP_WAIT(&loop, hears(one, "\r\n"));
	CHECK_STR(heard, "\r\n"); /* one pong, and nothing for the next single line end */
	/* The answer goes back where the question came from. */
	CHECK_EQ(sip_transport_send(s.transport, &s.from, span_text(WHOLE("answer"))), 0);
	LOOP_WAIT(&loop, hears(one, "Call-ID: answer"));
	CHECK_EQ(s.dropped + s.failed, 0);
	/* Cut off in the middle: nothing is told of it. */
	say(two, "OPTIONS sip:a SIP/2.0\r\nVia");
	close(two);
	LOOP_WAIT(&loop, s.failed == 1);
	CHECK_STR(s.got, "between slow a b c d ");
	close(one);
	LOOP_WAIT(&loop, s.failed == 2);
	CHECK_EQ(sip_transport_connections(s.transport), 0);
	side_close(&s);
}

static void nonsense_ends_the_connection(void)
{
	static char endless[LIMIT_SIP_MESSAGE_BYTES + 1000];
	memset(endless, 'x', sizeof endless - 1);
	const char *cases[] = {MESSAGE("no-length", ""), MESSAGE("two", "Content-Length: 0\r\nl: 1\r\n"),
		MESSAGE("large", "Content-Length: 99999999\r\n"), MESSAGE("minus", "Content-Length: -1\r\n"), endless};
	struct side s;
	side_open(&s, (struct sip_transport_config){0});
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		int fd = dial(sip_transport_port(s.transport));
		size_t sent = 0, size = strlen(cases[i]);
		while (sent < size) {
			ssize_t n = send(fd, cases[i] + sent, size - sent, MSG_NOSIGNAL);
			if (n < 0 && errno != EAGAIN)
				break;
			sent += n > 0 ? (size_t)n : 0;
			uv_run(&loop.uv, UV_RUN_NOWAIT);
		}
		LOOP_WAIT(&loop, is_cut_off(fd));
		close(fd);
		LOOP_WAIT(&loop, s.failed == (int)i + 1);
		CHECK_EQ(s.dropped, (int)i + 1);
	}
	CHECK_STR(s.got, "");
	side_close(&s);
}

static void the_slow_and_the_many(void)
{
	static int fds[LIMIT_SIP_CONNECTIONS_PER_SOURCE + 1];
	struct side s;
	side_open(&s, (struct sip_transport_config){.message_ms = 100});
	uint16_t port = sip_transport_port(s.transport);
	int idle = dial(port), slow = dial(port);
	say(slow, "OPTIONS sip:a SIP/2.0\r\n");
	LOOP_WAIT(&loop, is_cut_off(slow));
	close(slow);
	LOOP_WAIT(&loop, s.failed == 1);
	CHECK_EQ(sip_transport_connections(s.transport), 1); /* who says nothing owes nothing */
	for (size_t i = 0; i < COUNT_OF(fds) - 1; ++i)
		fds[i] = dial(port);
	LOOP_WAIT(&loop, sip_transport_connections(s.transport) == LIMIT_SIP_CONNECTIONS_PER_SOURCE);
	LOOP_WAIT(&loop, is_cut_off(fds[COUNT_OF(fds) - 2]));
	for (size_t i = 0; i < COUNT_OF(fds) - 1; ++i)
		close(fds[i]);
	close(idle);
	LOOP_WAIT(&loop, !sip_transport_connections(s.transport));
	s.refuses = true;
	int stranger = dial(port);
	LOOP_WAIT(&loop, is_cut_off(stranger));
	CHECK_EQ(s.strangers, 1);
	close(stranger);
	side_close(&s);
}

static void put_port(char out[SIP_HOST_PORT_SIZE], const char *host, uint16_t port)
{
	snprintf(out, SIP_HOST_PORT_SIZE, "%s:%u", host, port);
}

/* Both families at one port; each is told an address of its own family, but a name is for all. */
static void both_families(void)
{
	static const char *const binds[] = {"127.0.0.1", "::1", "192.0.2.1"};
	static const struct {
		const char *advertised, *v4, *v6;
	} cases[] = {
		{NULL, "127.0.0.1", "[::1]"},
		{"198.51.100.1", "198.51.100.1", "[::1]"},
		{"2001:db8::1", "127.0.0.1", "[2001:db8::1]"},
		{"sip.example", "sip.example", "sip.example"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct side s = {0};
		char want[SIP_HOST_PORT_SIZE], got[SIP_HOST_PORT_SIZE];
		const struct sip_transport_config config = {
			.binds = binds, .bind_count = 3, .bind_optional = 1, .advertised = cases[i].advertised};
		CHECK_EQ(sip_transport_open(&s.transport, &loop, &config, &events, &s), 0);
		uint16_t port = sip_transport_port(s.transport);
		struct sip_path v4 = {.protocol = SIP_UDP}, v6 = {.protocol = SIP_TCP};
		CHECK_EQ(address_parse(&v4.remote, "127.0.0.1", port), 0);
		CHECK_EQ(address_parse(&v6.remote, "::1", port), 0);
		put_port(want, cases[i].v4, port);
		sip_transport_host_port(s.transport, &v4, got);
		CHECK_STR(got, want);
		put_port(want, cases[i].v6, port);
		sip_transport_host_port(s.transport, &v6, got);
		CHECK_STR(got, want);
		CHECK_EQ(sip_transport_send(s.transport, &v4, span_text(WHOLE("four"))), 0);
		CHECK_EQ(sip_transport_send(s.transport, &v6, span_text(WHOLE("six"))), 0);
		v6.protocol = SIP_UDP;
		CHECK_EQ(sip_transport_send(s.transport, &v6, span_text(WHOLE("udp6"))), 0);
		LOOP_WAIT(&loop, strstr(s.got, "four") && strstr(s.got, "six") && strstr(s.got, "udp6"));
		side_close(&s);
	}
}

static int dial_from(const char *source, uint16_t port)
{
	struct sockaddr_storage from;
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_EQ(address_parse(&from, source, 0), 0);
	CHECK_EQ(bind(fd, (struct sockaddr *)&from, sizeof at), 0);
	CHECK_EQ(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

/* A full house: the one that is idle longest gives way; with all of them needed nobody more comes in. */
static void a_full_house(void)
{
	static int fds[LIMIT_SIP_CONNECTIONS];
	struct rlimit files;
	struct side s;
	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
	if (files.rlim_max < 3 * LIMIT_SIP_CONNECTIONS)
		return;
	files.rlim_cur = files.rlim_max;
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
	side_open(&s, (struct sip_transport_config){0});
	uint16_t port = sip_transport_port(s.transport);
	for (size_t i = 0; i < COUNT_OF(fds); ++i) {
		char source[32];
		snprintf(source, sizeof source, "127.0.1.%zu", 1 + i / LIMIT_SIP_CONNECTIONS_PER_SOURCE);
		fds[i] = dial_from(source, port);
		LOOP_WAIT(&loop, sip_transport_connections(s.transport) == i + 1);
	}
	uint64_t end = clock_ms() + 3;
	LOOP_WAIT(&loop, clock_ms() > end);
	say(fds[0], WHOLE("alive")); /* so the second is the one that is idle longest, or one of its age */
	LOOP_WAIT(&loop, *s.got);
	int one_more = dial_from("127.0.1.100", port);
	LOOP_WAIT(&loop, s.failed == 1);
	CHECK_EQ(sip_transport_connections(s.transport), LIMIT_SIP_CONNECTIONS);
	CHECK(!is_cut_off(fds[0]) && !is_cut_off(one_more));
	s.needed = true;
	int too_many = dial_from("127.0.1.100", port);
	LOOP_WAIT(&loop, is_cut_off(too_many));
	CHECK_EQ(sip_transport_connections(s.transport), LIMIT_SIP_CONNECTIONS);
	for (size_t i = 0; i < COUNT_OF(fds); ++i)
		close(fds[i]);
	close(one_more);
	close(too_many);
	LOOP_WAIT(&loop, !sip_transport_connections(s.transport));
	side_close(&s);
}

static struct sip_path path_to(uint16_t port, enum sip_protocol protocol, const char *host)
{
	struct sip_path p = {.protocol = protocol};
	CHECK_EQ(address_parse(&p.remote, "127.0.0.1", port), 0);
	snprintf(p.host, sizeof p.host, "%s", host);
	return p;
}

/* What nobody needs goes after a while; what is needed stays. */
static void the_idle_are_closed(void)
{
	struct side near_side, far_side;
	side_open(&near_side, (struct sip_transport_config){.ping_ms = 20, .idle_ms = 60});
	side_open(&far_side, (struct sip_transport_config){0});
	struct sip_path p = path_to(sip_transport_port(far_side.transport), SIP_TCP, "");
	near_side.needed = true;
	CHECK_EQ(sip_transport_send(near_side.transport, &p, span_text(WHOLE("first"))), 0);
	uint64_t end = clock_ms() + 200;
	LOOP_WAIT(&loop, clock_ms() > end);
	CHECK_EQ(near_side.failed, 0);
	near_side.needed = false;
	LOOP_WAIT(&loop, near_side.failed == 1 && far_side.failed == 1);
	/* The next message opens a new one. */
	struct sip_path again = p;
	CHECK_EQ(sip_transport_send(near_side.transport, &again, span_text(WHOLE("second"))), 0);
	CHECK(again.connection != p.connection);
	LOOP_WAIT(&loop, strstr(far_side.got, "second"));
	side_close(&near_side);
	side_close(&far_side);
}

/* RFC 5626: ours are kept alive while somebody needs them. */
static void pings(void)
{
	struct side near_side, far_side;
	side_open(&near_side, (struct sip_transport_config){.ping_ms = 40});
	side_open(&far_side, (struct sip_transport_config){0});
	struct sip_path p = path_to(sip_transport_port(far_side.transport), SIP_TCP, "");
	near_side.needed = true;
	CHECK_EQ(sip_transport_send(near_side.transport, &p, span_text(WHOLE("first"))), 0);
	LOOP_WAIT(&loop, *far_side.got);
	uint64_t end = clock_ms() + 300;
	LOOP_WAIT(&loop, clock_ms() > end); /* some pings and pongs */
	CHECK_EQ(near_side.failed + far_side.failed + far_side.dropped, 0);
	CHECK_EQ(sip_transport_connections(near_side.transport), 1);
	/* Whoever never answers is suspected only when a request stays without an answer, too. */
	struct sip_path same = path_to(sip_transport_port(far_side.transport), SIP_TCP, "");
	CHECK_EQ(sip_transport_send(near_side.transport, &same, span_text(WHOLE("second"))), 0);
	CHECK_EQ(same.connection, p.connection);
	sip_transport_suspect(near_side.transport, &same);
	LOOP_WAIT(&loop, near_side.failed == 1);
	side_close(&near_side);
	side_close(&far_side);
}

static void by_tls(const char *ca, const char *cert, const char *key)
{
	struct side near_side, far_side;
	struct tls_context *client, *server;
	char why[TLS_WHY_SIZE];
	CHECK_EQ(tls_context_new(&client, &(struct tls_config){.client = true, .ca_file = ca}, why), 0);
	CHECK_EQ(tls_context_new(&server, &(struct tls_config){.cert_file = cert, .key_file = key}, why), 0);
	side_open(&near_side, (struct sip_transport_config){.tls_client = client});
	side_open(&far_side, (struct sip_transport_config){.tls_server = server});
	uint16_t port = sip_transport_tls_port(far_side.transport);
	CHECK(port && port != sip_transport_port(far_side.transport) && !sip_transport_tls_port(near_side.transport));

	struct sip_path p = path_to(port, SIP_TLS, "acme.pstn.example"), again = p;
	char host_port[SIP_HOST_PORT_SIZE];
	sip_transport_host_port(near_side.transport, &p, host_port);
	CHECK_STR(host_port, "127.0.0.1:5061");
	CHECK_EQ(sip_transport_send(near_side.transport, &p, span_text(WHOLE("one"))), 0);
	CHECK_EQ(sip_transport_send(near_side.transport, &again, span_text(WHOLE("two"))), 0);
	CHECK_EQ(p.connection, again.connection);
	LOOP_WAIT(&loop, strstr(far_side.got, "two"));
	CHECK_STR(far_side.got, "one two ");
	CHECK_EQ(far_side.from.protocol, SIP_TLS);
	CHECK_EQ(sip_transport_send(far_side.transport, &far_side.from, span_text(WHOLE("back"))), 0);
	LOOP_WAIT(&loop, *near_side.got);
	CHECK_EQ(sip_transport_connections(far_side.transport), 1);

	/* Proved for one name is not proved for another. */
	struct sip_path other = path_to(port, SIP_TLS, "other.example");
	CHECK_EQ(sip_transport_send(near_side.transport, &other, span_text(WHOLE("three"))), 0);
	CHECK(other.connection != p.connection);
	LOOP_WAIT(&loop, near_side.failed == 1);
	CHECK_STR(near_side.tls_why, "its certificate is for *.pstn.example, not for other.example");
	CHECK(!near_side.was_good);
	CHECK_STR(far_side.got, "one two ");
	side_close(&near_side);
	side_close(&far_side);
	loop_run(&loop);
	tls_context_free(client);
	tls_context_free(server);
}

/* ---- the agent: a connection that died unnoticed is no failure ---- */

static void on_done(void *owner, struct sip_request *r, const struct sip_request_end *end)
{
	*(unsigned *)owner = end->status ? end->status : 1000u + end->why;
}

static int listener(uint16_t *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_EQ(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	CHECK_EQ(listen(fd, 8), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	getsockname(fd, (struct sockaddr *)&at, &size);
	*port = ntohs(at.sin_port);
	return fd;
}

static int accepted_fd;
static bool accepts(int fd)
{
	accepted_fd = accept(fd, NULL, NULL);
	if (accepted_fd >= 0)
		fcntl(accepted_fd, F_SETFL, O_NONBLOCK);
	return accepted_fd >= 0;
}

static void answer(int fd, unsigned status)
{
	static struct sip_message m;
	char out[2048];
	size_t whole;
	CHECK_EQ(sip_message_frame(span_text(heard), &whole), 0);
	CHECK_EQ(sip_message_parse(&m, span_of(heard, whole)), SIP_OK);
	struct writer w = writer_of(out, sizeof out);
	sip_write_response_head(&w, &m, &(struct sip_response_head){.status = status, .to_tag = "t"});
	sip_write_copies(&w, &m, SIP_H_CONTACT);
	sip_write_end(&w, NULL, (struct span){0});
	CHECK_EQ(send(fd, out, w.used, 0), (ssize_t)w.used);
	heard[0] = 0;
}

static void a_dead_connection_is_made_anew(void)
{
	struct dns *dns;
	struct sip_agent *agent;
	struct sip_request *r;
	uint16_t port;
	char uri[64];
	unsigned status = 0;
	int door = listener(&port);
	CHECK_EQ(dns_new(&dns, &loop), 0);
	const struct sip_agent_config config = {.binds = {"127.0.0.1"}};
	CHECK_EQ(sip_agent_new(&agent, &loop, dns, &config, NULL, NULL), 0);
	snprintf(uri, sizeof uri, "sip:127.0.0.1:%u;transport=tcp", port);
	const struct sip_request_config ask = {.method = SIP_OPTIONS, .request_uri = uri, .from_uri = "sip:a@b"};
	heard[0] = 0;

	CHECK_EQ(sip_request_start(&r, agent, &ask, on_done, &status), 0);
	LOOP_WAIT(&loop, accepts(door));
	int first = accepted_fd;
	LOOP_WAIT(&loop, hears(first, "\r\n\r\n"));
	answer(first, 200);
	LOOP_WAIT(&loop, status == 200);
	sip_request_free(r);

	/* It reads the next one and is gone: the same request comes on a new connection. */
	status = 0;
	CHECK_EQ(sip_request_start(&r, agent, &ask, on_done, &status), 0);
	LOOP_WAIT(&loop, hears(first, "\r\n\r\n"));
	close(first);
	heard[0] = 0;
	LOOP_WAIT(&loop, accepts(door));
	int second = accepted_fd;
	LOOP_WAIT(&loop, hears(second, "\r\n\r\n"));
	answer(second, 200);
	LOOP_WAIT(&loop, status == 200);
	sip_request_free(r);

	/* Twice is enough: then it has failed. */
	status = 0;
	CHECK_EQ(sip_request_start(&r, agent, &ask, on_done, &status), 0);
	LOOP_WAIT(&loop, hears(second, "\r\n\r\n"));
	close(second);
	LOOP_WAIT(&loop, accepts(door));
	close(accepted_fd);
	LOOP_WAIT(&loop, status);
	CHECK_EQ(status, 1000u + SIP_WHY_TRANSPORT);
	sip_request_free(r);
	close(door);
	sip_agent_free(agent);
	dns_free(dns);
}

static void on_answered(void *owner, const struct sip_message *m)
{
	++*(int *)owner;
}

static void on_failed_call(void *owner, const struct sip_failure *f)
{
	CHECK(!f->sentence);
}

static void on_ended_call(void *owner, const struct sip_end *e)
{
}

/* The connection goes while the phone rings: the INVITE is said again on a new one, and answered there. */
static void a_call_that_rings_is_not_lost(void)
{
	static const struct sip_call_events told = {
		.answered = on_answered, .failed = on_failed_call, .ended = on_ended_call};
	struct dns *dns;
	struct sip_agent *agent;
	struct sip_call *call;
	uint16_t port;
	char uri[64], branch[64];
	int answered = 0, door = listener(&port);
	CHECK_EQ(dns_new(&dns, &loop), 0);
	const struct sip_agent_config config = {.binds = {"127.0.0.1"}};
	CHECK_EQ(sip_agent_new(&agent, &loop, dns, &config, NULL, NULL), 0);
	snprintf(uri, sizeof uri, "sip:+1555@127.0.0.1:%u;transport=tcp", port);
	const struct sip_invite_config ask = {.request_uri = uri, .from_uri = "sip:a@b", .body = span_text("v=0")};
	heard[0] = 0;
	CHECK_EQ(sip_invite(&call, agent, &ask, &told, &answered), 0);
	LOOP_WAIT(&loop, accepts(door));
	int fd = accepted_fd;
	LOOP_WAIT(&loop, hears(fd, "v=0"));
	snprintf(branch, sizeof branch, "%.35s", strstr(heard, "branch="));
	answer(fd, 180);
	LOOP_WAIT(&loop, agent->counts.received == 1);
	close(fd);
	LOOP_WAIT(&loop, accepts(door));
	fd = accepted_fd;
	LOOP_WAIT(&loop, hears(fd, "v=0"));
	CHECK(strstr(heard, branch));
	answer(fd, 200);
	LOOP_WAIT(&loop, hears(fd, "ACK sip:"));
	CHECK_EQ(answered, 1);
	heard[0] = 0;
	close(fd);
	close(door);
	sip_agent_free(agent);
	dns_free(dns);
}

/* ---- the agent: what is to last ---- */

static void on_change(void *owner)
{
	++*(int *)owner;
}

/* RFC 5626 section 4.4: calls would come by this connection, so it is made anew when it is gone. */
static void a_registration_follows_its_connection(void)
{
	static const struct sip_registration_events told = {.changed = on_change, .stopped = on_change};
	struct dns *dns;
	struct sip_agent *agent;
	struct sip_registration *r;
	struct sip_registration_info info;
	uint16_t port;
	char uri[64];
	int changes = 0, door = listener(&port);
	CHECK_EQ(dns_new(&dns, &loop), 0);
	const struct sip_agent_config config = {.binds = {"127.0.0.1"}, .ping_ms = 50};
	CHECK_EQ(sip_agent_new(&agent, &loop, dns, &config, NULL, NULL), 0);
	snprintf(uri, sizeof uri, "sip:127.0.0.1:%u", port);
	const struct sip_registration_config ask = {.registrar = uri, .address = "sip:us@example.org", .contact_user = "us",
		.protocol = SIP_PROTOCOL_TCP};
	heard[0] = 0;
	CHECK_EQ(sip_registration_new(&r, agent, &ask, &told, &changes), 0);
	LOOP_WAIT(&loop, accepts(door));
	int fd = accepted_fd;
	LOOP_WAIT(&loop, hears(fd, "\r\n\r\n"));
	CHECK(strstr(heard, "REGISTER sip:127.0.0.1") == heard);
	answer(fd, 200);
	LOOP_WAIT(&loop, changes && (sip_registration_info(r, &info), info.held));
	LOOP_WAIT(&loop, hears(fd, "\r\n\r\n")); /* a ping */
	CHECK_STR(heard, "\r\n\r\n");
	heard[0] = 0;
	close(fd);
	LOOP_WAIT(&loop, accepts(door));
	fd = accepted_fd;
	LOOP_WAIT(&loop, hears(fd, "\r\n\r\n"));
	CHECK(strstr(heard, "REGISTER sip:127.0.0.1") == heard);
	answer(fd, 200);
	close(fd);
	close(door);
	sip_registration_free(r);
	sip_agent_free(agent);
	dns_free(dns);
}

/* By UDP only when it is asked for: one ping for a place, however many go there. */
static void datagrams_keep_a_way_open(void)
{
	struct dns *dns;
	struct sip_agent *agent;
	struct sip_keeper keepers[2] = {0};
	struct sockaddr_storage at;
	struct sockaddr_in bound;
	socklen_t size = sizeof bound;
	char got[64];
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	CHECK_EQ(address_parse(&at, "127.0.0.1", 0), 0);
	CHECK_EQ(bind(fd, (struct sockaddr *)&at, sizeof bound), 0);
	getsockname(fd, (struct sockaddr *)&bound, &size);
	CHECK_EQ(dns_new(&dns, &loop), 0);
	const struct sip_agent_config config = {.binds = {"127.0.0.1"}, .datagram_ping_ms = 150};
	CHECK_EQ(sip_agent_new(&agent, &loop, dns, &config, NULL, NULL), 0);
	struct sip_path p = path_to(ntohs(bound.sin_port), SIP_UDP, "");
	for (int i = 0; i < 2; ++i)
		sip_keeper_start(&keepers[i], agent, &p, NULL, NULL);
	LOOP_WAIT(&loop, recv(fd, got, sizeof got, 0) == 4);
	CHECK(!memcmp(got, "\r\n\r\n", 4));
	CHECK(recv(fd, got, sizeof got, 0) < 0);
	for (int i = 0; i < 2; ++i)
		sip_keeper_stop(&keepers[i]);
	close(fd);
	sip_agent_free(agent);
	dns_free(dns);
}

int main(void)
{
	static char folder[] = "/tmp/ringdown-sip-XXXXXX";
	char ca[64], cert[64], key[64];
	struct authority a;
	CHECK(mkdtemp(folder));
	snprintf(ca, sizeof ca, "%s/ca.pem", folder);
	snprintf(cert, sizeof cert, "%s/cert.pem", folder);
	snprintf(key, sizeof key, "%s/key.pem", folder);
	authority_make(&a, ca);
	authority_sign(&a, "DNS:*.pstn.example", 600, cert, key);
	CHECK_EQ(loop_init(&loop), 0);

	messages_in_pieces();
	nonsense_ends_the_connection();
	the_slow_and_the_many();
	a_full_house();
	both_families();
	pings();
	the_idle_are_closed();
	by_tls(ca, cert, key);
	a_dead_connection_is_made_anew();
	a_call_that_rings_is_not_lost();
	a_registration_follows_its_connection();
	datagrams_keep_a_way_open();

	loop_run(&loop);
	loop_fini(&loop);
	authority_free(&a);
	unlink(ca);
	unlink(cert);
	unlink(key);
	rmdir(folder);
	CHECK_EQ(mem_live(), 0);
	return 0;
}

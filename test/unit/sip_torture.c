/* RFC 4475's messages as its archive has them, and RFC 5118's, each sent to an agent that listens to
 * everybody: what does it answer? After each one it must still answer a plain OPTIONS, and because
 * datagrams on one socket stay in order, that answer coming first means that the message got none. */
#include "sip/uas.h"

#include "base/mem.h"
#include "loop_wait.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { SILENCE = 0, TAKEN = 486 }; /* TAKEN: an INVITE that came as far as the application */

static const struct torture {
	const char *file;
	unsigned status;
	uint16_t port; /* of its Via, where the answer goes; 0 = 5060 */
} cases[] = {
	/* RFC 4475, 3.1.1: valid */
	{"wsinv", 481}, /* its To has a tag, and there is no such dialog */
	{"intmeth", 405},
	{"esc01", TAKEN},
	{"escnull", 405}, /* REGISTER, which we do not serve */
	{"esc02", 405},   /* an unknown method: escapes mean nothing there */
	{"lwsdisp", 200},
	{"longreq", TAKEN},
	{"dblreq", 405}, /* what follows Content-Length is no second request */
	{"semiuri", 200},
	{"transports", 200},
	{"mpart01", 405},
	{"unreason", SILENCE},
	{"noreason", SILENCE},
	/* 3.1.2: invalid */
	{"badinv01", 400},
	{"clerr", 400},
	{"ncl", 400},
	{"scalar02", 400},
	{"scalarlg", SILENCE},
	{"quotbal", 400, 5050},
	{"ltgtruri", 400},
	{"lwsruri", 400},
	{"lwsstart", TAKEN}, /* "may be liberal": no other reading is possible */
	{"trws", 200},       /* the same */
	{"escruri", 400},
	{"baddate", TAKEN}, /* a Date that nobody needs */
	{"regbadct", 405},
	{"badaspec", 200}, /* "may attempt to be liberal": the blanks in < > are passed over */
	{"baddn", 200}, /* the same: it can only be a display name */
	{"badvers", 505},
	{"mismatch01", 400},
	{"mismatch02", 400},
	{"bigcode", SILENCE},
	/* 3.2: transaction layer */
	{"badbranch", 200},
	/* 3.3: application layer */
	{"insuf", 400},
	{"unkscm", 416},
	{"novelsc", 416},
	{"unksm2", 405},
	{"bext01", 420},
	{"invut", 415},
	{"regaut01", 405},
	{"multi01", 400},
	{"mcl01", 400},
	{"bcast", SILENCE},
	{"zeromf", 200},
	{"cparam01", 405},
	{"cparam02", 405},
	{"regescrt", 405},
	{"sdp01", 406}, /* it would not take our SDP */
	/* 3.4: backward compatibility */
	{"inv2543", TAKEN},
	/* RFC 5118, 4.1 to 4.10 */
	{"rfc5118_4_1_bracketed", 405},
	{"rfc5118_4_2_no_brackets", 400},
	{"rfc5118_4_3_port_ambiguous", 405},
	{"rfc5118_4_4_port_unambiguous", 405},
	{"rfc5118_4_5_received_with_delimiters", 481},
	{"rfc5118_4_5_received_without_delimiters", 481},
	{"rfc5118_4_6_sdp", TAKEN},
	{"rfc5118_4_7_mixed_vias", 481},
	{"rfc5118_4_8_mixed_sdp", TAKEN},
	{"rfc5118_4_9_mapped", TAKEN},
	{"rfc5118_4_10_three_colons", 200}, /* "be liberal": RFC 3261's own grammar allowed it */
};

static void on_incoming(void *owner, struct sip_incoming *in, const struct sip_message *invite)
{
	CHECK_EQ(sip_incoming_respond(in, &(struct sip_response){.status = TAKEN}), 0);
}

static const struct sip_agent_events events = {.incoming = on_incoming};

struct world {
	struct loop loop;
	struct dns *dns;
	struct sip_agent *agent;
	int fd;
};

/* Answers go to the port that a message's Via says, at the sender. When somebody has that port here,
 * the test makes a network of its own. */
static int bind_port(uint16_t port)
{
	struct sockaddr_in me = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, "127.44.75.1", &me.sin_addr);
	if (bind(fd, (struct sockaddr *)&me, sizeof me) == 0)
		return fd;
	close(fd);
	return -1;
}

static void own_network(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd;

	CHECK_EQ(unshare(CLONE_NEWUSER | CLONE_NEWNET), 0);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK_EQ(ioctl(fd, SIOCSIFFLAGS, &lo), 0);
	close(fd);
}

static void world_open(struct world *w)
{
	struct sip_agent_config config = {.binds = {"127.0.0.1"}, .open_to_all = true};

	int fd = bind_port(5060);
	if (fd < 0)
		own_network();
	else
		close(fd);
	CHECK_EQ(loop_init(&w->loop), 0);
	CHECK_EQ(dns_new(&w->dns, &w->loop), 0);
	CHECK_EQ(sip_agent_new(&w->agent, &w->loop, w->dns, &config, &events, w), 0);
}

static void world_close(struct world *w)
{
	sip_agent_free(w->agent);
	dns_free(w->dns);
	loop_fini(&w->loop);
	CHECK_EQ(mem_live(), 0);
}

static void send_bytes(struct world *w, const void *bytes, size_t size)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(sip_agent_port(w->agent))};

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK_EQ(sendto(w->fd, bytes, size, 0, (struct sockaddr *)&to, sizeof to), size);
}

static void probe(struct world *w, size_t number, uint16_t port)
{
	char text[512];
	int size = snprintf(text, sizeof text,
		"OPTIONS sip:probe@127.0.0.1 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 127.44.75.1:%u;branch=z9hG4bKprobe%zu\r\n"
		"From: <sip:a@b>;tag=1\r\nTo: <sip:probe@b>\r\nCall-ID: probe%zu\r\nCSeq: 1 OPTIONS\r\n\r\n",
		port, number, number);
	send_bytes(w, text, (size_t)size);
}

/* The status of the next answer that is not "100 Trying"; SILENCE for the probe's. */
static unsigned next_status(struct world *w)
{
	static char answer[65536];
	ssize_t size = -1;
	struct sip_message m;

	do {
		LOOP_WAIT(&w->loop, (size = recv(w->fd, answer, sizeof answer, 0)) >= 0);
		if (sip_message_parse(&m, span_of(answer, (size_t)size)) != SIP_OK)
			return (unsigned)atoi(answer + strlen("SIP/2.0 ")); /* its request lacked things, too */
	} while (m.status == 100);
	return m.call_id.size > 5 && !memcmp(m.call_id.data, "probe", 5) ? SILENCE : m.status;
}

static size_t read_case(const char *file, char *bytes, size_t room)
{
	char path[256];

	snprintf(path, sizeof path, "%s/torture/%s.dat", getenv("RINGDOWN_TEST_DATA"), file);
	FILE *f = fopen(path, "rb");
	if (!f)
		fprintf(stderr, "%s\n", path);
	CHECK(f);
	size_t size = fread(bytes, 1, room, f);
	fclose(f);
	return size;
}

/* Returns what came. */
static unsigned torture(struct world *w, const struct torture *c, size_t number)
{
	static char bytes[65536];
	uint16_t port = c->port ? c->port : 5060;

	w->fd = bind_port(port);
	CHECK(w->fd >= 0);
	send_bytes(w, bytes, read_case(c->file, bytes, sizeof bytes));
	probe(w, number, port);
	unsigned first = next_status(w);
	for (unsigned status = first; status != SILENCE;) /* up to the probe's: it is alive */
		status = next_status(w);
	close(w->fd);
	return first;
}

int main(void)
{
	struct world w = {0};
	int wrong = 0;

	world_open(&w);
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		unsigned status = torture(&w, &cases[i], i);
		if (status != cases[i].status) {
			fprintf(stderr, "%s: %u is owed, %u came\n", cases[i].file, cases[i].status, status);
			++wrong;
		}
	}
	world_close(&w);
	CHECK_EQ(wrong, 0);
	return 0;
}

/* The carrier's rules, asked by a caller made of raw bytes: nothing of sip/ takes part but the digest. */
#include "base/log.h"
#include "base/mem.h"
#include "loop_wait.h"
#include "net/address.h"
#include "simulator/carrier_inside.h"
#include "simulator/numbers.h"
#include "sip/digest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#define OFFER                                                                                             \
	"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"                           \
	"m=audio 40000 RTP/AVP 8 0 96\r\na=rtpmap:96 telephone-event/8000\r\n"
#define OURS "+12025550199"

enum { EVENTS_MAX = 256 << 10, ANSWERS_MAX = 64 };

struct world {
	struct loop loop;
	struct carrier *carrier;
	int fd;
	bool is_stream, quiet;
	char tag[32]; /* the last that was heard */
	unsigned port, calls;
	char events[EVENTS_MAX];
	size_t event_size;
	/* The last call: what its requests are made of. */
	const char *from; /* user of From; NULL = OURS */
	char host[96], number[32], call_id[32], uri[200], to[200], routes[600];
	unsigned cseq, branch;
	/* Everything that came, newest last. */
	char answers[ANSWERS_MAX][8192];
	size_t answer_count;
};

static struct world w;

static void on_event(void *owner, const char *json)
{
	size_t size = strlen(json);
	if (w.quiet)
		return;
	CHECK(w.event_size + size + 2 < sizeof w.events);
	memcpy(w.events + w.event_size, json, size);
	w.event_size += size;
	w.events[w.event_size++] = '\n';
	w.events[w.event_size] = 0;
}

static int open_socket(int type, struct sockaddr_in *to)
{
	int fd = socket(AF_INET, type, 0);
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof here;
	*to = here;
	to->sin_port = htons(carrier_port(w.carrier, CARRIER_UDP));
	CHECK_EQ(bind(fd, (struct sockaddr *)&here, sizeof here), 0);
	CHECK_EQ(getsockname(fd, (struct sockaddr *)&here, &size), 0);
	w.port = ntohs(here.sin_port);
	CHECK_EQ(connect(fd, (struct sockaddr *)to, sizeof *to), 0);
	return fd;
}

static void start_at(int type, const char *profile, const char *settings)
{
	struct sockaddr_in to;
	memset(&w, 0, sizeof w);
	CHECK_EQ(loop_init(&w.loop), 0);
	CHECK_EQ(carrier_new(&w.carrier, &w.loop, &(struct carrier_config){
		.wire = {.ips = {"127.0.0.1", "127.0.0.2"}, .ip_count = 2},
		.profile = carrier_profile_find(profile), .seed = 7, .event = on_event}), 0);
	CHECK_EQ(carrier_set(w.carrier, "t1-ms=5;cps=0"), 0);
	CHECK_EQ(carrier_set(w.carrier, settings), 0);
	w.is_stream = type == SOCK_STREAM;
	w.fd = open_socket(type, &to);
}

static void start(const char *profile, const char *settings)
{
	start_at(SOCK_DGRAM, profile, settings);
}

static void stop(void)
{
	close(w.fd);
	w.carrier = carrier_free(w.carrier);
	loop_fini(&w.loop);
	CHECK_EQ(mem_live(), 0);
}

/* --- asking ---------------------------------------------------------------------------------------- */

static void send_text(const char *text)
{
	CHECK_EQ(send(w.fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* A whole request of the current call; `more` are header lines. */
static void ask_as(const char *method, const char *uri, const char *cseq_method, unsigned cseq, const char *more,
	const char *body)
{
	char text[8192];
	int n = snprintf(text, sizeof text,
		"%s %s SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK%u;rport\r\nMax-Forwards: 70\r\n"
		"From: <sip:%s@127.0.0.1>;tag=us\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n"
		"Contact: <sip:us@127.0.0.1:%u>\r\n%s%sContent-Length: %zu\r\n\r\n%s",
		method, uri, w.port, w.branch, w.from ? w.from : OURS, w.to, w.call_id, cseq, cseq_method, w.port, more,
		*body ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
	CHECK(n > 0 && (size_t)n < sizeof text);
	send_text(text);
}

static void new_call(const char *host, const char *number)
{
	snprintf(w.host, sizeof w.host, "%s", host);
	snprintf(w.number, sizeof w.number, "%s", number);
	snprintf(w.call_id, sizeof w.call_id, "call-%u-", ++w.calls);
	snprintf(w.uri, sizeof w.uri, "sip:%s@%s", number, host);
	snprintf(w.to, sizeof w.to, "<sip:%s@%s>", number, host);
	w.routes[0] = 0;
	w.cseq = 1;
	++w.branch;
}

static void invite(const char *host, const char *number, const char *more)
{
	new_call(host, number);
	ask_as("INVITE", w.uri, "INVITE", w.cseq, more, OFFER);
}

/* --- hearing --------------------------------------------------------------------------------------- */

static void keep(const char *bytes, size_t size)
{
	if (w.quiet && w.answer_count == ANSWERS_MAX)
		w.answer_count = 0;
	CHECK(w.answer_count < ANSWERS_MAX && size < sizeof w.answers[0]);
	memcpy(w.answers[w.answer_count], bytes, size);
	w.answers[w.answer_count++][size] = 0;
}

/* A datagram is a message; of a stream each is cut out. */
static void read_socket(void)
{
	char bytes[8192];
	ssize_t n;
	while ((n = recv(w.fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
		struct span rest = span_of(bytes, (size_t)n);
		size_t size;
		while (w.is_stream && rest.size && sip_message_frame(rest, &size) == 0) {
			keep((const char *)rest.data, size);
			sip_take(&rest, size);
		}
		if (rest.size)
			keep((const char *)rest.data, rest.size);
	}
}

/* Begins so, and is of the current call when it is SIP. */
static bool fits(const char *message, const char *start)
{
	bool blank = message[0] == '\r';
	return !strncmp(message, start, strlen(start)) && (blank || strstr(message, w.call_id));
}

/* The newest message that begins so; NULL = none. */
static const char *heard(const char *start)
{
	read_socket();
	for (size_t i = w.answer_count; i-- > 0;)
		if (fits(w.answers[i], start))
			return w.answers[i];
	return NULL;
}

static size_t times_heard(const char *start)
{
	size_t count = 0;
	read_socket();
	for (size_t i = 0; i < w.answer_count; ++i)
		count += fits(w.answers[i], start);
	return count;
}

/* The newest answer to the request of this number; 0 = of whichever. */
static const char *expect_to(unsigned cseq, unsigned status)
{
	char line[32], number[24] = "";
	const char *found = NULL;
	snprintf(line, sizeof line, "SIP/2.0 %u ", status);
	if (cseq)
		snprintf(number, sizeof number, "\r\nCSeq: %u ", cseq);
	struct timer pulse = {0};
	uint64_t until = clock_ms() + 5000;
	CHECK_EQ(timer_init(&pulse, &w.loop, loop_wait_pulse, NULL), 0);
	timer_start(&pulse, 2, 2);
	while (!((found = heard(line)) && strstr(found, number)) && clock_ms() < until)
		uv_run(&w.loop.uv, UV_RUN_ONCE);
	timer_fini(&pulse);
	if (!found)
		fprintf(stderr, "%s to %s: no %u, the last was:\n%s\n%s", w.number, w.host, status,
			w.answer_count ? w.answers[w.answer_count - 1] : "", w.events);
	CHECK(found && strstr(found, number));
	return found;
}

static const char *expect(unsigned status)
{
	return expect_to(0, status);
}

static void forget_answers(void)
{
	read_socket();
	w.answer_count = 0;
}

static bool happened(const char *text)
{
	return strstr(w.events, text) != NULL;
}

/* Takes the dialog out of an answer: To with its tag, Contact, the route the other way round. */
static void take_dialog(const char *answer)
{
	struct sip_message m;
	CHECK_EQ(sip_message_parse(&m, span_text(answer)), SIP_OK);
	struct sip_name_addr contact, route;
	struct span to = sip_message_value(&m, SIP_H_TO), item;
	snprintf(w.to, sizeof w.to, "%.*s", (int)to.size, (const char *)to.data);
	CHECK_EQ(sip_name_addr_parse(&contact, sip_message_value(&m, SIP_H_CONTACT)), 0);
	snprintf(w.uri, sizeof w.uri, "%.*s", (int)contact.uri.size, (const char *)contact.uri.data);
	struct sip_items it = {.m = &m, .id = SIP_H_RECORD_ROUTE};
	w.routes[0] = 0;
	while (sip_items_next(&it, &item)) {
		char rest[sizeof w.routes];
		CHECK_EQ(sip_name_addr_parse(&route, item), 0);
		snprintf(rest, sizeof rest, "%.300s", w.routes);
		snprintf(w.routes, sizeof w.routes, "Route: <%.*s>\r\n%.300s", (int)route.uri.size,
			(const char *)route.uri.data, rest);
	}
}

static void ack(void)
{
	++w.branch;
	ask_as("ACK", w.uri, "ACK", w.cseq, w.routes, "");
}

static void ask(const char *method, const char *more, const char *body)
{
	char headers[1200];
	snprintf(headers, sizeof headers, "%s%s", w.routes, more);
	++w.branch;
	forget_answers();
	ask_as(method, w.uri, method, ++w.cseq, headers, body);
}

static void answer_call(const char *host, const char *number)
{
	forget_answers();
	invite(host, number, "");
	take_dialog(expect(200));
	ack();
	LOOP_WAIT(&w.loop, happened("\"state\":\"up\""));
}

static void hang_up(void)
{
	ask("BYE", "", "");
	expect(200);
}

/* --- who may call ---------------------------------------------------------------------------------- */

static void a_host_that_is_no_trunk_is_not_answered(void)
{
	start("twilio", "auth=acl");
	invite("203.0.113.7", "+12025550100", "");
	LOOP_WAIT(&w.loop, happened("\"event\":\"dropped\""));
	invite("twilio.test", "+12025550100", "");
	invite("open.pstn.dublin.twilio.test", "+12025550113", ""); /* an edge is the trunk's */
	expect(404);
	forget_answers();
	invite("a.open.pstn.us1.twilio.localhost", "+12025550113", "");
	expect(404);
	CHECK(!times_heard("SIP/2.0 404 Not Found\r\nVia: SIP/2.0/UDP 127.0.0.1:1;"));
	stop();
}

static void authorize(char *out, size_t size, const char *answer, const char *password)
{
	struct sip_message m;
	struct sip_authorizer a = {0};
	struct writer writer = writer_of(out, size - 1);
	CHECK_EQ(sip_message_parse(&m, span_text(answer)), SIP_OK);
	CHECK_EQ(sip_authorizer_challenged(&a, &m), 0);
	CHECK_EQ(sip_authorizer_write(&writer, &a, "ringdown", password, span_text("INVITE"), span_text(w.uri),
		span_text(OFFER), "cnonce"), 0);
	CHECK(!writer.bad);
	out[writer.used] = 0;
}

static void again_with(const char *credentials)
{
	++w.branch;
	forget_answers();
	ask_as("INVITE", w.uri, "INVITE", ++w.cseq, credentials, OFFER);
}

static void credentials_are_asked_for_as_twilio_does(void)
{
	char header[1024];
	start("twilio", "");
	invite("ringdown.pstn.twilio.test", "+12025550101", "");
	const char *answer = expect(407);
	CHECK(strstr(answer, "SIP/2.0 407 Proxy Authentication required\r\n"));
	CHECK(strstr(answer, "Proxy-Authenticate: Digest realm=\"sip.twilio.com\",qop=\"auth\",nonce=\""));
	CHECK(strstr(answer, "opaque=\""));
	CHECK(!strstr(answer, "algorithm") && !strstr(answer, "stale"));
	CHECK(strstr(answer, "Server: Twilio\r\n") && strstr(answer, "@172.25.10.20:5060>"));
	const char *trying = heard("SIP/2.0 100 trying -- your call is important to us\r\n");
	CHECK(trying && strstr(trying, "Server: Twilio Gateway\r\n") && strstr(trying, "received=127.0.0.1;rport="));

	authorize(header, sizeof header, answer, "Simulated-Trunk-1");
	ask_as("ACK", w.uri, "ACK", w.cseq, "", "");
	again_with(header);
	answer = expect(200);
	CHECK(strstr(answer, "X-Twilio-CallSid: CA"));
	CHECK(strstr(answer, "m=audio ") && strstr(answer, " RTP/AVP 8 96\r\n")); /* the first of the offer, its number */
	CHECK(strstr(answer, "a=ptime:20\r\na=maxptime:20\r\n") && strstr(answer, "o=root ") && strstr(answer, " IN IP4 172.18."));
	take_dialog(answer);
	ack();
	hang_up();
	stop();
}

static void wrong_and_old_credentials_are_told_apart(void)
{
	char header[1024];
	start("twilio", "");
	invite("ringdown.pstn.twilio.test", "+12025550101", "");
	authorize(header, sizeof header, expect(407), "another");
	again_with(header);
	CHECK(strstr(expect(403), "X-Twilio-Error: 32202 "));

	invite("stale.pstn.twilio.test", "+12025550113", "");
	authorize(header, sizeof header, expect(407), "Simulated-Trunk-1");
	ask_as("ACK", w.uri, "ACK", w.cseq, "", "");
	again_with(header);
	/* The first refusal may have been repeated before its ACK came. */
	authorize(header, sizeof header, expect_to(w.cseq, 407), "Simulated-Trunk-1");
	ask_as("ACK", w.uri, "ACK", w.cseq, "", "");
	CHECK(happened("\"stale\":true"));
	again_with(header);
	expect(404);
	stop();
}

static void trunks_refuse_as_their_carrier_would(void)
{
	static const struct {
		const char *host, *number, *more;
		unsigned status;
		const char *words;
	} cases[] = {
		{"acl.pstn.twilio.test", "+12025550101", "", 403, "X-Twilio-Error: 32201 "},
		{"both-foreign.pstn.twilio.test", "+12025550101", "", 403, "X-Twilio-Error: 32201 "},
		{"both.pstn.twilio.test", "+12025550101", "", 407, "Proxy-Authenticate"},
		{"suspended.pstn.twilio.test", "+12025550101", "", 407, "Digest"},
		{"inactive.pstn.twilio.test", "+12025550101", "", 407, "Digest"},
		{"owned.pstn.twilio.test", "+12025550101", "", 403, "X-Twilio-Error: 32204 "},
		{"owned.pstn.twilio.test", "+12025550101", "Remote-Party-ID: <sip:+19995550000@x>\r\n", 403, "32204 "},
		{"hops.pstn.twilio.test", "+12025550101", "", 483, "X-Twilio-Error: 32006 "},
		{"secure.pstn.twilio.test", "+12025550101", "", 488, "X-Twilio-Error: 32209 "},
		{"mocked.pstn.twilio.test", "+12025550101", "", 488, "SIP/2.0 488 Unsupported media type"},
		{"trial-legacy.pstn.twilio.test", "+13125550100", "", 400, "X-Twilio-Error: 32100 "},
		{"trial-2026.pstn.twilio.test", "+12025550101", "", 403, "X-Twilio-Error: 32200 "},
		{"open.pstn.twilio.test", "12025550101", "", 400, "X-Twilio-Error: 32101 "},
		{"open.pstn.twilio.test", "+5312345678", "", 403, "X-Twilio-Error: 32205 "},
		{"open.pstn.twilio.test", "+17025550103", "", 403, "X-Twilio-Error: 32203 "},
		{"open.pstn.twilio.test", "+12025550999", "", 404, "Not Found"},
		{"open.pstn.twilio.test", "+12025550101", "Require: nonsense\r\n", 420, "Bad Extension"},
	};
	start("twilio", "");
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		forget_answers();
		invite(cases[i].host, cases[i].number, cases[i].more);
		CHECK(strstr(expect(cases[i].status), cases[i].words));
		ask_as("ACK", w.uri, "ACK", w.cseq, "", "");
	}
	/* ... and what can be set: */
	CHECK_EQ(carrier_set(w.carrier, "open.pstn.twilio.test: block-status=603;status.number=484"), 0);
	forget_answers();
	invite("open.pstn.twilio.test", "+17025550103", "");
	CHECK(strstr(expect(603), "32203"));
	invite("open.pstn.twilio.test", "911", "");
	expect(484);
	CHECK_EQ(carrier_set(w.carrier, "no-such-quirk=1"), CARRIER_E_BAD);
	CHECK_EQ(carrier_set(w.carrier, "e164=perhaps"), CARRIER_E_BAD);
	CHECK_EQ(carrier_set(w.carrier, "status.number=200"), CARRIER_E_BAD);
	stop();
}

/* Who calls: From, else Remote-Party-ID, else P-Asserted-Identity; sipgate wants its account in From. */
static void callers_are_found_where_they_may_stand(void)
{
	static const struct {
		const char *host, *from, *more;
		unsigned status;
		const char *words;
	} cases[] = {
		{"open.pstn.twilio.test", "anonymous", "", 403, "32206"},
		{"open.pstn.twilio.test", "anonymous", "P-Asserted-Identity: \"us\" <sip:+12025550199@x>\r\n", 404, ""},
		{"open.pstn.twilio.test", "anonymous", "Remote-Party-ID: <sip:+12025550199@x>;party=calling\r\n", 404, ""},
		{"open.pstn.twilio.test", "anonymous", "P-Asserted-Identity: <tel:+19995550000>\r\n", 403, "32204"},
		{"open.pstn.twilio.test", "+12025550199", "Remote-Party-ID: <sip:+19995550000@x>\r\n", 403, "32204"},
		{"sipgate.test", "+12025550199", "", 403, "Forbidden"},
		{"sipgate.test", "ringdown", "P-Preferred-Identity: <sip:+12025550199@x>\r\n", 404, ""},
		{"ringdown.sip-us.vonage.test", "+12025550199", "", 404, ""},
	};
	start("twilio", "auth=none;register=off");
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		forget_answers();
		w.from = cases[i].from;
		invite(cases[i].host, "+12025550113", cases[i].more);
		CHECK(strstr(expect(cases[i].status), cases[i].words));
		ask_as("ACK", w.uri, "ACK", w.cseq, "", "");
	}
	stop();
}

static void teams_wants_options_and_a_name(void)
{
	start("teams", "secure=either");
	invite("sip.pstnhub.microsoft.test", "+12025550113", "");
	CHECK(strstr(expect(403), "No OPTIONS received yet"));
	new_call("sip.pstnhub.microsoft.test", "");
	snprintf(w.uri, sizeof w.uri, "sip:sip.pstnhub.microsoft.test");
	ask("OPTIONS", "", "");
	expect(200);
	invite("sip.pstnhub.microsoft.test", "+12025550113", "");
	CHECK(strstr(expect(403), "Contact must be a host name"));
	stop();
}

static void the_longest_call_ends(void)
{
	start("bank", "max-duration-s=1");
	answer_call("x.example", "+12025550101");
	LOOP_WAIT(&w.loop, heard("BYE sip:us@"));
	CHECK(strstr(heard("BYE "), "longest call"));
	stop();
}

static void accounts_are_looked_at_after_the_credentials(void)
{
	start("twilio", "auth=acl");
	invite("suspended.pstn.twilio.test", "+12025550101", "");
	expect(603);
	invite("inactive.pstn.twilio.test", "+12025550101", "");
	CHECK(strstr(expect(403), "32200"));
	forget_answers();
	invite("trial-legacy.pstn.twilio.test", "+12025550110", "");
	expect(486);
	stop();
}

static void offers_are_looked_at(void)
{
	static const struct {
		const char *body;
		unsigned status;
		const char *words;
	} cases[] = {
		{"", 400, "32103"},
		{"v=0\r\nnonsense", 400, "32102"},
		{"v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/SAVP 0\r\n", 488, "32207"},
		{"v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 18 96\r\n", 415,
			"Unsupported media type"},
		{"v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 9 RTP/AVP 31\r\n", 400, "32102"},
	};
	start("twilio", "");
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		forget_answers();
		new_call("open.pstn.twilio.test", "+12025550101");
		ask_as("INVITE", w.uri, "INVITE", 1, "", cases[i].body);
		CHECK(strstr(expect(cases[i].status), cases[i].words));
	}
	stop();
}

static void limits_of_calls(void)
{
	start("twilio", "");
	answer_call("few.pstn.twilio.test", "+12025550101");
	forget_answers();
	invite("few.pstn.twilio.test", "+12025550101", "");
	CHECK(strstr(expect(503), "Trunk concurrent call limit exceeded"));
	CHECK_EQ(carrier_set(w.carrier, "slow.pstn.twilio.test: cps=1"), 0);
	invite("slow.pstn.twilio.test", "+12025550113", "");
	expect(404);
	forget_answers();
	invite("slow.pstn.twilio.test", "+12025550113", "");
	CHECK(strstr(expect(503), "32001"));
	stop();
}

static void telnyx_says_it_in_the_reason(void)
{
	start("telnyx", "auth=none");
	invite("sip.telnyx.test", "+5312345678", "");
	CHECK(strstr(expect(403), " D38\r\n"));
	CHECK_EQ(carrier_set(w.carrier, "owned=+1999"), 0);
	forget_answers();
	invite("sip.telnyx.test", "+12025550101", "");
	CHECK(strstr(expect(403), "SIP/2.0 403 Caller Origination Number is Invalid D35\r\n"));
	stop();
}

/* --- numbers ---------------------------------------------------------------------------------------- */

/* Whoever refuses at once: the status of its script is the one that comes. */
static void every_number_that_refuses_does_so(void)
{
	size_t refused = 0;
	start("bank", "");
	for (size_t i = 0; number_at(i); ++i) {
		const struct number *n = number_at(i);
		char why[96];
		CHECK(carrier_script_is_good(n->script, why));
		unsigned status = (unsigned)strtoul(n->script, NULL, 10);
		if (status < 300)
			continue;
		const char *header = strchr(n->script, '|');
		forget_answers();
		invite("anybody.example", n->number, "");
		const char *answer = expect(status);
		CHECK(!header || strstr(answer, header + 2));
		ask_as("ACK", w.uri, "ACK", w.cseq, "", "");
		++refused;
	}
	CHECK(refused > 40);
	CHECK(!carrier_script_is_good("answer / dance", (char[96]){0}));
	CHECK(!carrier_script_is_good("", (char[96]){0}));
	stop();
}

static void numbers_of_ones_own_come_before_the_book(void)
{
	start("bank", "");
	CHECK_EQ(carrier_add_number(w.carrier, "+12025550100=486 Own Words | X-Mine: 1"), 0);
	CHECK_EQ(carrier_control(w.carrier, "number +12025550101=600"), 0);
	CHECK_EQ(carrier_add_number(w.carrier, "+12025550100"), CARRIER_E_BAD);
	CHECK_EQ(carrier_add_number(w.carrier, "+12025550100=dance"), CARRIER_E_BAD);
	invite("x.example", "+12025550100", "");
	CHECK(strstr(expect(486), "Own Words\r\n") && strstr(heard("SIP/2.0 486"), "X-Mine: 1\r\n"));
	invite("x.example", "+12025550101", "");
	expect(600);
	stop();
}

static void a_number_that_swallows_says_not_even_100(void)
{
	start("bank", "");
	invite("x.example", "+13035550118", "");
	LOOP_WAIT(&w.loop, happened("\"vanished\""));
	CHECK(!times_heard("SIP/2.0"));
	stop();
}

static void a_redirect_names_its_contact(void)
{
	start("bank", "");
	invite("x.example", "+13035550115", "");
	CHECK(strstr(expect(301), "Contact: <sip:+8810000000@198.51.100.7>\r\n"));
	stop();
}

/* --- the dialog ---------------------------------------------------------------------------------------- */

static void only_a_right_ack_ends_the_200s(void)
{
	start("twilio", "");
	CHECK_EQ(carrier_set(w.carrier, "open.pstn.twilio.test: record-route=2;twnat"), 0);
	invite("open.pstn.twilio.test", "+12025550101", "");
	const char *answer = expect(200);
	CHECK(strstr(answer, ";r2=on;lr>") && strstr(answer, ";r2=on;lr;twnat=sip:127.0.0.1:"));
	take_dialog(answer);
	char right[sizeof w.routes], uri[sizeof w.uri];
	snprintf(right, sizeof right, "%s", w.routes);
	snprintf(uri, sizeof uri, "%s", w.uri);
	w.routes[0] = 0;
	ack();
	LOOP_WAIT(&w.loop, happened("\"ack_ignored\"") && happened("\"fault\":\"route\""));
	snprintf(w.routes, sizeof w.routes, "%s", right);
	snprintf(w.uri, sizeof w.uri, "sip:+12025550101@open.pstn.twilio.test");
	ack();
	LOOP_WAIT(&w.loop, happened("\"fault\":\"uri\""));
	size_t before = times_heard("SIP/2.0 200");
	LOOP_WAIT(&w.loop, times_heard("SIP/2.0 200") > before);
	snprintf(w.uri, sizeof w.uri, "%s", uri);
	ack();
	LOOP_WAIT(&w.loop, happened("\"state\":\"up\""));

	/* A BYE without its route belongs to no dialog. */
	w.routes[0] = 0;
	ask("BYE", "", "");
	expect(481);
	snprintf(w.routes, sizeof w.routes, "%s", right);
	hang_up();
	LOOP_WAIT(&w.loop, happened("\"the caller hung up\""));
	stop();
}

static void without_an_ack_it_hangs_up(void)
{
	start("twilio", "");
	invite("open.pstn.twilio.test", "+12025550101", "");
	expect(200);
	LOOP_WAIT(&w.loop, heard("BYE sip:us@127.0.0.1:"));
	CHECK(times_heard("SIP/2.0 200") >= 8); /* T1, T1 * 2 ... T2 until 64 T1 */
	CHECK(strstr(heard("BYE "), "Reason: SIP;cause=408"));
	CHECK(happened("\"no_ack\""));
	stop();
}

static void over_a_stream_the_dialog_stays_on_its_connection(void)
{
	struct sockaddr_in to;
	start_at(SOCK_STREAM, "twilio", "");
	answer_call("open.pstn.twilio.test", "+12025550101");
	CHECK(strstr(w.routes, ";transport=tcp;lr>"));
	int first = w.fd;
	w.fd = open_socket(SOCK_STREAM, &to);
	ask("BYE", "", "");
	expect(481);
	CHECK(happened("\"fault\":\"connection\""));
	close(w.fd);
	w.fd = first;
	send_text("\r\n\r\n");
	LOOP_WAIT(&w.loop, heard("\r\n"));
	hang_up();
	stop();
}

static void cancel_before_and_after(void)
{
	start("bank", "");
	invite("x.example", "+12025550111", "");
	expect(180);
	ask_as("CANCEL", w.uri, "CANCEL", w.cseq, "", "");
	expect(200);
	expect(487);
	ask_as("ACK", w.uri, "ACK", w.cseq, "", "");
	LOOP_WAIT(&w.loop, happened("\"state\":\"ended\""));

	/* The callee picks up while it is cancelled: both get a 200. */
	forget_answers();
	invite("x.example", "+14155550110", "");
	expect(180);
	ask_as("CANCEL", w.uri, "CANCEL", w.cseq, "", "");
	LOOP_WAIT(&w.loop, times_heard("SIP/2.0 200") >= 2);
	CHECK(!times_heard("SIP/2.0 487"));
	for (size_t i = 0; i < w.answer_count; ++i)
		if (strstr(w.answers[i], "m=audio"))
			take_dialog(w.answers[i]);
	ack();
	LOOP_WAIT(&w.loop, happened("\"state\":\"up\""));
	hang_up();
	stop();
}

static void retransmitted_requests_hear_the_same(void)
{
	start("bank", "");
	invite("x.example", "+12025550113", "");
	expect(404);
	size_t before = times_heard("SIP/2.0 404");
	ask_as("INVITE", w.uri, "INVITE", w.cseq, "", OFFER);
	LOOP_WAIT(&w.loop, happened("\"retransmitted\"") && times_heard("SIP/2.0 404") > before);
	ask_as("ACK", w.uri, "ACK", w.cseq, "", "");

	answer_call("x.example", "+12025550101");
	ask("BYE", "", "");
	expect(200);
	forget_answers();
	ask_as("BYE", w.uri, "BYE", w.cseq, w.routes, "");
	expect(200);
	stop();
}

static void a_prack_is_asked_for_and_checked(void)
{
	start("bank", "");
	invite("x.example", "+14155550105", "");
	expect(421);
	forget_answers();
	invite("x.example", "+14155550105", "Supported: 100rel\r\n");
	const char *answer = expect(183);
	unsigned rseq = 0;
	CHECK_EQ(sscanf(strstr(answer, "RSeq: "), "RSeq: %u", &rseq), 1);
	take_dialog(answer);
	ask("PRACK", "RAck: 1 1 INVITE\r\n", "");
	expect(481);
	LOOP_WAIT(&w.loop, times_heard("SIP/2.0 183")); /* still said again */
	char rack[64];
	snprintf(rack, sizeof rack, "RAck: %u 1 INVITE\r\n", rseq);
	ask("PRACK", rack, "");
	expect(200);
	LOOP_WAIT(&w.loop, times_heard("SIP/2.0 200") >= 2); /* the PRACK's, the INVITE's */
	stop();
}

static void two_places_answer(void)
{
	start("bank", "");
	invite("x.example", "+14155550109", "");
	LOOP_WAIT(&w.loop, times_heard("SIP/2.0 200") >= 2);
	char first[sizeof w.to];
	take_dialog(w.answers[w.answer_count - 1]);
	snprintf(first, sizeof first, "%s", w.to);
	ack();
	for (size_t i = 0; i < w.answer_count; ++i)
		if (!strncmp(w.answers[i], "SIP/2.0 200", 11) && !strstr(w.answers[i], strstr(first, "tag=")))
			take_dialog(w.answers[i]);
	CHECK(strcmp(first, w.to) != 0);
	ack();
	hang_up();
	CHECK(!happened("\"state\":\"ended\"")); /* the other one goes on */
	snprintf(w.to, sizeof w.to, "%s", first);
	hang_up();
	LOOP_WAIT(&w.loop, happened("\"state\":\"ended\""));
	stop();
}

/* Answers a request of the carrier's: 200 with its own dialog headers. */
static void reply(const char *request, unsigned status, const char *body)
{
	struct sip_message m;
	uint8_t text[4096];
	struct writer out = writer_of(text, sizeof text - 1);
	CHECK_EQ(sip_message_parse(&m, span_text(request)), SIP_OK);
	sip_write_response_head(&out, &m, &(struct sip_response_head){.status = status});
	sip_write_end(&out, "application/sdp", span_text(body));
	CHECK(!out.bad);
	text[out.used] = 0;
	forget_answers();
	send_text((const char *)text);
}

static void the_carrier_holds_and_resumes(void)
{
	start("bank", "");
	CHECK_EQ(carrier_add_number(w.carrier, "+19995550100=answer / reinvite sendonly / reinvite no-offer / update refresh"
		" / bye Q.850;cause=16"), 0);
	forget_answers();
	invite("x.example", "+19995550100", "");
	take_dialog(expect(200));
	ack();
	LOOP_WAIT(&w.loop, heard("INVITE sip:us@"));
	CHECK(strstr(heard("INVITE "), "a=sendonly"));
	reply(heard("INVITE "), 200, OFFER "a=recvonly\r\n");
	LOOP_WAIT(&w.loop, heard("ACK sip:us@") && heard("INVITE sip:us@"));
	CHECK(strstr(heard("INVITE "), "Content-Length: 0\r\n"));
	reply(heard("INVITE "), 200, OFFER);
	LOOP_WAIT(&w.loop, heard("ACK sip:us@") && heard("UPDATE sip:us@"));
	CHECK(strstr(heard("ACK "), "m=audio"));
	reply(heard("UPDATE "), 200, "");
	LOOP_WAIT(&w.loop, heard("BYE sip:us@"));
	CHECK(strstr(heard("BYE "), "Reason: Q.850;cause=16\r\n"));
	reply(heard("BYE "), 200, "");
	LOOP_WAIT(&w.loop, happened("\"the carrier hung up\""));
	stop();
}

static void a_transfer_is_refused_or_told_of(void)
{
	start("twilio", "");
	answer_call("open.pstn.twilio.test", "+12025550101");
	ask("REFER", "Refer-To: <tel:+12025550100>\r\n", "");
	CHECK(strstr(expect(403), "X-Twilio-Error: 32218 "));
	hang_up();
	w.event_size = 0;
	answer_call("refer.pstn.twilio.test", "+12025550101");
	ask("REFER", "Refer-To: <tel:+12025550100>\r\n", "");
	expect(202);
	LOOP_WAIT(&w.loop, heard("NOTIFY sip:us@"));
	CHECK(strstr(heard("NOTIFY "), "\r\n\r\nSIP/2.0 100 Trying\r\n"));
	reply(heard("NOTIFY "), 200, "");
	LOOP_WAIT(&w.loop, heard("NOTIFY sip:us@"));
	CHECK(strstr(heard("NOTIFY "), "Subscription-State: terminated") && strstr(heard("NOTIFY "), "SIP/2.0 200 OK\r\n"));
	reply(heard("NOTIFY "), 200, "");
	LOOP_WAIT(&w.loop, heard("BYE sip:us@"));
	reply(heard("BYE "), 200, "");
	LOOP_WAIT(&w.loop, happened("\"the carrier hung up\""));
	stop();
}

static void offers_of_the_caller_in_the_dialog(void)
{
	start("bank", "");
	answer_call("x.example", "+12025550101");
	ask("INVITE", "", OFFER "a=sendonly\r\n");
	CHECK(strstr(expect(200), "a=recvonly\r\n"));
	ack();
	LOOP_WAIT(&w.loop, happened("\"reacked\""));
	ask("UPDATE", "", OFFER);
	CHECK(strstr(expect(200), "a=sendrecv\r\n"));
	ask("INVITE", "", "v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 18\r\n");
	expect(488);
	ask_as("ACK", w.uri, "ACK", w.cseq, w.routes, "");
	ask("INFO", "Content-Type: application/dtmf-relay\r\n", "Signal=1\r\n");
	expect(200);
	CHECK(happened("\"event\":\"info\""));
	w.cseq -= 2;
	ask("OPTIONS", "", "");
	expect(500); /* its number is not new */
	w.cseq += 2;
	hang_up();
	stop();
}

static void the_session_timer_ends_a_silent_call(void)
{
	start("bank", "session-s=1;refresher=uac");
	forget_answers();
	invite("x.example", "+12025550101", "Supported: timer\r\n");
	const char *answer = expect(200);
	CHECK(strstr(answer, "Session-Expires: 1;refresher=uac\r\n") && strstr(answer, "Require: timer\r\n"));
	take_dialog(answer);
	ack();
	LOOP_WAIT(&w.loop, heard("BYE "));
	CHECK(strstr(heard("BYE "), "session timer"));
	CHECK_EQ(carrier_set(w.carrier, "min-se=1800"), 0);
	forget_answers();
	invite("x.example", "+12025550101", "Session-Expires: 90;refresher=uac\r\n");
	CHECK(strstr(expect(422), "Min-SE: 1800\r\n"));
	stop();
}

/* --- outside of dialogs -------------------------------------------------------------------------------- */

static void options_are_answered_and_counted(void)
{
	start("twilio", "");
	new_call("open.pstn.twilio.test", "");
	snprintf(w.uri, sizeof w.uri, "sip:open.pstn.twilio.test");
	ask("OPTIONS", "", "");
	CHECK(strstr(expect(200), "Server: Twilio Gateway\r\n"));
	ask("OPTIONS", "", ""); /* the second within ten seconds */
	LOOP_WAIT(&w.loop, happened("\"banned\""));
	CHECK(!times_heard("SIP/2.0"));
	CHECK_EQ(carrier_control(w.carrier, "forget"), 0);
	ask("OPTIONS", "", "");
	expect(200);
	ask("REGISTER", "", "");
	expect(405);
	stop();
}

static void a_registrar_keeps_several_bindings(void)
{
	char header[1024];
	start("registrar", "auth=none");
	new_call("registrar.test", "");
	snprintf(w.uri, sizeof w.uri, "sip:registrar.test");
	snprintf(w.to, sizeof w.to, "<sip:ringdown@registrar.test>");
	ask("REGISTER", "Expires: 5\r\n", "");
	CHECK(strstr(expect(423), "Min-Expires: 30\r\n"));
	ask("REGISTER", "Expires: 3600\r\n", "");
	CHECK(strstr(expect(200), ";expires=120\r\n")); /* no longer than that */
	ask("REGISTER", "Contact: <sip:second@127.0.0.1>;expires=60\r\n", "");
	const char *answer = expect(200);
	CHECK(strstr(answer, "Contact: <sip:second@127.0.0.1>;expires=60\r\n") && strstr(answer, "Contact: <sip:us@"));
	forget_answers();
	invite("registrar.test", "+12025550113", "");
	expect(404); /* registered: the call is let through */
	snprintf(header, sizeof header, "Expires: 0\r\n");
	CHECK_EQ(carrier_control(w.carrier, "forget"), 0);
	forget_answers();
	invite("registrar.test", "+12025550113", "");
	expect(403);
	stop();
}

static void edges_can_be_killed_and_made_black_holes(void)
{
	start("bank", "");
	CHECK_EQ(carrier_control(w.carrier, "blackhole 127.0.0.1"), 0);
	invite("x.example", "+12025550113", "");
	for (int i = 0; i < 50; ++i)
		uv_run(&w.loop.uv, UV_RUN_NOWAIT);
	CHECK(!times_heard("SIP/2.0"));
	CHECK_EQ(carrier_control(w.carrier, "kill 127.0.0.1"), 0);
	CHECK_EQ(carrier_control(w.carrier, "revive 127.0.0.1"), 0);
	CHECK_EQ(carrier_control(w.carrier, "kill 127.0.0.9"), CARRIER_E_BAD);
	CHECK_EQ(carrier_control(w.carrier, "sing"), CARRIER_E_BAD);
	invite("x.example", "+12025550113", "");
	expect(404);
	stop();
}

/* --- nuisance --------------------------------------------------------------------------------------------- */

static void ugly_messages_mean_the_same(void)
{
	static const char *const quirks[] = {"compact", "folded", "joined", "long-header=4000", "unknown-headers",
		"malformed-header", "lower-allow", "no-length", "double-length",
		"compact;folded;joined;unknown-headers;lower-allow;double-length"};
	for (size_t i = 0; i < COUNT_OF(quirks); ++i) {
		struct sip_message m;
		start("bank", "record-route=2");
		CHECK_EQ(carrier_set(w.carrier, quirks[i]), 0);
		invite("x.example", "+12025550101", "");
		LOOP_WAIT(&w.loop, heard("SIP/2.0 200"));
		CHECK_EQ(sip_message_parse(&m, span_text(heard("SIP/2.0 200"))), SIP_OK);
		CHECK_EQ(m.status, 200);
		CHECK_EQ(m.broken_lines > 0, !strcmp(quirks[i], "malformed-header"));
		struct sip_items it = {.m = &m, .id = SIP_H_RECORD_ROUTE};
		struct span item;
		CHECK(sip_items_next(&it, &item) && sip_items_next(&it, &item) && !sip_items_next(&it, &item));
		CHECK(m.body.size > 100 && m.to.tag.size);
		take_dialog(heard("SIP/2.0 200"));
		ack();
		LOOP_WAIT(&w.loop, happened("\"state\":\"up\""));
		stop();
	}
}

static void the_same_seed_says_the_same(void)
{
	char first[4096] = "";
	for (int i = 0; i < 2; ++i) {
		start("twilio", "");
		invite("ringdown.pstn.twilio.test", "+12025550101", "");
		const char *challenge = strstr(expect(407), "Proxy-Authenticate");
		if (i)
			CHECK(!strncmp(first, challenge, strcspn(challenge, "\r")));
		snprintf(first, sizeof first, "%.*s", (int)strcspn(challenge, "\r"), challenge);
		stop();
	}
}

/* Bytes that are nearly a message, in the middle of calls: no answer is owed, but it must live on. */
static void garbage_does_not_hurt(void)
{
	static const char *const methods[] = {"INVITE", "ACK", "BYE", "CANCEL", "PRACK", "UPDATE", "REFER", "INFO", "OPTIONS",
		"REGISTER", "NOTIFY", "DANCE"};
	struct carrier_random dice = {.state = 5};
	start("bank", "session-s=1;register=off");
	w.quiet = true;
	for (int i = 0; i < 4000; ++i) {
		char text[2048];
		uint32_t r = carrier_random_u32(&dice);
		const char *method = r & 1 ? methods[r >> 8 & 7] : r & 2 ? methods[8 + (r >> 8 & 3)] : "INVITE";
		int n = snprintf(text, sizeof text,
			"%s sip:%s@x.example SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK%u;rport\r\nMax-Forwards: 70\r\n"
			"From: <sip:us@127.0.0.1>;tag=us\r\nTo: <sip:us@x.example>%s%s\r\nCall-ID: %u\r\nCSeq: %u %s\r\n"
			"Contact: <sip:us@127.0.0.1:%u>\r\nRAck: 1 1 INVITE\r\nContent-Length: %zu\r\n\r\n%s",
			method, number_at(r >> 16 & 63)->number, w.port, r >> 4 & 3, r & 12 ? "" : ";tag=", r & 12 ? "" : w.tag, r >> 5 & 15, i, method, w.port, r & 48 ? strlen(OFFER) : 0, r & 48 ? OFFER : "");
		for (unsigned spoiled = r >> 28; spoiled > 12 && n > 0; --spoiled)
			text[carrier_random_u32(&dice) % (uint32_t)n] = (char)carrier_random_u32(&dice);
		ssize_t sent = send(w.fd, text, (size_t)n, MSG_NOSIGNAL);
		(void)sent;
		uv_run(&w.loop.uv, UV_RUN_NOWAIT);
		read_socket();
		for (size_t k = 0; k < w.answer_count; ++k) {
			const char *tag = strstr(w.answers[k], "To: ");
			tag = tag ? strstr(tag, ";tag=") : NULL;
			if (tag)
				snprintf(w.tag, sizeof w.tag, "%.17s", tag + 5);
		}
		forget_answers();
	}
	w.quiet = false;
	forget_answers();
	invite("x.example", "+12025550113", "");
	expect(404);
	stop();
}

/* Memory ends at any place: an error, a call that is not taken, and nothing left behind. */
static void memory_may_end(void)
{
	struct loop loop;
	CHECK_EQ(loop_init(&loop), 0);
	for (int i = 0;; ++i) {
		struct carrier *c;
		size_t before = mem_live();
		mem_fail_after(i);
		int r = carrier_new(&c, &loop, &(struct carrier_config){
			.wire = {.ips = {"127.0.0.1"}, .ip_count = 1}, .profile = carrier_profile_find("bank")});
		mem_fail_after(-1);
		if (r == 0)
			carrier_free(c);
		uv_run(&loop.uv, UV_RUN_NOWAIT);
		CHECK_EQ(mem_live(), before);
		if (r == 0)
			break;
	}
	loop_fini(&loop);
	for (int i = 0; i < 25; ++i) {
		start("bank", "");
		invite("x.example", "+12025550101", "");
		mem_fail_after(i);
		for (int turn = 0; turn < 10; ++turn)
			uv_run(&w.loop.uv, UV_RUN_NOWAIT);
		mem_fail_after(-1);
		stop();
	}
}

static void every_profile_and_host_is_read(void)
{
	start("bank", "");
	for (size_t i = 0; carrier_domain_at(i); ++i)
		CHECK(carrier_profile_find(carrier_domain_at(i)->profile));
	for (size_t i = 0; carrier_profile_at(i); ++i) {
		struct carrier_trunk t;
		CHECK_EQ(carrier_trunk_init(&t, "x", carrier_profile_at(i), NULL), 0);
	}
	CHECK_EQ(carrier_add_trunk(w.carrier, "mine.example: codecs=PCMA;cps=3"), 0);
	CHECK_EQ(carrier_add_trunk(w.carrier, "mine.example: cps=many"), CARRIER_E_BAD);
	stop();
}

int main(void)
{
	log_configure(LOG_ERROR, false);
	a_host_that_is_no_trunk_is_not_answered();
	credentials_are_asked_for_as_twilio_does();
	wrong_and_old_credentials_are_told_apart();
	trunks_refuse_as_their_carrier_would();
	callers_are_found_where_they_may_stand();
	teams_wants_options_and_a_name();
	the_longest_call_ends();
	accounts_are_looked_at_after_the_credentials();
	offers_are_looked_at();
	limits_of_calls();
	telnyx_says_it_in_the_reason();
	every_number_that_refuses_does_so();
	numbers_of_ones_own_come_before_the_book();
	a_number_that_swallows_says_not_even_100();
	a_redirect_names_its_contact();
	only_a_right_ack_ends_the_200s();
	without_an_ack_it_hangs_up();
	over_a_stream_the_dialog_stays_on_its_connection();
	cancel_before_and_after();
	retransmitted_requests_hear_the_same();
	a_prack_is_asked_for_and_checked();
	two_places_answer();
	the_carrier_holds_and_resumes();
	a_transfer_is_refused_or_told_of();
	offers_of_the_caller_in_the_dialog();
	the_session_timer_ends_a_silent_call();
	options_are_answered_and_counted();
	a_registrar_keeps_several_bindings();
	edges_can_be_killed_and_made_black_holes();
	ugly_messages_mean_the_same();
	the_same_seed_says_the_same();
	garbage_does_not_hurt();
	memory_may_end();
	every_profile_and_host_is_read();
	return 0;
}

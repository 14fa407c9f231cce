#include "call/negotiate.h"
#include "net/address.h"
#include "test/check.h"

#include <netinet/in.h>

static struct negotiation begin(void)
{
	struct negotiation n;
	struct offer ours = {.ip = "192.0.2.1", .rtp_port = 4000, .session_id = 7, .session_version = 7,
		.codecs = {CODEC_PCMU, CODEC_PCMA}, .codec_count = 2};

	negotiation_begin(&n, &ours);
	CHECK(negotiation_offer(&n).size);
	return n;
}

static const char *sdp(const char *connection, const char *sections)
{
	static char text[4096];
	snprintf(text, sizeof text, "v=0\r\no=far 1 1 IN IP4 203.0.113.5\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n%s", connection,
		sections);
	return text;
}

static struct span tag(const char *text)
{
	return span_text(text);
}

static void settle(struct negotiation *n)
{
	struct media_leg_remote terms;
	const char *answer = sdp("203.0.113.5", "m=audio 5000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n");
	CHECK_EQ(negotiation_settle(n, tag("far"), span_text(answer), &terms), ANSWER_OK);
	CHECK(n->agreed && terms.send && terms.receive);
	CHECK_EQ(terms.codec, CODEC_PCMU);
	CHECK_EQ(terms.dtmf_pt, 101);
}

/* What we said last, as text. */
static const char *said(const struct negotiation *n)
{
	static char text[NEGOTIATE_TEXT_SIZE + 1];
	memcpy(text, n->text, n->size);
	text[n->size] = 0;
	return text;
}

static bool says(const struct negotiation *n, const char *line)
{
	char whole[128];
	snprintf(whole, sizeof whole, "\r\n%s\r\n", line);
	return strstr(said(n), whole) != NULL;
}

static unsigned port_of(const struct media_leg_remote *terms)
{
	return address_port((const struct sockaddr *)&terms->rtp);
}

static unsigned rtcp_port_of(const struct media_leg_remote *terms)
{
	return address_port((const struct sockaddr *)&terms->rtcp);
}

/* --- what they offer, what we answer ------------------------------------------------------ */

static void each_kind_of_hold_has_its_answer(void)
{
	static const struct {
		const char *connection, *line, *answer;
		bool send, receive, rtcp;
	} cases[] = {
		{"203.0.113.5", "a=sendrecv", "a=sendrecv", true, true, true},
		{"203.0.113.5", "", "a=sendrecv", true, true, true},
		{"203.0.113.5", "a=sendonly", "a=recvonly", false, true, true},
		{"203.0.113.5", "a=recvonly", "a=sendonly", true, false, true},
		{"203.0.113.5", "a=inactive", "a=inactive", false, false, true},
		{"0.0.0.0", "", "a=recvonly", false, true, false},
		{"0.0.0.0", "a=sendonly", "a=recvonly", false, true, false},
		{"0.0.0.0", "a=inactive", "a=inactive", false, false, false},
		{"0.0.0.0", "a=recvonly", "a=inactive", false, false, false},
	};
	struct negotiation n = begin();
	struct media_leg_remote terms;
	struct span answer;
	char section[128];

	settle(&n);
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		snprintf(section, sizeof section, "m=audio 5000 RTP/AVP 0\r\n%s\r\n", cases[i].line);
		struct span offer = span_text(sdp(cases[i].connection, section));
		CHECK_EQ(negotiation_answer(&n, tag("far"), offer, &answer, &terms), ANSWER_OK);
		CHECK(says(&n, cases[i].answer));
		CHECK_EQ(terms.send, cases[i].send);
		CHECK_EQ(terms.receive, cases[i].receive);
		CHECK_EQ(port_of(&terms), 5000);
		CHECK(!address_is_any((const struct sockaddr *)&terms.rtp));
		CHECK_EQ(rtcp_port_of(&terms) != 0, cases[i].rtcp);
	}
}

static void codecs_and_numbers_are_theirs(void)
{
	static const struct {
		const char *section;
		enum answer_outcome outcome;
		enum codec codec;
		unsigned pt, dtmf;
		const char *line;
	} cases[] = {
		{"m=audio 6000 RTP/AVP 8 0\r\n", ANSWER_OK, CODEC_PCMA, 8, 0, "m=audio 4000 RTP/AVP 8"},
		{"m=audio 6000 RTP/AVP 18 96 0\r\na=rtpmap:96 telephone-event/8000\r\n", ANSWER_OK, CODEC_PCMU, 0, 96,
			"m=audio 4000 RTP/AVP 0 96"},
		{"m=audio 6000 RTP/AVP 110\r\na=rtpmap:110 PCMA/8000\r\n", ANSWER_OK, CODEC_PCMA, 110, 0,
			"a=rtpmap:110 PCMA/8000"},
		{"m=audio 6000 RTP/AVP 18\r\n", ANSWER_E_CODEC, 0, 0, 0, ""},
		{"m=audio 6000 RTP/AVP 97\r\na=rtpmap:97 PCMU/16000\r\n", ANSWER_E_CODEC, 0, 0, 0, ""},
		{"m=image 6000 udptl t38\r\n", ANSWER_E_NO_AUDIO, 0, 0, 0, ""},
		{"m=audio 6000 RTP/AVP 0\r\nc=IN IP4 phone.example\r\n", ANSWER_E_ADDRESS, 0, 0, 0, ""},
		{"m=audio 6000\r\n", ANSWER_E_SDP, 0, 0, 0, ""},
		{"", ANSWER_E_SDP, 0, 0, 0, ""},
	};

	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct negotiation n = begin();
		struct media_leg_remote terms;
		struct span answer;
		settle(&n);
		const struct negotiation before = n;
		struct span offer = span_text(sdp("203.0.113.5", cases[i].section));
		CHECK_EQ(negotiation_answer(&n, tag("far"), offer, &answer, &terms), cases[i].outcome);
		if (cases[i].outcome != ANSWER_OK) {
			CHECK(!memcmp(&n, &before, sizeof n));
			CHECK(negotiation_warning(cases[i].outcome));
			continue;
		}
		CHECK_EQ(terms.codec, cases[i].codec);
		CHECK_EQ(terms.pt, cases[i].pt);
		CHECK_EQ(terms.dtmf_pt, cases[i].dtmf);
		CHECK(says(&n, cases[i].line));
	}
}

static void every_section_gets_one(void)
{
	struct negotiation n = begin();
	struct media_leg_remote terms;
	struct span answer;
	settle(&n);
	const char *offer = sdp("203.0.113.5",
		"m=video 7000 RTP/AVP 96 97\r\nm=audio 0 RTP/AVP 8\r\nm=audio 7002 RTP/AVP 0\r\n"
		"m=image 7004 udptl t38\r\n");

	CHECK_EQ(negotiation_answer(&n, tag("far"), span_text(offer), &answer, &terms), ANSWER_OK);
	const char *video = strstr(said(&n), "m=video 0 RTP/AVP 96\r\nm=audio 0 RTP/AVP 8\r\nm=audio 4000 RTP/AVP 0\r\n");
	CHECK(video);
	CHECK(says(&n, "m=image 0 udptl t38"));
	CHECK_EQ(port_of(&terms), 7002);

	/* The stream goes, and comes back. */
	offer = sdp("203.0.113.5", "m=audio 0 RTP/AVP 0\r\n");
	CHECK_EQ(negotiation_answer(&n, tag("far"), span_text(offer), &answer, &terms), ANSWER_OK);
	CHECK(says(&n, "m=audio 0 RTP/AVP 0") && !terms.send && !terms.receive);
	offer = sdp("203.0.113.5", "m=audio 7002 RTP/AVP 0\r\n");
	CHECK_EQ(negotiation_answer(&n, tag("far"), span_text(offer), &answer, &terms), ANSWER_OK);
	CHECK(terms.send && terms.receive);

	/* Words that would be lines of ours. */
	offer = sdp("203.0.113.5", "m=audio 7002 RTP/AVP 0\r\nm=vi\rdeo 1 RTP/AVP 9\r\n");
	CHECK_EQ(negotiation_answer(&n, tag("far"), span_text(offer), &answer, &terms), ANSWER_E_SDP);
}

static uint64_t version_of(const struct negotiation *n)
{
	unsigned long long id, version;
	CHECK_EQ(sscanf(strstr(said(n), "o=- "), "o=- %llu %llu", &id, &version), 2);
	CHECK_EQ(id, 7);
	return version;
}

static void the_version_grows_with_each_change_only(void)
{
	struct negotiation n = begin();
	struct media_leg_remote terms;
	struct span answer;
	const char *plain = "m=audio 5000 RTP/AVP 0\r\n", *hold = "m=audio 5000 RTP/AVP 0\r\na=sendonly\r\n";

	CHECK_EQ(version_of(&n), 7);
	CHECK(negotiation_offer(&n).size);
	CHECK_EQ(version_of(&n), 7);
	settle(&n);
	uint64_t expected = 7;
	const char *steps[] = {plain, plain, hold, hold, plain};
	const char *last = "";
	for (size_t i = 0; i < COUNT_OF(steps); ++i) {
		CHECK_EQ(negotiation_answer(&n, tag("far"), span_text(sdp("203.0.113.5", steps[i])), &answer, &terms),
			ANSWER_OK);
		expected += steps[i] != last;
		last = steps[i];
		CHECK_EQ(version_of(&n), expected);
	}
	/* They ask for our offer: all of it, not what was left of it. */
	CHECK(negotiation_offer(&n).size && n.waiting);
	CHECK(says(&n, "m=audio 4000 RTP/AVP 0 8 101"));
	CHECK_EQ(version_of(&n), expected + 1);
	/* An answer that cannot be used leaves all as it was. */
	struct media_leg_remote before = n.terms;
	CHECK_EQ(negotiation_answered(&n, (struct span){0}, &terms), ANSWER_E_NONE);
	CHECK(!n.waiting && negotiation_same(&before, &n.terms));
}

/* --- before the answer -------------------------------------------------------------------- */

static void the_fork_of_the_200_counts(void)
{
	struct negotiation n = begin();
	struct media_leg_remote terms;
	char early[4096];
	snprintf(early, sizeof early, "%s", sdp("203.0.113.5", "m=audio 5000 RTP/AVP 0\r\n"));

	CHECK_EQ(negotiation_early(&n, tag("a"), span_text(early), &terms), ANSWER_OK);
	CHECK_EQ(port_of(&terms), 5000);
	CHECK_EQ(negotiation_early(&n, tag("b"), span_text(sdp("203.0.113.9", "m=audio 6000 RTP/AVP 8\r\n")), &terms),
		ANSWER_OK);
	CHECK_EQ(terms.codec, CODEC_PCMA);
	CHECK(!n.agreed);
	/* Again, as reliable responses and nervous proxies do. */
	CHECK_EQ(negotiation_early(&n, tag("a"), span_text(early), &terms), ANSWER_OK);
	CHECK_EQ(port_of(&terms), 5000);
	/* The answer was in the 18x, and the 200 says nothing. */
	struct negotiation silent = n;
	CHECK_EQ(negotiation_settle(&silent, tag("b"), (struct span){0}, &terms), ANSWER_OK);
	CHECK_EQ(port_of(&terms), 6000);
	silent = n;
	CHECK_EQ(negotiation_settle(&silent, tag("c"), (struct span){0}, &terms), ANSWER_E_NONE);
	/* Changed at the last moment. */
	CHECK_EQ(negotiation_settle(&n, tag("a"), span_text(sdp("203.0.113.5", "m=audio 5002 RTP/AVP 0\r\n")), &terms),
		ANSWER_OK);
	CHECK_EQ(port_of(&terms), 5002);
	CHECK(n.agreed);
}

/* easybell's way: 183 with SDP, UPDATE in the early dialog, 200 with the SDP of the 183 again. */
static void an_update_before_the_answer_holds(void)
{
	struct negotiation n = begin();
	struct media_leg_remote terms;
	struct span answer;
	char early[4096];
	snprintf(early, sizeof early, "%s", sdp("203.0.113.5", "m=audio 5000 RTP/AVP 0\r\n"));

	CHECK_EQ(negotiation_early(&n, tag("a"), span_text(early), &terms), ANSWER_OK);
	const char *update = sdp("203.0.113.7", "m=audio 5500 RTP/AVP 8\r\n");
	CHECK_EQ(negotiation_answer(&n, tag("a"), span_text(update), &answer, &terms), ANSWER_OK);
	CHECK_EQ(port_of(&terms), 5500);
	struct negotiation other = n;
	CHECK_EQ(negotiation_settle(&other, tag("a"), span_text(early), &terms), ANSWER_OK);
	CHECK_EQ(port_of(&terms), 5500);
	other = n;
	CHECK_EQ(negotiation_settle(&other, tag("a"), (struct span){0}, &terms), ANSWER_OK);
	CHECK_EQ(port_of(&terms), 5500);
	/* New words are new terms. */
	CHECK_EQ(negotiation_settle(&n, tag("a"), span_text(sdp("203.0.113.5", "m=audio 5004 RTP/AVP 0\r\n")), &terms),
		ANSWER_OK);
	CHECK_EQ(port_of(&terms), 5004);
}

static void more_forks_than_we_follow(void)
{
	struct negotiation n = begin();
	struct media_leg_remote terms;
	const char *body = sdp("203.0.113.5", "m=audio 5000 RTP/AVP 0\r\n");
	char name[96];

	for (int i = 0; i < 3 * NEGOTIATE_FORKS_MAX; ++i) {
		snprintf(name, sizeof name, "fork%d", i);
		CHECK_EQ(negotiation_early(&n, span_text(name), span_text(body), &terms), ANSWER_OK);
	}
	CHECK_EQ(n.fork_count, NEGOTIATE_FORKS_MAX);
	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = 0;
	CHECK_EQ(negotiation_settle(&n, span_text(name), span_text(body), &terms), ANSWER_OK);
}

/* The INVITE goes to an IPv6 address after all; then everything is IPv6, until the end. */
static void the_offer_moves_to_the_other_family(void)
{
	struct negotiation n = begin();
	struct media_leg_remote terms;
	struct span answer;
	char theirs[512];

	const char *early = sdp("203.0.113.5", "m=audio 5000 RTP/AVP 0\r\n");
	CHECK_EQ(negotiation_early(&n, tag("four"), span_text(early), &terms), ANSWER_OK);
	CHECK(negotiation_move(&n, "2001:db8::1", 4100).size);
	CHECK(says(&n, "c=IN IP6 2001:db8::1"));
	CHECK(strstr(said(&n), "m=audio 4100 "));
	CHECK_EQ(n.fork_count, 0);
	CHECK_EQ(negotiation_settle(&n, tag("four"), span_text(early), &terms), ANSWER_E_FAMILY);
	for (unsigned i = 5; i < 7; ++i) { /* the answer, and a re-INVITE from another address */
		snprintf(theirs, sizeof theirs,
			"v=0\r\no=far 1 %u IN IP6 h\r\ns=-\r\nc=IN IP6 2001:db8::%u\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n", i, i);
		CHECK_EQ(i == 5 ? negotiation_settle(&n, tag("six"), span_text(theirs), &terms)
				: negotiation_answer(&n, tag("six"), span_text(theirs), &answer, &terms), ANSWER_OK);
		CHECK_EQ(((struct sockaddr_in6 *)&terms.rtp)->sin6_addr.s6_addr[15], i);
		CHECK_EQ(rtcp_port_of(&terms), 5001);
	}
	CHECK(says(&n, "c=IN IP6 2001:db8::1"));
	CHECK_EQ(negotiation_answer(&n, tag("six"), span_text(early), &answer, &terms), ANSWER_E_FAMILY);
	const char *hold = sdp("0.0.0.0", "m=audio 5000 RTP/AVP 0\r\n");
	CHECK_EQ(negotiation_answer(&n, tag("six"), span_text(hold), &answer, &terms), ANSWER_OK);
	CHECK(!terms.send);
	CHECK_EQ(terms.rtp.ss_family, AF_INET6);
}

int main(void)
{
	each_kind_of_hold_has_its_answer();
	codecs_and_numbers_are_theirs();
	every_section_gets_one();
	the_version_grows_with_each_change_only();
	the_fork_of_the_200_counts();
	an_update_before_the_answer_holds();
	more_forks_than_we_follow();
	the_offer_moves_to_the_other_family();
	return 0;
}

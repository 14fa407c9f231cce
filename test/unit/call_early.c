#include "call/early.h"

#include "net/address.h"
#include "test/check.h"

#include <stdio.h>

static struct sip_message message;
static char text[2048];

/* A provisional response of the fork `tag`, whose sound comes from `port`; 0 = no SDP. */
static const struct sip_message *response(unsigned status, const char *tag, unsigned port)
{
	char sdp[256] = "";
	if (port)
		snprintf(sdp, sizeof sdp, "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
					  "m=audio %u RTP/AVP %s\r\n", port, port == 1 ? "96" : "0");
	int size = snprintf(text, sizeof text, "SIP/2.0 %u X\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\nFrom: <sip:a@h>;tag=1\r\n"
		"To: <sip:b@h>;tag=%s\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\n"
		"Content-Length: %zu\r\n\r\n%s", status, tag, strlen(sdp), sdp);
	CHECK_EQ(sip_message_parse(&message, span_of(text, (size_t)size)), SIP_OK);
	return &message;
}

static struct negotiation begin(void)
{
	struct negotiation n;
	struct offer ours = {.ip = "127.0.0.1", .rtp_port = 4000, .direction = SDP_SENDRECV};
	offer_choose_codecs(ours.codecs, &ours.codec_count, NULL);
	negotiation_begin(&n, &ours);
	CHECK(negotiation_offer(&n).size);
	return n;
}

static void the_latest_news_is_heard(void)
{
	static const struct {
		unsigned status;
		const char *tag;
		unsigned port;
		enum early_outcome outcome;
		unsigned heard; /* of news */
	} steps[] = {
		{180, "a", 0, EARLY_NOTHING, 0},
		{183, "a", 4000, EARLY_NEWS, 4000},
		{183, "a", 4000, EARLY_NOTHING, 0}, /* sent again */
		{183, "b", 5000, EARLY_NEWS, 5000},
		{183, "a", 4000, EARLY_NOTHING, 0}, /* no news from there */
		{183, "b", 1, EARLY_E_SDP, 0},      /* no codec of ours: what is heard goes on */
		{183, "a", 4002, EARLY_NEWS, 4002}, /* moved */
		{199, "c", 0, EARLY_NOTHING, 0},
		{199, "a", 0, EARLY_NEWS, 5000}, /* gone: the other one is left */
	};
	struct negotiation n = begin();
	struct call_early e = {0};
	struct media_leg_remote remote;
	enum answer_outcome why;
	for (size_t i = 0; i < COUNT_OF(steps); ++i) {
		enum early_outcome got =
			call_early_take(&e, &remote, &n, response(steps[i].status, steps[i].tag, steps[i].port), &why);
		CHECK_EQ(got, steps[i].outcome);
		if (got == EARLY_E_SDP)
			CHECK_EQ(why, ANSWER_E_CODEC);
		if (got == EARLY_NEWS)
			CHECK_EQ(address_port((struct sockaddr *)&remote.rtp), steps[i].heard);
	}
	CHECK(e.heard);
	CHECK_STR(e.tag, "b");
	CHECK(!n.agreed); /* nobody has answered */
}

static void however_many_ring(void)
{
	struct negotiation n = begin();
	struct call_early e = {0};
	struct media_leg_remote remote;
	enum answer_outcome why;
	char tag[200];
	for (unsigned i = 0; i < 100; ++i) {
		snprintf(tag, sizeof tag, "t%u", i);
		CHECK_EQ(call_early_take(&e, &remote, &n, response(183, tag, 6000 + i), &why),
			i < NEGOTIATE_FORKS_MAX ? EARLY_NEWS : EARLY_NOTHING);
	}
	memset(tag, 'x', sizeof tag - 1);
	tag[sizeof tag - 1] = 0;
	CHECK_EQ(call_early_take(&e, &remote, &n, response(183, tag, 7000), &why), EARLY_NOTHING);
}

/* The only one that was heard is gone: its last sound stays, and nothing is read beyond it. */
static void the_last_one_is_gone(void)
{
	struct negotiation n = begin();
	struct call_early e = {0};
	struct media_leg_remote remote;
	enum answer_outcome why;
	CHECK_EQ(call_early_take(&e, &remote, &n, response(199, "a", 0), &why), EARLY_NOTHING);
	CHECK_EQ(call_early_take(&e, &remote, &n, response(183, "a", 4000), &why), EARLY_NEWS);
	CHECK_EQ(call_early_take(&e, &remote, &n, response(199, "a", 0), &why), EARLY_NOTHING);
}

int main(void)
{
	the_latest_news_is_heard();
	however_many_ring();
	the_last_one_is_gone();
	return 0;
}

#include "call/early.h"

#include "base/limits.h"
#include "base/mem.h"
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

static void the_latest_news_is_heard(void)
{
	static const struct {
		unsigned status;
		const char *tag;
		unsigned port;
		enum early_outcome outcome;
		unsigned heard;
	} steps[] = {
		{180, "a", 0, EARLY_NOTHING, 0},
		{183, "a", 4000, EARLY_NEWS, 4000},
		{183, "a", 4000, EARLY_NOTHING, 4000}, /* sent again */
		{183, "b", 5000, EARLY_NEWS, 5000},
		{183, "a", 4000, EARLY_NOTHING, 5000}, /* no news from there */
		{183, "b", 1, EARLY_E_SDP, 5000},      /* no codec of ours: what is heard goes on */
		{183, "a", 4002, EARLY_NEWS, 4002},    /* moved */
		{199, "c", 0, EARLY_NOTHING, 4002},
		{199, "a", 0, EARLY_NEWS, 5000}, /* gone: the other one is left */
		{199, "b", 0, EARLY_NOTHING, 0},
	};
	struct call_early e;
	struct media_leg_remote remote;
	enum answer_outcome why;
	call_early_init(&e);
	for (size_t i = 0; i < COUNT_OF(steps); ++i) {
		enum early_outcome got = call_early_take(&e, &remote, response(steps[i].status, steps[i].tag, steps[i].port), &why);
		CHECK_EQ(got, steps[i].outcome);
		if (got == EARLY_E_SDP)
			CHECK_EQ(why, ANSWER_E_CODEC);
		if (got == EARLY_NEWS)
			CHECK_EQ(address_port((struct sockaddr *)&remote.rtp), steps[i].heard);
		bool any = call_early_answer(&remote, &e, span_text("none of them"));
		CHECK_EQ(any, steps[i].heard != 0);
		if (any)
			CHECK_EQ(address_port((struct sockaddr *)&remote.rtp), steps[i].heard);
	}
	call_early_fini(&e);
	CHECK_EQ(mem_live(), 0);
}

static void an_answer_without_sdp_is_its_fork_s(void)
{
	struct call_early e;
	struct media_leg_remote remote;
	enum answer_outcome why;
	call_early_init(&e);
	CHECK_EQ(call_early_take(&e, &remote, response(183, "a", 4000), &why), EARLY_NEWS);
	CHECK_EQ(call_early_take(&e, &remote, response(183, "b", 5000), &why), EARLY_NEWS);
	CHECK(call_early_answer(&remote, &e, span_text("a")));
	CHECK_EQ(address_port((struct sockaddr *)&remote.rtp), 4000);
	/* However many phones ring, what is remembered is bounded. */
	for (unsigned i = 0; i < 100; ++i) {
		char tag[16];
		snprintf(tag, sizeof tag, "t%u", i);
		CHECK_EQ(call_early_take(&e, &remote, response(183, tag, 6000 + i), &why), EARLY_NEWS);
	}
	CHECK_EQ(e.count, LIMIT_CALL_FORKS);
	CHECK(call_early_answer(&remote, &e, span_text("a")));
	CHECK_EQ(address_port((struct sockaddr *)&remote.rtp), 6099);
	call_early_fini(&e);
	CHECK_EQ(mem_live(), 0);
}

static void every_allocation_may_fail(void)
{
	for (int n = 0;; ++n) {
		struct call_early e;
		struct media_leg_remote remote;
		enum answer_outcome why;
		call_early_init(&e);
		mem_fail_after(n);
		enum early_outcome got = call_early_take(&e, &remote, response(183, "a", 4000), &why);
		mem_fail_after(-1);
		CHECK_EQ(e.count, got == EARLY_NEWS ? 1 : 0);
		call_early_fini(&e);
		CHECK_EQ(mem_live(), 0);
		if (got == EARLY_NEWS)
			break;
		CHECK_EQ(got, EARLY_NOTHING);
	}
}

int main(void)
{
	the_latest_news_is_heard();
	an_answer_without_sdp_is_its_fork_s();
	every_allocation_may_fail();
	return 0;
}

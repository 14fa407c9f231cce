/* What happens in a dialog before and after the answer: phones that ring, reliable responses, offers
 * either way (RFC 3261 sections 12 to 14, RFC 3262, RFC 3311, RFC 6228). */
#include "sip_far.h"

static void invite_out(struct world *w, struct got *invite)
{
	world_open(w);
	struct sip_invite_config config = plain(w);
	dial(w, &config);
	expect(w, invite, SIP_INVITE);
}

static void answer(struct world *w, const struct got *invite, const char *tag, const char *headers)
{
	struct got ack;

	reply(w, invite, 200, tag, headers ? headers : contact(w), "v=0 far");
	do
		expect(w, &ack, SIP_ACK);
	while (!span_is(ack.m.to.tag, tag));
	UNTIL(w, w->answered == 1);
}

/* --- before the answer -------------------------------------------------------------------- */

/* RFC 3262 section 4: in order, each once, in each phone's own dialog, by its own route. */
static void reliable_responses_of_two_phones(void)
{
	struct world w;
	struct got invite, prack;
	char head[400];

	invite_out(&w, &invite);
	snprintf(head, sizeof head, "Require: 100rel\r\nRSeq: 10\r\nContact: <sip:phone-a@127.0.0.1:%u>\r\n", w.far.port);
	reply(&w, &invite, 183, "a", head, "v=0 a");
	expect(&w, &prack, SIP_PRACK);
	CHECK(span_is(prack.m.to.tag, "a"));
	CHECK(prack.m.uri.size > 12 && !memcmp(prack.m.uri.data, "sip:phone-a@", 12));
	unsigned cseq = prack.m.cseq.number;
	reply(&w, &prack, 200, NULL, NULL, NULL);

	snprintf(head, sizeof head,
		"Require: 100rel\r\nRSeq: 900\r\nContact: <sip:phone-b@10.1.2.3>\r\n"
		"Record-Route: <sip:127.0.0.1:%u;lr;p=1>\r\n", w.far.port);
	reply(&w, &invite, 180, "b", head, NULL);
	do
		expect(&w, &prack, SIP_PRACK);
	while (!span_is(prack.m.to.tag, "b"));
	CHECK(value_is(&prack, SIP_H_RACK, "900 1 INVITE"));
	CHECK(span_is(prack.m.uri, "sip:phone-b@10.1.2.3"));
	CHECK(sip_message_header(&prack.m, SIP_H_ROUTE));
	CHECK(prack.m.cseq.number > cseq);
	reply(&w, &prack, 200, NULL, NULL, NULL);
	UNTIL(&w, w.progress == 2);

	/* One is missing in between: neither acknowledged nor told. */
	snprintf(head, sizeof head, "Require: 100rel\r\nRSeq: 12\r\n%s", contact(&w));
	reply(&w, &invite, 180, "a", head, NULL);
	expect_none(&w, SIP_PRACK);
	CHECK_EQ(w.progress, 2);
	snprintf(head, sizeof head, "Require: 100rel\r\nRSeq: 11\r\n%s", contact(&w));
	reply(&w, &invite, 180, "a", head, NULL);
	expect(&w, &prack, SIP_PRACK);
	CHECK(value_is(&prack, SIP_H_RACK, "11 1 INVITE"));
	reply(&w, &prack, 200, NULL, NULL, NULL);
	/* A number that is none makes it an ordinary one. */
	snprintf(head, sizeof head, "Require: 100rel\r\nRSeq: 0\r\n%s", contact(&w));
	reply(&w, &invite, 181, "a", head, NULL);
	UNTIL(&w, w.status == 181);
	expect_none(&w, SIP_PRACK);
	answer(&w, &invite, "a", NULL);
	hang_up(&w);
	world_close(&w);
}

static void a_lost_prack_is_sent_again(void)
{
	struct world w;
	struct got invite, prack;
	char head[400];

	invite_out(&w, &invite);
	snprintf(head, sizeof head, "Require: 100rel\r\nRSeq: 1\r\n%s", contact(&w));
	reply(&w, &invite, 183, "a", head, "v=0 a");
	expect(&w, &prack, SIP_PRACK);
	unsigned cseq = prack.m.cseq.number;
	expect(&w, &prack, SIP_PRACK);
	CHECK_EQ(prack.m.cseq.number, cseq);
	reply(&w, &prack, 200, NULL, NULL, NULL);
	answer(&w, &invite, "a", NULL);
	hang_up(&w);
	world_close(&w);
}

/* easybell: 183 with SDP, UPDATE in the early dialog with a session timer, then the answer. */
static void an_update_before_the_answer(void)
{
	struct world w;
	struct got invite, g;
	char head[400];

	invite_out(&w, &invite);
	reply(&w, &invite, 183, "a", contact(&w), "v=0 early");
	UNTIL(&w, w.progress == 1);
	snprintf(head, sizeof head, "Supported: timer\r\nSession-Expires: 1800;refresher=uac\r\nContact: <sip:moved@127.0.0.1:%u>\r\n",
		w.far.port);
	far_request(&w, &invite, "a", "UPDATE", 70, head, "v=0 update");
	expect_status(&w, &g, 200);
	CHECK_EQ(w.offers, 1);
	CHECK(span_is(g.m.body, "v=0 answer"));
	CHECK(value_is(&g, SIP_H_SESSION_EXPIRES, "1800;refresher=uac"));
	CHECK(sip_message_lists(&g.m, SIP_H_REQUIRE, "timer"));
	CHECK(sip_message_header(&g.m, SIP_H_CONTACT));
	/* An old one, in the count of that phone. */
	far_request(&w, &invite, "a", "UPDATE", 69, NULL, NULL);
	expect_status(&w, &g, 500);
	/* A phone that has not answered our offer may not make one of its own. */
	reply(&w, &invite, 180, "b", contact(&w), NULL);
	UNTIL(&w, w.progress == 2);
	far_request(&w, &invite, "b", "UPDATE", 3, NULL, "v=0 update");
	expect_status(&w, &g, 491);
	far_request(&w, &invite, "b", "UPDATE", 4, NULL, NULL);
	expect_status(&w, &g, 200);
	CHECK_EQ(w.offers, 1);
	answer(&w, &invite, "a", NULL);
	/* The count goes on. */
	far_request(&w, &invite, "a", "OPTIONS", 68, NULL, NULL);
	expect_status(&w, &g, 500);
	hang_up(&w);
	world_close(&w);
}

/* RFC 6228: a phone gave up; and a far end that rings on and on is not waited for by us. */
static void responses_without_end(void)
{
	struct world w;
	struct got invite, cancel;
	char tag[16];

	invite_out(&w, &invite);
	reply(&w, &invite, 199, "gone", contact(&w), NULL);
	UNTIL(&w, w.status == 199);
	for (int i = 0; i < 40; ++i) {
		snprintf(tag, sizeof tag, "t%d", i);
		reply(&w, &invite, 180 + i % 4, tag, contact(&w), "v=0 early");
	}
	UNTIL(&w, w.progress == 41);
	sip_call_hangup(w.call, NULL);
	expect(&w, &cancel, SIP_CANCEL);
	/* It answers neither the CANCEL nor the INVITE, but keeps ringing. */
	uint64_t end = clock_ms() + 3000;
	while (!w.failed && clock_ms() < end) {
		reply(&w, &invite, 180, "t1", contact(&w), NULL);
		turn(&w);
		usleep(5000);
	}
	CHECK_EQ(w.failed, 1);
	CHECK_EQ(w.why, SIP_WHY_CANCELLED);
	CHECK_EQ(w.progress, 41);
	world_close(&w);
}

static void an_answer_of_a_phone_too_many(void)
{
	struct world w;
	struct got invite, g;

	invite_out(&w, &invite);
	for (int i = 0; i < 20; ++i) {
		char tag[16];
		snprintf(tag, sizeof tag, "t%d", i);
		reply(&w, &invite, 180, tag, contact(&w), NULL);
	}
	UNTIL(&w, w.progress == 20);
	answer(&w, &invite, "t19", NULL);
	reply(&w, &invite, 200, "t18", contact(&w), "v=0 b");
	do
		expect(&w, &g, SIP_ACK);
	while (!span_is(g.m.to.tag, "t18"));
	expect(&w, &g, SIP_BYE);
	CHECK(span_is(g.m.to.tag, "t18"));
	reply(&w, &g, 200, NULL, NULL, NULL);
	hang_up(&w);
	world_close(&w);
}

/* --- after the answer --------------------------------------------------------------------- */

static void an_offer_is_refused(void)
{
	struct world w;
	struct got invite, g;

	world_open(&w);
	establish(&w, &invite);
	w.offer_status = 488;
	far_request(&w, &invite, "far1", "INVITE", 20, contact(&w), "v=0 video");
	expect_status(&w, &g, 488);
	CHECK(value_is(&g, SIP_H_WARNING, "305 test \"no\""));
	/* Its ACK has the branch of the INVITE; and the call goes on. */
	w.offer_status = 0;
	far_request(&w, &invite, "far1", "UPDATE", 21, contact(&w), "v=0 audio");
	do
		CHECK(next(&w, &g, WAIT_MS));
	while (!g.m.is_response || g.m.method != SIP_UPDATE);
	CHECK_EQ(g.m.status, 200);
	CHECK_EQ(w.ended, 0);
	hang_up(&w);
	world_close(&w);
}

static void an_offer_in_our_200(void)
{
	struct world w;
	struct got invite, g;

	world_open(&w);
	establish(&w, &invite);
	w.answer = "v=0 all of ours";
	far_request(&w, &invite, "far1", "INVITE", 20, contact(&w), NULL);
	expect_status(&w, &g, 200);
	CHECK(span_is(g.m.body, "v=0 all of ours"));
	CHECK(sip_message_lists(&g.m, SIP_H_SUPPORTED, "timer"));
	CHECK(sip_message_lists(&g.m, SIP_H_ALLOW, "UPDATE"));
	far_request(&w, &invite, "far1", "ACK", 20, NULL, "v=0 theirs");
	UNTIL(&w, w.acks == 1);
	/* What it moved to is where our BYE goes. */
	far_request(&w, &invite, "far1", "UPDATE", 21, "Contact: <sip:moved@127.0.0.1>\r\n", NULL);
	do
		CHECK(next(&w, &g, WAIT_MS));
	while (!g.m.is_response || g.m.method != SIP_UPDATE);
	sip_call_hangup(w.call, NULL);
	UNTIL(&w, w.ended == 1); /* it went to port 5060, where nobody answers */
	world_close(&w);
}

static void our_reinvite(struct world *w, const struct got *invite, struct got *again)
{
	unsigned before = again ? again->m.cseq.number : 0;

	do
		expect(w, again, SIP_INVITE);
	while (again->m.cseq.number == invite->m.cseq.number || again->m.cseq.number == before);
}

/* RFC 3261 section 14.1: both offer at once. */
static void a_glare(void)
{
	struct world w;
	struct got invite, again = {0}, g;

	world_open(&w);
	establish(&w, &invite);
	CHECK_EQ(sip_call_reinvite(w.call, span_text("v=0 hold")), 0);
	CHECK_EQ(sip_call_reinvite(w.call, span_text("v=0 two at once")), -EINVAL);
	our_reinvite(&w, &invite, &again);
	far_request(&w, &invite, "far1", "INVITE", 30, contact(&w), "v=0 theirs");
	expect_status(&w, &g, 491);
	far_request(&w, &invite, "far1", "UPDATE", 31, contact(&w), "v=0 theirs");
	do
		CHECK(next(&w, &g, WAIT_MS));
	while (!g.m.is_response || g.m.method != SIP_UPDATE);
	CHECK_EQ(g.m.status, 491);
	CHECK_EQ(w.offers, 0);
	uint64_t since = clock_ms();
	reply(&w, &again, 491, NULL, NULL, NULL);
	our_reinvite(&w, &invite, &again);
	/* 2.1 to 4 s where T1 is 500 ms: here it is 20. */
	CHECK(clock_ms() - since >= 70 && clock_ms() - since < 1000);
	CHECK(span_is(again.m.body, "v=0 hold"));
	CHECK_EQ(w.reanswers, 0);
	reply(&w, &again, 200, NULL, contact(&w), "v=0 held");
	do
		expect(&w, &g, SIP_ACK);
	while (g.m.cseq.number != again.m.cseq.number);
	UNTIL(&w, w.reanswers == 1);
	CHECK_EQ(w.status, 200);
	/* The ACK was lost: their 200 comes again. */
	reply(&w, &again, 200, NULL, contact(&w), "v=0 held");
	expect(&w, &g, SIP_ACK);
	CHECK_EQ(g.m.cseq.number, again.m.cseq.number);
	CHECK_EQ(w.reanswers, 1);
	hang_up(&w);
	world_close(&w);
}

static void a_glare_without_end(void)
{
	struct world w;
	struct got invite, again = {0};
	int tries = 0;

	world_open(&w);
	establish(&w, &invite);
	CHECK_EQ(sip_call_reinvite(w.call, span_text("v=0 hold")), 0);
	while (!w.reanswers) {
		our_reinvite(&w, &invite, &again);
		reply(&w, &again, 491, NULL, NULL, NULL);
		uint64_t end = clock_ms() + 40;
		while (clock_ms() < end)
			turn(&w);
		CHECK(++tries < 20);
	}
	CHECK_EQ(w.status, 491);
	CHECK_EQ(w.ended, 0);
	hang_up(&w);
	world_close(&w);
}

static void our_reinvite_is_refused(void)
{
	static const struct {
		unsigned status;
		bool ends;
	} cases[] = {{488, false}, {500, false}, {503, false}, {302, false}, {420, false}, {407, false}, {603, false},
		{481, true}, {408, true}, {0, true}};

	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct world w;
		struct got invite, again = {0}, g;
		world_open(&w);
		establish(&w, &invite);
		CHECK_EQ(sip_call_reinvite(w.call, span_text("v=0 hold")), 0);
		our_reinvite(&w, &invite, &again);
		if (cases[i].status)
			reply(&w, &again, cases[i].status, NULL, NULL, NULL);
		if (cases[i].ends) {
			expect(&w, &g, SIP_BYE);
			reply(&w, &g, 200, NULL, NULL, NULL);
			UNTIL(&w, w.ended == 1);
			CHECK_STR(w.end_why, "lost");
		} else {
			UNTIL(&w, w.reanswers == 1);
			CHECK_EQ(w.status, cases[i].status);
			hang_up(&w);
		}
		world_close(&w);
	}
}

static void challenge(struct world *w, const struct got *g, const char *nonce)
{
	char head[256];

	snprintf(head, sizeof head, "Proxy-Authenticate: Digest realm=\"carrier.example\",nonce=\"%s\",qop=\"auth\"\r\n",
		nonce);
	reply(w, g, 407, NULL, head, NULL);
}

/* The request once more, with credentials by that nonce. */
static void expect_authorized(struct world *w, struct got *g, enum sip_method method, const char *nonce)
{
	unsigned before = g->m.cseq.number;

	do
		expect(w, g, method);
	while (g->m.cseq.number == before);
	CHECK_EQ(sip_digest_verify(&g->m, SIP_H_PROXY_AUTHORIZATION, "carrier.example", nonce, "alice", "secret"), 0);
}

static void dial_as_alice(struct world *w, struct got *invite)
{
	struct sip_invite_config config = plain(w);
	struct got ack;

	config.username = "alice";
	config.password = "secret";
	dial(w, &config);
	expect(w, invite, SIP_INVITE);
	reply(w, invite, 200, "far1", contact(w), "v=0 far");
	expect(w, &ack, SIP_ACK);
	UNTIL(w, w->answered == 1);
}

/* The INVITE was let through; everything within the call is asked for credentials. */
static void challenged_within_the_call(void)
{
	struct world w;
	struct got invite, g;

	world_open(&w);
	dial_as_alice(&w, &invite);

	CHECK_EQ(sip_call_reinvite(w.call, span_text("v=0 hold")), 0);
	do
		expect(&w, &g, SIP_INVITE);
	while (g.m.cseq.number == invite.m.cseq.number);
	challenge(&w, &g, "n1");
	expect_authorized(&w, &g, SIP_INVITE, "n1");
	CHECK(span_is(g.m.body, "v=0 hold"));
	reply(&w, &g, 200, NULL, contact(&w), "v=0 held");
	UNTIL(&w, w.reanswers == 1);

	CHECK_EQ(sip_call_info(w.call, "application/dtmf-relay", span_text("Signal=5\r\n")), 0);
	expect(&w, &g, SIP_INFO);
	challenge(&w, &g, "n2");
	expect_authorized(&w, &g, SIP_INFO, "n2");
	CHECK(span_is(g.m.body, "Signal=5\r\n"));
	reply(&w, &g, 200, NULL, NULL, NULL);

	const struct sip_refer_request away = {.refer_to = "<sip:bob@example.org>"};
	CHECK_EQ(sip_call_refer(w.call, &away), 0);
	expect(&w, &g, SIP_REFER);
	challenge(&w, &g, "n3");
	expect_authorized(&w, &g, SIP_REFER, "n3");
	/* RFC 3892: who asks for it is who called. */
	char from[128];
	snprintf(from, sizeof from, "<%.*s>", (int)invite.m.from.uri.size, (const char *)invite.m.from.uri.data);
	CHECK(span_is(sip_message_value_named(&g.m, "Referred-By"), from));
	reply(&w, &g, 202, NULL, NULL, NULL);

	/* Another phone has answered, too late; and its way is guarded. */
	reply(&w, &invite, 200, "fork-b", contact(&w), "v=0 b");
	expect(&w, &g, SIP_BYE);
	CHECK(span_is(g.m.to.tag, "fork-b"));
	challenge(&w, &g, "n4");
	expect_authorized(&w, &g, SIP_BYE, "n4");
	CHECK(span_is(g.m.to.tag, "fork-b"));
	reply(&w, &g, 200, NULL, NULL, NULL);

	sip_call_hangup(w.call, NULL);
	do
		expect(&w, &g, SIP_BYE);
	while (!span_is(g.m.to.tag, "far1"));
	challenge(&w, &g, "n5");
	expect_authorized(&w, &g, SIP_BYE, "n5");
	reply(&w, &g, 200, NULL, NULL, NULL);
	UNTIL(&w, w.ended == 1);
	world_close(&w);
}

/* The application's own word for who transfers stands alone. */
static void who_transfers_may_be_said(void)
{
	struct sip_extra own = {"b", "<sip:desk@example.org>"};
	const struct sip_refer_request cases[] = {
		{.refer_to = "tel:+15550100", .headers = &own, .header_count = 1},
		{.refer_to = "tel:+15550100", .referred_by = own.value},
	};

	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct world w;
		struct got invite, g;
		world_open(&w);
		establish(&w, &invite);
		CHECK_EQ(sip_call_refer(w.call, &cases[i]), 0);
		expect(&w, &g, SIP_REFER);
		CHECK(span_is(sip_message_value_named(&g.m, cases[i].header_count ? "b" : "Referred-By"), own.value));
		CHECK(!cases[i].header_count == (sip_message_header_named(&g.m, "Referred-By") != NULL));
		reply(&w, &g, 603, NULL, NULL, NULL);
		hang_up(&w);
		world_close(&w);
	}
}

static void press(struct world *w, const char *body)
{
	CHECK_EQ(sip_call_info(w->call, "application/dtmf-relay", span_text(body)), 0);
}

static void expect_key(struct world *w, struct got *g, const char *body)
{
	unsigned before = g->m.cseq.number;

	do
		expect(w, g, SIP_INFO);
	while (g->m.cseq.number == before);
	CHECK(span_is(g->m.body, body));
}

/* Each when the one before is answered, or when the call is about to end. */
static void keys_arrive_in_order(void)
{
	static const char *const keys[] = {"Signal=1", "Signal=2", "Signal=3", "Signal=4"};
	struct world w;
	struct got invite, g;

	world_open(&w);
	dial_as_alice(&w, &invite);
	for (size_t i = 0; i < COUNT_OF(keys); ++i)
		press(&w, keys[i]);
	g.m.cseq.number = 0;
	expect_key(&w, &g, keys[0]);
	expect_none(&w, SIP_OPTIONS); /* time passes, and the first comes again: it was lost */
	challenge(&w, &g, "n1");
	expect_authorized(&w, &g, SIP_INFO, "n1");
	CHECK(span_is(g.m.body, keys[0]));
	reply(&w, &g, 500, NULL, NULL, NULL); /* what one comes to is nothing to the next */
	expect_key(&w, &g, keys[1]);
	reply(&w, &g, 200, NULL, "Authentication-Info: nextnonce=\"x\"\r\n", NULL);
	expect_key(&w, &g, keys[2]);
	unsigned last = g.m.cseq.number;
	sip_call_hangup(w.call, NULL);
	expect_key(&w, &g, keys[3]);
	CHECK_EQ(g.m.cseq.number, last + 1);
	expect(&w, &g, SIP_BYE);
	reply(&w, &g, 200, NULL, NULL, NULL);
	UNTIL(&w, w.ended == 1);
	world_close(&w);
}

/* Who never answers is told no more of what waited meanwhile. */
static void keys_that_nobody_takes(void)
{
	struct world w;
	struct got invite, g;

	world_open(&w);
	establish(&w, &invite);
	for (int i = 0; i < LIMIT_SIP_INFOS; ++i)
		press(&w, "Signal=1");
	CHECK_EQ(sip_call_info(w.call, "application/dtmf-relay", span_text("Signal=2")), -EINVAL);
	expect(&w, &g, SIP_INFO);
	unsigned first = g.m.cseq.number;
	uint64_t end = clock_ms() + 64 * 20 + 400;
	while (clock_ms() < end)
		if (next(&w, &g, 50) && g.m.method == SIP_INFO)
			CHECK_EQ(g.m.cseq.number, first);
	press(&w, "Signal=3");
	expect_key(&w, &g, "Signal=3");
	hang_up(&w);
	world_close(&w);
}

/* RFC 3261 section 12.2.1.2. */
static void a_key_for_a_call_that_is_gone(void)
{
	struct world w;
	struct got invite, g;

	world_open(&w);
	establish(&w, &invite);
	CHECK_EQ(sip_call_info(w.call, "application/dtmf-relay", span_text("Signal=5\r\n")), 0);
	expect(&w, &g, SIP_INFO);
	reply(&w, &g, 481, NULL, NULL, NULL);
	expect(&w, &g, SIP_BYE);
	reply(&w, &g, 481, NULL, NULL, NULL);
	UNTIL(&w, w.ended == 1);
	CHECK_STR(w.end_why, "lost");
	world_close(&w);
}

/* A 1xx, and then nothing: it is cancelled, and the call goes on; or it has ended meanwhile. */
static void our_reinvite_rings(void)
{
	struct world w;
	struct got invite, again = {0}, g;

	world_open(&w);
	establish(&w, &invite);
	CHECK_EQ(sip_call_reinvite(w.call, span_text("v=0 hold")), 0);
	our_reinvite(&w, &invite, &again);
	reply(&w, &again, 180, NULL, contact(&w), NULL);
	expect(&w, &g, SIP_CANCEL);
	CHECK_EQ(g.m.cseq.number, again.m.cseq.number);
	reply(&w, &g, 200, NULL, NULL, NULL);
	reply(&w, &again, 487, NULL, NULL, NULL);
	UNTIL(&w, w.reanswers == 1);
	CHECK_EQ(w.status, 487);
	hang_up(&w);
	world_close(&w);

	world_open(&w);
	establish(&w, &invite);
	CHECK_EQ(sip_call_reinvite(w.call, span_text("v=0 hold")), 0);
	again = (struct got){0};
	our_reinvite(&w, &invite, &again);
	reply(&w, &again, 180, NULL, contact(&w), NULL);
	hang_up(&w);
	UNTIL(&w, sip_agent_calls(w.agent) == 0);
	world_close(&w);
}

static void their_offer_while_one_waits(void)
{
	struct world w;
	struct got invite, g;

	world_open(&w);
	establish(&w, &invite);
	w.offer_waits = true;
	far_request(&w, &invite, "far1", "INVITE", 30, contact(&w), "v=0 first");
	UNTIL(&w, w.offers == 1);
	far_request(&w, &invite, "far1", "UPDATE", 31, contact(&w), "v=0 second");
	expect_status(&w, &g, 500);
	CHECK(sip_message_header(&g.m, SIP_H_RETRY_AFTER));
	/* A sign of life is none. */
	far_request(&w, &invite, "far1", "UPDATE", 32, contact(&w), NULL);
	expect_status(&w, &g, 200);
	CHECK_EQ(sip_call_reinvite(w.call, span_text("v=0 ours")), -EINVAL);
	CHECK_EQ(sip_call_answer(w.call, 200, span_text("v=0 late")), 0);
	expect_status(&w, &g, 200);
	CHECK(span_is(g.m.body, "v=0 late"));
	CHECK_EQ(sip_call_answer(w.call, 200, span_text("v=0 twice")), -EINVAL);
	far_request(&w, &invite, "far1", "ACK", 30, NULL, NULL);
	UNTIL(&w, w.acks == 1);
	hang_up(&w);
	world_close(&w);
}

static void an_extension_that_we_lack(void)
{
	struct world w;
	struct got invite, g;

	world_open(&w);
	establish(&w, &invite);
	far_request(&w, &invite, "far1", "INVITE", 30, "Require: timer, precondition, 100rel, sec-agree\r\n", "v=0");
	expect_status(&w, &g, 420);
	CHECK(span_is(sip_message_value_named(&g.m, "Unsupported"), "precondition, sec-agree"));
	far_request(&w, &invite, "far1", "OPTIONS", 31, "Require: timer\r\n", NULL);
	do
		CHECK(next(&w, &g, WAIT_MS));
	while (!g.m.is_response || g.m.method != SIP_OPTIONS);
	CHECK_EQ(g.m.status, 200);
	CHECK(sip_message_lists(&g.m, SIP_H_SUPPORTED, "100rel"));
	CHECK(sip_message_lists(&g.m, SIP_H_ALLOW, "UPDATE"));
	hang_up(&w);
	world_close(&w);
}

/* Whatever allocation fails, what is there afterwards can be ended, and nothing is left. */
static void memory_runs_out_in_an_early_dialog(void)
{
	char head[400];

	for (int i = 0; i < 40; ++i) {
		struct world w;
		struct got invite, g;

		invite_out(&w, &invite);
		snprintf(head, sizeof head, "Require: 100rel\r\nRSeq: 1\r\n%s", contact(&w));
		reply(&w, &invite, 183, "a", head, "v=0 early");
		mem_fail_after(i);
		(void)next(&w, &g, 3);
		far_request(&w, &invite, "a", "UPDATE", 5, contact(&w), NULL);
		(void)next(&w, &g, 3);
		mem_fail_after(-1);
		reply(&w, &invite, 200, "a", "Session-Expires: 2;refresher=uac\r\n", "v=0 far");
		mem_fail_after(i % 10);
		(void)next(&w, &g, 3);
		mem_fail_after(-1);
		if (w.call && w.answered) {
			mem_fail_after(i % 10);
			(void)!sip_call_reinvite(w.call, span_text("v=0 hold"));
			mem_fail_after(-1);
		}
		if (w.call)
			sip_call_hangup(w.call, NULL);
		(void)next(&w, &g, 3);
		CHECK(w.failed + w.ended <= 1);
		world_close(&w);
	}
}

int main(void)
{
	static void (*const tests[])(void) = {
		reliable_responses_of_two_phones,
		a_lost_prack_is_sent_again,
		an_update_before_the_answer,
		responses_without_end,
		an_answer_of_a_phone_too_many,
		an_offer_is_refused,
		an_offer_in_our_200,
		a_glare,
		a_glare_without_end,
		our_reinvite_is_refused,
		challenged_within_the_call,
		who_transfers_may_be_said,
		keys_arrive_in_order,
		keys_that_nobody_takes,
		a_key_for_a_call_that_is_gone,
		our_reinvite_rings,
		their_offer_while_one_waits,
		an_extension_that_we_lack,
		memory_runs_out_in_an_early_dialog,
	};
	at_once(tests, COUNT_OF(tests));
	return 0;
}

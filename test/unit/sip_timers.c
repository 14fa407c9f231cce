/* Session timers (RFC 4028): what is agreed, table by table, and what is done about it on the wire. */
#include "sip_far.h"

#include "sip/session_timer.h"

static struct sip_message parse(char out[2048], const char *start, const char *headers)
{
	struct sip_message m;
	int n = snprintf(out, 2048, "%s\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
		"To: <sip:c@d>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 UPDATE\r\n%s\r\n", start, headers);
	CHECK_EQ(sip_message_parse(&m, span_of(out, (size_t)n)), SIP_OK);
	return m;
}

static void what_a_200_means(void)
{
	static const struct {
		const char *headers;
		uint32_t interval;
		bool ours;
		uint32_t wait_ms;
	} cases[] = {
		{"", 0, false, 0},
		{"Session-Expires: 1800;refresher=uac\r\n", 1800, true, 900000},
		{"Session-Expires: 1800;refresher=uas\r\n", 1800, false, 1768000},
		{"x: 90 ; refresher=UAS\r\n", 90, false, 60000},
		{"Session-Expires: 1800\r\n", 1800, true, 900000},
		{"Session-Expires: 0;refresher=uac\r\n", 2, true, 1000},
		{"Session-Expires: 4294967295;refresher=uac\r\n", 1 << 20, true, (1 << 20) * 500},
		{"Session-Expires: 99999999999\r\n", 0, false, 0},
		{"Session-Expires: soon\r\n", 0, false, 0},
		{"Session-Expires:\r\n", 0, false, 0},
	};
	char text[2048];

	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct sip_session_timer t = {0};
		struct sip_message m = parse(text, "SIP/2.0 200 OK", cases[i].headers);
		sip_session_timer_response(&t, &m);
		CHECK_EQ(t.interval_s, cases[i].interval);
		if (!t.interval_s)
			continue;
		CHECK_EQ(t.ours, cases[i].ours);
		CHECK_EQ(sip_session_timer_wait_ms(&t), cases[i].wait_ms);
	}
}

/* Section 9, table 2. */
static void what_we_answer(void)
{
	static const struct {
		const char *headers;
		uint32_t before;
		bool ours_before;
		unsigned status;
		const char *expires; /* NULL: none */
		bool require;
	} cases[] = {
		{"", 0, false, 0, NULL, false},
		{"Supported: timer\r\n", 0, false, 0, NULL, false},
		{"Session-Expires: 1800\r\n", 0, false, 0, "1800;refresher=uas", false},
		{"Session-Expires: 30\r\n", 0, false, 0, "90;refresher=uas", false},
		{"Session-Expires: 1800;refresher=uas\r\n", 0, false, 0, "1800;refresher=uas", false},
		{"Session-Expires: 1800\r\nSupported: timer\r\n", 0, false, 0, "1800;refresher=uac", true},
		{"Session-Expires: 1800;refresher=uac\r\nk: a, timer\r\n", 0, false, 0, "1800;refresher=uac", true},
		{"Session-Expires: 1800;refresher=uas\r\nSupported: timer\r\n", 0, false, 0, "1800;refresher=uas", true},
		{"Session-Expires: 1800\r\nSupported: timer\r\n", 90, true, 0, "1800;refresher=uas", true},
		{"Session-Expires: 89\r\nSupported: timer\r\n", 0, false, 422, NULL, false},
		{"Supported: timer\r\n", 600, true, 0, "600;refresher=uas", true},
		{"Supported: timer\r\n", 600, false, 0, "600;refresher=uac", true},
		{"", 600, true, 0, NULL, false},
	};
	char text[2048], value[SIP_TIMER_TEXT_SIZE];

	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct sip_session_timer t = {.interval_s = cases[i].before, .ours = cases[i].ours_before};
		struct sip_extra extras[SIP_TIMER_EXTRAS_MAX];
		struct sip_message m = parse(text, "UPDATE sip:a@b SIP/2.0", cases[i].headers);
		CHECK_EQ(sip_session_timer_request(&t, &m), cases[i].status);
		if (cases[i].status)
			continue;
		size_t n = sip_session_timer_answer(&t, &m, extras, value);
		CHECK_EQ(n, !cases[i].expires ? 0u : cases[i].require ? 2u : 1u);
		if (n)
			CHECK_STR(extras[0].value, cases[i].expires);
	}
}

/* --- on the wire -------------------------------------------------------------------------- */

/* Answered with this Session-Expires; the far end allows UPDATE or not. */
static void answered_with(struct world *w, struct got *invite, const char *expires, bool updates)
{
	struct sip_invite_config config = plain(w);
	struct got ack;
	char head[512];

	dial(w, &config);
	expect(w, invite, SIP_INVITE);
	CHECK(sip_message_lists(&invite->m, SIP_H_SUPPORTED, "timer"));
	CHECK(!sip_message_header(&invite->m, SIP_H_REQUIRE));
	CHECK(!sip_message_header(&invite->m, SIP_H_SESSION_EXPIRES));
	snprintf(head, sizeof head, "%sSession-Expires: %s\r\nAllow: INVITE, ACK, BYE%s\r\n", contact(w), expires,
		updates ? ", UPDATE" : "");
	reply(w, invite, 200, "far1", head, "v=0 far");
	expect(w, &ack, SIP_ACK);
	UNTIL(w, w->answered == 1);
}

static void we_refresh_by_update(void)
{
	struct world w;
	struct got invite, update;

	world_open(&w);
	answered_with(&w, &invite, "2;refresher=uac", true);
	for (int i = 0; i < 2; ++i) {
		expect(&w, &update, SIP_UPDATE);
		CHECK(value_is(&update, SIP_H_SESSION_EXPIRES, "2;refresher=uac"));
		CHECK(!update.m.body.size);
		reply(&w, &update, 200, NULL, "Session-Expires: 2;refresher=uac\r\nRequire: timer\r\n", NULL);
	}
	CHECK_EQ(w.ended, 0);
	/* Section 7.4: too small for somebody on the way. */
	expect(&w, &update, SIP_UPDATE);
	reply(&w, &update, 422, NULL, "Min-SE: 300\r\n", NULL);
	unsigned before = update.m.cseq.number;
	do
		expect(&w, &update, SIP_UPDATE);
	while (update.m.cseq.number == before);
	CHECK(value_is(&update, SIP_H_SESSION_EXPIRES, "300;refresher=uac"));
	CHECK(span_is(sip_message_value_named(&update.m, "Min-SE"), "300"));
	reply(&w, &update, 200, NULL, NULL, NULL); /* and so there is none any more */
	expect_none(&w, SIP_UPDATE);
	hang_up(&w);
	world_close(&w);
}

static void we_refresh_by_reinvite(void)
{
	struct world w;
	struct got invite, again, ack;

	world_open(&w);
	answered_with(&w, &invite, "2", false);
	do
		expect(&w, &again, SIP_INVITE);
	while (again.m.cseq.number == invite.m.cseq.number);
	CHECK(span_is(again.m.body, "v=0 offer"));
	CHECK(value_is(&again, SIP_H_SESSION_EXPIRES, "2;refresher=uac"));
	reply(&w, &again, 200, NULL, contact(&w), "v=0 far");
	do
		expect(&w, &ack, SIP_ACK);
	while (ack.m.cseq.number != again.m.cseq.number);
	UNTIL(&w, w.reanswers == 1);
	hang_up(&w);
	world_close(&w);
}

/* It said that it allows UPDATE, and does not, or not this one. */
static void we_refresh_by_reinvite_instead(void)
{
	static const unsigned statuses[] = {405, 403, 488, 501};

	for (size_t i = 0; i < COUNT_OF(statuses); ++i) {
		struct world w;
		struct got invite, again;
		world_open(&w);
		answered_with(&w, &invite, "2;refresher=uac", true);
		expect(&w, &again, SIP_UPDATE);
		reply(&w, &again, statuses[i], NULL, NULL, NULL);
		do
			expect(&w, &again, SIP_INVITE);
		while (again.m.cseq.number == invite.m.cseq.number);
		reply(&w, &again, 200, NULL, contact(&w), "v=0 far");
		UNTIL(&w, w.reanswers == 1);
		hang_up(&w);
		world_close(&w);
	}
}

static void ends(struct world *w, const char *why)
{
	struct got bye;

	expect(w, &bye, SIP_BYE);
	reply(w, &bye, 200, NULL, NULL, NULL);
	UNTIL(w, w->ended == 1);
	CHECK_STR(w->end_why, why);
	CHECK(!w->by_far_end);
	UNTIL(w, sip_agent_calls(w->agent) == 0);
	world_close(w);
}

static void a_refresh_that_fails_ends_the_call(void)
{
	static const unsigned statuses[] = {481, 408};
	struct got invite, update;

	for (size_t i = 0; i < COUNT_OF(statuses); ++i) {
		struct world w;
		world_open(&w);
		answered_with(&w, &invite, "2;refresher=uac", true);
		expect(&w, &update, SIP_UPDATE);
		reply(&w, &update, statuses[i], NULL, NULL, NULL);
		ends(&w, "lost");
	}
}

static void a_refresh_without_an_answer_ends_the_call(void)
{
	struct got invite, update;
	struct world w;

	world_open(&w);
	answered_with(&w, &invite, "4;refresher=uac", true);
	expect(&w, &update, SIP_UPDATE);
	ends(&w, "lost");
}

/* Another error does not, until the time is over. */
static void a_refresh_that_is_refused_is_tried_again(void)
{
	struct got invite, update;
	struct world w;

	world_open(&w);
	answered_with(&w, &invite, "2;refresher=uac", true);
	expect(&w, &update, SIP_UPDATE);
	reply(&w, &update, 500, NULL, NULL, NULL);
	ends(&w, "expired");
}

/* What refuses a refresh, one after the other; the call goes on, and the refresh is sent again when they
 * say. */
static void refused_and_sent_again(bool updates)
{
	static const unsigned statuses[] = {503, 302};
	enum sip_method method = updates ? SIP_UPDATE : SIP_INVITE;
	struct got invite, refresh;
	struct world w;
	unsigned before = 0;
	uint64_t since = 0;

	world_open(&w);
	answered_with(&w, &invite, "6;refresher=uac", updates);
	for (size_t i = 0; i <= COUNT_OF(statuses); ++i) {
		do
			expect(&w, &refresh, method);
		while (refresh.m.cseq.number == invite.m.cseq.number || refresh.m.cseq.number == before);
		before = refresh.m.cseq.number;
		CHECK(!since || clock_ms() - since >= 900);
		since = clock_ms();
		if (i < COUNT_OF(statuses))
			reply(&w, &refresh, statuses[i], NULL, "Retry-After: 1 (busy);duration=9\r\n", NULL);
	}
	reply(&w, &refresh, 200, NULL, contact(&w), updates ? NULL : "v=0 far");
	UNTIL(&w, clock_ms() > since + 1500); /* the first one's time is over, and the call is not */
	CHECK_EQ(w.ended, 0);
	hang_up(&w);
	world_close(&w);
}

static void a_refused_update_is_sent_again(void)
{
	refused_and_sent_again(true);
}

static void a_refused_reinvite_is_sent_again(void)
{
	refused_and_sent_again(false);
}

/* RFC 3261 section 14.1: what was agreed before holds, and is what the refresh says. */
static void a_refused_offer_is_not_offered_again(void)
{
	struct got invite, hold, refresh;
	struct world w;

	world_open(&w);
	answered_with(&w, &invite, "2;refresher=uac", false);
	CHECK_EQ(sip_call_reinvite(w.call, span_text("v=0 hold")), 0);
	do
		expect(&w, &hold, SIP_INVITE);
	while (hold.m.cseq.number == invite.m.cseq.number);
	CHECK(span_is(hold.m.body, "v=0 hold"));
	reply(&w, &hold, 488, NULL, NULL, NULL);
	UNTIL(&w, w.reanswers == 1);
	do
		expect(&w, &refresh, SIP_INVITE);
	while (refresh.m.cseq.number <= hold.m.cseq.number);
	CHECK(span_is(refresh.m.body, "v=0 offer"));
	reply(&w, &refresh, 200, NULL, contact(&w), "v=0 far");
	UNTIL(&w, w.reanswers == 2);
	hang_up(&w);
	world_close(&w);
}

static void a_silent_refresher_ends_the_call(void)
{
	struct world w;
	struct got invite, g;

	world_open(&w);
	answered_with(&w, &invite, "2;refresher=uas", true);
	expect_none(&w, SIP_BYE);
	/* A refresh of theirs, then nothing more; the timer of the refresh counts. */
	char head[256];
	snprintf(head, sizeof head, "Session-Expires: 20;refresher=uac\r\nSupported: timer\r\n%s", contact(&w));
	far_request(&w, &invite, "far1", "UPDATE", 7, head, NULL);
	expect_status(&w, &g, 422);
	CHECK(span_is(sip_message_value_named(&g.m, "Min-SE"), "90"));
	uint64_t since = clock_ms();
	ends(&w, "expired");
	CHECK(clock_ms() - since < 3000);
}

/* Every hop on the way may want more than the one before; a far end that wants a second more each time
 * does not keep us at it. */
static void who_wants_ever_more_is_left(void)
{
	struct world w;
	struct got one;
	uint32_t asked = 0, last = 0;

	world_open(&w);
	struct sip_invite_config config = plain(&w);
	config.session_expires_s = 120;
	dial(&w, &config);
	while (asked < 9) {
		char more[32];
		do
			expect(&w, &one, SIP_INVITE);
		while (one.m.cseq.number == last);
		last = one.m.cseq.number;
		snprintf(more, sizeof more, "Min-SE: %u\r\n", 600 + ++asked);
		reply(&w, &one, 422, "t", more, NULL);
	}
	UNTIL(&w, w.failed == 1);
	CHECK_EQ(w.status, 422);
	world_close(&w);
}

static void we_ask_when_told_to(void)
{
	struct world w;
	struct got first, second, ack;

	world_open(&w);
	struct sip_invite_config config = plain(&w);
	config.session_expires_s = 120;
	dial(&w, &config);
	expect(&w, &first, SIP_INVITE);
	CHECK(value_is(&first, SIP_H_SESSION_EXPIRES, "120"));
	reply(&w, &first, 422, "t", "Min-SE: 600\r\n", NULL);
	do
		expect(&w, &second, SIP_INVITE);
	while (second.m.cseq.number == first.m.cseq.number);
	CHECK_EQ(second.m.cseq.number, first.m.cseq.number + 1);
	CHECK(value_is(&second, SIP_H_SESSION_EXPIRES, "600"));
	CHECK(span_is(sip_message_value_named(&second.m, "Min-SE"), "600"));
	/* The same once more would go on for ever. */
	reply(&w, &second, 422, "t", "Min-SE: 600\r\n", NULL);
	UNTIL(&w, w.failed == 1);
	CHECK_EQ(w.status, 422);

	dial(&w, &config);
	do
		expect(&w, &first, SIP_INVITE);
	while (first.m.cseq.number != 1);
	reply(&w, &first, 200, "far1", contact(&w), "v=0");
	do
		expect(&w, &ack, SIP_ACK);
	while (!span_is(ack.m.to.tag, "far1"));
	UNTIL(&w, w.answered == 1);
	sip_call_hangup(w.call, NULL);
	expect(&w, &ack, SIP_BYE);
	reply(&w, &ack, 200, NULL, NULL, NULL);
	UNTIL(&w, w.ended == 1);
	world_close(&w);
}

int main(void)
{
	static void (*const tests[])(void) = {
		what_a_200_means,
		what_we_answer,
		we_refresh_by_update,
		we_refresh_by_reinvite,
		we_refresh_by_reinvite_instead,
		a_refresh_that_fails_ends_the_call,
		a_refresh_without_an_answer_ends_the_call,
		a_refresh_that_is_refused_is_tried_again,
		a_refused_update_is_sent_again,
		a_refused_reinvite_is_sent_again,
		a_refused_offer_is_not_offered_again,
		a_silent_refresher_ends_the_call,
		who_wants_ever_more_is_left,
		we_ask_when_told_to,
	};
	at_once(tests, COUNT_OF(tests));
	return 0;
}

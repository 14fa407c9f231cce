/* RFC 5407: messages that cross on the way, one test for each of its sections. "Moratorium" is between
 * our 200 and its ACK, "mortal" after a BYE went either way. */
#include "sip_far.h"

/* Their call, answered; `ok` is our 200, whose ACK is still to come. */
static void moratorium(struct world *w, struct got *ok, const char *body)
{
	struct sip_response r = {.status = 200, .body = span_text("v=0 ours")};

	world_open_for_calls(w);
	far_invite(w, "z9hG4bKfirst", body);
	UNTIL(w, w->incoming == 1);
	CHECK_EQ(sip_incoming_respond(w->in, &r), 0);
	expect_status(w, ok, 200);
}

static void expect_answer(struct world *w, struct got *g, enum sip_method method, unsigned status)
{
	do
		CHECK(next(w, g, WAIT_MS));
	while (!g->m.is_response || g->m.method != method);
	CHECK_EQ(g->m.status, status);
}

/* No 200 is repeated any more. */
static void is_quiet(struct world *w)
{
	struct got g;
	uint64_t end = clock_ms() + QUIET_MS;

	while (next(w, &g, 1))
		;
	while (clock_ms() < end)
		CHECK(!next(w, &g, 5));
}

static void end_in(struct world *w, const struct got *ok, unsigned cseq)
{
	struct got g;

	far_caller_request(w, ok, "BYE", cseq, NULL, NULL);
	expect_answer(w, &g, SIP_BYE, 200);
	UNTIL(w, w->ended == 1);
	CHECK(w->by_far_end);
	is_quiet(w);
	world_close(w);
}

/* 3.1.1 */
static void the_invite_comes_again_after_our_200(void)
{
	struct world w;
	struct got ok, g;

	moratorium(&w, &ok, "v=0");
	far_invite(&w, "z9hG4bKfirst", "v=0");
	expect_answer(&w, &g, SIP_INVITE, 200); /* ours, again */
	CHECK_EQ(w.incoming, 1);
	far_caller_request(&w, &ok, "ACK", 1, NULL, NULL);
	UNTIL(&w, w.acks == 1);
	end_in(&w, &ok, 2);
}

/* 3.1.2 */
static void a_cancel_comes_after_our_200(void)
{
	struct world w;
	struct got ok, g;

	moratorium(&w, &ok, "v=0");
	far_caller_request(&w, &ok, "CANCEL", 1, "z9hG4bKfirst", NULL);
	expect_answer(&w, &g, SIP_CANCEL, 200);
	CHECK_EQ(w.ended, 0);
	far_caller_request(&w, &ok, "ACK", 1, NULL, NULL);
	UNTIL(&w, w.acks == 1);
	end_in(&w, &ok, 2);
}

/* 3.1.3, 3.1.6: a BYE that was sent before our 200 arrived, or right after the ACK that was lost. */
static void a_bye_comes_instead_of_the_ack(void)
{
	struct world w;
	struct got ok;

	moratorium(&w, &ok, "v=0");
	end_in(&w, &ok, 2);
}

/* 3.1.4: the ACK was lost, or is behind. */
static void a_reinvite_comes_before_the_ack(void)
{
	struct world w;
	struct got ok, g;

	moratorium(&w, &ok, "v=0");
	far_caller_request(&w, &ok, "INVITE", 2, NULL, "v=0 moved");
	do
		expect_answer(&w, &g, SIP_INVITE, 200);
	while (g.m.cseq.number != 2);
	CHECK_EQ(w.offers, 1);
	far_caller_request(&w, &ok, "ACK", 1, NULL, NULL); /* of the first: too late to mean anything */
	far_caller_request(&w, &ok, "ACK", 2, NULL, NULL);
	UNTIL(&w, w.acks == 1);
	end_in(&w, &ok, 3);
}

/* 3.1.5: the offer was in our 200, and its answer is in the ACK that is behind. */
static void a_reinvite_comes_before_the_answer_in_the_ack(void)
{
	struct world w;
	struct got ok, g;

	moratorium(&w, &ok, NULL);
	far_caller_request(&w, &ok, "INVITE", 2, NULL, "v=0 moved");
	do
		CHECK(next(&w, &g, WAIT_MS));
	while (!g.m.is_response || g.m.cseq.number != 2);
	CHECK_EQ(g.m.status, 491);
	CHECK_EQ(w.offers, 0);
	far_caller_request(&w, &ok, "ACK", 2, "z9hG4bKcallerINVITE2", NULL);
	far_caller_request(&w, &ok, "ACK", 1, NULL, "v=0 answer");
	UNTIL(&w, w.acks == 1);
	end_in(&w, &ok, 3);
}

/* 3.2.1 */
static void two_byes_cross(void)
{
	struct world w;
	struct got invite, bye, g;

	world_open(&w);
	establish(&w, &invite);
	sip_call_hangup(w.call, NULL);
	expect(&w, &bye, SIP_BYE);
	far_request(&w, &invite, "far1", "BYE", 7, NULL, NULL);
	expect_answer(&w, &g, SIP_BYE, 200);
	reply(&w, &bye, 481, NULL, NULL, NULL);
	UNTIL(&w, sip_agent_calls(w.agent) == 0);
	CHECK_EQ(w.ended, 1);
	world_close(&w);
}

/* 3.2.2, 3.3.3 and appendix D: there is nothing left to change, move or ask. */
static void requests_in_the_mortal_state(void)
{
	static const struct {
		const char *method;
		enum sip_method id;
	} cases[] = {{"INVITE", SIP_INVITE}, {"UPDATE", SIP_UPDATE}, {"REFER", SIP_REFER}, {"INFO", SIP_INFO},
		{"OPTIONS", SIP_OPTIONS}};
	struct world w;
	struct got invite, bye, g;

	world_open(&w);
	establish(&w, &invite);
	sip_call_hangup(w.call, NULL);
	expect(&w, &bye, SIP_BYE);
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		far_request(&w, &invite, "far1", cases[i].method, 10 + (unsigned)i, contact(&w), "v=0");
		expect_answer(&w, &g, cases[i].id, 481);
	}
	CHECK_EQ(w.offers, 0);
	CHECK_EQ(w.infos, 0);
	reply(&w, &bye, 200, NULL, NULL, NULL);
	UNTIL(&w, w.ended == 1);
	world_close(&w);
}

static void their_answer_to_our_reinvite(struct world *w, struct got *invite, struct got *again)
{
	world_open(w);
	establish(w, invite);
	CHECK_EQ(sip_call_reinvite(w->call, span_text("v=0 hold")), 0);
	do
		expect(w, again, SIP_INVITE);
	while (again->m.cseq.number == invite->m.cseq.number);
}

/* 3.2.3: it must be acknowledged all the same. */
static void a_200_for_our_reinvite_in_the_mortal_state(void)
{
	struct world w;
	struct got invite, again, bye, g;

	their_answer_to_our_reinvite(&w, &invite, &again);
	sip_call_hangup(w.call, NULL);
	expect(&w, &bye, SIP_BYE);
	reply(&w, &again, 200, NULL, contact(&w), "v=0 held");
	expect(&w, &g, SIP_ACK);
	CHECK_EQ(g.m.cseq.number, again.m.cseq.number);
	reply(&w, &bye, 200, NULL, NULL, NULL);
	UNTIL(&w, w.ended == 1);
	world_close(&w);
}

/* 3.2.4: we hung up before the ACK of our 200 came; the BYE waits for it (RFC 3261 section 15). */
static void the_ack_comes_in_the_mortal_state(void)
{
	struct world w;
	struct got ok, bye;

	moratorium(&w, &ok, "v=0");
	sip_incoming_hangup(w.in, NULL);
	expect_none(&w, SIP_BYE);
	far_caller_request(&w, &ok, "ACK", 1, NULL, NULL);
	expect(&w, &bye, SIP_BYE);
	far_caller_request(&w, &ok, "ACK", 1, NULL, NULL);
	reply(&w, &bye, 200, NULL, NULL, NULL);
	UNTIL(&w, w.ended == 1);
	world_close(&w);
}

/* 3.3.1, 3.3.2 */
static void reinvites_and_updates_cross(void)
{
	struct world w;
	struct got invite, again, g;

	their_answer_to_our_reinvite(&w, &invite, &again);
	far_request(&w, &invite, "far1", "INVITE", 30, contact(&w), "v=0 theirs");
	expect_answer(&w, &g, SIP_INVITE, 491);
	far_request(&w, &invite, "far1", "UPDATE", 31, contact(&w), "v=0 theirs");
	expect_answer(&w, &g, SIP_UPDATE, 491);
	reply(&w, &again, 491, NULL, NULL, NULL);
	/* We made the Call-ID, so theirs comes first, and ours after it. */
	far_request(&w, &invite, "far1", "INVITE", 32, contact(&w), "v=0 theirs");
	do
		CHECK(next(&w, &g, WAIT_MS));
	while (!g.m.is_response || g.m.cseq.number != 32);
	CHECK_EQ(g.m.status, 200);
	far_request(&w, &invite, "far1", "ACK", 32, NULL, NULL);
	unsigned before = again.m.cseq.number;
	do
		expect(&w, &again, SIP_INVITE);
	while (again.m.cseq.number <= before);
	CHECK_EQ(w.offers, 1);
	reply(&w, &again, 200, NULL, contact(&w), "v=0 held");
	UNTIL(&w, w.reanswers == 1);
	hang_up(&w);
	world_close(&w);
}

/* Appendix A: a callee may not, but some do; the INVITE's own answer is what counts. */
static void a_bye_in_an_early_dialog(void)
{
	struct world w;
	struct got invite, g;

	world_open(&w);
	struct sip_invite_config config = plain(&w);
	dial(&w, &config);
	expect(&w, &invite, SIP_INVITE);
	reply(&w, &invite, 183, "a", contact(&w), "v=0 early");
	UNTIL(&w, w.progress == 1);
	far_request(&w, &invite, "a", "BYE", 1, NULL, NULL);
	expect_answer(&w, &g, SIP_BYE, 200);
	CHECK_EQ(w.failed + w.ended, 0);
	reply(&w, &invite, 487, "a", NULL, NULL);
	UNTIL(&w, w.failed == 1);
	world_close(&w);

	/* A caller may: its INVITE gets 487. */
	struct sip_response ringing = {.status = 180};
	struct got ring;
	world_open_for_calls(&w);
	far_invite(&w, "z9hG4bKfirst", "v=0");
	UNTIL(&w, w.incoming == 1);
	CHECK_EQ(sip_incoming_respond(w.in, &ringing), 0);
	expect_status(&w, &ring, 180);
	far_caller_request(&w, &ring, "BYE", 2, NULL, NULL);
	int bye = 0, terminated = 0;
	while (!bye || !terminated) {
		CHECK(next(&w, &g, WAIT_MS));
		bye += g.m.method == SIP_BYE && g.m.status == 200;
		terminated += g.m.method == SIP_INVITE && g.m.status == 487;
	}
	UNTIL(&w, w.ended == 1);
	world_close(&w);
}

/* Appendix B. */
static void a_bye_overtakes_a_reinvite(void)
{
	struct world w;
	struct got invite, again, g;

	/* Ours. */
	their_answer_to_our_reinvite(&w, &invite, &again);
	far_request(&w, &invite, "far1", "BYE", 30, NULL, NULL);
	expect_answer(&w, &g, SIP_BYE, 200);
	UNTIL(&w, w.ended == 1);
	reply(&w, &again, 487, NULL, NULL, NULL);
	expect(&w, &g, SIP_ACK);
	CHECK_EQ(w.reanswers, 0);
	world_close(&w);

	/* Theirs, which we have not answered yet. */
	world_open(&w);
	establish(&w, &invite);
	w.offer_waits = true;
	far_request(&w, &invite, "far1", "INVITE", 30, contact(&w), "v=0 theirs");
	UNTIL(&w, w.offers == 1);
	far_request(&w, &invite, "far1", "BYE", 31, NULL, NULL);
	int bye = 0, terminated = 0;
	while (!bye || !terminated) {
		CHECK(next(&w, &g, WAIT_MS));
		bye += g.m.method == SIP_BYE && g.m.status == 200;
		terminated += g.m.method == SIP_INVITE && g.m.status == 487;
	}
	UNTIL(&w, w.ended == 1);
	world_close(&w);
}

/* Appendix C. */
static void cancels_cross(void)
{
	struct world w;
	struct got invite, cancel, g;
	char branch[64];

	/* Of their re-INVITE: the session stays. */
	world_open(&w);
	establish(&w, &invite);
	w.offer_waits = true;
	far_request(&w, &invite, "far1", "INVITE", 30, contact(&w), "v=0 theirs");
	UNTIL(&w, w.offers == 1);
	snprintf(branch, sizeof branch, "z9hG4bKfarINVITE30");
	char out[1024];
	struct writer wr = writer_of(out, sizeof out);
	write_format(&wr, "CANCEL sip:us@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;rport;branch=%s\r\n",
		w.far.port, branch);
	sip_write_copy(&wr, "To", sip_message_value(&invite.m, SIP_H_FROM));
	write_text(&wr, "From: <sip:+15550100@127.0.0.1>;tag=far1\r\n");
	sip_write_copies(&wr, &invite.m, SIP_H_CALL_ID);
	write_text(&wr, "CSeq: 30 CANCEL\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n");
	far_send(&w, out, wr.used);
	int ok = 0, terminated = 0;
	while (!ok || !terminated) {
		CHECK(next(&w, &g, WAIT_MS));
		ok += g.m.method == SIP_CANCEL && g.m.status == 200;
		terminated += g.m.method == SIP_INVITE && g.m.status == 487;
	}
	CHECK_EQ(sip_call_answer(w.call, 200, span_text("v=0 late")), -EINVAL);
	CHECK_EQ(w.ended, 0);
	hang_up(&w);
	world_close(&w);

	/* Ours crosses their refusal: 481 for the CANCEL, and the refusal is acknowledged. */
	world_open(&w);
	struct sip_invite_config config = plain(&w);
	dial(&w, &config);
	expect(&w, &invite, SIP_INVITE);
	reply(&w, &invite, 180, "a", contact(&w), NULL);
	UNTIL(&w, w.progress == 1);
	sip_call_hangup(w.call, NULL);
	expect(&w, &cancel, SIP_CANCEL);
	reply(&w, &invite, 486, "a", NULL, NULL);
	reply(&w, &cancel, 481, "a", NULL, NULL);
	expect(&w, &g, SIP_ACK);
	UNTIL(&w, w.failed == 1);
	CHECK_EQ(w.why, SIP_WHY_CANCELLED);
	CHECK_EQ(w.status, 486);
	world_close(&w);
}

/* Appendix E: a 18x of one phone comes after the 200 of another. */
static void a_phone_rings_after_another_answered(void)
{
	struct world w;
	struct got invite, g;

	world_open(&w);
	establish(&w, &invite);
	reply(&w, &invite, 180, "late", contact(&w), NULL);
	reply(&w, &invite, 183, "far1", contact(&w), "v=0 early");
	far_request(&w, &invite, "late", "UPDATE", 5, contact(&w), "v=0");
	expect_answer(&w, &g, SIP_UPDATE, 481);
	CHECK_EQ(w.progress, 1);
	hang_up(&w);
	world_close(&w);
}

int main(void)
{
	static void (*const tests[])(void) = {
		the_invite_comes_again_after_our_200,
		a_cancel_comes_after_our_200,
		a_bye_comes_instead_of_the_ack,
		a_reinvite_comes_before_the_ack,
		a_reinvite_comes_before_the_answer_in_the_ack,
		two_byes_cross,
		requests_in_the_mortal_state,
		a_200_for_our_reinvite_in_the_mortal_state,
		the_ack_comes_in_the_mortal_state,
		reinvites_and_updates_cross,
		a_bye_in_an_early_dialog,
		a_bye_overtakes_a_reinvite,
		cancels_cross,
		a_phone_rings_after_another_answered,
	};
	at_once(tests, COUNT_OF(tests));
	return 0;
}

/* A call's way from the INVITE to its end, against a far end that says what the test wants. */
#include "sip_far.h"

#include "sip/digest.h"

/* --- the cases ---------------------------------------------------------------------------- */

static void a_plain_call(void)
{
	struct world w;
	struct got invite, g;

	world_open(&w);
	struct sip_invite_config config = plain(&w);
	struct sip_extra extra = {"X-Room", "dispute 7"};
	config.headers = &extra;
	config.header_count = 1;
	config.from_display = "";
	dial(&w, &config);
	/* It is in the socket already, before the loop turned once. */
	CHECK(receive_udp(&w, &invite));
	CHECK_EQ(sip_message_parse(&invite.m, span_of(invite.bytes, invite.size)), SIP_OK);
	CHECK_EQ(sip_message_refusal(&invite.m), 0);
	CHECK(span_is(invite.m.body, "v=0 offer"));
	CHECK(span_is(sip_message_value_named(&invite.m, "X-Room"), "dispute 7"));
	CHECK(value_is(&invite, SIP_H_MAX_FORWARDS, "70"));
	CHECK(invite.m.from.display.data && !invite.m.from.display.size);
	CHECK(invite.m.via.has_rport && invite.m.via.branch.size > 7);
	CHECK(sip_message_lists(&invite.m, SIP_H_ALLOW, "UPDATE"));

	reply(&w, &invite, 100, NULL, NULL, NULL);
	reply(&w, &invite, 180, "far1", contact(&w), NULL);
	UNTIL(&w, w.trying == 1 && w.progress == 1);
	CHECK_EQ(w.status, 180);
	reply(&w, &invite, 200, "far1", contact(&w), "v=0 far");
	expect(&w, &g, SIP_ACK);
	UNTIL(&w, w.answered == 1);
	CHECK_STR(w.body, "v=0 far");
	CHECK_EQ(g.m.cseq.number, invite.m.cseq.number);
	CHECK(span_is(g.m.to.tag, "far1"));
	char far_uri[64];
	snprintf(far_uri, sizeof far_uri, "sip:far@127.0.0.1:%u", w.far.port);
	CHECK(span_is(g.m.uri, far_uri));

	/* The ACK was lost, twice. */
	for (int i = 0; i < 2; ++i) {
		reply(&w, &invite, 200, "far1", contact(&w), "v=0 far");
		expect(&w, &g, SIP_ACK);
		CHECK(span_is(g.m.to.tag, "far1"));
	}
	CHECK_EQ(w.answered, 1);
	hang_up(&w);
	world_close(&w);
}

static void the_far_end_hangs_up(void)
{
	struct world w;
	struct got invite, g;

	world_open(&w);
	establish(&w, &invite);
	far_request(&w, &invite, "far1", "BYE", 7,
		"Reason: Q.850;cause=16;text=\"Normal call clearing\"\r\n", NULL);
	expect_status(&w, &g, 200);
	UNTIL(&w, w.ended == 1);
	CHECK(w.by_far_end);
	CHECK_EQ(w.reason_cause, 16);
	/* The 200 was lost: the BYE comes again and is answered again, by nobody's call. */
	far_request(&w, &invite, "far1", "BYE", 7, NULL, NULL);
	expect_status(&w, &g, 200);
	CHECK_EQ(w.ended, 1);
	/* A straggling 200 still gets its ACK. */
	reply(&w, &invite, 200, "far1", contact(&w), "v=0 far");
	expect(&w, &g, SIP_ACK);
	UNTIL(&w, sip_agent_calls(w.agent) == 0);
	world_close(&w);
}

static void a_private_contact_and_two_routes(void)
{
	struct world w;
	struct got invite, ack, bye;
	char routes[256], near[96];

	world_open(&w);
	struct sip_invite_config config = plain(&w);
	dial(&w, &config);
	expect(&w, &invite, SIP_INVITE);
	snprintf(near, sizeof near, "<sip:127.0.0.1:%u;lr;r2=on;twnat=sip:192.0.2.9:7344>",
		w.far.port);
	snprintf(routes, sizeof routes,
		"Contact: \"a, b\" <sip:172.25.11.7:5060;transport=udp>;x=1\r\n"
		"Record-Route: <sip:10.255.0.1;transport=udp;r2=on;lr>,\r\n  %s\r\n",
		near);
	reply(&w, &invite, 200, "edge", routes, "v=0");
	expect(&w, &ack, SIP_ACK);
	UNTIL(&w, w.answered == 1);
	sip_call_hangup(w.call, NULL);
	expect(&w, &bye, SIP_BYE);
	struct got *both[] = {&ack, &bye};
	for (int i = 0; i < 2; ++i) {
		struct sip_items it = {.m = &both[i]->m, .id = SIP_H_ROUTE};
		struct span item;
		CHECK(span_is(both[i]->m.uri, "sip:172.25.11.7:5060;transport=udp"));
		CHECK(sip_items_next(&it, &item) && span_is(item, near));
		CHECK(sip_items_next(&it, &item) &&
			span_is(item, "<sip:10.255.0.1;transport=udp;r2=on;lr>"));
		CHECK(!sip_items_next(&it, &item));
	}
	reply(&w, &bye, 200, NULL, NULL, NULL);
	UNTIL(&w, w.ended == 1);
	world_close(&w);
}

static void a_strict_router(void)
{
	struct world w;
	struct got invite, ack;
	char head[256], strict[64];

	world_open(&w);
	struct sip_invite_config config = plain(&w);
	dial(&w, &config);
	expect(&w, &invite, SIP_INVITE);
	snprintf(strict, sizeof strict, "sip:127.0.0.1:%u", w.far.port);
	snprintf(head, sizeof head,
		"Contact: <sip:far@10.1.1.1>\r\nRecord-Route: <%s>\r\n", strict);
	reply(&w, &invite, 200, "old", head, "v=0");
	expect(&w, &ack, SIP_ACK);
	CHECK(span_is(ack.m.uri, strict));
	CHECK(value_is(&ack, SIP_H_ROUTE, "<sip:far@10.1.1.1>"));
	UNTIL(&w, w.answered == 1);
	hang_up(&w);
	world_close(&w);
}

static void check_credentials(const struct got *g, enum sip_header_id id, const char *nonce)
{
	CHECK_EQ(sip_digest_verify(&g->m, id, "carrier.example", nonce, "alice", "secret"), 0);
}

static bool text_holds(struct span s, const char *what)
{
	return memmem(s.data, s.size, what, strlen(what)) != NULL;
}

static void challenges(void)
{
	struct world w;
	struct got first, second, third, ack, bye;

	world_open(&w);
	struct sip_invite_config config = plain(&w);
	config.username = "alice";
	config.password = "secret";
	dial(&w, &config);
	expect(&w, &first, SIP_INVITE);
	reply(&w, &first, 407, "p1",
		"Proxy-Authenticate: Digest realm=\"carrier.example\",nonce=\"n0\","
		"algorithm=AKAv1-MD5,qop=\"auth\"\r\n"
		"Proxy-Authenticate: Digest realm=\"carrier.example\",nonce=\"n1/+==\","
		"opaque=\"keep;me\",qop=\"auth,auth-int\"\r\n",
		NULL);
	expect(&w, &ack, SIP_ACK);
	CHECK(span_is(ack.m.via.branch, "") == false);
	CHECK_EQ(ack.m.cseq.number, first.m.cseq.number);
	expect(&w, &second, SIP_INVITE);
	CHECK_EQ(second.m.cseq.number, first.m.cseq.number + 1);
	CHECK(value_is(&second, SIP_H_CALL_ID, sip_call_id(w.call)));
	CHECK_EQ(second.m.from.tag.size, first.m.from.tag.size);
	CHECK(!memcmp(second.m.from.tag.data, first.m.from.tag.data, first.m.from.tag.size));
	check_credentials(&second, SIP_H_PROXY_AUTHORIZATION, "n1/+==");
	/* Its nonce has run out meanwhile; and then the far end itself asks, by SHA-256. */
	reply(&w, &second, 407, "p1",
		"Proxy-Authenticate: Digest realm=\"carrier.example\",nonce=\"n2\",stale=TRUE,"
		"qop=\"auth\"\r\n",
		NULL);
	expect(&w, &second, SIP_INVITE);
	check_credentials(&second, SIP_H_PROXY_AUTHORIZATION, "n2");
	reply(&w, &second, 401, "u1",
		"WWW-Authenticate: Digest realm=\"carrier.example\",nonce=\"u1\",algorithm=MD5\r\n"
		"WWW-Authenticate: Digest realm=\"carrier.example\",nonce=\"u2\","
		"algorithm=SHA-256,qop=\"auth\"\r\n",
		NULL);
	expect(&w, &third, SIP_INVITE);
	check_credentials(&third, SIP_H_AUTHORIZATION, "u2");
	check_credentials(&third, SIP_H_PROXY_AUTHORIZATION, "n2");
	reply(&w, &third, 200, "far1", contact(&w), "v=0");
	do
		expect(&w, &ack, SIP_ACK);
	while (!span_is(ack.m.to.tag, "far1"));
	/* RFC 3261 section 13.2.2.4: the ACK has the credentials of its INVITE. */
	CHECK(sip_message_header(&ack.m, SIP_H_PROXY_AUTHORIZATION) != NULL);
	UNTIL(&w, w.answered == 1);
	sip_call_hangup(w.call, "Q.850;cause=16");
	expect(&w, &bye, SIP_BYE);
	CHECK(value_is(&bye, SIP_H_REASON, "Q.850;cause=16"));
	/* It brings credentials by the nonces that are known, and is asked all the same. */
	check_credentials(&bye, SIP_H_PROXY_AUTHORIZATION, "n2");
	check_credentials(&bye, SIP_H_AUTHORIZATION, "u2");
	CHECK(text_holds(sip_message_value(&bye.m, SIP_H_PROXY_AUTHORIZATION), "nc=00000003"));
	reply(&w, &bye, 407, NULL,
		"Proxy-Authenticate: Digest realm=\"carrier.example\",nonce=\"b1\",qop=\"auth\"\r\n",
		NULL);
	unsigned before = bye.m.cseq.number;
	do
		expect(&w, &bye, SIP_BYE);
	while (bye.m.cseq.number == before);
	check_credentials(&bye, SIP_H_PROXY_AUTHORIZATION, "b1");
	reply(&w, &bye, 200, NULL, NULL, NULL);
	UNTIL(&w, w.ended == 1);
	world_close(&w);
}

static void wrong_password_is_not_tried_twice(void)
{
	struct world w;
	struct got g;
	const char *challenge =
		"WWW-Authenticate: Digest realm=\"r\",nonce=\"n\",qop=\"auth\"\r\n";

	world_open(&w);
	struct sip_invite_config config = plain(&w);
	config.username = "alice";
	config.password = "wrong";
	dial(&w, &config);
	expect(&w, &g, SIP_INVITE);
	reply(&w, &g, 401, "t", challenge, NULL);
	do
		expect(&w, &g, SIP_INVITE);
	while (!sip_message_header(&g.m, SIP_H_AUTHORIZATION));
	reply(&w, &g, 401, "t", challenge, NULL);
	UNTIL(&w, w.failed == 1);
	CHECK_EQ(w.why, SIP_WHY_AUTH);
	CHECK_EQ(w.status, 401);
	expect_none(&w, SIP_INVITE);

	config.username = NULL;
	dial(&w, &config);
	expect(&w, &g, SIP_INVITE);
	reply(&w, &g, 401, "t", challenge, NULL);
	UNTIL(&w, w.failed == 2);
	CHECK_EQ(w.why, SIP_WHY_AUTH);
	CHECK(strstr(w.sentence, "none is configured"));
	world_close(&w);
}

static void refusals(void)
{
	static const unsigned statuses[] = {302, 403, 404, 486, 503, 603};
	struct world w;
	struct got g, ack;

	world_open(&w);
	for (size_t i = 0; i < COUNT_OF(statuses); ++i) {
		struct sip_invite_config config = plain(&w);
		dial(&w, &config);
		expect(&w, &g, SIP_INVITE);
		reply(&w, &g, 100, NULL, NULL, NULL);
		reply(&w, &g, statuses[i], "no", "Contact: <sip:premium@127.0.0.1:9>\r\n", NULL);
		expect(&w, &ack, SIP_ACK);
		CHECK(span_is(ack.m.to.tag, "no"));
		CHECK_EQ(ack.m.via.branch.size, g.m.via.branch.size);
		CHECK(!memcmp(ack.m.via.branch.data, g.m.via.branch.data, g.m.via.branch.size));
		UNTIL(&w, w.failed == (int)i + 1);
		CHECK_EQ(w.status, statuses[i]);
		CHECK_EQ(w.why, SIP_WHY_RESPONSE);
		/* Its ACK was lost. */
		reply(&w, &g, statuses[i], "no", NULL, NULL);
		expect(&w, &ack, SIP_ACK);
	}
	expect_none(&w, SIP_INVITE);
	world_close(&w);
}

static void cancel_waits_for_a_response(void)
{
	struct world w;
	struct got invite, cancel, ack;

	world_open(&w);
	struct sip_invite_config config = plain(&w);
	dial(&w, &config);
	expect(&w, &invite, SIP_INVITE);
	sip_call_hangup(w.call, "SIP;cause=200");
	expect_none(&w, SIP_CANCEL);
	CHECK_EQ(w.failed, 0);
	reply(&w, &invite, 180, "far1", contact(&w), NULL);
	expect(&w, &cancel, SIP_CANCEL);
	CHECK_EQ(cancel.m.via.branch.size, invite.m.via.branch.size);
	CHECK(!memcmp(cancel.m.via.branch.data, invite.m.via.branch.data,
		cancel.m.via.branch.size));
	CHECK_EQ(cancel.m.cseq.number, invite.m.cseq.number);
	CHECK(value_is(&cancel, SIP_H_REASON, "SIP;cause=200"));
	reply(&w, &cancel, 200, "far1", NULL, NULL);
	reply(&w, &invite, 487, "far1", NULL, NULL);
	expect(&w, &ack, SIP_ACK);
	UNTIL(&w, w.failed == 1);
	CHECK_EQ(w.why, SIP_WHY_CANCELLED);
	CHECK_EQ(w.status, 487);
	CHECK_EQ(w.progress, 0);
	world_close(&w);
}

static void a_200_crosses_the_cancel(void)
{
	struct world w;
	struct got invite, cancel, g;

	world_open(&w);
	struct sip_invite_config config = plain(&w);
	dial(&w, &config);
	expect(&w, &invite, SIP_INVITE);
	reply(&w, &invite, 180, "far1", contact(&w), NULL);
	UNTIL(&w, w.progress == 1);
	sip_call_hangup(w.call, NULL);
	sip_call_hangup(w.call, NULL);
	expect(&w, &cancel, SIP_CANCEL);
	reply(&w, &invite, 200, "far1", contact(&w), "v=0");
	expect(&w, &g, SIP_ACK);
	expect(&w, &g, SIP_BYE);
	CHECK(span_is(g.m.to.tag, "far1"));
	UNTIL(&w, w.failed == 1);
	CHECK_EQ(w.why, SIP_WHY_CANCELLED);
	CHECK_EQ(w.answered, 0);
	reply(&w, &g, 200, NULL, NULL, NULL);
	UNTIL(&w, sip_agent_calls(w.agent) == 0);
	CHECK_EQ(w.failed, 1);
	CHECK_EQ(w.ended, 0);
	world_close(&w);
}

static void nobody_answers(void)
{
	struct world w;
	struct got g;
	int sent = 0;

	world_open(&w);
	struct sip_invite_config config = plain(&w);
	dial(&w, &config);
	while (!w.failed)
		sent += next(&w, &g, 5);
	CHECK_EQ(w.why, SIP_WHY_TIMEOUT);
	CHECK(sent == 6 || sent == 7); /* timer A: 20, 60, ... 1260 ms, and 1280 is the end */
	/* Hung up in silence: it ends by itself too. */
	dial(&w, &config);
	expect(&w, &g, SIP_INVITE);
	sip_call_hangup(w.call, NULL);
	UNTIL(&w, w.failed == 2);
	CHECK_EQ(w.why, SIP_WHY_CANCELLED);
	/* And where nothing listens, the kernel says so. */
	close(w.far.fd);
	close(w.far.tcp);
	dial(&w, &config);
	UNTIL(&w, w.failed == 3);
	CHECK(w.why == SIP_WHY_TRANSPORT || w.why == SIP_WHY_TIMEOUT);
	far_open(&w.far);
	UNTIL(&w, sip_agent_calls(w.agent) == 0);
	world_close(&w);
}

static void two_phones_answer(void)
{
	struct world w;
	struct got invite, g, bye;

	world_open(&w);
	establish(&w, &invite);
	reply(&w, &invite, 200, "fork-b", contact(&w), "v=0 b");
	do
		expect(&w, &g, SIP_ACK);
	while (!span_is(g.m.to.tag, "fork-b"));
	expect(&w, &bye, SIP_BYE);
	CHECK(span_is(bye.m.to.tag, "fork-b"));
	reply(&w, &bye, 200, NULL, NULL, NULL);
	reply(&w, &invite, 200, "fork-b", contact(&w), "v=0 b");
	expect(&w, &g, SIP_ACK);
	expect_none(&w, SIP_BYE);
	CHECK_EQ(w.ended, 0);
	hang_up(&w);
	world_close(&w);
}

static void redirections(void)
{
	struct world w;
	struct got g, again, ack;
	char contacts[512];

	world_open(&w);
	struct sip_invite_config config = plain(&w);
	w.redirect_to = "good";
	dial(&w, &config);
	expect(&w, &g, SIP_INVITE);
	snprintf(contacts, sizeof contacts,
		"Contact: <sip:evil@127.0.0.1:%u>;q=1.0, <sip:good@127.0.0.1:%u;x=1>;q=0.2,\r\n"
		"  <sip:good@127.0.0.1:%u;x=2>;q=0.7, <tel:+1>, *\r\n",
		w.far.port, w.far.port, w.far.port);
	reply(&w, &g, 302, "moved", contacts, NULL);
	expect(&w, &ack, SIP_ACK);
	expect(&w, &again, SIP_INVITE);
	char uri[64];
	snprintf(uri, sizeof uri, "sip:good@127.0.0.1:%u;x=2", w.far.port);
	CHECK(span_is(again.m.uri, uri));
	CHECK_EQ(again.m.cseq.number, g.m.cseq.number + 1);
	CHECK(span_is(again.m.call_id, sip_call_id(w.call)));
	CHECK(again.m.to.uri.size == g.m.to.uri.size);
	reply(&w, &again, 180, "far1", contact(&w), NULL);
	reply(&w, &again, 200, "far1", contact(&w), "v=0");
	do
		expect(&w, &ack, SIP_ACK);
	while (!span_is(ack.m.to.tag, "far1"));
	UNTIL(&w, w.answered == 1);
	hang_up(&w);

	/* In a circle, it ends. */
	dial(&w, &config);
	for (int i = 0; i < 6; ++i) {
		do
			expect(&w, &g, SIP_INVITE);
		while (g.m.cseq.number != 1u + (unsigned)i);
		reply(&w, &g, 301, "round", contacts, NULL);
	}
	UNTIL(&w, w.failed == 1);
	CHECK_EQ(w.status, 301);
	world_close(&w);
}

/* RFC 2543 knew no tags. */
static void a_far_end_without_tags(void)
{
	struct world w;
	struct got invite, g;

	world_open(&w);
	struct sip_invite_config config = plain(&w);
	dial(&w, &config);
	expect(&w, &invite, SIP_INVITE);
	reply(&w, &invite, 180, NULL, contact(&w), NULL);
	reply(&w, &invite, 200, NULL, contact(&w), "v=0");
	expect(&w, &g, SIP_ACK);
	UNTIL(&w, w.answered == 1);
	reply(&w, &invite, 200, NULL, contact(&w), "v=0");
	expect(&w, &g, SIP_ACK);
	sip_call_hangup(w.call, NULL);
	expect(&w, &g, SIP_BYE);
	reply(&w, &invite, 200, NULL, contact(&w), "v=0");
	struct got ack;
	expect(&w, &ack, SIP_ACK);
	reply(&w, &g, 200, NULL, NULL, NULL);
	UNTIL(&w, w.ended == 1);
	CHECK_EQ(w.answered, 1);
	world_close(&w);
}

static void reliable_provisionals(void)
{
	struct world w;
	struct got invite, prack, g;
	char head[256];

	world_open(&w);
	struct sip_invite_config config = plain(&w);
	dial(&w, &config);
	expect(&w, &invite, SIP_INVITE);
	snprintf(head, sizeof head, "Require: 100rel\r\nRSeq: 776\r\n%s", contact(&w));
	reply(&w, &invite, 183, "far1", head, "v=0 early");
	expect(&w, &prack, SIP_PRACK);
	CHECK(value_is(&prack, SIP_H_RACK, "776 1 INVITE"));
	CHECK(prack.m.cseq.number > invite.m.cseq.number);
	CHECK(span_is(prack.m.to.tag, "far1"));
	reply(&w, &prack, 200, NULL, NULL, NULL);
	UNTIL(&w, w.progress == 1);
	reply(&w, &invite, 183, "far1", head, "v=0 early"); /* again: neither PRACK nor event */
	expect_none(&w, SIP_PRACK);
	CHECK_EQ(w.progress, 1);
	snprintf(head, sizeof head, "Require: 100rel\r\nRSeq: 777\r\n%s", contact(&w));
	reply(&w, &invite, 180, "far1", head, NULL);
	expect(&w, &prack, SIP_PRACK);
	CHECK(value_is(&prack, SIP_H_RACK, "777 1 INVITE"));
	reply(&w, &prack, 200, NULL, NULL, NULL);
	reply(&w, &invite, 200, "far1", contact(&w), "v=0");
	expect(&w, &g, SIP_ACK);
	UNTIL(&w, w.answered == 1);
	hang_up(&w);
	world_close(&w);
}

static void requests_within_the_call(void)
{
	static const struct {
		const char *method, *headers, *body;
		unsigned status;
	} cases[] = {
		{"OPTIONS", "", NULL, 200},
		{"INFO", "", "Signal=5\r\n", 200},
		{"UPDATE", "", NULL, 200},
		{"UPDATE", "", "v=0 offer", 200},
		{"INVITE", "", "v=0 hold", 200},
		{"INVITE", "", NULL, 200},
		{"PRACK", "RAck: 1 1 INVITE\r\n", NULL, 481},
		{"NOTIFY", "Event: talk\r\n", NULL, 481},
		{"MESSAGE", "", "hello", 405},
		{"INFO", "Info-Package: weather\r\n", NULL, 469},
		{"INFO", "", NULL, 200},
		{"REFER", "Refer-To: <sip:a@127.0.0.1>\r\n", NULL, 405},
		{"PLEASE", "", NULL, 405},
		{"INVITE", "Require: blue-sky\r\n", NULL, 420},
	};
	struct world w;
	struct got invite, g;
	unsigned cseq = 100;

	world_open(&w);
	establish(&w, &invite);
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		char head[256];
		snprintf(head, sizeof head, "%s%s", cases[i].headers, contact(&w));
		far_request(&w, &invite, "far1", cases[i].method, ++cseq, head, cases[i].body);
		expect_status(&w, &g, cases[i].status);
		CHECK_EQ(g.m.cseq.number, cseq);
		CHECK(g.m.status != 405 || sip_message_lists(&g.m, SIP_H_ALLOW, "INVITE"));
		if (span_is(g.m.cseq.method, "INVITE") && g.m.status == 200) {
			/* Repeated until it is acknowledged. */
			CHECK(span_is(g.m.body, "v=0 answer"));
			expect_status(&w, &g, 200);
		}
		if (span_is(g.m.cseq.method, "INVITE"))
			far_request(&w, &invite, "far1", "ACK", cseq, NULL, NULL);
	}
	CHECK_EQ(w.offers, 3);
	CHECK_EQ(w.infos, 2);
	/* Older than what came before. */
	far_request(&w, &invite, "far1", "OPTIONS", 3, NULL, NULL);
	expect_status(&w, &g, 500);
	/* Not our dialog. */
	far_request(&w, &invite, "stranger", "BYE", 200, NULL, NULL);
	expect_status(&w, &g, 481);
	CHECK_EQ(w.ended, 0);
	hang_up(&w);
	world_close(&w);
}

static void over_tcp(void)
{
	struct world w;
	struct got invite, g;
	char out[4096];

	world_open(&w);
	CHECK(listen(w.far.tcp, 4) == 0);
	struct sip_invite_config config = plain(&w);
	config.protocol = SIP_PROTOCOL_TCP;
	dial(&w, &config);
	expect(&w, &invite, SIP_INVITE);
	CHECK(span_is(invite.m.via.transport, "TCP"));
	reply(&w, &invite, 180, "far1", contact(&w), NULL);
	UNTIL(&w, w.progress == 1);
	/* The 200 in pieces, that end in the middle of things. */
	struct writer wr = writer_of(out, sizeof out);
	struct sip_response_head head = {.status = 200, .to_tag = "far1"};
	sip_write_response_head(&wr, &invite.m, &head);
	write_text(&wr, contact(&w));
	sip_write_end(&wr, "application/sdp", span_text("v=0 far"));
	for (size_t at = 0; at < wr.used; at += 37) {
		far_send(&w, out + at, wr.used - at < 37 ? wr.used - at : 37);
		turn(&w);
	}
	expect(&w, &g, SIP_ACK);
	UNTIL(&w, w.answered == 1);
	CHECK_STR(w.body, "v=0 far");
	/* A ping, and two requests in one segment. */
	far_send(&w, "\r\n\r\n", 4);
	far_request(&w, &invite, "far1", "OPTIONS", 5, NULL, NULL);
	far_request(&w, &invite, "far1", "OPTIONS", 6, NULL, NULL);
	UNTIL(&w, w.far.stream_size || receive_tcp(&w, &g));
	w.far.stream_size = 0;
	sip_call_hangup(w.call, NULL);
	expect(&w, &g, SIP_BYE);
	reply(&w, &g, 200, NULL, NULL, NULL);
	UNTIL(&w, w.ended == 1);
	world_close(&w);
}

static void a_large_request_goes_by_tcp(void)
{
	static char big[2000];
	struct world w;
	struct got g;

	world_open(&w);
	memset(big, 'a', sizeof big - 1);
	struct sip_invite_config config = plain(&w);
	config.body = span_text(big);
	CHECK(listen(w.far.tcp, 4) == 0);
	dial(&w, &config);
	expect(&w, &g, SIP_INVITE);
	CHECK(span_is(g.m.via.transport, "TCP"));
	CHECK_EQ(g.m.body.size, sizeof big - 1);
	reply(&w, &g, 486, "b", NULL, NULL);
	UNTIL(&w, w.failed == 1);
	world_close(&w);

	/* Nobody listens there: by UDP after all. */
	world_open(&w);
	config = plain(&w);
	config.body = span_text(big);
	dial(&w, &config);
	expect(&w, &g, SIP_INVITE);
	CHECK(span_is(g.m.via.transport, "UDP"));
	CHECK_EQ(g.m.body.size, sizeof big - 1);
	reply(&w, &g, 486, "b", NULL, NULL);
	UNTIL(&w, w.failed == 1);
	CHECK_EQ(w.status, 486);
	world_close(&w);
}

static void junk_in_between(void)
{
	static const char *const junk[] = {"", "\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "SIP/2.0\r\n",
		"SIP/2.0 200 OK\r\n\r\n", "INVITE\r\nVia: \r\n\r\n",
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x;branch=y\r\nFrom: <\r\n\r\n"};
	struct world w;
	struct got invite, g;

	world_open(&w);
	struct sip_invite_config config = plain(&w);
	dial(&w, &config);
	expect(&w, &invite, SIP_INVITE);
	for (size_t i = 0; i < COUNT_OF(junk); ++i)
		far_send(&w, junk[i], strlen(junk[i]));
	reply(&w, &invite, 200, "far1", contact(&w), "v=0");
	expect(&w, &g, SIP_ACK);
	UNTIL(&w, w.answered == 1);
	for (size_t i = 0; i < COUNT_OF(junk); ++i)
		far_send(&w, junk[i], strlen(junk[i]));
	hang_up(&w);
	CHECK(sip_agent_counts(w.agent)->dropped[SIP_DROP_START_LINE] >= 2);
	world_close(&w);
}

/* Somebody with whom we have nothing to do hears nothing. */
static void strangers(void)
{
	struct world w;
	struct got g;
	char out[512];

	world_open(&w);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(sip_agent_port(w.agent)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int n = snprintf(out, sizeof out,
		"OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK1\r\n"
		"From: <sip:s@x>;tag=1\r\nTo: <sip:x@127.0.0.1>\r\nCall-ID: scan\r\n"
		"CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
		w.far.port);
	w.far.from = to;
	far_send(&w, out, (size_t)n);
	UNTIL(&w, sip_agent_counts(w.agent)->strangers == 1);
	CHECK(!next(&w, &g, QUIET_MS));

	CHECK_EQ(sip_agent_add_peer(w.agent, "127.0.0.0", 8), 0);
	w.far.from = to;
	far_send(&w, out, (size_t)n);
	expect_status(&w, &g, 200);
	CHECK(sip_message_lists(&g.m, SIP_H_ALLOW, "BYE"));
	CHECK(!sip_message_lists(&g.m, SIP_H_ALLOW, "REFER"));
	world_close(&w);
}

static void nonsense_is_refused_at_once(void)
{
	static const struct sip_extra evil = {"X-A", "1\r\nTo: <sip:evil@x>"};
	struct world w;

	world_open(&w);
	struct sip_invite_config config = plain(&w);
	const char *uris[] = {"sip:", "+15550100", "http://x", "sips:a@127.0.0.1",
		"sip:a@127.0.0.1;transport=sctp", "sip:a b@127.0.0.1"};
	for (size_t i = 0; i < COUNT_OF(uris); ++i) {
		config.request_uri = uris[i];
		CHECK_EQ(sip_invite(&w.call, w.agent, &config, &far_events, &w), -EINVAL);
	}
	config = plain(&w);
	config.headers = &evil;
	config.header_count = 1;
	CHECK_EQ(sip_invite(&w.call, w.agent, &config, &far_events, &w), -EINVAL);
	CHECK_EQ(w.failed, 0);
	CHECK_EQ(sip_agent_calls(w.agent), 0);
	world_close(&w);
}

static void memory_runs_out(void)
{
	for (int i = 0; i < 60; ++i) {
		struct world w;
		struct got invite, g;

		world_open(&w);
		struct sip_invite_config config = plain(&w);
		mem_fail_after(i);
		int r = sip_invite(&w.call, w.agent, &config, &far_events, &w);
		mem_fail_after(-1);
		if (r == 0 && next(&w, &invite, 30)) {
			/* Everything that happens with each allocation failing, later. */
			reply(&w, &invite, 200, "far1", contact(&w), "v=0");
			mem_fail_after(i % 12);
			(void)next(&w, &g, 10);
			mem_fail_after(-1);
			if (w.call)
				sip_call_hangup(w.call, NULL);
			(void)next(&w, &g, 10);
		}
		CHECK(w.failed + w.ended <= 1);
		world_close(&w);
	}
}

int main(void)
{
	static void (*const tests[])(void) = {
		a_plain_call,
		the_far_end_hangs_up,
		a_private_contact_and_two_routes,
		a_strict_router,
		challenges,
		wrong_password_is_not_tried_twice,
		refusals,
		cancel_waits_for_a_response,
		a_200_crosses_the_cancel,
		nobody_answers,
		two_phones_answer,
		redirections,
		a_far_end_without_tags,
		reliable_provisionals,
		requests_within_the_call,
		over_tcp,
		a_large_request_goes_by_tcp,
		junk_in_between,
		strangers,
		nonsense_is_refused_at_once,
		memory_runs_out,
	};
	at_once(tests, COUNT_OF(tests));
	return 0;
}

/* Messages in the manner of RFC 4475 (all written for this test), and the writer. */
#include "wire/sip_frag.h"
#include "wire/sip_write.h"
#include "test/check.h"

#define HEAD                                                                                       \
	"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa;rport\r\n"                                \
	"From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\nCall-ID: c1\r\n"

static enum sip_drop parse(struct sip_message *m, const char *text)
{
	return sip_message_parse(m, span_text(text));
}

/* 3.1.1.1: everything folded, blanks everywhere, odd case, escapes, an empty Subject. */
static const char tortuous[] =
	"INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n"
	"TO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n"
	"from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n  ;\r\n"
	"  tag = 98asjd8\r\n"
	"MaX-fOrWaRdS: 0068\r\n"
	"Call-ID: wsinv.ndaksdj@192.0.2.1\r\n"
	"Content-Length   : 3\r\n"
	"cseq: 0009\r\n  INVITE\r\n"
	"Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\n"
	"s :\r\n"
	"NewFangledHeader:   newfangled value\r\n continued newfangled value\r\n"
	"UnknownHeaderWithUnusualValue: ;;,,;;,;\r\n"
	"Content-Type: application/sdp\r\n"
	"Route:\r\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\n"
	"v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n"
	"  branch  =   z9hG4bK9ikj8  ,\r\n"
	" SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n"
	" z9hG4bK30239\r\n"
	"m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\r\n"
	"      newvalue ;\r\n  secondparam ; q = 0.33\r\n\r\n"
	"v=0trailing bytes";

/* RFC 5621: gateways of the phone network put ISUP beside the SDP. */
static void the_sdp_of_a_multipart(void)
{
	static const struct {
		const char *type, *content, *body;
		unsigned refusal;
	} cases[] = {
		{"multipart/mixed;boundary=\"x y\"", "--x y\r\nContent-Type: application/isup\r\n\r\nab\r\n--x y\r\nC: Application/SDP;a=b\r\n\r\nv=0\r\n--x y--\r\n",
			"v=0\r\n", 0},
		{"Multipart/Alternative ; Boundary=b", "preamble\n--b\nContent-Type: application/sdp\n\nv=0\n", "v=0\n", 0},
		{"multipart/mixed;boundary=b", "--b\r\n\r\nv=0\r\n--b--", "--b\r\n\r\nv=0\r\n--b--", 415},
		{"multipart/mixed", "--b\r\nContent-Type: application/sdp\r\n\r\nv=0", "--b\r\nContent-Type: application/sdp\r\n\r\nv=0", 415},
		{"multipart/mixed;boundary=b", "--b\r\nContent-Type: application/sdp", "", 0},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		char text[600];
		struct sip_message m;
		snprintf(text, sizeof text, "INVITE sip:a SIP/2.0\r\n" HEAD "CSeq: 1 INVITE\r\nContent-Type: %s\r\n\r\n%s",
			cases[i].type, cases[i].content);
		CHECK_EQ(parse(&m, text), SIP_OK);
		CHECK(span_is(m.body, cases[i].body));
		CHECK(span_is(m.content, cases[i].content));
		CHECK_EQ(sip_message_body_refusal(&m), cases[i].refusal);
	}
}

static void a_tortuous_invite(void)
{
	struct sip_message m;
	struct sip_items it = {.m = &m, .id = SIP_H_VIA};
	struct sip_name_addr contact;
	struct sip_via via;
	struct span item;

	CHECK_EQ(parse(&m, tortuous), SIP_OK);
	CHECK_EQ(sip_message_refusal(&m), 0);
	CHECK_EQ(m.method, SIP_INVITE);
	CHECK(span_is(m.body, "v=0"));
	CHECK(span_is(m.to.tag, "1918181833n"));
	CHECK(span_is(m.to.uri, "sip:vivekg@chair-dnrc.example.com"));
	CHECK(span_is(m.from.tag, "98asjd8"));
	CHECK(span_is(m.from.display, "J Rosenberg \\\\\\\""));
	CHECK_EQ(m.cseq.number, 9);
	CHECK(span_is(m.via.host, "192.0.2.2") && span_is(m.via.branch, "390skdjuw"));
	int vias = 0;
	while (sip_items_next(&it, &item)) {
		CHECK_EQ(sip_via_parse(&via, item), 0);
		++vias;
	}
	CHECK_EQ(vias, 3);
	CHECK(span_is(via.branch, "z9hG4bK30239"));
	CHECK_EQ(sip_name_addr_parse(&contact, sip_message_value(&m, SIP_H_CONTACT)), 0);
	CHECK(span_is(contact.uri, "sip:jdrosen@example.com"));
	CHECK(sip_param_get(contact.params, "q", &item) && span_is(item, "0.33"));
	CHECK(sip_message_header(&m, SIP_H_SUBJECT) && !sip_message_value(&m, SIP_H_SUBJECT).size);
	CHECK(span_is(sip_message_value_named(&m, "unknownheaderwithunusualvalue"), ";;,,;;,;"));
}

static void what_is_no_message(void)
{
	static const struct {
		const char *text;
		enum sip_drop why;
	} cases[] = {
		{"", SIP_DROP_KEEPALIVE},
		{"\r\n\r\n", SIP_DROP_KEEPALIVE},
		{"INVITE sip:a@b SIP/2.0", SIP_DROP_START_LINE},
		{"GET / HTTP/1.1\r\n\r\n", SIP_DROP_START_LINE},
		{"SIP/2.0 20 OK\r\n" HEAD "CSeq: 1 A\r\n\r\n", SIP_DROP_START_LINE},
		{"SIP/2.0 700 OK\r\n" HEAD "CSeq: 1 A\r\n\r\n", SIP_DROP_START_LINE},
		{"SIP/7.0 200 OK\r\n" HEAD "CSeq: 1 A\r\n\r\n", SIP_DROP_START_LINE},
		{"SIP/2.0 200 OK\r\n" HEAD "CSeq: 1 A\r\n", SIP_DROP_UNFINISHED},
		{"SIP/2.0 200 OK\r\n" HEAD "CSeq: 1 A\r\nContent-Length: 1\r\n\r\n", SIP_DROP_LENGTH},
		{"SIP/2.0 200 OK\r\n" HEAD "CSeq: 1 A\r\nContent-Length: -9\r\n\r\n", SIP_DROP_LENGTH},
		{"SIP/2.0 200 OK\r\n" HEAD "CSeq: 1 A\r\nl: 0\r\nl: 1\r\n\r\nx", SIP_DROP_LENGTH},
		{"SIP/2.0 200 OK\r\n" HEAD "CSeq: one A\r\n\r\n", SIP_DROP_CSEQ},
		{"SIP/2.0 200 OK\r\n" HEAD "CSeq: 36893488147419103232 A\r\n\r\n", SIP_DROP_CSEQ},
		{"SIP/2.0 200 OK\r\n" HEAD "CSeq: 1\r\n\r\n", SIP_DROP_CSEQ},
		{"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP\r\n\r\n", SIP_DROP_VIA},
		{"SIP/2.0 200 OK\r\nFrom: <sip:a@b>\r\n\r\n", SIP_DROP_VIA},
		{"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;;\r\nFrom: \"x <sip:a@b>\r\n\r\n", SIP_DROP_FROM},
		{"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a\r\nFrom: <sip:a@b\r\n\r\n", SIP_DROP_FROM},
		{"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a\r\nf:sip:a@b\r\nt: *\r\n\r\n", SIP_DROP_TO},
		{"SIP/2.0 200 OK\r\nv: SIP/2.0/UDP a\r\nf:sip:a@b\r\nt:sip:a@b\r\ni:\r\n\r\n",
			SIP_DROP_CALL_ID},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct sip_message m;
		enum sip_drop why = parse(&m, cases[i].text);
		if (why != cases[i].why)
			fprintf(stderr, "case %zu: %s\n", i, sip_drop_text(why));
		CHECK_EQ(why, cases[i].why);
	}
	char many[16384] = "OPTIONS sip:a@b SIP/2.0\r\n";
	for (int i = 0; i < LIMIT_SIP_HEADERS + 1; ++i)
		strncat(many, "A: b\r\n", sizeof many - strlen(many) - 1);
	struct sip_message m;
	CHECK_EQ(parse(&m, many), SIP_DROP_HEADERS_MANY);
}

static void what_a_request_deserves(void)
{
	static const struct {
		const char *text;
		unsigned status;
	} cases[] = {
		{"OPTIONS sip:a@b SIP/2.0\r\n" HEAD "CSeq: 1 OPTIONS\r\n\r\n", 0},
		{"OPTIONS tel:+15550100 SIP/2.0\r\n" HEAD "CSeq: 1 OPTIONS\r\n\r\n", 0},
		{"OPTIONS sip:a@b SIP/7.0\r\n" HEAD "CSeq: 1 OPTIONS\r\n\r\n", 505},
		{"OPTIONS sip:a@b SIP/2.0\r\n" HEAD "CSeq: 1 INVITE\r\n\r\n", 400},
		{"OPTIONS sip:a@b  lr SIP/2.0\r\n" HEAD "CSeq: 1 OPTIONS\r\n\r\n", 400},
		{"OPTIONS <sip:a@b> SIP/2.0\r\n" HEAD "CSeq: 1 OPTIONS\r\n\r\n", 400},
		{"OPTIONS soap.beep://x SIP/2.0\r\n" HEAD "CSeq: 1 OPTIONS\r\n\r\n", 416},
		{"OPTIONS sip:a@b SIP/2.0\r\n" HEAD "CSeq: 1 OPTIONS\r\nMax-Forwards: x\r\n\r\n", 400},
		{"OPTIONS sip:a@b SIP/2.0\r\n" HEAD "CSeq: 1 OPTIONS\r\nCSeq: 1 OPTIONS\r\n\r\n", 400},
		{"OPTIONS sip:a@b SIP/2.0\r\n" HEAD "CSeq: 1 OPTIONS\r\nno header\r\n\r\n", 400},
		{"OPTIONS sip:a@b SIP/2.0\r\nv:SIP/2.0/UDP a\r\nf:sip:a@b\r\nt:sip:c@d\r\ni:1\r\n"
		 "CSeq: 1 OPTIONS\r\n\r\n", 0}, /* From without tag: RFC 2543 */
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct sip_message m;
		CHECK_EQ(parse(&m, cases[i].text), SIP_OK);
		CHECK_EQ(sip_message_refusal(&m), cases[i].status);
	}
}

static void odd_but_right(void)
{
	struct sip_message m;
	struct sip_reason reason;
	struct sip_rack rack;
	struct sip_name_addr a;

	/* 3.1.1.2, 3.1.1.3: a method of all token characters. */
	CHECK_EQ(parse(&m, "!interesting-Method0123456789_*+`.%indeed'~ sip:a@b SIP/2.0\r\n" HEAD
			   "CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~\r\n\r\n"),
		SIP_OK);
	CHECK_EQ(m.method, SIP_METHOD_OTHER);
	CHECK_EQ(sip_message_refusal(&m), 0);
	CHECK_EQ(sip_method_of(span_text("invite")), SIP_METHOD_OTHER);

	/* 3.1.1.13: no reason phrase; two Content-Length that agree; lonely line feeds. */
	CHECK_EQ(parse(&m, "SIP/2.0 100 \r\n" HEAD "CSeq: 1 INVITE\r\nl: 2\r\nContent-Length: 2"
			   "\r\n\r\nabc"),
		SIP_OK);
	CHECK(m.is_response && m.method == SIP_INVITE && !m.reason.size && m.body.size == 2);
	CHECK_EQ(parse(&m, "\r\n\nSIP/2.0 200 Fine, thanks\nv:SIP/2.0/TCP [2001:db8::9]:5062;received="
			   "1.2.3.4;rport=99\nf:sip:a@b;tag=9\nt:sip:c@d\ni:1\nCSeq:1 BYE\n\nbody"),
		SIP_OK);
	CHECK(span_is(m.reason, "Fine, thanks") && span_is(m.body, "body"));
	CHECK(span_is(m.via.host, "2001:db8::9") && m.via.port == 5062 && m.via.rport == 99);
	CHECK(span_is(m.via.received, "1.2.3.4") && span_is(m.from.tag, "9"));

	CHECK_EQ(sip_reason_parse(&reason, span_text("Q.850 ;cause=16 ;text=\"a;b\"")), 0);
	CHECK(reason.cause == 16 && span_is(reason.text, "a;b"));
	CHECK_EQ(sip_reason_parse(&reason, span_text(";")), SIP_HEADER_E_BAD);
	CHECK_EQ(sip_rack_parse(&rack, span_text("776656  1 INVITE")), 0);
	CHECK(rack.rseq == 776656 && rack.cseq.number == 1);
	CHECK_EQ(sip_rack_parse(&rack, span_text("1 INVITE")), SIP_HEADER_E_BAD);

	CHECK_EQ(sip_name_addr_parse(&a, span_text("\"Desk <1>; \\\"a\\\"\" <sip:x@y;lr>;q=1")), 0);
	CHECK(span_is(a.uri, "sip:x@y;lr") && span_is(a.params, "q=1"));
	CHECK_EQ(sip_name_addr_parse(&a, span_text("Jane Doe <sip:x@y>")), 0);
	CHECK(span_is(a.display, "Jane Doe"));
	CHECK_EQ(sip_name_addr_parse(&a, span_text("<sip:x@y> junk")), SIP_HEADER_E_BAD);
	CHECK_EQ(sip_name_addr_parse(&a, span_text("<>")), SIP_HEADER_E_BAD);

	struct span list = span_text(", <sip:a,b@c>;x=\"1,2\" ,, \"q,\\\",\" <sip:d>,"), item;
	CHECK(sip_list_next(&list, &item) && span_is(item, "<sip:a,b@c>;x=\"1,2\""));
	CHECK(sip_list_next(&list, &item) && span_is(item, "\"q,\\\",\" <sip:d>"));
	CHECK(!sip_list_next(&list, &item));
}

static void how_a_transfer_goes(void)
{
	static const struct {
		const char *text;
		unsigned status; /* 0: no status line */
		const char *reason;
	} cases[] = {
		{"SIP/2.0 200 OK", 200, "OK"},
		{"SIP/2.0 100 Trying\r\n", 100, "Trying"},
		{"\r\nsip/2.0  486  Busy Here\r\nContact: <sip:a@b>\r\n", 486, "Busy Here"},
		{"SIP/2.0 603", 603, ""},
		{"SIP/2.0 1000 Much", 0, ""},
		{"SIP/2.0 99 Little", 0, ""},
		{"SIP/2.0 2x0 OK", 0, ""},
		{"SIP/2.0", 0, ""},
		{"INVITE sip:a@b SIP/2.0", 0, ""},
		{"", 0, ""},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		unsigned status = 0;
		struct span reason = {0};
		int r = sip_frag_parse(span_text(cases[i].text), &status, &reason);
		CHECK_EQ(r, cases[i].status ? 0 : SIP_FRAG_E_BAD);
		CHECK_EQ(status, cases[i].status);
		CHECK(span_is(reason, cases[i].reason));
	}
}

static void streams(void)
{
#define REQUEST "OPTIONS sip:a@b SIP/2.0\r\nVia: x\r\nContent-Length : 4\r\n\r\nbody"
	static const char two[] = REQUEST "\r\nNEXT";
	size_t size = 0, whole = strlen(REQUEST);

	for (size_t i = 0; i < whole; ++i)
		CHECK_EQ(sip_message_frame(span_of(two, i), &size), SIP_FRAME_E_MORE);
	CHECK_EQ(sip_message_frame(span_of(two, whole), &size), 0);
	CHECK_EQ(size, whole);
	CHECK_EQ(sip_message_frame(span_of(two, sizeof two - 1), &size), 0);
	CHECK_EQ(size, whole);
	CHECK_EQ(sip_message_frame(span_of(two + whole, 6), &size), SIP_FRAME_E_BLANK);
	CHECK_EQ(size, 2);
	CHECK_EQ(sip_message_frame(span_text("A b SIP/2.0\r\nVia: x\r\n\r\n"), &size),
		SIP_FRAME_E_BROKEN);
	CHECK_EQ(sip_message_frame(span_text("A b SIP/2.0\r\nl: 99999999\r\n\r\n"), &size),
		SIP_FRAME_E_BROKEN);
	static char long_head[LIMIT_SIP_MESSAGE_BYTES + 2];
	memset(long_head, 'a', sizeof long_head);
	CHECK_EQ(sip_message_frame(span_of(long_head, sizeof long_head), &size),
		SIP_FRAME_E_BROKEN);
}

static void writing(void)
{
	char out[2048];
	struct sip_message m;
	struct writer w = writer_of(out, sizeof out);
	struct sip_response_head head = {.status = 200, .to_tag = "us", .received_ip = "192.0.2.7",
		.received_port = 1234};

	CHECK_EQ(parse(&m, tortuous), SIP_OK);
	m.via.has_rport = true;
	sip_write_response_head(&w, &m, &head);
	sip_write_header(&w, "Contact", span_text("<sip:x@y>"));
	sip_write_end(&w, "application/sdp", span_text("v=0"));
	CHECK(!w.bad);
	struct sip_message r;
	CHECK_EQ(sip_message_parse(&r, writer_span(&w)), SIP_OK);
	CHECK_EQ(r.broken_lines, 0);
	CHECK(r.status == 200 && span_is(r.reason, "OK") && span_is(r.body, "v=0"));
	CHECK(span_is(r.to.tag, "1918181833n")); /* it had one already */
	CHECK(span_is(r.via.received, "192.0.2.7") && r.via.rport == 1234);
	CHECK(span_is(r.via.branch, "390skdjuw"));
	CHECK(span_is(r.call_id, "wsinv.ndaksdj@192.0.2.1") && r.cseq.number == 9);

	/* A line end in what we write ourselves spoils the whole message. */
	w = writer_of(out, sizeof out);
	sip_write_header(&w, "X", span_text("a\r\nVia: b"));
	CHECK(w.bad && !writer_span(&w).size);
	w = writer_of(out, sizeof out);
	sip_write_quoted(&w, span_text("a\"b\\c\r\n"));
	CHECK(span_is(writer_span(&w), "\"a\\\"b\\\\c  \""));
	w = writer_of(out, 10);
	sip_write_request(&w, span_text("INVITE"), span_text("sip:a@b"));
	CHECK(w.bad);
}

int main(void)
{
	a_tortuous_invite();
	the_sdp_of_a_multipart();
	what_is_no_message();
	what_a_request_deserves();
	odd_but_right();
	how_a_transfer_goes();
	streams();
	writing();
	return 0;
}

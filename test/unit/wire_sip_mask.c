#include "wire/sip_mask.h"

#include "test/check.h"

static void masked(const char *text, const char *want)
{
	char bytes[1000];
	snprintf(bytes, sizeof bytes, "%s", text);
	sip_mask((uint8_t *)bytes, strlen(bytes));
	CHECK_STR(bytes, want);
}

#define START "INVITE sip:+1@x SIP/2.0\r\n"

static void secrets_of_headers_are_hidden(void)
{
	static const struct {
		const char *is, *becomes;
	} lines[] = {
		{"Authorization: Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", response=\"0a1b\"",
			"Authorization: Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", response=\"****\""},
		{"proxy-authorization:Digest response=0a1b,qop=auth,nc=00000001", "proxy-authorization:Digest response=****,qop=auth,nc=00000001"},
		{"Authorization: Digest username=\"a, response=\\\"x\", response=\"12\"", "Authorization: Digest username=\"a, response=\\\"x\", response=\"**\""},
		{"Authorization: Digest response=\"1\r\n 23\", opaque=\"o\"", "Authorization: Digest response=\"*\r\n **\", opaque=\"o\""},
		{"Authorization: Basic dTpw", "Authorization: Basic ****"},
		{"Authorization: Digest abc", "Authorization: Digest ***"},
		{"Authorization: Digest  auth-param, response=x", "Authorization: Digest  auth-param, response=*"},
		{"Authentication-Info: rspauth=\"ab\", nextnonce=\"n\"", "Authentication-Info: rspauth=\"**\", nextnonce=\"n\""},
		{"X-Telnyx-Token: abc def", "X-Telnyx-Token: *** ***"},
		{"X-Auth-Password : pw", "X-Auth-Password : **"},
		{"Cookie: a", "Cookie: *"},
		{"From: \"Bob\" <sip:bob:secret@x:5060>;tag=1", "From: \"Bob\" <sip:bob:******@x:5060>;tag=1"},
		{"To: <sip:+15550100@x:5060;transport=udp>", "To: <sip:+15550100@x:5060;transport=udp>"},
		{"Contact: sips:u:p@x, <sip:v:qq@y>", "Contact: sips:u:*@x, <sip:v:**@y>"},
		{"WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"", "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\""},
		{"Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1", "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1"},
	};
	for (size_t i = 0; i < COUNT_OF(lines); ++i) {
		char is[500], becomes[500];
		snprintf(is, sizeof is, START "%s\r\nCSeq: 1 INVITE\r\n\r\n", lines[i].is);
		snprintf(becomes, sizeof becomes, START "%s\r\nCSeq: 1 INVITE\r\n\r\n", lines[i].becomes);
		masked(is, becomes);
	}
	masked("INVITE sip:u:pw@x SIP/2.0\r\n\r\n", "INVITE sip:u:**@x SIP/2.0\r\n\r\n");
}

static void keys_of_bodies_are_hidden(void)
{
	masked(START "\r\nv=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc|2^20|1:4;inline:de\r\na=ice-pwd:xyz\r\nk=clear:q\r\na=sendrecv\r\n",
		START "\r\nv=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:***|2^20|1:4;inline:**\r\na=ice-pwd:***\r\nk=*******\r\na=sendrecv\r\n");
	masked("INFO sip:x SIP/2.0\r\nContent-Type: application/dtmf-relay\r\n\r\nSignal=5\r\nDuration=160\r\n",
		"INFO sip:x SIP/2.0\r\nContent-Type: application/dtmf-relay\r\n\r\nSignal=*\r\nDuration=160\r\n");
	masked("INFO sip:x SIP/2.0\nc:application/dtmf\n\n5", "INFO sip:x SIP/2.0\nc:application/dtmf\n\n*");
	masked("", "");
	masked("a=ice-pwd:", "a=ice-pwd:");
}

/* Whatever its type: what an INFO says may be somebody's PIN. */
static void keys_that_were_pressed_are_hidden(void)
{
	static const struct {
		const char *head, *body, *becomes;
	} bodies[] = {
		{"Content-Type: text/plain\r\n", "Signal=5\r\n", "Signal=*\r\n"},
		{"", "Signal = 5\r\nDuration = 160\r\n", "Signal = *\r\nDuration = 160\r\n"},
		{"Content-Type: audio/telephone-event\r\n", "\x05\x8a\x03", "***"},
		{"Content-Type: application/vnd.nortelnetworks.digits\r\n", "p=Digit-Collection\r\ny=Digits\r\nd=1234\r\n",
			"******************\r\n********\r\n******\r\n"},
		{"Content-Type: application/media_control+xml\r\n", "<a digits=\"1 2\"/>", "** ********* ****"},
		{"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n", "NQ==", "****"},
		{"Content-Type: multipart/mixed;\r\n boundary=\"b\"\r\n",
			"--b\r\nContent-Type: application/dtmf-relay\r\nContent-ID:\r\n <5>\r\n\r\nSignal=5\r\nDuration=90\r\n--b\r\n\r\n1234\r\n--b--\r\n",
			"--b\r\nContent-Type: application/dtmf-relay\r\nContent-ID:\r\n <5>\r\n\r\nSignal=*\r\nDuration=90\r\n--b\r\n\r\n****\r\n--b--\r\n"},
		/* A part that forgot its empty line. */
		{"c:multipart/mixed;boundary=b\r\n", "--b\r\nSignal=5\r\nc: x\r\n--b\r\n1234\r\n", "--b\r\nSignal=*\r\n** *\r\n--b\r\n****\r\n"},
	};
	char is[600], becomes[600];

	for (size_t i = 0; i < COUNT_OF(bodies); ++i) {
		snprintf(is, sizeof is, "INFO sip:x SIP/2.0\r\n%s\r\n%s", bodies[i].head, bodies[i].body);
		snprintf(becomes, sizeof becomes, "INFO sip:x SIP/2.0\r\n%s\r\n%s", bodies[i].head, bodies[i].becomes);
		masked(is, becomes);
		snprintf(is, sizeof is, "SIP/2.0 200 OK\r\nCSeq: 7 INFO\r\n%s\r\n%s", bodies[i].head, bodies[i].body);
		snprintf(becomes, sizeof becomes, "SIP/2.0 200 OK\r\nCSeq: 7 INFO\r\n%s\r\n%s", bodies[i].head, bodies[i].becomes);
		masked(is, becomes);
	}
	masked("NOTIFY sip:x SIP/2.0\r\nContent-Type: application/kpml-response+xml\r\n\r\n<k digits=\"4\"/>",
		"NOTIFY sip:x SIP/2.0\r\nContent-Type: application/kpml-response+xml\r\n\r\n** ************");
	/* Other parts of other requests say what they say, but for the keys of SRTP. */
	masked(START "c: multipart/mixed;boundary=b\r\n\r\n--b\r\nc:application/sdp\r\n\r\nv=0\r\nk=clear:q\r\n--b\r\nc: application/dtmf\r\n\r\n5\r\n--b\r\nc: text/x\r\n\r\n5\r\n",
		START "c: multipart/mixed;boundary=b\r\n\r\n--b\r\nc:application/sdp\r\n\r\nv=0\r\nk=*******\r\n--b\r\nc: application/dtmf\r\n\r\n*\r\n--b\r\nc: text/x\r\n\r\n5\r\n");
}

int main(void)
{
	keys_that_were_pressed_are_hidden();
	secrets_of_headers_are_hidden();
	keys_of_bodies_are_hidden();
	return 0;
}

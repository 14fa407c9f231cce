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
	masked("INFO sip:x SIP/2.0\r\nContent-Type: text/plain\r\n\r\nSignal=5\r\n", "INFO sip:x SIP/2.0\r\nContent-Type: text/plain\r\n\r\nSignal=5\r\n");
	masked("", "");
	masked("a=ice-pwd:", "a=ice-pwd:");
}

int main(void)
{
	secrets_of_headers_are_hidden();
	keys_of_bodies_are_hidden();
	return 0;
}

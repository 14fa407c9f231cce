#include "trunk/explain.h"

#include "base/buf.h"
#include "test/check.h"
#include "trunk/explain_table.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define REASON(r) LIVEKIT__DISCONNECT_REASON__##r

static void known_failures_have_their_sentence(void)
{
	static const struct {
		struct call_failure f;
		const char *code, *twirp;
		Livekit__DisconnectReason reason;
		const char *says;
	} cases[] = {
		{{.sip_status = 486}, "busy", "resource_exhausted", REASON(USER_REJECTED), "busy"},
		{{.sip_status = 404}, "unknown_number", "not_found", REASON(USER_UNAVAILABLE), "does not exist"},
		{{.sip_status = 480}, "unavailable", "resource_exhausted", REASON(USER_UNAVAILABLE), "later"},
		{{.sip_status = 603}, "rejected", "permission_denied", REASON(USER_REJECTED), "declined"},
		{{.sip_status = 503}, "trunk_error", "failed_precondition", REASON(SIP_TRUNK_FAILURE), "sip.x"},
		{{.sip_status = 499, .reason = "Odd"}, "refused", "invalid_argument", REASON(USER_REJECTED), "Odd"},
		{{.sip_status = 599, .reason = "Odd"}, "trunk_error", "failed_precondition",
			REASON(SIP_TRUNK_FAILURE), "Odd"},
		{{.sip_status = 699}, "rejected", "invalid_argument", REASON(USER_REJECTED), "SIP 699"},
		{{.sip_status = 403}, "forbidden", "permission_denied", REASON(USER_REJECTED), "sip.x"},
		{{.sip_status = 403, .after_challenge = true, .has_credentials = true}, "credentials",
			"permission_denied", REASON(USER_REJECTED), "password"},
		{{.sip_status = 407}, "credentials_missing", "failed_precondition", REASON(USER_REJECTED),
			"auth_username"},
		{{.sip_status = 401, .after_challenge = true, .has_credentials = true}, "credentials",
			"failed_precondition", REASON(USER_REJECTED), "password"},
		{{.sip_status = 403, .provider = "32201 Authentication failure - source IP address not in ACL"},
			"address_not_allowed", "permission_denied", REASON(USER_REJECTED), "IP access list"},
		{{.sip_status = 403, .provider = "32205", .after_challenge = true}, "country_off_at_provider",
			"permission_denied", REASON(USER_REJECTED), "Geo permissions"},
		{{.sip_status = 400, .reason = "The number is unverified"}, "unverified_number",
			"invalid_argument", REASON(USER_REJECTED), "Trial"},
		{{.sip_status = 503, .reason = "Trunk CPS limit exceeded"}, "provider_rate",
			"failed_precondition", REASON(SIP_TRUNK_FAILURE), "per second"},
		{{.sip_status = 488, .provider = "32208"}, "encryption", "invalid_argument",
			REASON(USER_REJECTED), "Secure Trunking"},
		{{.kind = CALL_FAILURE_TIMEOUT}, "trunk_unreachable", "canceled", REASON(SIP_TRUNK_FAILURE),
			"firewall"},
		{{.kind = CALL_FAILURE_NO_ANSWER}, "no_answer", "canceled", REASON(USER_UNAVAILABLE), "answered"},
		{{.kind = CALL_FAILURE_TRANSPORT}, "trunk_unreachable", "failed_precondition",
			REASON(SIP_TRUNK_FAILURE), "sip.x"},
		{{.kind = CALL_FAILURE_DNS}, "trunk_address", "invalid_argument", REASON(SIP_TRUNK_FAILURE),
			"sip.x"},
		{{.kind = CALL_FAILURE_MEDIA}, "media", "failed_precondition", REASON(MEDIA_FAILURE), "PCMU"},
		{{.kind = CALL_FAILURE_MEDIA_FAMILY}, "media", "failed_precondition", REASON(MEDIA_FAILURE), "media_family"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct call_failure f = cases[i].f;
		struct call_explanation e;
		f.address = "sip.x";
		explain_failure(&e, &f);
		CHECK_STR(e.code, cases[i].code);
		CHECK_STR(e.twirp_code, cases[i].twirp);
		CHECK_EQ(e.reason, cases[i].reason);
		CHECK(strstr(e.sentence, cases[i].says));
	}
}

/* Whatever the status and the far end's words: a whole sentence, no gap, no overflow. */
static void every_status_has_a_sentence(void)
{
	char long_words[600];
	memset(long_words, 'x', sizeof long_words - 1);
	long_words[sizeof long_words - 1] = 0;
	for (int status = 300; status < 700; ++status) {
		struct call_explanation e;
		explain_failure(&e, &(struct call_failure){
					    .sip_status = status,
					    .reason = status % 2 ? long_words : "a\r\nb",
					    .provider = status % 3 ? NULL : "no number",
					    .address = status % 5 ? long_words : NULL,
				    });
		CHECK(strlen(e.sentence) > 10 && strlen(e.sentence) < sizeof e.sentence);
		CHECK(isupper((unsigned char)e.sentence[0]) && !strchr(e.sentence, '{'));
		CHECK(!strpbrk(e.sentence, "\r\n"));
		CHECK(e.code && e.twirp_code);
	}
}

/* ---- the table ---- */

static bool is_known(const char *text, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; ++i)
		if (!strcmp(list[i], text))
			return true;
	return false;
}

static bool is_blank_known(const char *open)
{
	static const char *const blanks[] = {"{address}", "{trunk}", "{number}", "{caller}", "{country}", "{seen}",
		"{media}", "{family}", "{setting}", "{reason}", "{cause}", "{when}"};
	for (size_t i = 0; i < COUNT_OF(blanks); ++i)
		if (!strncmp(open, blanks[i], strlen(blanks[i])))
			return true;
	return false;
}

static void check_row(const struct ending *row)
{
	static const char *const twirp[] = {"invalid_argument", "permission_denied", "not_found", "unauthenticated",
		"resource_exhausted", "failed_precondition", "deadline_exceeded", "aborted", "canceled", "unavailable",
		"internal", "out_of_range"};
	CHECK(row->code && *row->code && row->text && *row->text);
	CHECK(strspn(row->code, "abcdefghijklmnopqrstuvwxyz_") == strlen(row->code));
	CHECK(isupper((unsigned char)row->sentence[0]) && row->sentence[strlen(row->sentence) - 1] == '.');
	CHECK(!row->twirp || is_known(row->twirp, twirp, COUNT_OF(twirp)));
	for (const char *open = row->sentence; (open = strchr(open, '{')); ++open)
		CHECK(is_blank_known(open));
	CHECK(*ended_by_text(row->by) && *call_retry_text(row->retry));
	CHECK(!row->retry_s || row->retry == RETRY_LATER);
	/* "Call again later" and a verdict that calling again is of no use would contradict each other. */
	CHECK(!strstr(row->sentence, "{when}") || row->retry == RETRY_LATER || row->sign == ENDING_WARNING);
}

static struct ending_part part_at(size_t i)
{
	struct ending_part (*const parts[])(void) = {endings_by_status, endings_by_carrier, endings_by_network, endings_of_ours};
	return i < COUNT_OF(parts) ? parts[i]() : (struct ending_part){0};
}

static void every_row_is_whole_and_there_once(void)
{
	struct ending_part part;
	for (size_t p = 0; (part = part_at(p)).count; ++p)
		for (size_t i = 0; i < part.count; ++i) {
			const struct ending *a = &part.rows[i];
			check_row(a);
			for (size_t k = 0; k < i; ++k) {
				const struct ending *b = &part.rows[k];
				CHECK(a->sign != b->sign || a->number != b->number ||
					(!a->number && strcasecmp(a->text, b->text)));
			}
		}
	for (int kind = CALL_FAILURE_TIMEOUT; kind < CALL_FAILURE__COUNT; ++kind)
		CHECK(ending_of(endings_of_ours(), ENDING_FAULT, kind));
	for (int kind = 0; kind < CALL_END__COUNT; ++kind)
		CHECK(ending_of(endings_of_ours(), ENDING_NORMAL, kind));
	for (int kind = 0; kind < LOGIN__COUNT; ++kind)
		CHECK(ending_of(endings_of_ours(), ENDING_LOGIN, kind));
}

/* ---- docs/endings.md is the same table ---- */

static const char *reason_name(const struct ending *row)
{
	const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(&livekit__disconnect_reason__descriptor, (int)row->reason);
	return v->name;
}

static void write_sign(struct buf *b, const struct ending *row)
{
	int r;
	if (row->sign == ENDING_STATUS || row->sign == ENDING_Q850 || row->sign == ENDING_WARNING)
		r = buf_format(b, "| %d %s ", row->number, row->text);
	else if (row->sign == ENDING_TWILIO)
		r = buf_format(b, "| %d ", row->number);
	else if (row->sign == ENDING_WORDS)
		r = buf_format(b, "| \"%s\" ", row->text);
	else
		r = buf_format(b, "| %s ", row->text);
	CHECK_EQ(r, 0);
}

static void write_row(struct buf *b, const struct ending *row)
{
	char again[48];
	snprintf(again, sizeof again, row->retry_s ? "%s, %u s" : "%s", call_retry_text(row->retry), row->retry_s);
	write_sign(b, row);
	CHECK_EQ(buf_format(b, "| `%s` | %s | %s | %s |", row->code, row->sentence, ended_by_text(row->by), again), 0);
	if (row->twirp && row->q850)
		CHECK_EQ(buf_format(b, " `%s` | `%s` | %u |", row->twirp, reason_name(row), row->q850), 0);
	else if (row->twirp)
		CHECK_EQ(buf_format(b, " `%s` | `%s` | - |", row->twirp, reason_name(row)), 0);
	CHECK_EQ(buf_add_text(b, "\n"), 0);
}

static void write_part(struct buf *b, struct ending_part part, const char *title, unsigned signs)
{
	bool with_codes = false, begun = false;
	for (size_t i = 0; i < part.count; ++i)
		with_codes |= (signs & BIT(part.rows[i].sign)) && part.rows[i].twirp;
	for (size_t i = 0; i < part.count; ++i) {
		if (!(signs & BIT(part.rows[i].sign)))
			continue;
		if (!begun)
			CHECK_EQ(buf_format(b, "| %s | code | sentence | ended by | again |%s\n|---|---|---|---|---|%s\n", title,
					 with_codes ? " Twirp code | disconnect reason | Q.850 |" : "",
					 with_codes ? "---|---|---|" : ""), 0);
		begun = true;
		write_row(b, &part.rows[i]);
	}
}

static const struct {
	struct ending_part (*part)(void);
	unsigned signs;
	const char *title;
} tables[] = {
	{endings_by_status, BIT(ENDING_STATUS) | BIT(ENDING_CLASS), "SIP"},
	{endings_of_ours, BIT(ENDING_LOGIN), "when"},
	{endings_of_ours, BIT(ENDING_FAULT), "when"},
	{endings_of_ours, BIT(ENDING_NORMAL), "when"},
	{endings_by_carrier, BIT(ENDING_TWILIO), "X-Twilio-Error"},
	{endings_by_carrier, BIT(ENDING_TELNYX), "suffix"},
	{endings_by_carrier, BIT(ENDING_WORDS), "words"},
	{endings_by_network, BIT(ENDING_Q850), "Q.850 cause"},
	{endings_by_network, BIT(ENDING_WARNING), "Warning"},
};

static void print_tables(void)
{
	for (size_t i = 0; i < COUNT_OF(tables); ++i) {
		struct buf b = {0};
		write_part(&b, tables[i].part(), tables[i].title, tables[i].signs);
		printf("%s\n", b.data ? (char *)b.data : "");
		buf_fini(&b);
	}
}

static char *read_document(void)
{
	static char text[256 << 10];
	char path[1024];
	const char *data = getenv("RINGDOWN_TEST_DATA");
	snprintf(path, sizeof path, "%s/../../docs/endings.md", data ? data : "test/data");
	FILE *f = fopen(path, "r");
	CHECK(f);
	text[fread(text, 1, sizeof text - 1, f)] = 0;
	fclose(f);
	return text;
}

static size_t count_rows(const char *text)
{
	size_t n = 0;
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		n += *line == '|';
	}
	return n;
}

/* To write it anew after a change of the table: run this program with --print. */
static void the_document_is_the_table(void)
{
	const char *document = read_document();
	size_t rows = 0;
	for (size_t i = 0; i < COUNT_OF(tables); ++i) {
		struct buf b = {0};
		write_part(&b, tables[i].part(), tables[i].title, tables[i].signs);
		if (!strstr(document, (const char *)b.data))
			fprintf(stderr, "docs/endings.md lacks:\n%s", (const char *)b.data);
		CHECK(strstr(document, (const char *)b.data));
		rows += count_rows((const char *)b.data);
		buf_fini(&b);
	}
	const char *first = strstr(document, "\n## By the SIP status");
	CHECK(first);
	CHECK_EQ(count_rows(first), rows);
}

/* ---- what a response says besides ---- */

static void signs_are_read(const char *headers, struct call_signs *ret)
{
	char text[2000];
	struct sip_message m;
	snprintf(text, sizeof text,
		"SIP/2.0 503 Service Unavailable\r\nVia: SIP/2.0/UDP 10.0.0.5:5060;received=203.0.113.7;rport=5060;branch=z9hG4bKx\r\n"
		"From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>;tag=2\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n%s"
		"Content-Length: 0\r\n\r\n", headers);
	CHECK_EQ(sip_message_parse(&m, span_text(text)), SIP_OK);
	call_signs_read(ret, &m);
}

static void headers_of_an_answer_are_signs(void)
{
	struct call_signs s;
	signs_are_read("X-Twilio-Error: 32201 Authentication failure\r\nRetry-After: 18 (busy);duration=60\r\n"
		       "Reason: SIP;cause=503;text=\"x\", Q.850;cause=34;text=\"no circuit\"\r\n"
		       "Warning: 370 isi.edu \"Insufficient bandwidth\"\r\n", &s);
	CHECK_STR(s.provider, "32201 Authentication failure");
	CHECK_EQ(s.retry_after_s, 18);
	CHECK_EQ(s.cause, 34);
	CHECK_STR(s.cause_text, "no circuit");
	CHECK_EQ(s.warning, 370);
	CHECK_STR(s.warning_text, "Insufficient bandwidth");
	CHECK_STR(s.seen, "203.0.113.7");
	signs_are_read("Retry-After: 99999999999\r\nReason: Q.850;cause=4294967295\r\nWarning: 999 x \"y\r\n", &s);
	CHECK_EQ(s.retry_after_s, 0);
	CHECK_EQ(s.cause, 0);
	CHECK_EQ(s.warning, 0);
	signs_are_read("Retry-After: 999999999\r\nX-Asterisk-HangupCauseCode: 17\r\nX-Asterisk-HangupCause: User busy\r\n", &s);
	CHECK_EQ(s.retry_after_s, 24 * 3600);
	CHECK_EQ(s.cause, 17);
	CHECK_STR(s.cause_text, "User busy");
}

static void explain(struct call_explanation *e, int status, const char *phrase, const char *headers)
{
	struct call_signs s;
	signs_are_read(headers, &s);
	explain_failure(e, &(struct call_failure){.sip_status = status, .reason = phrase, .phrase = phrase, .signs = &s,
				   .address = "acme.pstn.twilio.com", .trunk = "Twilio", .number = "+37120000000",
				   .caller = "+15550100"});
}

static void sentences_name_the_operators_own_values(void)
{
	struct call_explanation e;
	explain(&e, 403, "Forbidden", "X-Twilio-Error: 32201 source IP not in ACL\r\n");
	CHECK_STR(e.sentence, "The provider did not accept our IP address 203.0.113.7 (as they see it). Add it to the trunk's IP "
			      "access list at the provider, or remove the list.");
	CHECK_STR(e.carrier_code, "32201");
	CHECK_EQ(e.retry, RETRY_FIXED);
	explain(&e, 403, "No International Authorization", "X-Twilio-Error: 32205\r\n");
	CHECK(strstr(e.sentence, "Calls to Latvia (+371) are off"));
	explain(&e, 403, "Caller Origination Number is Invalid D35", "");
	CHECK(strstr(e.sentence, "+15550100"));
	CHECK_STR(e.carrier_code, "D35");
	explain(&e, 503, "Service Unavailable", "Retry-After: 30\r\n");
	CHECK(strstr(e.sentence, "The trunk \"Twilio\" at acme.pstn.twilio.com takes no calls") && strstr(e.sentence, "in 30 seconds"));
	CHECK_EQ(e.retry_after_s, 30);
	explain(&e, 503, "Service Unavailable", "Reason: Q.850;cause=34\r\n");
	CHECK_STR(e.code, "congested");
	CHECK_EQ(e.q850, 34);
	CHECK_STR(e.twirp_code, "failed_precondition");
	explain(&e, 486, "Busy", "Reason: Q.850;cause=34\r\n");
	CHECK_STR(e.code, "busy");
	explain(&e, 488, "Not Acceptable Here", "Warning: 302 x \"y\"\r\n");
	CHECK_STR(e.code, "encryption");
	/* What the sentence has not said is quoted, the usual words of a cause are not. */
	explain(&e, 404, "Not Found", "Warning: 399 x \"Gone since May\"\r\nX-Twilio-Error: 99999 new\r\n");
	CHECK(strstr(e.sentence, " They say: \"99999 new\". They say: \"Gone since May\"."));
	CHECK_STR(e.carrier_code, "99999");
	explain(&e, 603, "Decline", "Reason: SIP;cause=603;text=\"Network Blocked\"\r\n");
	CHECK(strstr(e.sentence, " They say: \"Network Blocked\"."));
	explain(&e, 503, "x", "Reason: Q.850;cause=34;text=\"No circuit available\"\r\n");
	CHECK(!strstr(e.sentence, "They say"));
	explain(&e, 403, "Forbidden", "Reason: SIP;cause=403;text=\"Not whitelisted D13\"\r\n");
	CHECK_STR(e.carrier_code, "D13");
	/* Without them it is still a sentence. */
	explain_failure(&e, &(struct call_failure){.sip_status = 480});
	CHECK_STR(e.sentence, "The phone cannot be reached right now. Call again later.");
}

/* The setting that counts is the one of the call's IP version. */
static void the_setting_is_of_the_calls_ip_version(void)
{
	static const struct {
		const char *media, *says, *keeps_quiet;
	} cases[] = {
		{"192.168.1.5", "set sip.nat_1_to_1_ip to", "ipv6"},
		{"192.168.1.5:20000", "set sip.nat_1_to_1_ip to", "ipv6"},
		{"fd00::5", "send to fd00::5: if that is a private address, set sip.nat_1_to_1_ipv6 to", "_ip to"},
		{"[fd00::5]:20000", "set sip.nat_1_to_1_ipv6 to", "_ip to"},
		{NULL, "set sip.nat_1_to_1_ip to", "ipv6"},
	};
	struct call_explanation e;
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		explain_end(&e, CALL_END_NO_MEDIA, &(struct call_failure){.media_address = cases[i].media});
		CHECK(strstr(e.sentence, cases[i].says) && !strstr(e.sentence, cases[i].keeps_quiet));
	}
	struct call_signs signs = {.warning = 331};
	explain_failure(&e, &(struct call_failure){.sip_status = 488, .signs = &signs, .media_address = "fd00::5"});
	CHECK(strstr(e.sentence, "Set sip.nat_1_to_1_ipv6 to a public IPv6 address."));
}

static void a_bye_says_how_it_ended(void)
{
	struct call_explanation e;
	struct call_signs s = {.cause = 16};
	const struct call_failure f = {.signs = &s};
	explain_end(&e, CALL_END_FAR_END, &f);
	CHECK_STR(e.code, "far_end_hung_up");
	CHECK_EQ(e.ended_by, ENDED_BY_FAR_END);
	s.cause = 41;
	explain_end(&e, CALL_END_FAR_END, &f);
	CHECK_STR(e.code, "far_end_cut");
	CHECK(strstr(e.sentence, "(Q.850 cause 41)"));
	CHECK_EQ(e.q850, 41);
	explain_end(&e, explain_removal(LIVEKIT__DISCONNECT_REASON__ROOM_DELETED), NULL);
	CHECK_STR(e.code, "room_deleted");
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		print_tables();
		return 0;
	}
	known_failures_have_their_sentence();
	every_status_has_a_sentence();
	every_row_is_whole_and_there_once();
	headers_of_an_answer_are_signs();
	sentences_name_the_operators_own_values();
	the_setting_is_of_the_calls_ip_version();
	a_bye_says_how_it_ended();
	the_document_is_the_table();
	return 0;
}

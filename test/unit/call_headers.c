#include "base/mem.h"
#include "call/headers.h"
#include "test/check.h"

static const char answer[] = "SIP/2.0 200 OK\r\n"
			     "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1\r\n"
			     "f: <sip:a@example.com>;tag=1\r\n"
			     "To: <sip:b@example.com>;tag=2\r\n"
			     "Call-ID: c1\r\n"
			     "CSeq: 1 INVITE\r\n"
			     "X-Conf-One: one\r\n"
			     "x-conf-one: again\r\n"
			     "X-Folded: two\r\n three\r\n"
			     "X-Odd: a\xff"
			     "b\x01\r\n"
			     "X-Twilio-CallSid: CA1\r\n"
			     "Server: uas\r\n"
			     "Content-Length: 0\r\n\r\n";

static const char *find(const struct attribute *all, size_t count, const char *key)
{
	const char *value = NULL;
	for (size_t i = 0; i < count; ++i)
		if (!strcmp(all[i].key, key)) {
			CHECK(!value); /* once */
			value = all[i].value;
		}
	return value;
}

static void nothing_but_the_providers_ids_is_shown_by_itself(void)
{
	struct sip_message m;
	struct proto_arena a = {0};
	struct attribute *all;
	size_t count;
	const struct header_rules rules = {0};
	CHECK_EQ(sip_message_parse(&m, span_text(answer)), SIP_OK);
	CHECK_EQ(headers_to_attributes(&all, &count, &a, &m, &rules), 0);
	CHECK_EQ(count, 1);
	CHECK_STR(find(all, count, "sip.twilio.callSid"), "CA1");
	proto_arena_fini(&a);
}

static void the_trunk_says_what_is_shown(void)
{
	static const struct attribute maps[] = {{"X-CONF-ONE", "conf.one"}, {"X-None", "conf.none"}};
	struct header_rules rules = {.maps = maps,
		.map_count = COUNT_OF(maps),
		.include = LIVEKIT__SIPHEADER_OPTIONS__SIP_X_HEADERS};
	struct sip_message m;
	struct proto_arena a = {0};
	struct attribute *all;
	size_t count;
	CHECK_EQ(sip_message_parse(&m, span_text(answer)), SIP_OK);
	CHECK_EQ(headers_to_attributes(&all, &count, &a, &m, &rules), 0);
	CHECK_STR(find(all, count, "conf.one"), "one");
	CHECK(!find(all, count, "conf.none"));
	CHECK_STR(find(all, count, "sip.h.x-conf-one"), "one");
	CHECK_STR(find(all, count, "sip.h.x-odd"), "a?b ");
	CHECK(!strchr(find(all, count, "sip.h.x-folded"), '\n'));
	CHECK(!find(all, count, "sip.h.server"));

	rules.include = LIVEKIT__SIPHEADER_OPTIONS__SIP_ALL_HEADERS;
	CHECK_EQ(headers_to_attributes(&all, &count, &a, &m, &rules), 0);
	CHECK_STR(find(all, count, "sip.h.server"), "uas");
	CHECK_STR(find(all, count, "sip.h.from"), "<sip:a@example.com>;tag=1"); /* not "f" */
	proto_arena_fini(&a);
}

static void the_rooms_question_is_answered_in_json(void)
{
	static const struct {
		const char *request, *answer; /* NULL: refused */
	} table[] = {
		{"{\"include\":[\"server\",\"X-CONF-ONE\"]}", "{\"headers\":{\"X-Conf-One\":\"one\",\"Server\":\"uas\"}}"},
		{"{\"include\":[\"Server\",\"To\"],\"exclude\":[\"to\"]}", "{\"headers\":{\"Server\":\"uas\"}}"},
		{"{\"include\":[\"None\"]}", "{\"headers\":{}}"},
		{"{\"include\":\"Server\"}", NULL},
		{"[]", NULL},
		{"rubbish", NULL},
	};
	struct sip_message m;
	struct proto_arena a = {0};
	struct attribute *all;
	size_t count;
	char *text = NULL;
	CHECK_EQ(sip_message_parse(&m, span_text(answer)), SIP_OK);
	CHECK_EQ(headers_keep(&all, &count, &a, &m), 0);
	for (size_t i = 0; i < COUNT_OF(table); ++i) {
		int r = headers_to_json(&text, all, count, table[i].request);
		CHECK_EQ(r, table[i].answer ? 0 : HEADERS_E_REQUEST);
		if (r == 0)
			CHECK_STR(text, table[i].answer);
		mem_free(text);
	}
	CHECK_EQ(headers_to_json(&text, all, count, ""), 0);
	CHECK(strstr(text, "\"Call-ID\":\"c1\""));
	mem_free(text);
	proto_arena_fini(&a);
}

static void memory_may_end_anywhere(void)
{
	const struct header_rules rules = {.include = LIVEKIT__SIPHEADER_OPTIONS__SIP_ALL_HEADERS};
	struct sip_message m;
	CHECK_EQ(sip_message_parse(&m, span_text(answer)), SIP_OK);
	for (int n = 0;; ++n) {
		struct proto_arena a = {0};
		struct attribute *all;
		size_t count;
		mem_fail_after(n);
		int r = headers_to_attributes(&all, &count, &a, &m, &rules);
		mem_fail_after(-1);
		proto_arena_fini(&a);
		CHECK_EQ(mem_live(), 0);
		if (r == 0)
			break;
		CHECK(n < 50);
	}
}

static void the_far_ends_words_are_the_best_there_are(void)
{
#define HEAD                                                                                                 \
	"SIP/2.0 486 Busy Here\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n" \
	"To: <sip:c@d>;tag=2\r\nCall-ID: c1\r\nCSeq: 1 INVITE\r\n"
	static const struct {
		const char *bytes, *words;
	} table[] = {
		{HEAD "Content-Length: 0\r\n\r\n", "Busy Here"},
		{HEAD "Content-Type: text/plain\r\n\r\n\r\nIn a meeting\r\nuntil noon", "In a meeting"},
		{HEAD "Content-Type: text/plain\r\n\r\n", "Busy Here"},
		{HEAD "Content-Type: text/html\r\n\r\n<p>", "Busy Here"},
		{HEAD "X-Twilio-Error: 32009 not registered\r\nContent-Type: text/plain\r\n\r\nbody",
			"32009 not registered"},
	};
	for (size_t i = 0; i < COUNT_OF(table); ++i) {
		struct sip_message m;
		char words[64];
		CHECK_EQ(sip_message_parse(&m, span_text(table[i].bytes)), SIP_OK);
		headers_far_words(words, sizeof words, &m);
		CHECK_STR(words, table[i].words);
	}
}

static void text_is_cut_between_characters(void)
{
	char out[5];
	headers_copy_text(out, sizeof out, span_text("abc\xc3\xa4"));
	CHECK_STR(out, "abc");
	headers_copy_text(out, sizeof out, span_text("ab\xc3\xa4z"));
	CHECK_STR(out, "ab\xc3\xa4");
	headers_copy_text(out, sizeof out, (struct span){0});
	CHECK_STR(out, "");
}

int main(void)
{
	nothing_but_the_providers_ids_is_shown_by_itself();
	the_trunk_says_what_is_shown();
	the_rooms_question_is_answered_in_json();
	memory_may_end_anywhere();
	the_far_ends_words_are_the_best_there_are();
	text_is_cut_between_characters();
	CHECK_EQ(mem_live(), 0);
	return 0;
}

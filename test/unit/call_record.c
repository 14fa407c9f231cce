/* The record of one call: what messages tell, what is bounded, what is masked, what is written when. */
#include "call/call_private.h"

#include "base/limits.h"
#include "base/mem.h"
#include "net/address.h"
#include "test/check.h"

#include <jansson.h>

struct rig {
	struct loop loop;
	struct dns *dns;
	struct sip_agent *agent;
	struct records *records;
	struct calls *calls;
	struct call call;
	struct sockaddr_storage far;
};

static void set_up(struct rig *r, bool ladder)
{
	memset(r, 0, sizeof *r);
	CHECK_EQ(loop_init(&r->loop), 0);
	CHECK_EQ(dns_new(&r->dns, &r->loop), 0);
	CHECK_EQ(sip_agent_new(&r->agent, &r->loop, r->dns, &(struct sip_agent_config){.binds = {"127.0.0.1"}}, NULL, NULL), 0);
	CHECK_EQ(records_open(&r->records, &(struct records_config){.path = ":memory:"}), 0);
	CHECK_EQ(calls_new(&r->calls, &r->loop, &(struct calls_config){.sip = r->agent, .records = r->records, .keep_ladder = ladder}), 0);
	CHECK(address_parse(&r->far, "127.0.0.2", 5070) >= 0);
	struct call *c = &r->call;
	c->calls = r->calls;
	snprintf(c->id, sizeof c->id, "SCL_test");
	c->room = (char *)"room";
	c->number = c->shown_number = (char *)"+12025550100";
	c->trunk_id = (char *)"ST_1";
	c->trunk_name = (char *)"bank";
	c->address = (char *)"sip.example";
	c->caller = (char *)"+12025550199";
	c->identity = (char *)"phone";
	CHECK_EQ(record_begin(c), 0);
}

static void take_down(struct rig *r)
{
	record_fini(&r->call);
	calls_free(r->calls);
	records_close(r->records);
	sip_agent_free(r->agent);
	dns_free(r->dns);
	loop_fini(&r->loop);
	CHECK_EQ(mem_live(), 0);
}

static void pass(struct rig *r, bool sent, const char *start, const char *method, const char *more, const char *body)
{
	static char text[40000];
	static struct sip_message m;
	const struct sip_path path = {.protocol = SIP_UDP, .remote = r->far};
	int size = snprintf(text, sizeof text,
		"%s\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>;tag=2\r\nCall-ID: %s\r\n"
		"CSeq: 1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", start, r->call.record.sip_call_id, method, more, strlen(body), body);
	CHECK(size < (int)sizeof text);
	struct sip_traced t = {.sent = sent, .protocol = "UDP", .remote = (struct sockaddr *)&r->far, .path = &path,
		.bytes = span_text(text)};
	if (!sent) {
		CHECK_EQ(sip_message_parse(&m, t.bytes), SIP_OK);
		t.message = &m;
	}
	calls_sip_message(r->calls, &t);
}

static int take_facts(void *owner, const struct record_row *row)
{
	*(json_t **)owner = json_loadb((const char *)row->facts.data, row->facts.size, 0, NULL);
	CHECK(*(json_t **)owner);
	return 0;
}

static json_t *facts(struct rig *r)
{
	json_t *ret = NULL;
	CHECK_EQ(records_get(r->records, "SCL_test", take_facts, &ret), 0);
	return ret;
}

static int64_t at(json_t *f, const char *name)
{
	return json_integer_value(json_object_get(json_object_get(f, "times"), name));
}

static int find_secret(void *owner, const struct record_message *m)
{
	++*(size_t *)owner;
	CHECK(!memmem(m->bytes.data, m->bytes.size, "geheim", 6));
	return 0;
}

static const char sdp[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/SAVP 101 8\r\n"
			  "a=rtpmap:101 telephone-event/8000\r\na=rtpmap:8 PCMA/8000\r\n"
			  "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:geheim\r\n";

static void messages_tell_the_moments(void)
{
	struct rig r;
	size_t count = 0;
	set_up(&r, true);
	pass(&r, true, "INVITE sip:b@x SIP/2.0", "INVITE", "Authorization: Digest response=\"geheim\"\r\n", sdp);
	pass(&r, false, "SIP/2.0 100 Trying", "INVITE", "", "");
	pass(&r, false, "SIP/2.0 183 Session Progress", "INVITE", "Content-Type: application/sdp\r\n", sdp);
	record_save(&r.call);
	json_t *f = facts(&r);
	CHECK(at(f, "asked") && at(f, "invite") && at(f, "first_response") && at(f, "ringing") && at(f, "early_media"));
	CHECK(!at(f, "answered") && !at(f, "ended") && !json_object_get(f, "ending"));
	CHECK_STR(json_string_value(json_object_get(json_object_get(f, "codec"), "name")), "PCMA");
	CHECK_STR(json_string_value(json_object_get(json_object_get(f, "codec"), "protocol")), "RTP/SAVP");
	CHECK_STR(json_string_value(json_object_get(f, "remote_address")), "127.0.0.2:5070");
	CHECK(!strstr(json_string_value(json_object_get(f, "answer")), "geheim"));
	CHECK(!strstr(json_string_value(json_object_get(f, "offer")), "geheim"));
	json_decref(f);

	pass(&r, false, "SIP/2.0 200 OK", "INVITE", "Content-Type: application/sdp\r\n", sdp);
	pass(&r, false, "BYE sip:a@x SIP/2.0", "BYE", "", "");
	r.call.state = CALL_ENDED;
	r.call.answered = true;
	explain_end(&r.call.explanation, CALL_END_FAR_END, NULL);
	record_end(&r.call);
	f = facts(&r);
	CHECK(at(f, "answered") && at(f, "ended") >= at(f, "answered"));
	CHECK_STR(json_string_value(json_object_get(json_object_get(f, "ending"), "code")), "far_end_hung_up");
	json_decref(f);
	CHECK_EQ(records_each_message(r.records, "SCL_test", find_secret, &count), 0);
	CHECK_EQ(count, 5);
	take_down(&r);
}

static int count_row(void *owner, const struct record_row *row)
{
	++*(size_t *)owner;
	return 0;
}

/* Refused in the turn in which it was asked for: nobody is to read of a call that dials for ever. */
static void what_never_left_is_no_call(void)
{
	struct rig r;
	size_t count = 0;
	set_up(&r, true);
	record_fini(&r.call);
	CHECK_EQ(records_each_open(r.records, count_row, &count), 0);
	CHECK_EQ(count, 0);
	take_down(&r);
}

/* However long a call is: what ends it is kept. */
static void the_ladder_is_bounded(void)
{
	struct rig r;
	size_t count = 0;
	set_up(&r, true);
	for (int i = 0; i < LIMIT_LADDER_MESSAGES + 100; ++i)
		pass(&r, i % 2, "INFO sip:b@x SIP/2.0", "INFO", "", "");
	CHECK_EQ(r.call.record.message_count, LIMIT_LADDER_MESSAGES - LIMIT_LADDER_RESERVE);
	pass(&r, true, "BYE sip:b@x SIP/2.0", "BYE", "", "");
	CHECK_EQ(r.call.record.message_count, LIMIT_LADDER_MESSAGES - LIMIT_LADDER_RESERVE + 1);
	CHECK_EQ(r.call.record.dropped, 100 + LIMIT_LADDER_RESERVE);
	for (int i = 0; i < 100; ++i)
		pass(&r, true, "BYE sip:b@x SIP/2.0", "BYE", "", "");
	CHECK_EQ(r.call.record.message_count, LIMIT_LADDER_MESSAGES);
	CHECK_EQ(records_each_message(r.records, "SCL_test", find_secret, &count), 0);
	CHECK_EQ(count, LIMIT_LADDER_MESSAGES);
	take_down(&r);

	static char large[30000];
	memset(large, 'x', sizeof large - 1);
	set_up(&r, true);
	for (int i = 0; i < 100; ++i)
		pass(&r, true, "INFO sip:b@x SIP/2.0", "INFO", "", large);
	CHECK(r.call.record.message_count > 5 && r.call.record.message_bytes < LIMIT_LADDER_BYTES);
	take_down(&r);
}

static void without_a_ladder_the_facts_stay(void)
{
	struct rig r;
	size_t count = 0;
	set_up(&r, false);
	pass(&r, true, "INVITE sip:b@x SIP/2.0", "INVITE", "", sdp);
	record_save(&r.call);
	json_t *f = facts(&r);
	CHECK(at(f, "invite") && json_object_get(f, "offer"));
	json_decref(f);
	CHECK_EQ(records_each_message(r.records, "SCL_test", find_secret, &count), 0);
	CHECK_EQ(count, 0);
	take_down(&r);
}

static void what_a_crash_left_open_is_closed(void)
{
	struct rig r;
	set_up(&r, true);
	for (int i = 0; i < 150; ++i) {
		char id[32];
		snprintf(id, sizeof id, "SCL_%d", i);
		CHECK_EQ(records_put(r.records, &(const struct record_row){.id = id, .began_ms = 1, .room = "r", .trunk = "", .trunk_name = "",
						.number = "+1", .facts = span_text(i % 2 ? "{\"state\":\"active\",\"times\":{\"asked\":1}}" : "{no")}), 0);
	}
	struct calls *again = NULL;
	CHECK_EQ(calls_new(&again, &r.loop, &r.calls->config), 0);
	json_t *f = NULL;
	CHECK_EQ(records_get(r.records, "SCL_149", take_facts, &f), 0);
	CHECK_STR(json_string_value(json_object_get(json_object_get(f, "ending"), "code")), "interrupted");
	CHECK_STR(json_string_value(json_object_get(f, "state")), "ended");
	CHECK(at(f, "ended") > 1);
	json_decref(f);
	CHECK_EQ(records_each_open(r.records, take_facts, &f), 0);
	calls_free(again);
	take_down(&r);
}

/* A call goes on without its record. */
static void without_memory_nothing_breaks(void)
{
	for (int i = 0; i < 12; ++i) {
		struct rig r;
		set_up(&r, true);
		mem_fail_after(i);
		pass(&r, true, "INVITE sip:b@x SIP/2.0", "INVITE", "", sdp);
		pass(&r, false, "SIP/2.0 200 OK", "INVITE", "", sdp);
		record_save(&r.call);
		mem_fail_after(-1);
		take_down(&r);
	}
}

int main(void)
{
	messages_tell_the_moments();
	what_never_left_is_no_call();
	the_ladder_is_bounded();
	without_a_ladder_the_facts_stay();
	what_a_crash_left_open_is_closed();
	without_memory_nothing_breaks();
	return 0;
}

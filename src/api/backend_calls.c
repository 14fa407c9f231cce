/* api/backend_calls.c - GET /livekit/sip/calls and /livekit/sip/calls/ID: what is kept of phone calls.
 * Numbers stand there in full, so only an administrator may ask. */
#include "api/backend.h"

#include "api/ladder.h"
#include "call/call.h"
#include "wire/pcap.h"

#include <stdio.h>
#include <stdlib.h>

enum { CALLS_DEFAULT = 50, CALLS_MAX = 1000 };

static const char below[] = "/livekit/sip/calls/";

static bool may_read(struct backend *b)
{
	if (!b->open && !b->grants.sip.admin)
		backend_denied(b, "The token lacks the permission sip.admin.");
	else if (!b->api->config.records)
		backend_fail(b, 412, "records_off", "No records of calls are kept here: sip.records.enabled is false, "
			"or calls.db could not be opened (then the log says why).");
	else {
		calls_write_records(b->api->config.calls);
		return true;
	}
	return false;
}

/* ---- the list ---- */

/* A number of the query; `otherwise` when it is not there. */
static bool read_count(struct backend *b, const char *name, int64_t otherwise, int64_t max, int64_t *ret)
{
	const char *text = http_query(b->x, name);
	char *end = NULL;
	*ret = otherwise;
	if (!text || !*text)
		return true;
	long long value = strtoll(text, &end, 10);
	if (*end || value < 0 || value > max) {
		backend_fail(b, 400, "invalid_field", "%s must be a whole number, 0 to %lld.", name, (long long)max);
		return false;
	}
	*ret = value;
	return true;
}

static const char *or_null(const char *text)
{
	return text && *text ? text : NULL;
}

static bool read_filter(struct backend *b, struct record_filter *f, char number[32])
{
	int64_t limit, failed, refused;
	if (!read_count(b, "limit", CALLS_DEFAULT, CALLS_MAX, &limit) ||
		!read_count(b, "since", 0, INT64_MAX, &f->since_ms) ||
		!read_count(b, "before", 0, INT64_MAX, &f->before_ms) || !read_count(b, "failed", 0, 1, &failed) ||
		!read_count(b, "refused", 0, 1, &refused))
		return false;
	f->room = or_null(http_query(b->x, "room"));
	f->trunk = or_null(http_query(b->x, "trunk"));
	f->number = or_null(http_query(b->x, "number"));
	/* In a query an unescaped '+' is a blank. */
	if (f->number && (*f->number == ' ' || (*f->number >= '0' && *f->number <= '9'))) {
		snprintf(number, 32, "+%s", f->number + (*f->number == ' '));
		f->number = number;
	}
	f->failed = failed;
	f->refused = refused;
	f->limit = (uint32_t)limit;
	return true;
}

static json_t *facts_of(const struct record_row *row)
{
	return json_loadb((const char *)row->facts.data, row->facts.size, 0, NULL);
}

static int add_call(void *owner, const struct record_row *row)
{
	json_t *facts = facts_of(row);
	json_object_del(facts, "offer");
	json_object_del(facts, "answer");
	json_array_append_new(owner, facts);
	return 0;
}

void backend_calls(struct backend *b)
{
	struct record_filter filter = {0};
	char number[32];
	if (!may_read(b) || !read_filter(b, &filter, number))
		return;
	json_t *calls = json_array();
	int r = calls ? records_each(b->api->config.records, &filter, add_call, calls) : -1;
	if (r < 0) {
		json_decref(calls);
		backend_fail(b, 500, "internal", "Something is broken here; the log says what.");
		return;
	}
	backend_answer(b->x, 200, json_pack("{s:b, s:o}", "success", 1, "calls", calls));
}

/* ---- one ---- */

static int take_facts(void *owner, const struct record_row *row)
{
	*(json_t **)owner = facts_of(row);
	return 0;
}

static int add_message(void *owner, const struct record_message *m)
{
	json_t *list = owner;
	/* What is no UTF-8 cannot stand in JSON: as a text for people then. */
	json_t *text = json_stringn((const char *)m->bytes.data, m->bytes.size);
	if (!text)
		text = json_string("(not UTF-8; see format=pcap)");
	json_array_append_new(list, json_pack("{s:I, s:b, s:s, s:s, s:s, s:o}", "at_us", (json_int_t)m->at_us, "sent", m->sent,
					    "transport", m->protocol, "local", m->local, "remote", m->remote, "message", text));
	return 0;
}

static int send_facts(struct backend *b, const char *id, json_t *facts)
{
	json_t *ladder = json_array();
	int r = ladder ? records_each_message(b->api->config.records, id, add_message, ladder) : -1;
	if (r < 0) {
		json_decref(ladder);
		return r;
	}
	json_object_set_new(facts, "messages", json_integer((json_int_t)json_array_size(ladder)));
	json_object_set_new(facts, "ladder", ladder);
	backend_answer(b->x, 200, json_pack("{s:b, s:O}", "success", 1, "call", facts));
	return 0;
}

static int send_arrows(struct backend *b, const char *id)
{
	struct ladder l = {0};
	int r = records_each_message(b->api->config.records, id, ladder_add_arrow, &l);
	if (r == 0)
		http_reply(b->x, 200, "text/plain; charset=utf-8", "Cache-Control: no-store\r\n", buf_span(&l.out));
	buf_fini(&l.out);
	return r;
}

static int send_capture(struct backend *b, const char *id)
{
	struct ladder l = {0};
	int r = records_each_message(b->api->config.records, id, ladder_add_packet, &l);
	if (r == 0 && !l.out.size)
		r = pcap_begin(&l.out);
	if (r == 0)
		http_reply(b->x, 200, "application/vnd.tcpdump.pcap", "Cache-Control: no-store\r\n", buf_span(&l.out));
	buf_fini(&l.out);
	return r < 0 ? r : 0;
}

void backend_call(struct backend *b)
{
	const char *id = http_path(b->x) + strlen(below), *format = http_query(b->x, "format");
	json_t *facts = NULL;
	if (!may_read(b))
		return;
	int r = records_get(b->api->config.records, id, take_facts, &facts);
	if (r == RECORDS_E_NOT_FOUND)
		backend_fail(b, 404, "call_not_found", "There is no record of a call %.40s. It may have been deleted: see "
			"sip.records.max_age and max_size_mb.", id);
	else if (r == 0 && (!format || !strcmp(format, "json")))
		r = send_facts(b, id, facts);
	else if (r == 0 && !strcmp(format, "ladder"))
		r = send_arrows(b, id);
	else if (r == 0 && !strcmp(format, "pcap"))
		r = send_capture(b, id);
	else if (r == 0)
		backend_fail(b, 400, "invalid_field", "format must be json, ladder or pcap; read \"%.40s\".", format);
	if (r < 0)
		backend_fail(b, 500, "internal", "Something is broken here; the log says what.");
	json_decref(facts);
}

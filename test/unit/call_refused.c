/* Attempts that the policy refused: a few records of their own a minute, the rest counted in one. */
#include "call/refused.h"

#include "base/limits.h"
#include "base/mem.h"
#include "store/records.h"
#include "test/check.h"

#include <jansson.h>

static struct records *records;
static json_t *found; /* newest first */

static int on_row(void *owner, const struct record_row *row)
{
	json_t *facts = json_loadb((const char *)row->facts.data, row->facts.size, 0, NULL);
	CHECK(facts);
	CHECK(row->failed && row->ended_ms >= row->began_ms);
	CHECK_STR(json_string_value(json_object_get(facts, "id")), row->id);
	CHECK_STR(json_string_value(json_object_get(facts, "number")), row->number);
	json_array_append_new(found, facts);
	return 0;
}

static size_t look(void)
{
	json_decref(found);
	found = json_array();
	CHECK_EQ(records_each(records, &(struct record_filter){.refused = true, .limit = 1000}, on_row, NULL), 0);
	return json_array_size(found);
}

static const char *text_at(size_t i, const char *name, const char *inner)
{
	const json_t *value = json_object_get(json_array_get(found, i), name);
	const char *text = json_string_value(inner ? json_object_get(value, inner) : value);
	return text ? text : "";
}

static json_int_t attempts(void)
{
	json_int_t sum = 0;
	for (size_t i = 0; i < json_array_size(found); ++i)
		sum += json_integer_value(json_object_get(json_array_get(found, i), "attempts"));
	return sum;
}

static const struct refused_attempt premium = {.outcome = POLICY_BLOCKED, .number = "+19005550123", .why = "It is premium.",
	.room = "red", .caller = "+12025550199", .trunk_id = "ST_1", .trunk_name = "bank", .address = "sip.example.com",
	.api_key = "devkey", .asker = "eve"};

static void one_says_who_tried_what(struct refused *r)
{
	refused_note(r, records, &premium, 60000 * 100);
	CHECK_EQ(look(), 1);
	CHECK(!strncmp(text_at(0, "id", NULL), "SRF_", 4));
	CHECK_STR(text_at(0, "state", NULL), "refused");
	CHECK_STR(text_at(0, "number", NULL), "+19005550123");
	CHECK_STR(text_at(0, "room", NULL), "red");
	CHECK_STR(text_at(0, "trunk", "name"), "bank");
	CHECK_STR(text_at(0, "asked_by", "api_key"), "devkey");
	CHECK_STR(text_at(0, "asked_by", "identity"), "eve");
	CHECK_STR(text_at(0, "ending", "code"), "number_blocked");
	CHECK_STR(text_at(0, "ending", "message"), "It is premium.");
	CHECK_STR(text_at(0, "ending", "ended_by"), "policy");
	CHECK_STR(text_at(0, "ending", "twirp_code"), "permission_denied");
	CHECK_EQ(attempts(), 1);
}

static void many_in_a_minute_are_counted(struct refused *r)
{
	struct refused_attempt other = premium;
	other.outcome = POLICY_NOT_E164;
	other.number = "\033[2J\xff" "bob";
	for (int i = 0; i < 5000; ++i)
		refused_note(r, records, i < 4999 ? &premium : &other, 60000 * 100 + 100 + i);
	refused_write(r, records);
	CHECK_EQ(look(), LIMIT_REFUSED_A_MINUTE + 1);
	CHECK_EQ(attempts(), 5001);
	size_t i = 0;
	while (json_integer_value(json_object_get(json_array_get(found, i), "attempts")) == 1)
		++i;
	CHECK(strstr(text_at(i, "ending", "message"), "4991 more attempts"));
	CHECK_STR(text_at(i, "number", NULL), " [2J?bob");
	CHECK_STR(text_at(i, "ending", "code"), "invalid_phone_number");
	/* The next minute has records of its own; what was not written yet is. */
	refused_note(r, records, &premium, 60000 * 100 + 50000);
	refused_note(r, records, &premium, 60000 * 101);
	CHECK_EQ(look(), LIMIT_REFUSED_A_MINUTE + 2);
	CHECK_EQ(attempts(), 5003);
}

static void nothing_is_kept_where_no_records_are(void)
{
	struct refused r = {0};
	for (int i = 0; i < 30; ++i)
		refused_note(&r, NULL, &premium, i);
	refused_write(&r, NULL);
	CHECK_EQ(r.more, 0);
}

/* Whatever is not said, and the longest of all that is. */
static void texts_may_be_anything(void)
{
	static char longest[5000];
	struct refused r = {0};
	memset(longest, 'x', sizeof longest - 1);
	refused_note(&r, records, &(struct refused_attempt){.outcome = POLICY_RATE}, 60000 * 200);
	refused_note(&r, records, &(struct refused_attempt){.outcome = POLICY_RATE, .number = longest, .why = longest, .room = longest,
		.caller = longest, .trunk_name = longest, .address = longest, .api_key = longest, .asker = longest,
		.transfer_of = longest}, 60000 * 200);
	CHECK_EQ(look(), LIMIT_REFUSED_A_MINUTE + 4);
	CHECK_EQ(strlen(text_at(0, "number", NULL)), REFUSED_TEXT_SIZE - 1);
	CHECK_STR(text_at(1, "number", NULL), "");
}

int main(void)
{
	struct refused r = {0};
	CHECK_EQ(records_open(&records, &(struct records_config){.path = ":memory:"}), 0);
	one_says_who_tried_what(&r);
	many_in_a_minute_are_counted(&r);
	nothing_is_kept_where_no_records_are();
	texts_may_be_anything();
	json_decref(found);
	records_close(records);
	CHECK_EQ(mem_live(), 0);
	return 0;
}

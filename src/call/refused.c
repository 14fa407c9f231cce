#include "call/refused.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/records.h"
#include "trunk/explain.h"
#include "wire/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

enum { MINUTE_MS = 60 * 1000 };

static const char *printable(char out[REFUSED_TEXT_SIZE], const char *text)
{
	utf8_printable(out, REFUSED_TEXT_SIZE, span_text(text ? text : ""));
	return out;
}

static void set_text(json_t *to, const char *name, const char *text)
{
	char clean[REFUSED_TEXT_SIZE];
	if (text && *text)
		json_object_set_new(to, name, json_string(printable(clean, text)));
}

/* What the API answers, and when the same may be asked again. */
static json_t *ending_of(const struct refused_attempt *a)
{
	static const struct {
		const char *twirp;
		enum call_retry retry;
	} all[] = {
		[POLICY_OK] = {"internal", RETRY_LATER},
		[POLICY_NOT_E164] = {"invalid_argument", RETRY_FIXED},
		[POLICY_COUNTRY] = {"permission_denied", RETRY_FIXED},
		[POLICY_BLOCKED] = {"permission_denied", RETRY_NO},
		[POLICY_RATE] = {"resource_exhausted", RETRY_LATER},
		[POLICY_BUSY] = {"resource_exhausted", RETRY_LATER},
		[POLICY_MINUTES] = {"resource_exhausted", RETRY_LATER},
	};
	json_t *ending = json_object();
	set_text(ending, "code", policy_outcome_name(a->outcome));
	set_text(ending, "message", a->why);
	set_text(ending, "ended_by", ended_by_text(ENDED_BY_POLICY));
	set_text(ending, "retry", call_retry_text(all[a->outcome].retry));
	set_text(ending, "twirp_code", all[a->outcome].twirp);
	return ending;
}

static json_t *facts_of(const struct refused_attempt *a, const char *id, int64_t first_ms, int64_t last_ms, uint32_t attempts)
{
	json_t *facts = json_object(), *trunk = json_object(), *asked_by = json_object();
	set_text(facts, "id", id);
	json_object_set_new(facts, "state", json_string("refused"));
	json_object_set_new(facts, "room", json_string(""));
	set_text(facts, "room", a->room);
	set_text(facts, "direction", "outbound");
	json_object_set_new(facts, "number", json_string(""));
	set_text(facts, "number", a->number);
	set_text(facts, "caller", a->caller);
	set_text(facts, "transfer_of", a->transfer_of);
	set_text(trunk, "id", a->trunk_id);
	set_text(trunk, "name", a->trunk_name);
	set_text(trunk, "address", a->address);
	json_object_set_new(facts, "trunk", trunk);
	set_text(asked_by, "api_key", a->api_key);
	set_text(asked_by, "identity", a->asker);
	json_object_set_new(facts, "asked_by", asked_by);
	json_object_set_new(facts, "times", json_pack("{s:I, s:I}", "asked", (json_int_t)first_ms, "ended", (json_int_t)last_ms));
	json_object_set_new(facts, "attempts", json_integer(attempts));
	json_object_set_new(facts, "ending", ending_of(a));
	return facts;
}

static int put(struct records *records, const struct refused_attempt *a, const char *id, int64_t first_ms, int64_t last_ms,
	uint32_t attempts)
{
	char number[REFUSED_TEXT_SIZE], room[REFUSED_TEXT_SIZE];
	json_t *facts = facts_of(a, id, first_ms, last_ms, attempts);
	char *text = json_dumps(facts, JSON_COMPACT);
	int r = err_new(-ENOMEM);
	if (text)
		r = records_put(records, &(const struct record_row){
						 .id = id,
						 .began_ms = first_ms,
						 .ended_ms = last_ms,
						 .room = printable(room, a->room),
						 .trunk = a->trunk_id ? a->trunk_id : "",
						 .trunk_name = a->trunk_name ? a->trunk_name : "",
						 .number = printable(number, a->number),
						 .failed = true,
						 .facts = span_text(text),
					 });
	json_free_t release;
	json_get_alloc_funcs(NULL, &release);
	release(text);
	json_decref(facts);
	return r;
}

void refused_write(struct refused *r, struct records *records)
{
	char why[REFUSED_TEXT_SIZE];

	if (!r->dirty || !records)
		return;
	r->dirty = false;
	snprintf(why, sizeof why, "%" PRIu32 " more attempts were refused in this minute; the last is shown here. Whose API key it is, "
		"and what it is used for, may be worth a look.", r->more);
	const struct refused_attempt all = {.outcome = r->outcome, .number = r->number, .why = why, .api_key = r->key,
		.asker = r->asker};
	if (put(records, &all, r->id, r->first_ms, r->last_ms, r->more) < 0)
		log_warn("calls", "refused attempts could not be recorded");
}

static void count(struct refused *r, const struct refused_attempt *a, int64_t now_ms)
{
	if (!r->more++) {
		rng_id(r->id, RECORDS_REFUSED_PREFIX);
		r->first_ms = now_ms;
	}
	r->last_ms = now_ms;
	r->outcome = a->outcome;
	printable(r->number, a->number);
	printable(r->key, a->api_key);
	printable(r->asker, a->asker);
	r->dirty = true;
}

void refused_note(struct refused *r, struct records *records, const struct refused_attempt *a, int64_t now_ms)
{
	char id[RNG_ID_SIZE];

	if (!records)
		return;
	if (now_ms / MINUTE_MS != r->minute) {
		refused_write(r, records);
		*r = (struct refused){.minute = now_ms / MINUTE_MS};
	}
	if (r->kept >= LIMIT_REFUSED_A_MINUTE) {
		count(r, a, now_ms);
		return;
	}
	++r->kept;
	rng_id(id, RECORDS_REFUSED_PREFIX);
	if (put(records, a, id, now_ms, now_ms, 1) < 0)
		log_warn("calls", "a refused attempt could not be recorded");
}

/* api/backend_dial.c - POST /livekit/sip/outbound: a phone rings into a room. */
#include "api/backend.h"

#include "api/wait.h"

#include "base/clock.h"
#include "base/limits.h"
#include "trunk/trunk.h"
#include "wire/e164.h"

#include <stdio.h>
#include <stdlib.h>

enum { RINGING_TIMEOUT_S_MAX = 600, DIAL_ATTRIBUTES_MAX = 64 };

struct dial {
	const char *room, *number, *trunk, *from, *identity, *name, *metadata, *dtmf;
	const json_t *attributes;
	bool wait, ringback;
	uint32_t ringing_timeout_ms;
	struct attribute list[DIAL_ATTRIBUTES_MAX];
	size_t count;
};

/* ---- answers ---- */

static json_t *facts(struct call *c)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "participant_identity", call_participant_identity(c),
		"participant_id", call_participant_sid(c), "room", call_room(c), "sip_call_id", call_id(c),
		"trunk_id", call_trunk_id(c));
}

static json_t *success(struct call *c, const char *number)
{
	json_t *body = facts(c);
	if (body) {
		json_object_set_new(body, "success", json_true());
		if (*number)
			json_object_set_new(body, "phone_number", json_string(number));
	}
	return body;
}

static void tell_ending(json_t *error, const struct call_explanation *e)
{
	json_object_set_new(error, "ended_by", json_string(ended_by_text(e->ended_by)));
	json_object_set_new(error, "retry", json_string(call_retry_text(e->retry)));
	if (e->retry_after_s)
		json_object_set_new(error, "retry_after", json_integer(e->retry_after_s));
	if (e->q850)
		json_object_set_new(error, "q850", json_integer(e->q850));
	if (*e->carrier_code)
		json_object_set_new(error, "carrier_code", json_string(e->carrier_code));
}

static json_t *failure(struct call *c)
{
	const struct call_explanation *e = call_explanation(c);
	json_t *body = backend_error(e->code ? e->code : "internal", e->sentence);
	json_t *error = json_object_get(body, "error"), *more = facts(c);
	if (error && more)
		json_object_update(error, more);
	json_decref(more);
	if (error)
		tell_ending(error, e);
	if (error && call_sip_status(c)) {
		json_object_set_new(error, "sip_status", json_integer(call_sip_status(c)));
		json_object_set_new(error, "sip_reason", json_string(call_sip_reason(c)));
	}
	return body;
}

/* The far end's fault is a bad gateway's, its silence a gateway timeout's: no client takes either for
 * an invitation to send the same request again, as some do with 408 and 429. */
static unsigned failure_status(struct call *c)
{
	const char *code = call_explanation(c)->code;
	return code && (!strcmp(code, "no_answer") || !strcmp(code, "trunk_unreachable")) ? 504 : 502;
}

/* Takes `body`; tells whoever else waits for the same key. */
static void conclude(struct http_exchange *x, struct idempotency_entry *entry, unsigned status, json_t *body,
	bool keep)
{
	char *text = entry && body ? json_dumps(body, JSON_COMPACT) : NULL;
	if (x)
		backend_answer(x, status, body);
	else
		json_decref(body);
	if (entry)
		idempotency_finish(entry, status, span_text(text ? text : "{}"), keep && text);
	free(text); /* jansson's */
}

static void on_done(struct api_wait *w, enum wait_end end)
{
	switch (end) {
	case WAIT_ANSWERED:
		conclude(w->x, w->entry, 200, success(w->call, w->number), true);
		break;
	case WAIT_FAILED:
		conclude(w->x, w->entry, failure_status(w->call), failure(w->call), true);
		break;
	case WAIT_DEADLINE:
	case WAIT_CLOSED:
		conclude(w->x, w->entry, 503, backend_error("shutting_down", "The server is shutting down."),
			false);
		break;
	}
}

/* ---- the request ---- */

static bool read_names(struct backend *b, struct dial *d)
{
	if (!backend_name(b, "room", &d->room) || !backend_text(b, "phone_number", &d->number))
		return false;
	if (!d->room || !*d->room) {
		backend_fail(b, 400, "missing_room", "room is missing: the name of the room that the phone joins.");
		return false;
	}
	if (!d->number || !*d->number) {
		backend_fail(b, 400, "missing_phone_number",
			"phone_number is missing: the number to call, for example +14155550123.");
		return false;
	}
	return true;
}

static bool read_options(struct backend *b, struct dial *d)
{
	return backend_name(b, "trunk", &d->trunk) && backend_name(b, "from", &d->from) &&
		backend_name(b, "participant_identity", &d->identity) &&
		backend_name(b, "participant_name", &d->name) &&
		backend_text(b, "participant_metadata", &d->metadata) &&
		backend_texts(b, "participant_attributes", &d->attributes) &&
		backend_name(b, "dtmf", &d->dtmf) && backend_flag(b, "wait_until_answered", &d->wait) &&
		backend_flag(b, "ringback", &d->ringback) &&
		backend_seconds(b, "ringing_timeout", RINGING_TIMEOUT_S_MAX, &d->ringing_timeout_ms);
}

static bool read_attributes(struct backend *b, struct dial *d)
{
	const char *key;
	json_t *value;
	if (json_object_size(d->attributes) > DIAL_ATTRIBUTES_MAX) {
		backend_fail(b, 400, "invalid_field", "participant_attributes: at most %d are allowed.",
			DIAL_ATTRIBUTES_MAX);
		return false;
	}
	json_object_foreach((json_t *)d->attributes, key, value)
		d->list[d->count++] = (struct attribute){key, json_string_value(value)};
	return true;
}

static const char *or_null(const char *text)
{
	return text && *text ? text : NULL;
}

/* ---- refusals ---- */

static const struct refusal {
	unsigned status;
	const char *code;
} refusals[] = {
	[CALL_E_NUMBER] = {400, "invalid_phone_number"},
	[CALL_E_COUNTRY] = {403, "country_not_allowed"},
	[CALL_E_BLOCKED] = {403, "number_blocked"},
	[CALL_E_RATE] = {429, "rate_limited"},
	[CALL_E_ALREADY] = {409, "already_dialing"},
	[CALL_E_LIMIT] = {429, "too_many_calls"},
	[CALL_E_MINUTES] = {429, "minutes_used_up"},
	[CALL_E_NO_CALLER] = {412, "no_caller_number"},
	[CALL_E_INVALID] = {400, "invalid_field"},
	[CALL_E_CODEC] = {412, "codec_unsupported"},
};

static void refuse(struct backend *b, struct idempotency_entry *entry, int outcome,
	const struct call_refusal *refusal)
{
	const struct refusal *r = &refusals[outcome];
	json_t *body = backend_error(r->code, refusal->why);
	json_t *error = json_object_get(body, "error");
	if (error && outcome == CALL_E_ALREADY && refusal->existing) {
		json_t *more = facts(refusal->existing);
		if (more)
			json_object_update(error, more);
		json_decref(more);
	}
	if (error && refusal->retry_after_ms)
		json_object_set_new(error, "retry_after", json_real(refusal->retry_after_ms / 1000.0));
	conclude(b->x, entry, r->status, body, false);
}

static void refuse_trunk(struct backend *b, struct idempotency_entry *entry, int outcome, const char *why)
{
	bool none = trunks_count(b->api->config.trunks) == 0;
	if (none)
		conclude(b->x, entry, 412, backend_error("no_trunk", why), false);
	else if (outcome == TRUNK_E_NOT_FOUND)
		conclude(b->x, entry, 404, backend_error("trunk_not_found", why), false);
	else
		conclude(b->x, entry, 409, backend_error("trunk_not_chosen", why), false);
}

static void refuse_broken(struct backend *b, struct idempotency_entry *entry)
{
	conclude(b->x, entry, 500, backend_error("internal", "Something is broken here; the log says what."),
		false);
}

/* ---- dialling ---- */

static void answer_later(struct backend *b, struct idempotency_entry *entry, struct call *c,
	const char *number)
{
	int r = wait_new(b->api, &(struct wait_request){
					 .call = c,
					 .number = number,
					 .x = b->x,
					 .entry = entry,
					 .done = on_done,
				 });
	if (r < 0) {
		refuse_broken(b, entry);
		call_hang_up(c);
	}
}

static void place(struct backend *b, const struct dial *d, struct idempotency_entry *entry)
{
	char why[TRUNK_WHY_SIZE];
	const Livekit__SIPOutboundTrunkInfo *trunk;
	const char *name = or_null(d->trunk) ? d->trunk : b->api->config.trunk;
	int r = trunks_choose(&trunk, b->api->config.trunks, name, why);
	if (r) {
		refuse_trunk(b, entry, r, why);
		return;
	}
	struct call *c = NULL;
	struct call_refusal refusal = {0};
	r = calls_dial(&c, b->api->config.calls,
		&(struct call_request){
			.room = d->room,
			.number = d->number,
			.trunk = trunk,
			.caller_number = or_null(d->from),
			.identity = or_null(d->identity),
			.name = d->name,
			.metadata = d->metadata,
			.attributes = d->list,
			.attribute_count = d->count,
			.dtmf = or_null(d->dtmf),
			.ringing_timeout_ms = d->ringing_timeout_ms,
			.ringback = d->ringback,
			.api_key = b->grants.issuer,
			.asker = b->grants.identity,
		},
		&refusal);
	char number[E164_SIZE];
	if (e164_parse(number, span_text(d->number), NULL) != E164_OK)
		number[0] = 0; /* the policy knows better */
	if (r < 0)
		refuse_broken(b, entry);
	else if (r)
		refuse(b, entry, r, &refusal);
	else if (d->wait)
		answer_later(b, entry, c, number);
	else
		conclude(b->x, entry, 200, success(c, number), true);
}

/* True: the request is ours to do, and *entry is to be finished (NULL without a key). */
static bool first_of_its_key(struct backend *b, struct idempotency_entry **entry)
{
	const char *key = http_header(b->x, "Idempotency-Key");
	const char *scope = b->grants.claims ? b->grants.issuer : "";
	if (!key || !*key)
		return true;
	if (strlen(key) > IDEMPOTENCY_KEY_MAX) {
		backend_fail(b, 400, "invalid_idempotency_key", "Idempotency-Key has more than %d characters.",
			IDEMPOTENCY_KEY_MAX);
		return false;
	}
	struct idempotency_entry *e = NULL;
	switch (idempotency_begin(&e, b->api->answers, scope, key, http_body(b->x), clock_ms())) {
	case 0:
		*entry = e;
		return true;
	case IDEMPOTENCY_E_DONE:
		idempotency_repeat(e, b->x);
		return false;
	case IDEMPOTENCY_E_PENDING:
		if (idempotency_wait(e, b->x) < 0)
			refuse_broken(b, NULL);
		return false;
	case IDEMPOTENCY_E_OTHER:
		backend_fail(b, 422, "idempotency_key_reused",
			"This Idempotency-Key was used with another body. Use a new one for a new call.");
		return false;
	case IDEMPOTENCY_E_FULL:
		backend_fail(b, 503, "too_many_calls", "Too many calls are being placed. Try again in a second.");
		return false;
	default:
		refuse_broken(b, NULL);
		return false;
	}
}

void backend_dial(struct backend *b)
{
	struct dial d = {0};
	struct idempotency_entry *entry = NULL;

	if (!b->open && !b->grants.sip.call) {
		backend_denied(b, "The token lacks the permission sip.call.");
		return;
	}
	if (backend_read(b) && read_names(b, &d) && read_options(b, &d) && read_attributes(b, &d) &&
		first_of_its_key(b, &entry))
		place(b, &d, entry);
}

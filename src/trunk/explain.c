#include "trunk/explain.h"

#include "trunk/explain_table.h"

#include <stdio.h>

static const struct call_signs no_signs;
static const struct call_failure no_values;

const char *ended_by_text(enum ended_by by)
{
	static const char *const texts[ENDED_BY__COUNT] = {
		[ENDED_BY_US] = "us",
		[ENDED_BY_FAR_END] = "far_end",
		[ENDED_BY_CARRIER] = "carrier",
		[ENDED_BY_NETWORK] = "network",
		[ENDED_BY_POLICY] = "policy",
		[ENDED_BY_ROOM] = "room",
	};
	return texts[by];
}

const char *call_retry_text(enum call_retry retry)
{
	static const char *const texts[RETRY__COUNT] = {
		[RETRY_NO] = "no",
		[RETRY_FIXED] = "when_fixed",
		[RETRY_LATER] = "later",
	};
	return texts[retry];
}

const struct ending *ending_of(struct ending_part part, enum ending_sign sign, int number)
{
	for (size_t i = 0; i < part.count; ++i)
		if (part.rows[i].sign == sign && part.rows[i].number == number)
			return &part.rows[i];
	return NULL;
}

/* The classes stand last, highest first. */
static const struct ending *of_status(int status)
{
	struct ending_part part = endings_by_status();
	const struct ending *row = ending_of(part, ENDING_STATUS, status);
	for (size_t i = 0; !row && i < part.count; ++i)
		if (part.rows[i].sign == ENDING_CLASS && part.rows[i].number <= status)
			row = &part.rows[i];
	return row ? row : &part.rows[part.count - 1];
}

/* A cause that says no more than "it ended" explains nothing. */
static const struct ending *of_network(const struct call_signs *s)
{
	const struct ending *row = ending_of(endings_by_network(), ENDING_Q850, (int)s->cause);
	return row ? row : ending_of(endings_by_network(), ENDING_WARNING, (int)s->warning);
}

/* `base` gives what `row` leaves open. */
static void tell(struct call_explanation *e, const struct ending *row, const struct ending *base,
	const struct call_failure *f)
{
	const struct call_signs *signs = f->signs ? f->signs : &no_signs;
	e->code = row->code;
	e->twirp_code = row->twirp ? row->twirp : base->twirp;
	e->reason = row->twirp ? row->reason : base->reason;
	e->ended_by = row->by;
	e->retry = row->retry;
	e->retry_after_s = row->retry == RETRY_LATER ? row->retry_s : 0;
	if (signs->retry_after_s && row->retry != RETRY_FIXED) {
		e->retry = RETRY_LATER;
		e->retry_after_s = signs->retry_after_s;
	}
	e->q850 = signs->cause ? signs->cause : row->q850 ? row->q850 : base->q850;
	explain_fill(e->sentence, sizeof e->sentence, row->sentence, f, e->retry_after_s);
}

static const struct ending *of_login(const struct call_failure *f)
{
	if (f->sip_status == 403)
		return f->after_challenge ? ending_of(endings_of_ours(), ENDING_LOGIN, LOGIN_WRONG_403) : NULL;
	if (f->sip_status != 401 && f->sip_status != 407)
		return NULL;
	/* A challenge that is not met has no final answer; LiveKit calls it a failed precondition. */
	return ending_of(endings_of_ours(), ENDING_LOGIN,
		!f->has_credentials	? LOGIN_MISSING
		: f->after_challenge ? LOGIN_WRONG
				     : LOGIN_UNKNOWN);
}

/* What everybody writes about this cause is said by our own sentence. */
static bool is_usual(const struct call_signs *s)
{
	const struct ending *row = ending_of(endings_by_network(), ENDING_Q850, (int)s->cause);
	return row && strcasecmp(row->text, s->cause_text) == 0;
}

/* The far end knows best why it refused: what it says beside the status belongs to the sentence, where
 * that has not said it already. */
static void quote(struct call_explanation *e, const struct call_failure *f)
{
	const struct call_signs *s = f->signs ? f->signs : &no_signs;
	const char *words[] = {s->provider, s->warning_text, is_usual(s) ? "" : s->cause_text};
	size_t used = strlen(e->sentence);

	for (size_t i = 0; i < COUNT_OF(words); ++i) {
		bool fits = used + strlen(words[i]) + sizeof " They say: \"\"." < sizeof e->sentence;
		if (*words[i] && fits && !strcasestr(e->sentence, words[i]))
			used += (size_t)snprintf(e->sentence + used, sizeof e->sentence - used, " They say: \"%s\".", words[i]);
	}
}

/* Some say in Warning or Reason what belongs into the phrase. */
static const struct ending *of_other_words(struct call_explanation *e, const struct call_signs *s)
{
	const char *words[] = {s->warning_text, s->cause_text};
	char code[sizeof e->carrier_code];

	for (size_t i = 0; i < COUNT_OF(words); ++i) {
		const struct ending *row = ending_of_carrier(code, NULL, words[i], words[i]);
		if (row && *code)
			memcpy(e->carrier_code, code, sizeof code);
		if (row)
			return row;
	}
	return NULL;
}

static void explain_response(struct call_explanation *e, const struct call_failure *f)
{
	const struct call_signs *signs = f->signs ? f->signs : &no_signs;
	const struct ending *base = of_status(f->sip_status), *login = of_login(f);
	const char *provider = f->provider ? f->provider : signs->provider;
	const struct ending *carrier = ending_of_carrier(e->carrier_code, provider, f->reason, f->phrase ? f->phrase : f->reason);
	if (!carrier)
		carrier = of_other_words(e, signs);
	const struct ending *network = base->vague ? of_network(signs) : NULL;

	if (f->sip_status == 401 || f->sip_status == 407)
		tell(e, login, login, f);
	else if (carrier)
		tell(e, carrier, base, f);
	else if (login)
		tell(e, login, base, f);
	else
		tell(e, network ? network : base, base, f);
	if (!carrier)
		quote(e, f);
}

void explain_failure(struct call_explanation *ret, const struct call_failure *f)
{
	memset(ret, 0, sizeof *ret);
	if (f->kind == CALL_FAILURE_RESPONSE) {
		explain_response(ret, f);
		return;
	}
	const struct ending *row = ending_of(endings_of_ours(), ENDING_FAULT, (int)f->kind);
	if (!row)
		row = ending_of(endings_of_ours(), ENDING_FAULT, CALL_FAILURE_INTERNAL);
	tell(ret, row, row, f);
}

/* Q.850, 16 and 31: an ordinary end; 17 to 21: a person's doing. */
static bool is_cut(const struct call_failure *f)
{
	unsigned cause = f->signs ? f->signs->cause : 0;
	return cause && cause != 16 && cause != 31 && !(cause >= 17 && cause <= 21);
}

void explain_end(struct call_explanation *ret, enum call_end end, const struct call_failure *f)
{
	memset(ret, 0, sizeof *ret);
	if (!f)
		f = &no_values;
	if (end == CALL_END_FAR_END && is_cut(f))
		end = CALL_END_FAR_END_CUT;
	const struct ending *row = ending_of(endings_of_ours(), ENDING_NORMAL, (int)end);
	tell(ret, row, row, f);
}

enum call_end explain_removal(Livekit__DisconnectReason why)
{
	switch (why) {
	case LIVEKIT__DISCONNECT_REASON__DUPLICATE_IDENTITY:
		return CALL_END_REPLACED;
	case LIVEKIT__DISCONNECT_REASON__ROOM_DELETED:
		return CALL_END_ROOM_DELETED;
	case LIVEKIT__DISCONNECT_REASON__ROOM_CLOSED:
		return CALL_END_ROOM_CLOSED;
	case LIVEKIT__DISCONNECT_REASON__SERVER_SHUTDOWN:
		return CALL_END_SERVER_STOPPED;
	default:
		return CALL_END_REMOVED;
	}
}

/* trunk/policy_rules.c - asks the rules, one after the other: the first that refuses has the word. */
#include "trunk/policy_rules.h"

#include <stdarg.h>
#include <stdio.h>

enum { EXTENSION_DIGITS_MAX = 6 };

void policy_says(struct policy_finding *f, enum policy_outcome outcome, const char *format, ...)
{
	va_list args;
	f->outcome = outcome;
	va_start(args, format);
	vsnprintf(f->says, sizeof f->says, format, args);
	va_end(args);
}

void policy_configured(struct policy_finding *f, const char *key)
{
	snprintf(f->setting, sizeof f->setting, "%s", key);
}

void policy_in_the_trunk(struct policy_finding *f, const char *option)
{
	snprintf(f->setting, sizeof f->setting, "the trunk's metadata, ringdown.policy.%s", option);
}

static const struct rule {
	const char *name;
	bool (*ask)(struct policy_finding *f, struct question *q); /* false: nothing more can be asked */
} rules[] = {
	{"services", policy_ask_services},
	{"number", policy_ask_number},
	{"blocked", policy_ask_blocked},
	{"country", policy_ask_country},
	{"calls", policy_ask_all},
	{"trunk", policy_ask_trunk},
	{"identity", policy_ask_identity},
	{"minutes", policy_ask_minutes},
	{"duration", policy_ask_duration},
	{"rate", policy_ask_rate},
};
_Static_assert(COUNT_OF(rules) <= POLICY_RULES_MAX, "policy.h says how many there are");

/* "1001", "reception". Never so many digits that it could be a number of somebody's: those have a
 * country, and are asked about it. */
static bool is_extension(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", digits[] = "0123456789";
	size_t size = strlen(text);

	if (!size || size >= POLICY_NUMBER_SIZE)
		return false;
	if (strspn(text, digits) == size)
		return size <= EXTENSION_DIGITS_MAX;
	for (const char *c = text; *c; ++c)
		if (!strchr(letters, *c) && !strchr(digits, *c) && !strchr("._-", *c))
			return false;
	return strchr(letters, *text) != NULL; /* "0049-30..." is a number all the same */
}

void policy_question(struct question *q, struct policy *p, const struct policy_request *request,
	struct policy_verdict *verdict, uint64_t now_ms)
{
	char why[TRUNK_WHY_SIZE];
	const char *metadata = request->trunk->metadata;

	memset(verdict, 0, sizeof *verdict);
	*q = (struct question){.p = p, .request = request, .verdict = verdict, .now_ms = now_ms,
		.trunk = policy_trunk_name(request->trunk)};
	/* What does not fit was refused when the trunk was made. */
	if (trunk_options_read(&q->options, metadata ? metadata : "", why))
		memset(&q->options, 0, sizeof q->options);
	q->read = e164_parse(verdict->number, span_text(request->number), &q->bad_at);
	q->extension = q->read != E164_OK && q->options.policy.extensions && is_extension(request->number);
	if (q->extension)
		snprintf(verdict->number, sizeof verdict->number, "%s", request->number);
	q->country = q->read == E164_OK ? country_of(verdict->number) : NULL;
}

void policy_weigh(struct policy_verdict *v, const struct policy_finding *f)
{
	if (f->outcome == POLICY_OK || v->outcome != POLICY_OK)
		return;
	v->outcome = f->outcome;
	snprintf(v->why, sizeof v->why, "%s", f->says);
}

size_t policy_explain(struct policy_finding out[POLICY_RULES_MAX], struct policy_verdict *ret,
	struct policy *p, const struct policy_request *request, uint64_t now_ms)
{
	struct question q;
	size_t count = 0;
	bool more = true;

	policy_question(&q, p, request, ret, now_ms);
	while (more && count < COUNT_OF(rules)) {
		struct policy_finding *f = &out[count];
		*f = (struct policy_finding){.rule = rules[count].name};
		more = rules[count++].ask(f, &q);
		policy_weigh(ret, f);
	}
	return count;
}

void policy_check(struct policy_verdict *ret, struct policy *p, const struct policy_request *request,
	uint64_t now_ms)
{
	struct policy_finding findings[POLICY_RULES_MAX];

	(void)policy_explain(findings, ret, p, request, now_ms);
	if (ret->outcome != POLICY_RATE)
		ret->retry_after_ms = 0;
}

const char *policy_outcome_name(enum policy_outcome o)
{
	static const char *const names[] = {
		[POLICY_OK] = "allowed",
		[POLICY_NOT_E164] = "invalid_phone_number",
		[POLICY_COUNTRY] = "country_not_allowed",
		[POLICY_BLOCKED] = "number_blocked",
		[POLICY_RATE] = "rate_limited",
		[POLICY_BUSY] = "too_many_calls",
		[POLICY_MINUTES] = "minutes_used_up",
	};
	return names[o];
}

/* trunk/policy_rules.c - the rules, one after the other: the first that refuses has the word. */
#include "trunk/policy_private.h"

#include "trunk/country.h"
#include "trunk/options.h"

#include "base/limits.h"
#include "wire/e164.h"

#include <stdarg.h>
#include <stdio.h>

enum { OWN_PREFIXES_MAX = 8, MINUTE_MS = 60 * 1000, DIGITS_OF_SOME_COUNTRY = 7, EXTENSION_DIGITS_MAX = 6 };

/* What is known of the call that is asked for. */
struct question {
	struct policy *p;
	const struct policy_request *request;
	struct policy_verdict *verdict;
	uint64_t now_ms;
	const char *trunk; /* see policy_trunk_name() */
	struct trunk_options options;
	enum e164_outcome read; /* of the number */
	size_t bad_at;
	const struct country *country; /* NULL: none that is known */
	bool extension; /* no number, but a name that the trunk's PBX may know */
};

static void says(struct policy_finding *f, enum policy_outcome outcome, const char *format, ...) PRINTF(3, 4);
static void says(struct policy_finding *f, enum policy_outcome outcome, const char *format, ...)
{
	va_list args;
	f->outcome = outcome;
	va_start(args, format);
	vsnprintf(f->says, sizeof f->says, format, args);
	va_end(args);
}

static void configured(struct policy_finding *f, const char *where)
{
	snprintf(f->setting, sizeof f->setting, "%s", where);
}

static void in_the_trunk(struct policy_finding *f, const char *option)
{
	snprintf(f->setting, sizeof f->setting, "the trunk's metadata, ringdown.policy.%s", option);
}

/* ---- the number ---- */

/* What is wrong with it, as the middle of a sentence. */
static void describe_number(char *out, size_t size, const struct question *q)
{
	const char *number = q->request->number, *read = q->verdict->number;
	unsigned char bad = (unsigned char)number[q->bad_at];
	const char *digits = read + (*read == '+');

	switch (q->read) {
	case E164_E_EMPTY:
		snprintf(out, size, "it has no digits");
		break;
	case E164_E_CHARACTER:
		if (bad < 0x20 || bad > 0x7e)
			snprintf(out, size, "character %zu is not a digit", q->bad_at + 1);
		else
			snprintf(out, size, "\"%c\" is not a digit", bad);
		break;
	case E164_E_NO_PLUS:
		snprintf(out, size, "it does not begin with + and a country code");
		break;
	case E164_E_DOUBLE_ZERO:
		snprintf(out, size, "it begins with 00; write +%s", digits + 2);
		break;
	case E164_E_ZERO:
		snprintf(out, size, "no country code begins with 0");
		break;
	case E164_E_SHORT:
		snprintf(out, size, "it has only %zu digits", strlen(digits));
		break;
	case E164_E_LONG:
		snprintf(out, size, "it has more than %d digits", E164_DIGITS_MAX);
		break;
	case E164_OK:
		snprintf(out, size, "nothing is");
		break;
	}
}

/* Short codes come first: 911 is no E.164 number, but that is not what is to be said about it. */
static bool ask_services(struct policy_finding *f, struct question *q)
{
	const char *number = q->verdict->number;
	const char *what = q->read == E164_E_CHARACTER ? NULL : country_blocked(number);

	if (q->extension && !country_is_help(number))
		what = NULL;
	if (what)
		says(f, POLICY_BLOCKED, "%s is %s. Such numbers are never dialled from here%s.", number, what,
			strstr(what, "emergency") ? ": use a telephone" : "");
	else
		says(f, POLICY_OK, "It is no emergency, premium-rate or satellite number that is known.");
	return true;
}

static bool ask_number(struct policy_finding *f, struct question *q)
{
	char why[112] = "";

	if (q->extension) {
		in_the_trunk(f, "extensions");
		says(f, POLICY_OK, "%s is an extension, which this trunk may call.", q->verdict->number);
		return true;
	}
	if (q->read == E164_OK) {
		says(f, POLICY_OK, "%s is a number as E.164 has them.", q->verdict->number);
		return true;
	}
	describe_number(why, sizeof why, q);
	says(f, POLICY_NOT_E164, "\"%.40s\" is not a phone number that can be dialled: %s. Expected is E.164: + and country "
		"code, then the number, for example +14155550123.", q->request->number, why);
	return false; /* the other rules have nothing to go by */
}

/* ---- where it leads ---- */

/* "+1" allows +1 555..., but not +1 876... (Jamaica): a country must be named by its own prefix. */
static bool allows(const char *prefix, const struct question *q)
{
	size_t size = strlen(prefix), least = q->country ? strlen(q->country->prefix) : 1;

	return !strcmp(prefix, "*") || (size >= least && !strncmp(q->verdict->number, prefix, size));
}

static bool ask_blocked(struct policy_finding *f, struct question *q)
{
	const struct policy_config *c = &q->p->config;

	configured(f, "sip.blocked_prefixes");
	for (size_t i = 0; i < c->blocked_count; ++i) {
		const char *prefix = c->blocked_prefixes[i];
		if (strncmp(q->verdict->number, prefix, strlen(prefix)))
			continue;
		says(f, POLICY_BLOCKED, "%s begins with %s, which is blocked. Take it out of sip.blocked_prefixes in the "
			"configuration to allow it.", q->verdict->number, prefix);
		return true;
	}
	says(f, POLICY_OK, c->blocked_count ? "It has none of the blocked prefixes." : "Nothing is blocked beside that.");
	return true;
}

/* One country's number more in the list, unless it is there or the list is full. */
static void add_country(const char *out[OWN_PREFIXES_MAX], size_t *count, const char *number)
{
	char with_plus[E164_SIZE + 1];
	const struct country *c;

	if (!number || strspn(number, "+0123456789") != strlen(number) || strlen(number) < DIGITS_OF_SOME_COUNTRY)
		return;
	snprintf(with_plus, sizeof with_plus, "%s%.15s", *number == '+' ? "" : "+", number);
	c = country_of(with_plus);
	for (size_t i = 0; c && i < *count; ++i)
		if (!strcmp(out[i], c->prefix))
			return;
	if (c && *count < OWN_PREFIXES_MAX)
		out[(*count)++] = c->prefix;
}

/* The trunk's own country: the one that it names, else those of its numbers, else of the caller's. */
static size_t own_countries(const char *out[OWN_PREFIXES_MAX], const struct question *q)
{
	const Livekit__SIPOutboundTrunkInfo *t = q->request->trunk;
	size_t count = t->destination_country ? country_prefixes(out, t->destination_country) : 0;

	for (size_t i = 0; i < t->n_numbers && !(t->destination_country && *t->destination_country); ++i)
		add_country(out, &count, t->numbers[i]);
	if (!count)
		add_country(out, &count, q->request->caller);
	return count;
}

/* Nobody has said which: the trunk's own, and no other. */
static void refuse_foreign(struct policy_finding *f, const struct question *q, const char *own)
{
	const struct country *c = q->country;

	if (own)
		says(f, POLICY_COUNTRY, "Calls to %s (%s) are off: until sip.allowed_countries is set, a trunk calls its own "
			"country (%s) only. Set it to those that may be called, such as [\"%s\", \"%s\"].", c->name, c->prefix,
			own, own, c->prefix);
	else
		says(f, POLICY_COUNTRY, "Calls to %s (%s) are off: a trunk calls its own country only, and this one's is not known. "
			"Give it a destination_country, or set sip.allowed_countries.", c->name, c->prefix);
}

static void refuse_country(struct policy_finding *f, const struct question *q, bool of_the_trunk)
{
	const struct country *c = q->country;

	if (!c)
		says(f, POLICY_COUNTRY, "%s belongs to no country that is known. Check the number.", q->verdict->number);
	else if (of_the_trunk)
		says(f, POLICY_COUNTRY, "Calls to %s (%s) are off for this trunk. Add \"%s\" to ringdown.policy.allowed_countries "
			"in its metadata to allow them.", c->name, c->prefix, c->prefix);
	else
		says(f, POLICY_COUNTRY, "Calls to %s (%s) are off. Add \"%s\" to sip.allowed_countries in the configuration to allow "
			"them.", c->name, c->prefix, c->prefix);
}

static void allow_country(struct policy_finding *f, const struct question *q, const char *why)
{
	if (q->country)
		says(f, POLICY_OK, "%s (%s) %s.", q->country->name, q->country->prefix, why);
	else
		says(f, POLICY_OK, "Its country is not known, but %s.", why);
}

static bool ask_country(struct policy_finding *f, struct question *q)
{
	const struct option_list *trunk = &q->options.policy.allowed_countries;
	const struct policy_config *c = &q->p->config;
	const char *own[OWN_PREFIXES_MAX] = {NULL};
	bool allowed = false, configured_here = trunk->count || c->allowed_count;

	if (q->extension) {
		says(f, POLICY_OK, "An extension is in no country.");
		return true;
	}
	if (trunk->count) {
		in_the_trunk(f, "allowed_countries");
		for (size_t i = 0; i < trunk->count; ++i)
			allowed |= allows(trunk->at[i], q);
	} else if (c->allowed_count) {
		configured(f, "sip.allowed_countries");
		for (size_t i = 0; i < c->allowed_count; ++i)
			allowed |= allows(c->allowed_prefixes[i], q);
	} else {
		configured(f, "sip.allowed_countries (not set)");
		size_t count = own_countries(own, q);
		for (size_t i = 0; i < count; ++i)
			allowed |= allows(own[i], q);
	}
	if (allowed)
		allow_country(f, q, configured_here ? "is allowed" : "is the trunk's own country");
	else if (configured_here || !q->country)
		refuse_country(f, q, trunk->count);
	else
		refuse_foreign(f, q, own[0]);
	return true;
}

/* ---- how many ---- */

static bool ask_count(struct policy_finding *f, size_t now, uint32_t most, const char *whose, const char *setting)
{
	if (!most)
		says(f, POLICY_OK, "%zu calls %s now; there is no limit.", now, whose);
	else if (now < most)
		says(f, POLICY_OK, "%zu calls %s now, of at most %u.", now, whose, most);
	else
		says(f, POLICY_BUSY, "There are %zu calls %s already, and %u is the limit. End one first, or raise %s.", now, whose,
			most, setting);
	return true;
}

static bool ask_all(struct policy_finding *f, struct question *q)
{
	configured(f, "sip.max_active_calls");
	return ask_count(f, policy_count(q->p, NULL, NULL, NULL), q->p->config.max_calls, "in all", f->setting);
}

/* The trunk's own number, else the server's; and where it stands. */
static uint32_t limit_of(struct policy_finding *f, uint32_t trunk, const char *option, uint32_t server, const char *key)
{
	if (trunk)
		in_the_trunk(f, option);
	else
		configured(f, key);
	return trunk ? trunk : server;
}

static bool ask_trunk(struct policy_finding *f, struct question *q)
{
	uint32_t most = limit_of(f, q->options.policy.max_calls, "max_calls", q->p->config.max_calls_per_trunk,
		"sip.max_calls_per_trunk");
	return ask_count(f, policy_count(q->p, q->trunk, NULL, NULL), most, "on this trunk", f->setting);
}

static bool ask_identity(struct policy_finding *f, struct question *q)
{
	const struct policy_request *r = q->request;
	uint32_t most = limit_of(f, q->options.policy.max_calls_per_identity, "max_calls_per_identity",
		q->p->config.max_calls_per_identity, "sip.max_calls_per_identity");
	if (r->identity && *r->identity)
		return ask_count(f, policy_count(q->p, NULL, r->key ? r->key : "", r->identity), most, "of this identity", f->setting);
	says(f, POLICY_OK, "The token names no identity, so none is counted.");
	return true;
}

/* ---- how long ---- */

static bool ask_minutes(struct policy_finding *f, struct question *q)
{
	const char *key = q->request->key ? q->request->key : "";
	uint32_t most = q->p->config.minutes_per_day;
	uint64_t used = usage_ms(&q->p->usage, key) / MINUTE_MS;

	configured(f, "sip.minutes_per_day");
	if (!most)
		says(f, POLICY_OK, "%llu minutes today; there is no limit.", (unsigned long long)used);
	else if (used < most)
		says(f, POLICY_OK, "%llu of %u minutes of today (UTC) are used.", (unsigned long long)used, most);
	else
		says(f, POLICY_MINUTES, "The API key %.64s has used up its %u minutes of today (UTC). Wait until midnight, or raise "
			"sip.minutes_per_day.", *key ? key : "of nobody", most);
	return true;
}

static uint32_t smaller(uint32_t a, uint64_t b)
{
	uint32_t limit = b > UINT32_MAX ? UINT32_MAX : (uint32_t)b;
	return a && a < limit ? a : limit;
}

static bool ask_duration(struct policy_finding *f, struct question *q)
{
	const struct policy_config *c = &q->p->config;
	const char *key = q->request->key ? q->request->key : "";
	uint64_t used = usage_ms(&q->p->usage, key), most = (uint64_t)c->minutes_per_day * MINUTE_MS;
	uint32_t longest = limit_of(f, q->options.policy.max_call_duration_s * 1000, "max_call_duration_s",
		c->max_duration_ms, "sip.max_call_duration");

	if (most > used)
		longest = smaller(longest, most - used);
	q->verdict->longest_ms = longest;
	if (longest)
		says(f, POLICY_OK, "It may last %u s.", longest / 1000);
	else
		says(f, POLICY_OK, "It may last as long as the request says.");
	return true;
}

/* ---- how often: last, because it takes something ---- */

static double rate_of(struct policy_finding *f, const struct question *q)
{
	uint32_t trunk = q->options.policy.calls_per_second;

	limit_of(f, trunk, "calls_per_second", 0, "sip.calls_per_second");
	return trunk ? trunk : q->p->config.calls_per_second;
}

static bool ask_rate(struct policy_finding *f, struct question *q)
{
	double rate = rate_of(f, q);
	uint32_t before = 0, patience_ms = q->p->config.queue_wait_ms;
	uint64_t wait_ms = 0;

	if (rate <= 0) {
		says(f, POLICY_OK, "There is no limit of calls per second.");
		return true;
	}
	if (rates_look(&q->p->rates, q->trunk, rate, q->now_ms, &wait_ms, &before) < 0) {
		q->verdict->retry_after_ms = 1000;
		says(f, POLICY_RATE, "Out of memory: try again in 1 s.");
		return true;
	}
	if (wait_ms <= patience_ms && before < LIMIT_QUEUED_CALLS) {
		q->verdict->wait_ms = (uint32_t)wait_ms;
		says(f, POLICY_OK, "%g calls per second; it waits %.1f s for its turn.", rate, (double)wait_ms / 1000);
		return true;
	}
	q->verdict->retry_after_ms = smaller(UINT32_MAX, wait_ms > patience_ms ? wait_ms - patience_ms : wait_ms);
	double again_s = q->verdict->retry_after_ms / 1000.0;
	says(f, POLICY_RATE, "%g calls per second is this trunk's limit, and it is reached, with %u calls waiting: try again in "
		"%.1f s, or raise %s.", rate, before, again_s < 0.1 ? 0.1 : again_s, f->setting);
	return true;
}

/* ---- all of them ---- */

static const struct rule {
	const char *name;
	bool (*ask)(struct policy_finding *f, struct question *q); /* false: nothing more can be asked */
} rules[] = {
	{"services", ask_services},
	{"number", ask_number},
	{"blocked", ask_blocked},
	{"country", ask_country},
	{"calls", ask_all},
	{"trunk", ask_trunk},
	{"identity", ask_identity},
	{"minutes", ask_minutes},
	{"duration", ask_duration},
	{"rate", ask_rate},
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

static void begin(struct question *q, struct policy *p, const struct policy_request *request,
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

size_t policy_explain(struct policy_finding out[POLICY_RULES_MAX], struct policy_verdict *ret,
	struct policy *p, const struct policy_request *request, uint64_t now_ms)
{
	struct question q;
	size_t count = 0;
	bool more = true;

	begin(&q, p, request, ret, now_ms);
	while (more && count < COUNT_OF(rules)) {
		struct policy_finding *f = &out[count];
		*f = (struct policy_finding){.rule = rules[count].name};
		more = rules[count++].ask(f, &q);
		if (f->outcome == POLICY_OK || ret->outcome != POLICY_OK)
			continue;
		ret->outcome = f->outcome;
		snprintf(ret->why, sizeof ret->why, "%s", f->says);
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

/* trunk/policy_number.c - the rules of whom: what no program dials, what is a number, and which countries
 * and prefixes are allowed. */
#include "trunk/policy_rules.h"

#include "trunk/country.h"
#include "trunk/target.h"

#include <stdio.h>

enum { DIGITS_OF_SOME_COUNTRY = 7 };

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

/* A PBX may route by To, whatever the Request-URI says: nobody is called by that either who is never called. */
static const char *blocked_in_to(const struct question *q, struct target *t)
{
	const char *own[OWN_PREFIXES_MAX];
	size_t own_count = policy_own_countries(own, q);

	for (size_t i = 0; i < COUNT_OF(q->request->shown); ++i) {
		if (!q->request->shown[i])
			continue;
		target_read_user(t, q->request->shown[i], own, own_count);
		if (t->kind == TARGET_NAME && country_is_help(t->user))
			return "an emergency number";
		for (size_t j = 0; j < t->count; ++j)
			if (country_blocked(t->readings[j]))
				return country_blocked(t->readings[j]);
	}
	return NULL;
}

/* Short codes come first: 911 is no E.164 number, but that is not what is to be said about it. */
bool policy_ask_services(struct policy_finding *f, struct question *q)
{
	const char *number = q->verdict->number;
	const char *what = q->read == E164_E_CHARACTER ? NULL : country_blocked(number);
	struct target shown;

	if (q->extension && !country_is_help(number))
		what = NULL;
	if (!what && (what = blocked_in_to(q, &shown)))
		number = shown.user;
	if (what)
		policy_says(f, POLICY_BLOCKED, "%s is %s. Such numbers are never dialled from here%s.", number, what,
			strstr(what, "emergency") ? ": use a telephone" : "");
	else
		policy_says(f, POLICY_OK, "It is no emergency, premium-rate or satellite number that is known.");
	return true;
}

bool policy_ask_number(struct policy_finding *f, struct question *q)
{
	char why[112] = "";
	bool elsewhere = q->request->uri_params && target_routes_elsewhere(q->request->uri_params);

	if (q->extension && !elsewhere) {
		policy_in_the_trunk(f, "extensions");
		policy_says(f, POLICY_OK, "%s is an extension, which this trunk may call.", q->verdict->number);
		return true;
	}
	const char *misdialled = q->read == E164_OK ? country_misdialled(q->verdict->number) : NULL;
	if (q->read == E164_OK && !misdialled && !elsewhere) {
		policy_says(f, POLICY_OK, "%s is a number as E.164 has them.", q->verdict->number);
		return true;
	}
	if (elsewhere)
		snprintf(why, sizeof why, "its URI has a parameter that routes elsewhere (rn, cic, tgrp)");
	else if (misdialled)
		snprintf(why, sizeof why, "%s", misdialled);
	else
		describe_number(why, sizeof why, q);
	policy_says(f, POLICY_NOT_E164, "\"%.40s\" is not a phone number that can be dialled: %s. Expected is E.164: + and country "
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

bool policy_ask_blocked(struct policy_finding *f, struct question *q)
{
	const struct policy_config *c = &q->p->config;

	policy_configured(f, "sip.blocked_prefixes");
	for (size_t i = 0; i < c->blocked_count; ++i) {
		const char *prefix = c->blocked_prefixes[i];
		if (strncmp(q->verdict->number, prefix, strlen(prefix)))
			continue;
		policy_says(f, POLICY_BLOCKED, "%s begins with %s, which is blocked. Take it out of sip.blocked_prefixes in the "
			"configuration to allow it.", q->verdict->number, prefix);
		return true;
	}
	policy_says(f, POLICY_OK, c->blocked_count ? "It has none of the blocked prefixes." : "Nothing is blocked beside that.");
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

size_t policy_own_countries(const char *out[OWN_PREFIXES_MAX], const struct question *q)
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
		policy_says(f, POLICY_COUNTRY, "Calls to %s (%s) are off: until sip.allowed_countries is set, a trunk calls its own "
			"country (%s) only. Set it to those that may be called, such as [\"%s\", \"%s\"].", c->name, c->prefix,
			own, own, c->prefix);
	else
		policy_says(f, POLICY_COUNTRY, "Calls to %s (%s) are off: a trunk calls its own country only, and this one's is not known. "
			"Give it a destination_country, or set sip.allowed_countries.", c->name, c->prefix);
}

static void refuse_country(struct policy_finding *f, const struct question *q, bool of_the_trunk)
{
	const struct country *c = q->country;

	if (!c)
		policy_says(f, POLICY_COUNTRY, "%s belongs to no country that is known. Check the number.", q->verdict->number);
	else if (of_the_trunk)
		policy_says(f, POLICY_COUNTRY, "Calls to %s (%s) are off for this trunk. Add \"%s\" to ringdown.policy.allowed_countries "
			"in its metadata to allow them.", c->name, c->prefix, c->prefix);
	else
		policy_says(f, POLICY_COUNTRY, "Calls to %s (%s) are off. Add \"%s\" to sip.allowed_countries in the configuration to allow "
			"them.", c->name, c->prefix, c->prefix);
}

static void allow_country(struct policy_finding *f, const struct question *q, const char *why)
{
	if (q->country)
		policy_says(f, POLICY_OK, "%s (%s) %s.", q->country->name, q->country->prefix, why);
	else
		policy_says(f, POLICY_OK, "Its country is not known, but %s.", why);
}

bool policy_ask_country(struct policy_finding *f, struct question *q)
{
	const struct option_list *trunk = &q->options.policy.allowed_countries;
	const struct policy_config *c = &q->p->config;
	const char *own[OWN_PREFIXES_MAX] = {NULL};
	bool allowed = false, configured_here = trunk->count || c->allowed_count;

	if (q->extension) {
		policy_says(f, POLICY_OK, "An extension is in no country.");
		return true;
	}
	if (trunk->count) {
		policy_in_the_trunk(f, "allowed_countries");
		for (size_t i = 0; i < trunk->count; ++i)
			allowed |= allows(trunk->at[i], q);
	} else if (c->allowed_count) {
		policy_configured(f, "sip.allowed_countries");
		for (size_t i = 0; i < c->allowed_count; ++i)
			allowed |= allows(c->allowed_prefixes[i], q);
	} else {
		policy_configured(f, "sip.allowed_countries (not set)");
		size_t count = policy_own_countries(own, q);
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

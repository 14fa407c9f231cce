#include "trunk/policy.h"

#include "trunk/country.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "wire/e164.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

/* A token bucket for one trunk: one call at once, then `calls_per_second` more each second. */
struct bucket {
	struct map_node node;
	struct list link; /* in policy.buckets: the one that was used longest ago is first */
	char *trunk_id;
	double tokens;
	uint64_t filled_ms;
};

struct policy {
	char **allowed;
	size_t allowed_count;
	double calls_per_second;
	struct map by_trunk;
	struct list buckets;
};

static double burst(const struct policy *p)
{
	return p->calls_per_second > 1 ? p->calls_per_second : 1;
}

int policy_new(struct policy **ret, const struct policy_config *config)
{
	assert(ret && config);

	struct policy *p = mem_zalloc(sizeof *p);
	if (!p)
		return err_new(-ENOMEM);
	list_init(&p->buckets);
	p->calls_per_second = config->calls_per_second;
	p->allowed = mem_zalloc((config->allowed_count + 1) * sizeof *p->allowed);
	if (!p->allowed)
		goto fail;
	for (size_t i = 0; i < config->allowed_count; ++i) {
		p->allowed[i] = mem_strdup(config->allowed_prefixes[i]);
		if (!p->allowed[i])
			goto fail;
		++p->allowed_count;
	}
	*ret = p;
	return 0;
fail:
	policy_free(p);
	return err_new(-ENOMEM);
}

static void bucket_free(struct policy *p, struct bucket *b)
{
	map_remove(&p->by_trunk, &b->node);
	list_remove(&b->link);
	mem_free(b->trunk_id);
	mem_free(b);
}

struct policy *policy_free(struct policy *p)
{
	if (!p)
		return NULL;
	while (!list_empty(&p->buckets))
		bucket_free(p, list_first(&p->buckets, struct bucket, link));
	map_fini(&p->by_trunk);
	for (size_t i = 0; i < p->allowed_count; ++i)
		mem_free(p->allowed[i]);
	mem_free(p->allowed);
	mem_free(p);
	return NULL;
}

/* Finds or makes; the bucket that was not used for longest goes when there are too many. NULL when
 * out of memory. */
static struct bucket *bucket_of(struct policy *p, const char *trunk_id, uint64_t now_ms)
{
	struct bucket *b = map_entry(map_get(&p->by_trunk, trunk_id), struct bucket, node);
	if (b) {
		list_remove(&b->link);
		list_add(&p->buckets, &b->link);
		return b;
	}
	if (p->by_trunk.count >= LIMIT_TRUNKS)
		bucket_free(p, list_first(&p->buckets, struct bucket, link));
	b = mem_zalloc(sizeof *b);
	char *id = mem_strdup(trunk_id);
	if (b && id && map_put(&p->by_trunk, &b->node, id) == 0) {
		b->trunk_id = id;
		b->tokens = burst(p);
		b->filled_ms = now_ms;
		list_add(&p->buckets, &b->link);
		return b;
	}
	mem_free(b);
	mem_free(id);
	return NULL;
}

static void check_rate(struct policy_verdict *v, struct policy *p, const char *trunk_id, uint64_t now_ms)
{
	if (p->calls_per_second <= 0)
		return;
	struct bucket *b = bucket_of(p, trunk_id ? trunk_id : "", now_ms);
	if (!b) {
		v->outcome = POLICY_RATE;
		v->retry_after_ms = 1000;
		snprintf(v->why, sizeof v->why, "Out of memory: try again in 1 s.");
		return;
	}
	if (now_ms > b->filled_ms)
		b->tokens += (double)(now_ms - b->filled_ms) * p->calls_per_second / 1000;
	b->filled_ms = now_ms;
	if (b->tokens > burst(p))
		b->tokens = burst(p);
	/* A hair of slack: a caller that waits exactly as long as it was told must get through. */
	if (b->tokens >= 1 - 1e-6) {
		b->tokens -= 1;
		return;
	}
	double wait_ms = (1 - b->tokens) * 1000 / p->calls_per_second;
	v->outcome = POLICY_RATE;
	v->retry_after_ms = (uint32_t)wait_ms + 1;
	snprintf(v->why, sizeof v->why,
		"%g calls per second is this trunk's limit, and it is reached: try again in %.1f s.",
		p->calls_per_second, wait_ms / 1000 < 0.1 ? 0.1 : wait_ms / 1000);
}

/* "+1" allows +1 555..., but not +1 876... (Jamaica): a country must be named by its own prefix. */
static bool is_allowed(const struct policy *p, const char *number, const struct country *country)
{
	size_t least = country ? strlen(country->prefix) : 1;
	for (size_t i = 0; i < p->allowed_count; ++i) {
		const char *allowed = p->allowed[i];
		size_t size = strlen(allowed);
		if (!strcmp(allowed, "*"))
			return true;
		if (size >= least && !strncmp(number, allowed, size))
			return true;
	}
	return false;
}

static const char expected[] = "Expected is E.164: + and country code, then the number, for example "
			       "+14155550123";

static void refuse_number(struct policy_verdict *v, enum e164_outcome outcome, const char *number,
	size_t bad_at)
{
	char reason[112] = "";
	const char *digits = v->number + (v->number[0] == '+');
	switch (outcome) {
	case E164_E_EMPTY:
		snprintf(reason, sizeof reason, "it has no digits");
		break;
	case E164_E_CHARACTER:
		if ((unsigned char)number[bad_at] < 0x20 || (unsigned char)number[bad_at] > 0x7e)
			snprintf(reason, sizeof reason, "character %zu is not a digit", bad_at + 1);
		else
			snprintf(reason, sizeof reason, "\"%c\" is not a digit", number[bad_at]);
		break;
	case E164_E_NO_PLUS:
		snprintf(reason, sizeof reason, "it does not begin with + and a country code");
		break;
	case E164_E_DOUBLE_ZERO:
		snprintf(reason, sizeof reason, "it begins with 00; write +%s", digits + 2);
		break;
	case E164_E_ZERO:
		snprintf(reason, sizeof reason, "no country code begins with 0");
		break;
	case E164_E_SHORT:
		snprintf(reason, sizeof reason, "it has only %zu digits", strlen(digits));
		break;
	case E164_E_LONG:
		snprintf(reason, sizeof reason, "it has more than %d digits", E164_DIGITS_MAX);
		break;
	case E164_OK:
		break;
	}
	v->outcome = POLICY_NOT_E164;
	snprintf(v->why, sizeof v->why, "\"%.40s\" is not a phone number that can be dialled: %s. %s.",
		number, reason, expected);
}

static void refuse_blocked(struct policy_verdict *v, const char *what)
{
	v->outcome = POLICY_BLOCKED;
	snprintf(v->why, sizeof v->why, "%s is %s. Such numbers are never dialled from here%s.", v->number,
		what, strstr(what, "emergency") ? ": use a telephone" : "");
}

static void refuse_country(struct policy_verdict *v, const struct country *country)
{
	v->outcome = POLICY_COUNTRY;
	if (!country) {
		snprintf(v->why, sizeof v->why, "%s belongs to no country that is known. Check the number.",
			v->number);
		return;
	}
	snprintf(v->why, sizeof v->why,
		"Calls to %s (%s) are off. Add \"%s\" to sip.allowed_countries in the configuration "
		"to allow them.", country->name, country->prefix, country->prefix);
}

void policy_check(struct policy_verdict *ret, struct policy *p, const char *number, const char *trunk_id,
	uint64_t now_ms)
{
	size_t bad_at = 0;
	memset(ret, 0, sizeof *ret);
	enum e164_outcome outcome = e164_parse(ret->number, span_text(number), &bad_at);
	const char *blocked = outcome == E164_E_CHARACTER ? NULL : country_blocked(ret->number);
	if (blocked) {
		refuse_blocked(ret, blocked);
		return;
	}
	if (outcome != E164_OK) {
		refuse_number(ret, outcome, number, bad_at);
		return;
	}
	const struct country *country = country_of(ret->number);
	if (!is_allowed(p, ret->number, country)) {
		refuse_country(ret, country);
		return;
	}
	check_rate(ret, p, trunk_id, now_ms);
}

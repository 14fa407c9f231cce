/* trunk/policy_limits.c - the rules of how much: calls at once, minutes of a day, the longest call, calls
 * per second. */
#include "trunk/policy_rules.h"

#include "base/limits.h"

enum { MINUTE_MS = 60 * 1000 };

/* ---- how many ---- */

static bool ask_count(struct policy_finding *f, size_t now, uint32_t most, const char *whose, const char *setting)
{
	if (!most)
		policy_says(f, POLICY_OK, "%zu calls %s now; there is no limit.", now, whose);
	else if (now < most)
		policy_says(f, POLICY_OK, "%zu calls %s now, of at most %u.", now, whose, most);
	else
		policy_says(f, POLICY_BUSY, "There are %zu calls %s already, and %u is the limit. End one first, or raise %s.", now, whose,
			most, setting);
	return true;
}

bool policy_ask_all(struct policy_finding *f, struct question *q)
{
	policy_configured(f, "sip.max_active_calls");
	return ask_count(f, policy_count(q->p, NULL, NULL, NULL), q->p->config.max_calls, "in all", f->setting);
}

/* The trunk's own number, else the server's; and where it stands. */
static uint32_t limit_of(struct policy_finding *f, uint32_t trunk, const char *option, uint32_t server, const char *key)
{
	if (trunk)
		policy_in_the_trunk(f, option);
	else
		policy_configured(f, key);
	return trunk ? trunk : server;
}

bool policy_ask_trunk(struct policy_finding *f, struct question *q)
{
	uint32_t most = limit_of(f, q->options.policy.max_calls, "max_calls", q->p->config.max_calls_per_trunk,
		"sip.max_calls_per_trunk");
	return ask_count(f, policy_count(q->p, q->trunk, NULL, NULL), most, "on this trunk", f->setting);
}

bool policy_ask_identity(struct policy_finding *f, struct question *q)
{
	const struct policy_request *r = q->request;
	uint32_t most = limit_of(f, q->options.policy.max_calls_per_identity, "max_calls_per_identity",
		q->p->config.max_calls_per_identity, "sip.max_calls_per_identity");
	if (r->identity && *r->identity)
		return ask_count(f, policy_count(q->p, NULL, r->key ? r->key : "", r->identity), most, "of this identity", f->setting);
	policy_says(f, POLICY_OK, "The token names no identity, so none is counted.");
	return true;
}

/* ---- how long ---- */

bool policy_ask_minutes(struct policy_finding *f, struct question *q)
{
	const char *key = q->request->key ? q->request->key : "";
	const struct usage *u = &q->p->usage;
	uint32_t most = q->p->config.minutes_per_day;
	uint64_t used_ms = usage_ms(u, key), most_ms = policy_minutes_ms(q->p);
	unsigned long long used = used_ms / MINUTE_MS;
	size_t talking = usage_talking(u, key);

	policy_configured(f, "sip.minutes_per_day");
	q->verdict->left_ms = !most ? UINT64_MAX : used_ms < most_ms ? most_ms - used_ms : 0;
	if (!most)
		policy_says(f, POLICY_OK, "%llu minutes today; there is no limit.", used);
	else if (used_ms >= most_ms)
		policy_says(f, POLICY_MINUTES, "The API key %.64s has used up its %u minutes of today (UTC). Wait until midnight, or raise "
			"sip.minutes_per_day.", *key ? key : "of nobody", most);
	else if (talking)
		policy_says(f, POLICY_OK, "%llu of %u minutes of today (UTC) are used; calls under way, %zu of them, share the rest.", used,
			most, talking);
	else
		policy_says(f, POLICY_OK, "%llu of %u minutes of today (UTC) are used.", used, most);
	return true;
}

static uint32_t fit(uint64_t ms)
{
	return ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

bool policy_ask_duration(struct policy_finding *f, struct question *q)
{
	uint32_t longest = limit_of(f, q->options.policy.max_call_duration_s * 1000, "max_call_duration_s",
		q->p->config.max_duration_ms, "sip.max_call_duration");

	q->verdict->longest_ms = longest;
	if (longest)
		policy_says(f, POLICY_OK, "It may last %u s.", longest / 1000);
	else
		policy_says(f, POLICY_OK, "It may last as long as the request says.");
	return true;
}

/* ---- how often: last, because it takes something ---- */

static double rate_of(struct policy_finding *f, const struct question *q)
{
	uint32_t trunk = q->options.policy.calls_per_second;

	limit_of(f, trunk, "calls_per_second", 0, "sip.calls_per_second");
	return trunk ? trunk : q->p->config.calls_per_second;
}

bool policy_ask_rate(struct policy_finding *f, struct question *q)
{
	double rate = rate_of(f, q);
	uint32_t before = 0, patience_ms = q->p->config.queue_wait_ms;
	uint64_t wait_ms = 0;

	if (rate <= 0) {
		policy_says(f, POLICY_OK, "There is no limit of calls per second.");
		return true;
	}
	if (rates_look(&q->p->rates, q->trunk, rate, q->now_ms, &wait_ms, &before) < 0) {
		q->verdict->retry_after_ms = 1000;
		policy_says(f, POLICY_RATE, "Out of memory: try again in 1 s.");
		return true;
	}
	if (wait_ms <= patience_ms && before < LIMIT_QUEUED_CALLS) {
		q->verdict->wait_ms = (uint32_t)wait_ms;
		policy_says(f, POLICY_OK, "%g calls per second; it waits %.1f s for its turn.", rate, (double)wait_ms / 1000);
		return true;
	}
	q->verdict->retry_after_ms = fit(wait_ms > patience_ms ? wait_ms - patience_ms : wait_ms);
	double again_s = q->verdict->retry_after_ms / 1000.0;
	policy_says(f, POLICY_RATE, "%g calls per second is this trunk's limit, and it is reached, with %u calls waiting: try again in "
		"%.1f s, or raise %s.", rate, before, again_s < 0.1 ? 0.1 : again_s, f->setting);
	return true;
}

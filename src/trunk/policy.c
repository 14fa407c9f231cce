/* trunk/policy.c - the policy's life, and the calls that it knows of. */
#include "trunk/policy_private.h"

#include "base/err.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>

enum {
	KEEP_MS = 10000,   /* what kill -9 may forget of the minutes */
	LOOK_MAX_MS = 2000, /* between two ticks: a machine that slept has not talked */
};

static int copy_texts(char ***ret, const char *const *texts, size_t count)
{
	*ret = mem_zalloc((count + 1) * sizeof **ret);
	for (size_t i = 0; *ret && i < count; ++i) {
		(*ret)[i] = mem_strdup(texts[i]);
		if (!(*ret)[i])
			return err_new(-ENOMEM);
	}
	return *ret ? 0 : err_new(-ENOMEM);
}

static void free_texts(char **texts)
{
	for (char **t = texts; t && *t; ++t)
		mem_free(*t);
	mem_free(texts);
}

int policy_new(struct policy **ret, const struct policy_config *config, int64_t now_s)
{
	assert(ret && config);

	struct policy *p = mem_zalloc(sizeof *p);
	if (!p)
		return err_new(-ENOMEM);
	p->config = *config;
	list_init(&p->calls);
	rates_init(&p->rates);
	int r = copy_texts(&p->allowed, config->allowed_prefixes, config->allowed_count);
	if (r == 0)
		r = copy_texts(&p->blocked, config->blocked_prefixes, config->blocked_count);
	if (r == 0)
		r = usage_init(&p->usage, config->store, now_s);
	if (r < 0) {
		policy_free(p);
		return r;
	}
	p->config.allowed_prefixes = (const char *const *)p->allowed;
	p->config.blocked_prefixes = (const char *const *)p->blocked;
	*ret = p;
	return 0;
}

struct policy *policy_free(struct policy *p)
{
	if (!p)
		return NULL;
	assert(list_empty(&p->calls));
	rates_fini(&p->rates);
	usage_fini(&p->usage);
	free_texts(p->allowed);
	free_texts(p->blocked);
	mem_free(p);
	return NULL;
}

/* ---- calls under way ---- */

int policy_begin(struct policy_call *c, struct policy *p, const struct policy_request *request,
	void (*spent)(struct policy_call *c))
{
	*c = (struct policy_call){
		.trunk = mem_strdup(policy_trunk_name(request->trunk)),
		.key = mem_strdup(request->key ? request->key : ""),
		.identity = mem_strdup(request->identity ? request->identity : ""),
		.spent = spent,
	};
	list_init(&c->link);
	if (!c->trunk || !c->key || !c->identity) {
		policy_end(c, 0);
		return err_new(-ENOMEM);
	}
	c->policy = p;
	rates_take(&p->rates, c->trunk);
	list_add(&p->calls, &c->link);
	return 0;
}

void policy_answered(struct policy_call *c, uint64_t now_ms)
{
	if (!c->policy || c->answered_ms)
		return;
	c->answered_ms = c->counted_ms = now_ms;
	usage_answered(&c->policy->usage, c->key);
}

static void count_minutes(struct policy_call *c, uint64_t now_ms)
{
	if (!c->answered_ms || now_ms <= c->counted_ms)
		return;
	usage_add(&c->policy->usage, c->key, now_ms - c->counted_ms);
	c->counted_ms = now_ms;
}

void policy_end(struct policy_call *c, uint64_t now_ms)
{
	if (c->policy) {
		count_minutes(c, now_ms);
		if (c->answered_ms)
			usage_ended(&c->policy->usage, c->key);
		list_remove(&c->link);
	}
	mem_free(c->trunk);
	mem_free(c->key);
	mem_free(c->identity);
	*c = (struct policy_call){0};
}

/* Those whose key has less left than its calls talk away in `gap_ms`. */
static void mark_spent(struct policy *p, uint64_t gap_ms)
{
	uint64_t most = policy_minutes_ms(p);

	list_each (it, &p->calls) {
		struct policy_call *c = container_of(it, struct policy_call, link);
		c->is_spent = c->answered_ms && most &&
			usage_ms(&p->usage, c->key) + usage_talking(&p->usage, c->key) * gap_ms > most;
	}
}

static struct policy_call *find_spent(struct policy *p)
{
	list_each (it, &p->calls) {
		struct policy_call *c = container_of(it, struct policy_call, link);
		if (c->is_spent && c->spent)
			return c;
	}
	return NULL;
}

/* All of a key or none. Each look begins anew, as any call may end with another. */
static void end_spent(struct policy *p)
{
	struct policy_call *c;

	while ((c = find_spent(p))) {
		void (*spent)(struct policy_call *) = c->spent;
		c->spent = NULL; /* once */
		spent(c);
	}
}

void policy_tick(struct policy *p, uint64_t now_ms, int64_t now_s)
{
	uint64_t gap_ms = p->looked_ms && now_ms > p->looked_ms ? now_ms - p->looked_ms : 0;

	p->looked_ms = now_ms;
	list_each (it, &p->calls)
		count_minutes(container_of(it, struct policy_call, link), now_ms);
	usage_look_at_day(&p->usage, now_s);
	mark_spent(p, gap_ms < LOOK_MAX_MS ? gap_ms : LOOK_MAX_MS);
	end_spent(p);
	if (now_ms - p->kept_ms < KEEP_MS)
		return;
	p->kept_ms = now_ms;
	usage_keep(&p->usage);
}

uint64_t policy_minutes_ms(const struct policy *p)
{
	return (uint64_t)p->config.minutes_per_day * 60 * 1000;
}

static bool is(const char *wanted, const char *has)
{
	return !wanted || !strcmp(wanted, has);
}

size_t policy_count(const struct policy *p, const char *trunk, const char *key, const char *identity)
{
	size_t n = 0;
	list_each (it, &p->calls) {
		const struct policy_call *c = container_of(it, struct policy_call, link);
		n += is(trunk, c->trunk) && is(key, c->key) && is(identity, c->identity);
	}
	return n;
}

const char *policy_trunk_name(const Livekit__SIPOutboundTrunkInfo *trunk)
{
	return trunk->sip_trunk_id && *trunk->sip_trunk_id ? trunk->sip_trunk_id
		: trunk->address			     ? trunk->address
							     : "";
}

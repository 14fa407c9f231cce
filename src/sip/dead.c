#include "sip/dead.h"

#include "net/address.h"

static bool same(const struct sip_target *a, const struct sip_target *b)
{
	return a->protocol == b->protocol &&
		address_equal((const struct sockaddr *)&a->address, (const struct sockaddr *)&b->address);
}

static size_t find(const struct sip_dead *d, const struct sip_target *t)
{
	size_t i = 0;
	while (i < d->count && !same(&d->at[i].target, t))
		++i;
	return i;
}

static size_t first_to_go(const struct sip_dead *d)
{
	size_t first = 0;
	for (size_t i = 1; i < d->count; ++i)
		if (d->at[i].until_ms < d->at[first].until_ms)
			first = i;
	return first;
}

void sip_dead_note(struct sip_dead *d, const struct sip_target *t, uint64_t now_ms, uint64_t for_ms)
{
	size_t i = find(d, t);
	if (i == LIMIT_SIP_DEAD_TARGETS)
		i = first_to_go(d);
	else if (i == d->count)
		++d->count;
	d->at[i].target = *t;
	d->at[i].until_ms = now_ms + for_ms;
}

void sip_dead_forget(struct sip_dead *d, const struct sip_target *t)
{
	size_t i = find(d, t);
	if (i < d->count)
		d->at[i] = d->at[--d->count];
}

bool sip_dead_is(const struct sip_dead *d, const struct sip_target *t, uint64_t now_ms)
{
	size_t i = find(d, t);
	return i < d->count && now_ms < d->at[i].until_ms;
}

void sip_dead_last(const struct sip_dead *d, struct sip_target *targets, size_t count, uint64_t now_ms)
{
	struct sip_target dead[SIP_TARGETS_MAX];
	size_t alive_count = 0, dead_count = 0;

	for (size_t i = 0; i < count && i < SIP_TARGETS_MAX; ++i)
		if (sip_dead_is(d, &targets[i], now_ms))
			dead[dead_count++] = targets[i];
		else
			targets[alive_count++] = targets[i];
	memcpy(targets + alive_count, dead, dead_count * sizeof *dead);
}

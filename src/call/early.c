#include "call/early.h"

/* The fingerprint of what this fork said; 0 = nothing that counts. */
static uint64_t said_by(const struct negotiation *n, struct span tag)
{
	for (size_t i = 0; i < n->fork_count; ++i)
		if (span_is(tag, n->forks[i].tag))
			return n->forks[i].said;
	return 0;
}

static void hear(struct call_early *e, struct span tag)
{
	e->heard = true;
	if (tag.size)
		memcpy(e->tag, tag.data, tag.size);
	e->tag[tag.size] = 0;
}

static enum early_outcome leave(struct call_early *e, struct media_leg_remote *ret,
	const struct negotiation *n, struct span gone)
{
	if (!e->heard || !span_is(gone, e->tag))
		return EARLY_NOTHING;
	for (size_t i = n->fork_count; i-- > 0;) {
		const struct negotiation_fork *f = &n->forks[i];
		if (!f->said || span_is(gone, f->tag))
			continue;
		hear(e, span_text(f->tag));
		*ret = f->terms;
		return EARLY_NEWS;
	}
	return EARLY_NOTHING;
}

enum early_outcome call_early_take(struct call_early *e, struct media_leg_remote *ret,
	struct negotiation *n, const struct sip_message *response, enum answer_outcome *why)
{
	struct span tag = response->to.tag;
	uint64_t before = said_by(n, tag);

	if (response->status == 199)
		return leave(e, ret, n, tag);
	if (!response->body.size)
		return EARLY_NOTHING;
	*why = negotiation_early(n, tag, response->body, ret);
	if (*why != ANSWER_OK)
		return EARLY_E_SDP;
	/* More phones ring than are followed: this one is not heard before it answers. */
	if (said_by(n, tag) == before)
		return EARLY_NOTHING;
	hear(e, tag);
	return EARLY_NEWS;
}

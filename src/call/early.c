#include "call/early.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"

#include <errno.h>

struct early_fork {
	struct list link;
	char *tag;
	char *sdp; /* as it came: the same again is no news */
	struct media_leg_remote remote;
};

void call_early_init(struct call_early *e)
{
	list_init(&e->forks);
}

static void fork_free(struct call_early *e, struct early_fork *f)
{
	list_remove(&f->link);
	--e->count;
	mem_free(f->tag);
	mem_free(f->sdp);
	mem_free(f);
}

void call_early_fini(struct call_early *e)
{
	while (!list_empty(&e->forks))
		fork_free(e, list_first(&e->forks, struct early_fork, link));
}

static struct early_fork *find(const struct call_early *e, struct span tag)
{
	list_each (it, &e->forks) {
		struct early_fork *f = container_of(it, struct early_fork, link);
		if (span_is(tag, f->tag))
			return f;
	}
	return NULL;
}

static struct early_fork *last(const struct call_early *e)
{
	return list_empty(&e->forks) ? NULL : container_of(e->forks.prev, struct early_fork, link);
}

/* NULL when out of memory: then this fork is not heard. */
static struct early_fork *fork_new(struct call_early *e, struct span tag)
{
	if (e->count >= LIMIT_CALL_FORKS)
		fork_free(e, list_first(&e->forks, struct early_fork, link));
	struct early_fork *f = mem_zalloc(sizeof *f);
	if (!f)
		return NULL;
	list_init(&f->link);
	list_add(&e->forks, &f->link);
	++e->count;
	f->tag = mem_strndup((const char *)tag.data, tag.size);
	if (f->tag)
		return f;
	fork_free(e, f);
	return NULL;
}

static enum early_outcome forget(struct call_early *e, struct media_leg_remote *ret, struct span tag)
{
	struct early_fork *f = find(e, tag);
	bool heard = f && f == last(e);

	if (f)
		fork_free(e, f);
	if (!heard || !last(e))
		return EARLY_NOTHING;
	*ret = last(e)->remote;
	return EARLY_NEWS;
}

enum early_outcome call_early_take(struct call_early *e, struct media_leg_remote *ret,
	const struct sip_message *response, enum answer_outcome *why)
{
	if (response->status == 199)
		return forget(e, ret, response->to.tag);
	if (!response->body.size)
		return EARLY_NOTHING;
	struct early_fork *f = find(e, response->to.tag);
	if (f && span_is(response->body, f->sdp))
		return EARLY_NOTHING;

	struct media_leg_remote remote;
	*why = answer_read(&remote, response->body);
	if (*why != ANSWER_OK)
		return EARLY_E_SDP;
	char *sdp = mem_strndup((const char *)response->body.data, response->body.size);
	if (sdp && !f)
		f = fork_new(e, response->to.tag);
	if (!sdp || !f) {
		mem_free(sdp);
		return EARLY_NOTHING;
	}
	mem_free(f->sdp);
	f->sdp = sdp;
	f->remote = *ret = remote;
	list_remove(&f->link);
	list_add(&e->forks, &f->link);
	return EARLY_NEWS;
}

bool call_early_answer(struct media_leg_remote *ret, const struct call_early *e, struct span tag)
{
	const struct early_fork *f = find(e, tag);

	if (!f)
		f = last(e);
	if (f)
		*ret = f->remote;
	return f;
}

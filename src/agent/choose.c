/* Which worker is asked. */
#include "agent/inside.h"

static bool was_asked(const struct job *j, const struct agent_worker *w)
{
	for (size_t i = 0; i < j->asked_count; ++i)
		if (j->asked[i] == w->serial)
			return true;
	return false;
}

static float room_of(
	const struct job *j, const struct agent_worker *w, const char *name, const char *deployment)
{
	if (!w->available || !agent_worker_fits(w, name, deployment, j->type) || strcmp(w->space, j->space) ||
		was_asked(j, w))
		return 0;
	return 1 - w->load;
}

struct agent_worker *choose_worker(const struct job *j, const char *name, const char *deployment)
{
	struct agent_worker *last = NULL;
	float sum = 0;
	list_each(it, &j->agents->workers)
		sum += room_of(j, container_of(it, struct agent_worker, link), name, deployment);
	float at = sum * (float)(rng_u32() >> 8) / (float)(1 << 24);
	list_each(it, &j->agents->workers)
	{
		struct agent_worker *w = container_of(it, struct agent_worker, link);
		float room = room_of(j, w, name, deployment);
		if (room <= 0)
			continue;
		last = w;
		at -= room;
		if (at < 0)
			break;
	}
	return last;
}

#include "agent/inside.h"

#include "base/err.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

static unsigned or_seconds(unsigned ms, unsigned s)
{
	return ms ? ms : s * 1000;
}

int agents_new(struct agents **ret, const struct agents_config *config)
{
	assert(ret && config->loop && config->rooms && config->secret_of);
	struct agents *a = mem_zalloc(sizeof *a);
	if (!a)
		return err_new(-ENOMEM);
	a->config = *config;
	a->config.register_ms = or_seconds(config->register_ms, LIMIT_AGENT_REGISTER_S);
	a->config.answer_ms = or_seconds(config->answer_ms, LIMIT_AGENT_ANSWER_S);
	a->config.leave_ms = or_seconds(config->leave_ms, LIMIT_AGENT_LEAVE_S);
	a->frame.max = LIMIT_WS_QUEUE_BYTES;
	list_init(&a->workers);
	list_init(&a->simulated);
	rooms_listen(config->rooms, &a->listener, &agents_rooms_events, a);
	*ret = a;
	return 0;
}

struct agents *agents_free(struct agents *a)
{
	if (!a)
		return NULL;
	while (!list_empty(&a->workers)) {
		struct agent_worker *w = list_first(&a->workers, struct agent_worker, link);
		agent_worker_end(w);
		deferred_cancel(&w->reap); /* not at the end of the turn: now */
		agent_worker_free(w);
	}
	for (struct map_node *n; (n = map_next(&a->rooms, NULL));)
		agent_room_free(map_entry(n, struct agent_room, by_name));
	while (!list_empty(&a->simulated))
		job_free(list_first(&a->simulated, struct job, link));
	map_fini(&a->rooms);
	map_fini(&a->jobs);
	buf_fini(&a->frame);
	mem_free(a);
	return NULL;
}

size_t agents_worker_count(const struct agents *a)
{
	size_t count = 0;
	list_each(it, &a->workers)
		count += container_of(it, struct agent_worker, link)->state == WORKER_REGISTERED;
	return count;
}

bool agents_deployment_ok(const char *deployment, char why[AGENTS_WHY_SIZE])
{
	size_t size = strlen(deployment), i = 0;
	if (size > LIMIT_AGENT_DEPLOYMENT_BYTES) {
		snprintf(why, AGENTS_WHY_SIZE, "deployment exceeds %d bytes", LIMIT_AGENT_DEPLOYMENT_BYTES);
		return false;
	}
	while (i < size && (unsigned char)deployment[i] > ' ' && deployment[i] != 0x7f)
		++i;
	if (i < size)
		snprintf(why, AGENTS_WHY_SIZE, "deployment contains whitespace or control byte at position %zu", i);
	return i == size;
}

#include "media/tcp_places.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"

#include <errno.h>
#include <netinet/in.h>

enum place_state {
	PLACE_FREE,
	PLACE_UNPROVEN,
	PLACE_PROVEN,
};

/* The control thread takes a place that is free, the one who has it writes its state from then on:
 * never two at once. */
struct place {
	uint64_t source;
	uint32_t state; /* enum place_state, atomic */
};

struct tcp_places {
	struct place all[LIMIT_ICE_TCP_CONNECTIONS];
};

int tcp_places_new(struct tcp_places **ret)
{
	*ret = mem_zalloc(sizeof **ret);
	return *ret ? 0 : err_new(-ENOMEM);
}

struct tcp_places *tcp_places_free(struct tcp_places *p)
{
	mem_free(p);
	return NULL;
}

static uint64_t source_of(const struct sockaddr *from)
{
	uint64_t source = 0;

	if (from->sa_family == AF_INET6)
		memcpy(&source, &((const struct sockaddr_in6 *)from)->sin6_addr, sizeof source);
	else
		source = ((const struct sockaddr_in *)from)->sin_addr.s_addr;
	return source;
}

int tcp_places_take(struct tcp_places *p, const struct sockaddr *from)
{
	uint64_t source = source_of(from);
	unsigned all = 0, unproven = 0;
	int free = -1;

	for (int i = 0; i < LIMIT_ICE_TCP_CONNECTIONS; ++i) {
		uint32_t state = __atomic_load_n(&p->all[i].state, __ATOMIC_ACQUIRE);
		if (state == PLACE_FREE && free < 0)
			free = i;
		if (state == PLACE_FREE || p->all[i].source != source)
			continue;
		++all;
		unproven += state == PLACE_UNPROVEN;
	}
	if (free < 0 || all >= LIMIT_ICE_TCP_PER_SOURCE || unproven >= LIMIT_ICE_TCP_UNPROVEN)
		return -1;
	p->all[free].source = source;
	__atomic_store_n(&p->all[free].state, PLACE_UNPROVEN, __ATOMIC_RELEASE);
	return free;
}

void tcp_places_prove(struct tcp_places *p, int place)
{
	__atomic_store_n(&p->all[place].state, PLACE_PROVEN, __ATOMIC_RELEASE);
}

void tcp_places_leave(struct tcp_places *p, int place)
{
	__atomic_store_n(&p->all[place].state, PLACE_FREE, __ATOMIC_RELEASE);
}

/* sip/keep_alive.c - what is to last: the connections of calls and registrations (RFC 5923), and, when it
 * is asked for, the holes that their datagrams made in a NAT (RFC 5626 section 3.5.1 knows no pong there). */
#include "net/address.h"
#include "sip/core.h"

enum { PLACES_MAX = 256 }; /* pinged by datagram in one turn */

void sip_keeper_start(struct sip_keeper *k, struct sip_agent *a, const struct sip_path *path,
	void (*broken)(void *owner), void *owner)
{
	sip_keeper_stop(k);
	k->path = *path;
	k->broken = broken;
	k->owner = owner;
	list_add(&a->keepers, &k->link);
}

void sip_keeper_stop(struct sip_keeper *k)
{
	if (k->link.next)
		list_remove(&k->link);
}

static struct sip_keeper *keeper_on(const struct sip_agent *a, uint64_t connection)
{
	list_each(it, &a->keepers)
	{
		struct sip_keeper *k = container_of(it, struct sip_keeper, link);
		if (k->path.connection == connection)
			return k;
	}
	return NULL;
}

bool sip_keep_alive_needs(const struct sip_agent *a, uint64_t connection)
{
	list_each(it, &a->usages)
	{
		const struct sip_usage *u = container_of(it, struct sip_usage, link);
		if (u->ops->path(u)->connection == connection)
			return true;
	}
	return keeper_on(a, connection);
}

void sip_keep_alive_failed(struct sip_agent *a, const struct sip_path *path)
{
	for (struct sip_keeper *k; path->connection && (k = keeper_on(a, path->connection));) {
		sip_keeper_stop(k);
		k->broken(k->owner);
	}
}

/* --- datagrams ---------------------------------------------------------------------------- */

struct places {
	const struct sip_path *at[PLACES_MAX];
	size_t count;
};

/* Many calls go to one place, which wants one ping. */
static void add_place(struct places *p, const struct sip_path *path)
{
	if (path->protocol != SIP_UDP || !path->remote.ss_family || p->count == PLACES_MAX)
		return;
	for (size_t i = 0; i < p->count; ++i)
		if (sip_path_same(p->at[i], path))
			return;
	p->at[p->count++] = path;
}

static void on_ping(void *owner)
{
	struct sip_agent *a = owner;
	struct places p = {0};

	list_each(it, &a->usages)
	{
		const struct sip_usage *u = container_of(it, struct sip_usage, link);
		add_place(&p, u->ops->path(u));
	}
	list_each(it, &a->keepers)
		add_place(&p, &container_of(it, struct sip_keeper, link)->path);
	for (size_t i = 0; i < p.count; ++i) {
		struct sip_path path = *p.at[i];
		(void)!sip_transport_send(a->transport, &path, span_text("\r\n\r\n"));
	}
}

int sip_keep_alive_init(struct sip_agent *a, uint32_t datagram_ping_ms)
{
	list_init(&a->keepers);
	int r = timer_init(&a->datagram_ping, a->loop, on_ping, a);
	if (r == 0 && datagram_ping_ms)
		timer_start(&a->datagram_ping, datagram_ping_ms, datagram_ping_ms);
	return r;
}

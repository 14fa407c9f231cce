#include "media/leg_private.h"

#include "net/address.h"

enum {
	DTLS_HANDSHAKE_RECORD = 22,
	DTLS_RECORD_HEADER = 13, /* RFC 6347, 4.1 */
	DTLS_CLIENT_HELLO = 1,
	US_PER_MS = 1000,
};

static void on_send(void *owner, struct span datagram)
{
	struct leg_guest *g = owner;
	struct sockaddr_storage to = {0};

	memcpy(&to, &g->from.any, peer_address_size(&g->from));
	(void)leg_socket_send(g->leg->rtp, &to, datagram);
}

static void on_data(void *owner, struct span data)
{
}

static const struct dtls_events events = {.send = on_send, .data = on_data};

static bool is_hello(struct span datagram)
{
	return datagram.size > DTLS_RECORD_HEADER && datagram.data[0] == DTLS_HANDSHAKE_RECORD &&
	       datagram.data[DTLS_RECORD_HEADER] == DTLS_CLIENT_HELLO;
}

static struct leg_guest *known(struct leg_guests *g, const struct peer_address *from)
{
	for (size_t i = 0; i < LIMIT_LEG_GUESTS; ++i)
		if (g->places[i].dtls && peer_address_equal(&g->places[i].from, from))
			return &g->places[i];
	return NULL;
}

static struct leg_guest *free_place(struct leg_guests *g, const struct peer_address *from, uint64_t now_us)
{
	struct leg_guest *free = NULL;

	for (size_t i = 0; i < LIMIT_LEG_GUESTS; ++i) {
		struct leg_guest *place = &g->places[i];
		if (now_us >= place->until_us)
			free = place;
		else if (address_same_ip(&place->from.any, &from->any))
			return NULL;
	}
	return free;
}

static struct leg_guest *let_in(struct leg *l, const struct peer_address *from, uint64_t now_us)
{
	struct leg_guest *g = free_place(&l->dtls.guests, from, now_us);

	if (!g)
		return NULL;
	dtls_free(g->dtls);
	*g = (struct leg_guest){.leg = l, .from = *from, .until_us = now_us + LEG_GUEST_MS * US_PER_MS};
	/* Who comes says hello, so we are the server. Without memory there is no handshake. */
	return dtls_new(&g->dtls, worker_identity(l->worker), false, &events, g) == 0 ? g : NULL;
}

struct leg_guest *leg_guests_input(
	struct leg *l, const struct peer_address *from, struct span datagram, uint64_t now_us)
{
	struct leg_guest *g = known(&l->dtls.guests, from);

	if (!g && is_hello(datagram))
		g = let_in(l, from, now_us);
	if (!g) {
		++l->in.drops[LEG_DROP_SOURCE];
		return NULL;
	}
	dtls_input(g->dtls, datagram);
	enum dtls_state state = dtls_state(g->dtls);
	if (state == DTLS_DONE && dtls_peer_is(g->dtls, l->dtls.fingerprint))
		return g;
	if (state != DTLS_HANDSHAKE) {
		++l->in.drops[LEG_DROP_SOURCE];
		g->dtls = dtls_free(g->dtls);
	}
	return NULL;
}

void leg_guests_poll(struct leg_guests *g)
{
	for (size_t i = 0; i < LIMIT_LEG_GUESTS; ++i)
		if (g->places[i].dtls)
			dtls_poll(g->places[i].dtls);
}

void leg_guests_fini(struct leg_guests *g)
{
	for (size_t i = 0; i < LIMIT_LEG_GUESTS; ++i)
		dtls_free(g->places[i].dtls);
	*g = (struct leg_guests){0};
}

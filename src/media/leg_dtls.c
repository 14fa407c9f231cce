#include "media/leg_private.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/address.h"

#include <openssl/crypto.h>

enum {
	US_PER_MS = 1000,
	/* RFC 7983: what the first byte says. */
	STUN_FIRST_MAX = 3,
	DTLS_FIRST = 20,
	DTLS_FIRST_MAX = 63,
};

struct leg_early {
	struct sockaddr_storage from;
	size_t size;
	uint8_t bytes[DTLS_MTU];
};

static void on_send(void *owner, struct span datagram)
{
	struct leg *l = owner;
	(void)leg_socket_send(l->rtp, &l->remote.rtp, datagram);
}

/* Data beside the handshake is nothing that a telephone has. */
static void on_data(void *owner, struct span data)
{
}

static const struct dtls_events events = {.send = on_send, .data = on_data};

/* ---- ICE: they check, we answer ---- */

static bool peer_of(struct peer_address *ret, const struct sockaddr *from)
{
	*ret = (struct peer_address){0};
	if (from->sa_family == AF_INET)
		memcpy(&ret->v4, from, sizeof ret->v4);
	else if (from->sa_family == AF_INET6)
		memcpy(&ret->v6, from, sizeof ret->v6);
	else
		return false;
	return true;
}

/* The path that they chose is where sound goes to and comes from. */
static void follow(struct leg *l)
{
	const struct peer_address *path = ice_path(&l->dtls.ice);

	if (!path)
		return;
	memset(&l->remote.rtp, 0, sizeof l->remote.rtp);
	memcpy(&l->remote.rtp, &path->any, peer_address_size(path));
	l->in.locked = true;
}

/* ---- the handshake ---- */

/* dtls_keys() says whose key is the DTLS client's; a leg's "client" is always us. */
static void turn_round(struct srtp_keys *k)
{
	struct srtp_keys was = *k;

	memcpy(k->client, was.server, sizeof k->client);
	memcpy(k->server, was.client, sizeof k->server);
	OPENSSL_cleanse(&was, sizeof was);
}

static bool take_keys(struct leg *l, uint64_t now_us)
{
	struct srtp_keys keys;

	if (!dtls_peer_is(l->dtls.dtls, l->dtls.fingerprint) || dtls_keys(l->dtls.dtls, &keys) < 0)
		return false;
	if (!dtls_is_client(l->dtls.dtls))
		turn_round(&keys);
	if (leg_crypt_set(&l->crypt, true, &keys, now_us))
		leg_send_rekeyed(l);
	OPENSSL_cleanse(&keys, sizeof keys);
	return true;
}

/* What fails is counted where a packet is that no key opens: it ends the same way. */
static void settle(struct leg *l, uint64_t now_us)
{
	enum dtls_state state = dtls_state(l->dtls.dtls);

	if (l->dtls.settled || state == DTLS_HANDSHAKE)
		return;
	l->dtls.settled = true;
	if (state != DTLS_DONE || !take_keys(l, now_us))
		++l->in.drops[LEG_DROP_LOCKED];
}

/* Whoever comes from elsewhere could spoil the handshake, though not take part in it. */
static bool may_shake_hands(struct leg *l, const struct sockaddr *from)
{
	struct peer_address peer;

	if (address_equal(from, (const struct sockaddr *)&l->remote.rtp))
		return true;
	if (l->dtls.ice_is_on && peer_of(&peer, from) && ice_knows(&l->dtls.ice, &peer)) {
		ice_prefer(&l->dtls.ice, &peer);
		follow(l);
		return true;
	}
	if (!l->config.latch || l->in.locked || l->dtls.ice_is_on)
		return false;
	memset(&l->remote.rtp, 0, sizeof l->remote.rtp);
	memcpy(&l->remote.rtp, from, address_size(from));
	return true;
}

/* RFC 7983. */
static bool is_dtls(struct span datagram)
{
	return datagram.size && datagram.data[0] >= DTLS_FIRST && datagram.data[0] <= DTLS_FIRST_MAX;
}

void leg_dtls_keep(struct leg_dtls *d, const struct sockaddr *from, struct span datagram)
{
	if (!is_dtls(datagram) || datagram.size > DTLS_MTU)
		return;
	if (!d->early && !(d->early = mem_zalloc(sizeof *d->early)))
		return;
	memcpy(&d->early->from, from, address_size(from));
	memcpy(d->early->bytes, datagram.data, datagram.size);
	d->early->size = datagram.size;
}

static void drop_early(struct leg_dtls *d)
{
	mem_free(d->early);
	d->early = NULL;
}

static void take_early(struct leg *l)
{
	struct leg_early *e = l->dtls.early;

	if (e && l->dtls.dtls && !l->dtls.client && may_shake_hands(l, (const struct sockaddr *)&e->from))
		dtls_input(l->dtls.dtls, span_of(e->bytes, e->size));
}

static bool is_same(const struct leg_dtls *d, const struct media_leg_remote *r)
{
	return d->dtls && d->client == r->dtls_client && !strcasecmp(d->fingerprint, r->fingerprint);
}

static void forget(struct leg_dtls *d)
{
	d->dtls = dtls_free(d->dtls);
	d->settled = false;
}

static void begin(struct leg *l)
{
	struct leg_dtls *d = &l->dtls;

	forget(d);
	leg_crypt_wait(&l->crypt, clock_us());
	d->client = l->remote.dtls_client;
	memcpy(d->fingerprint, l->remote.fingerprint, sizeof d->fingerprint);
	if (dtls_new(&d->dtls, worker_identity(l->worker), d->client, &events, l) == 0)
		dtls_start(d->dtls);
}

void leg_dtls_connect(struct leg *l)
{
	struct leg_dtls *d = &l->dtls;

	if (l->remote.ice && !(d->ice_is_on && !strcmp(d->ice.now.local.ufrag, l->remote.local_ice.ufrag)))
		ice_init(&d->ice, &l->remote.local_ice);
	d->ice_is_on = l->remote.ice;
	if (d->ice_is_on)
		follow(l); /* the SDP's address is only where it began */
	OPENSSL_cleanse(&l->remote.local_ice, sizeof l->remote.local_ice);
	if (!l->remote.dtls)
		forget(d);
	else if (!is_same(d, &l->remote))
		begin(l);
	take_early(l);
	drop_early(d);
}

void leg_dtls_fini(struct leg_dtls *d)
{
	forget(d);
	drop_early(d);
	OPENSSL_cleanse(d, sizeof *d);
}

/* ---- what comes ---- */

static void answer_check(struct leg *l, const struct sockaddr *from, struct span packet, uint64_t now_us)
{
	uint8_t bytes[STUN_REPLY_BYTES_MAX];
	struct writer reply = writer_of(bytes, sizeof bytes);
	struct sockaddr_storage to = {0};
	struct peer_address peer;
	struct ice_result result;
	struct stun_view v;

	if (!peer_of(&peer, from) || stun_parse(&v, packet) != STUN_OK)
		return;
	enum ice_verdict verdict =
		ice_input(&l->dtls.ice, &v, packet, &peer, now_us / US_PER_MS, &reply, &result);
	memcpy(&to, from, address_size(from));
	if ((verdict == ICE_ANSWERED || verdict == ICE_REFUSED) && !reply.bad)
		(void)leg_socket_send(l->rtp, &to, writer_span(&reply));
	if (verdict == ICE_ANSWERED)
		follow(l);
}

bool leg_dtls_input(struct leg *l, const struct sockaddr *from, struct span datagram, uint64_t now_us)
{
	if (datagram.size && datagram.data[0] <= STUN_FIRST_MAX && l->dtls.ice_is_on) {
		answer_check(l, from, datagram, now_us);
		return true;
	}
	if (!is_dtls(datagram) || !l->dtls.dtls)
		return false;
	if (!may_shake_hands(l, from)) {
		++l->in.drops[LEG_DROP_SOURCE];
		return true;
	}
	dtls_input(l->dtls.dtls, datagram);
	settle(l, now_us);
	return true;
}

void leg_dtls_beat(struct leg *l)
{
	if (!l->dtls.dtls || l->dtls.settled)
		return;
	dtls_poll(l->dtls.dtls);
	settle(l, clock_us());
}

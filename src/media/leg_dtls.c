#include "media/leg_private.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/address.h"

#include <openssl/crypto.h>

enum {
	US_PER_MS = 1000,
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

/* Where sound goes to and comes from, from now on. */
static void go_to(struct leg *l, const struct peer_address *to)
{
	memset(&l->remote.rtp, 0, sizeof l->remote.rtp);
	memcpy(&l->remote.rtp, &to->any, peer_address_size(to));
	l->remote.rtcp = l->remote.rtp; /* one port for both, or none for RTCP */
	l->in.whence.locked = true;
}

/* The path that they chose. */
static void follow(struct leg *l)
{
	const struct peer_address *path = ice_path(&l->dtls.ice);

	if (path)
		go_to(l, path);
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

	if (l->dtls.state != LEG_DTLS_SHAKING || state == DTLS_HANDSHAKE)
		return;
	l->dtls.state = LEG_DTLS_KEYED;
	if (state == DTLS_DONE && take_keys(l, now_us))
		return;
	l->dtls.state = LEG_DTLS_FAILED;
	++l->in.drops[LEG_DROP_LOCKED];
}

/* The address of the SDP, or one that knows ICE's password. */
static bool is_expected(struct leg *l, const struct peer_address *from)
{
	if (address_equal(&from->any, (const struct sockaddr *)&l->remote.rtp))
		return true;
	if (!l->dtls.ice_is_on || !ice_knows(&l->dtls.ice, from))
		return false;
	ice_prefer(&l->dtls.ice, from);
	follow(l);
	return true;
}

/* We can only wait for a guest's hello: where we begin, we begin towards the SDP's address. */
static bool takes_guests(const struct leg *l)
{
	return l->config.latch && !l->dtls.ice_is_on && !l->dtls.client && l->dtls.state != LEG_DTLS_KEYED;
}

/* The guest is the phone. */
static void move_to(struct leg *l, struct leg_guest *g, uint64_t now_us)
{
	struct leg_dtls *d = &l->dtls;

	dtls_free(d->dtls);
	d->dtls = g->dtls;
	g->dtls = NULL;
	dtls_hand_over(d->dtls, &events, l);
	go_to(l, &g->from);
	leg_guests_fini(&d->guests);
	d->state = LEG_DTLS_SHAKING;
	settle(l, now_us);
}

/* Nobody from elsewhere may spoil the handshake, though nobody could take part in it. */
static void shake_hands(struct leg *l, const struct sockaddr *from, struct span datagram, uint64_t now_us)
{
	struct peer_address peer;

	if (!peer_of(&peer, from))
		return;
	if (is_expected(l, &peer)) {
		dtls_input(l->dtls.dtls, datagram);
		settle(l, now_us);
	} else if (takes_guests(l)) {
		struct leg_guest *phone = leg_guests_input(l, &peer, datagram, now_us);
		if (phone)
			move_to(l, phone, now_us);
	} else {
		++l->in.drops[LEG_DROP_SOURCE];
	}
}

static bool is_dtls(struct span datagram)
{
	return datagram.size && datagram.data[0] >= LEG_DTLS_FIRST && datagram.data[0] <= LEG_DTLS_FIRST_MAX;
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

	if (e && l->dtls.dtls && !l->dtls.client)
		shake_hands(l, (const struct sockaddr *)&e->from, span_of(e->bytes, e->size), clock_us());
}

static bool is_same(const struct leg_dtls *d, const struct media_leg_remote *r)
{
	return d->dtls && d->client == r->dtls_client && !strcasecmp(d->fingerprint, r->fingerprint);
}

static void forget(struct leg_dtls *d)
{
	d->dtls = dtls_free(d->dtls);
	d->state = LEG_DTLS_SHAKING;
	leg_guests_fini(&d->guests);
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
	if (datagram.size && datagram.data[0] <= LEG_STUN_FIRST_MAX && l->dtls.ice_is_on) {
		answer_check(l, from, datagram, now_us);
		return true;
	}
	if (!is_dtls(datagram) || !l->dtls.dtls)
		return false;
	shake_hands(l, from, datagram, now_us);
	return true;
}

void leg_dtls_beat(struct leg *l)
{
	if (!l->dtls.dtls || l->dtls.state == LEG_DTLS_KEYED)
		return;
	leg_guests_poll(&l->dtls.guests);
	dtls_poll(l->dtls.dtls);
	settle(l, clock_us());
}

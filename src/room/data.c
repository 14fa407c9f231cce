/* Data packets, from one to others. They are forwarded whatever they hold; only the fields that say
 * who sent them are ours. */
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "room/inside.h"
#include "wire/proto.h"

static bool is_named(char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; ++i)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

/* Old clients and servers name people by sid, in the user packet. Its identities are the packet's:
 * agree_on_destinations(). */
static const Livekit__UserPacket *names_sids(const Livekit__DataPacket *packet)
{
	bool user = packet->value_case == LIVEKIT__DATA_PACKET__VALUE_USER;
	return user && packet->user->n_destination_sids ? packet->user : NULL;
}

/* No destination at all means everybody. */
static bool names_somebody(const Livekit__DataPacket *packet)
{
	return packet->n_destination_identities || names_sids(packet);
}

static bool is_for(const Livekit__DataPacket *packet, const struct participant *to)
{
	const Livekit__UserPacket *u = names_sids(packet);
	return !names_somebody(packet) ||
	       is_named(packet->destination_identities, packet->n_destination_identities, to->identity) ||
	       (u && is_named(u->destination_sids, u->n_destination_sids, to->sid));
}

static bool is_rpc_answer(const Livekit__DataPacket *packet)
{
	return packet->value_case == LIVEKIT__DATA_PACKET__VALUE_RPC_ACK ||
	       packet->value_case == LIVEKIT__DATA_PACKET__VALUE_RPC_RESPONSE;
}

static void answer_api(struct room *r, const struct data_packet *d)
{
	const Livekit__DataPacket *packet = d->packet;
	if (!is_rpc_answer(packet) || packet->n_destination_identities == 0)
		return;
	for (size_t i = 0; i < packet->n_destination_identities; ++i)
		if (room_find(r, packet->destination_identities[i]))
			return;
	TELL_ALL(r->rooms, rpc_answer, r, d);
}

/* ---- for those who come in this very moment ---- */

enum {
	HELD_MS = 2000,
	HELD_BYTES = 100 << 10
};

/* Others know of somebody before it is ACTIVE, and may call it at once. */
struct held {
	struct list link;
	uint64_t serial, at_ms;
	size_t size;
	uint8_t bytes[];
};

static void held_free(struct room *r, struct held *h)
{
	list_remove(&h->link);
	r->held_bytes -= h->size;
	mem_free(h);
}

static void hold(struct room *r, struct span bytes)
{
	struct held *h = mem_zalloc(sizeof *h + bytes.size);
	if (!h) {
		log_debug(r->name, "a data packet is not kept for those who come: out of memory");
		return;
	}
	h->serial = ++r->rooms->serials;
	h->at_ms = rooms_now_ms(r->rooms);
	h->size = bytes.size;
	if (bytes.size)
		memcpy(h->bytes, bytes.data, bytes.size);
	list_add(&r->held, &h->link);
	r->held_bytes += h->size;
	while (r->held_bytes > HELD_BYTES)
		held_free(r, list_first(&r->held, struct held, link));
}

void data_tick(struct room *r, uint64_t now_ms)
{
	while (!list_empty(&r->held)) {
		struct held *h = list_first(&r->held, struct held, link);
		if (now_ms - h->at_ms < HELD_MS)
			break;
		held_free(r, h);
	}
}

void data_forget(struct room *r)
{
	while (!list_empty(&r->held))
		held_free(r, list_first(&r->held, struct held, link));
}

static struct held *held_after(struct room *r, uint64_t serial)
{
	list_each(it, &r->held) {
		struct held *h = container_of(it, struct held, link);
		if (h->serial > serial)
			return h;
	}
	return NULL;
}

static void catch_up(struct participant *p, struct held *h)
{
	struct proto_arena a = {0};
	ProtobufCMessage *m;
	struct buf copy = {0}; /* an event may make room for others and free h */
	if (buf_add(&copy, h->bytes, h->size) == 0 &&
		proto_unpack(&m, &a, &livekit__data_packet__descriptor, buf_span(&copy)) == 0) {
		const Livekit__DataPacket *packet = (const Livekit__DataPacket *)m;
		struct data_packet d = {.from = room_find_sid(p->room, packet->participant_sid),
			.packet = packet,
			.bytes = buf_span(&copy),
			.reliable = true};
		if (d.from != p && is_for(packet, p))
			TELL(p, data, &d);
	}
	buf_fini(&copy);
	proto_arena_fini(&a);
}

void data_catch_up(struct participant *p)
{
	uint64_t now = rooms_now_ms(p->room->rooms), serial = p->serial,
		 last = p->room->rooms->serials;
	struct held *h;
	/* Those that came while events ran went the ordinary way. */
	while ((h = held_after(p->room, serial)) && h->serial <= last) {
		serial = h->serial;
		if (now - h->at_ms < HELD_MS &&
			p->state == LIVEKIT__PARTICIPANT_INFO__STATE__ACTIVE)
			catch_up(p, h);
	}
}

/* ---- sending ---- */

static bool anybody_waits(struct room *r)
{
	list_each(it, &r->participants)
		if (container_of(it, struct participant, link)->state !=
			LIVEKIT__PARTICIPANT_INFO__STATE__ACTIVE)
			return true;
	return false;
}

static void give(struct participant *to, const struct data_packet *d)
{
	if (to != d->from && to->state == LIVEKIT__PARTICIPANT_INFO__STATE__ACTIVE)
		TELL(to, data, d);
}

static void give_once(struct participant *to, const struct data_packet *d, uint64_t serial)
{
	if (!to || to->last_packet == serial)
		return;
	to->last_packet = serial;
	give(to, d);
}

/* As is_for(), but by the names and not by the people: a packet may list thousands. */
static void give_named(struct room *r, const struct data_packet *d)
{
	const Livekit__DataPacket *packet = d->packet;
	uint64_t serial = ++r->rooms->serials;
	for (size_t i = 0; i < packet->n_destination_identities; ++i)
		give_once(room_find(r, packet->destination_identities[i]), d, serial);
	const Livekit__UserPacket *u = names_sids(packet);
	for (size_t i = 0; u && i < u->n_destination_sids; ++i)
		give_once(room_find_sid(r, u->destination_sids[i]), d, serial);
}

static void deliver(
	struct room *r, struct participant *from, const Livekit__DataPacket *packet, bool reliable)
{
	/* Taken out of `rooms` while it is in use: an event may send data as well. */
	struct buf bytes = r->rooms->packet;
	r->rooms->packet = (struct buf){0};
	bytes.size = 0;
	bytes.max = LIMIT_DATA_PACKET_BYTES;
	if (proto_pack(&bytes, &packet->base) == 0) {
		struct data_packet d = {.from = from,
			.packet = packet,
			.bytes = buf_span(&bytes),
			.reliable = reliable};
		if (reliable && anybody_waits(r))
			hold(r, d.bytes);
		if (names_somebody(packet))
			give_named(r, &d);
		else
			for (struct participant *to = room_next(r, NULL); to; to = room_next(r, to))
				give(to, &d);
		answer_api(r, &d);
	} else {
		log_debug(r->name, "a data packet is dropped: too large");
	}
	if (r->rooms->packet.data)
		buf_fini(&bytes);
	else
		r->rooms->packet = bytes;
}

/* Speaker updates are the server's to send, metrics are for the server, transcriptions come from
 * agents. */
static bool is_forwarded(const struct participant *p, const Livekit__DataPacket *packet)
{
	switch (packet->value_case) {
	case LIVEKIT__DATA_PACKET__VALUE_SPEAKER:
	case LIVEKIT__DATA_PACKET__VALUE_METRICS:
		return false;
	case LIVEKIT__DATA_PACKET__VALUE_TRANSCRIPTION:
		return p->kind == LIVEKIT__PARTICIPANT_INFO__KIND__AGENT;
	default:
		return true;
	}
}

/* Clients count their reliable packets from 1 and send some again after a reconnect. */
static bool is_repeated(struct participant *p, const Livekit__DataPacket *packet, bool reliable)
{
	if (!reliable || packet->sequence == 0)
		return false;
	if (packet->sequence <= p->last_sequence)
		return true;
	p->last_sequence = packet->sequence;
	return false;
}

static void sign_user(Livekit__UserPacket *u, const struct participant *p)
{
	bool hidden = p->permission.hidden;
	u->participant_sid = hidden ? (char *)"" : (char *)p->sid;
	u->participant_identity = hidden ? (char *)"" : p->identity;
}

/* Identities may stand in the packet or, as of old, in the user packet: afterwards in both. */
static void agree_on_destinations(Livekit__DataPacket *packet, Livekit__UserPacket *u)
{
	if (packet->n_destination_identities) {
		u->n_destination_identities = packet->n_destination_identities;
		u->destination_identities = packet->destination_identities;
	} else {
		packet->n_destination_identities = u->n_destination_identities;
		packet->destination_identities = u->destination_identities;
	}
}

/* A nonce says that somebody may send the same again. True when the room has seen it; else it is
 * remembered, and the oldest forgotten. All zeroes is an empty place, and no nonce worth the name. */
static bool is_seen(struct room *r, ProtobufCBinaryData nonce)
{
	static const uint8_t none[ROOM_NONCE_BYTES];
	if (nonce.len != ROOM_NONCE_BYTES || !memcmp(nonce.data, none, sizeof none))
		return false;
	for (size_t i = 0; i < ROOM_NONCES; ++i)
		if (!memcmp(r->nonces[i], nonce.data, ROOM_NONCE_BYTES))
			return true;
	memcpy(r->nonces[r->nonce_next], nonce.data, ROOM_NONCE_BYTES);
	r->nonce_next = (r->nonce_next + 1) % ROOM_NONCES;
	return false;
}

/* Makes `copy` and `user` what is sent for `packet`. */
static void take_copy(
	Livekit__DataPacket *copy, Livekit__UserPacket *user, const Livekit__DataPacket *packet)
{
	*copy = *packet;
	if (packet->value_case != LIVEKIT__DATA_PACKET__VALUE_USER)
		return;
	*user = *packet->user;
	agree_on_destinations(copy, user);
	copy->user = user;
}

void participant_send_data(struct participant *p, Livekit__DataPacket *packet, bool reliable)
{
	if (!participant_hears_events(p) || !p->permission.can_publish_data ||
		!is_forwarded(p, packet) || is_repeated(p, packet, reliable))
		return;

	Livekit__DataPacket copy;
	Livekit__UserPacket user;
	take_copy(&copy, &user, packet);
	/* An agent may speak for somebody else. */
	bool other =
		p->kind == LIVEKIT__PARTICIPANT_INFO__KIND__AGENT && *packet->participant_identity;
	copy.participant_sid = p->permission.hidden ? (char *)"" : p->sid;
	if (!other)
		copy.participant_identity = p->permission.hidden ? (char *)"" : p->identity;
	copy.kind =
		reliable ? LIVEKIT__DATA_PACKET__KIND__RELIABLE : LIVEKIT__DATA_PACKET__KIND__LOSSY;
	if (copy.value_case == LIVEKIT__DATA_PACKET__VALUE_USER) {
		if (is_seen(p->room, user.nonce))
			return;
		sign_user(&user, p);
	}
	deliver(p->room, p, &copy, reliable);
}

void room_send_data(struct room *r, const Livekit__DataPacket *packet, bool reliable)
{
	Livekit__DataPacket copy;
	Livekit__UserPacket user;
	take_copy(&copy, &user, packet);
	if (copy.value_case != LIVEKIT__DATA_PACKET__VALUE_USER || !is_seen(r, user.nonce))
		deliver(r, NULL, &copy, reliable);
}

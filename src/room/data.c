/* Data packets, from one to others. They are forwarded whatever they hold; only the fields that say
 * who sent them are ours. */
#include "base/limits.h"
#include "base/log.h"
#include "room/inside.h"
#include "wire/proto.h"

static bool is_named(char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; ++i)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

/* No destination at all means everybody. Old clients name them in the user packet, by sid. */
static bool is_for(const Livekit__DataPacket *packet, const struct participant *to)
{
	if (packet->n_destination_identities)
		return is_named(packet->destination_identities, packet->n_destination_identities,
			to->identity);
	if (packet->value_case != LIVEKIT__DATA_PACKET__VALUE_USER)
		return true;
	const Livekit__UserPacket *u = packet->user;
	if (!u->n_destination_identities && !u->n_destination_sids)
		return true;
	return is_named(u->destination_identities, u->n_destination_identities, to->identity) ||
	       is_named(u->destination_sids, u->n_destination_sids, to->sid);
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

static void deliver(struct room *r, struct participant *from, const Livekit__DataPacket *packet,
	bool reliable)
{
	/* Taken out of `rooms` while it is in use: an event may send data as well. */
	struct buf bytes = r->rooms->packet;
	r->rooms->packet = (struct buf){0};
	bytes.size = 0;
	bytes.max = LIMIT_DATA_PACKET_BYTES;
	if (proto_pack(&bytes, &packet->base) == 0) {
		struct data_packet d = {
			.from = from, .packet = packet, .bytes = buf_span(&bytes), .reliable = reliable};
		for (struct participant *to = room_next(r, NULL); to; to = room_next(r, to))
			if (to != from && to->state == LIVEKIT__PARTICIPANT_INFO__STATE__ACTIVE &&
				is_for(packet, to))
				TELL(to, data, &d);
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

void participant_send_data(struct participant *p, Livekit__DataPacket *packet, bool reliable)
{
	if (!participant_hears_events(p) || !p->permission.can_publish_data || !is_forwarded(p, packet) ||
		is_repeated(p, packet, reliable))
		return;

	Livekit__DataPacket copy = *packet;
	Livekit__UserPacket user;
	/* An agent may speak for somebody else. */
	bool other = p->kind == LIVEKIT__PARTICIPANT_INFO__KIND__AGENT && *packet->participant_identity;
	copy.participant_sid = p->permission.hidden ? (char *)"" : p->sid;
	if (!other)
		copy.participant_identity = p->permission.hidden ? (char *)"" : p->identity;
	copy.kind = reliable ? LIVEKIT__DATA_PACKET__KIND__RELIABLE : LIVEKIT__DATA_PACKET__KIND__LOSSY;
	if (copy.value_case == LIVEKIT__DATA_PACKET__VALUE_USER) {
		user = *packet->user;
		sign_user(&user, p);
		copy.user = &user;
	}
	deliver(p->room, p, &copy, reliable);
}

void room_send_data(struct room *r, Livekit__DataPacket *packet, bool reliable)
{
	deliver(r, NULL, packet, reliable);
}

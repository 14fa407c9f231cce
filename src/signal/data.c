/* Data channels: SCTP of one peer connection <-> DataPackets of the room. */
#include "signal/session.h"

#include "base/mem.h"

static const struct {
	const char *label;
	bool ordered, reliable;
} channels[CHANNEL__COUNT] = {
	[CHANNEL_RELIABLE] = {"_reliable", true, true},
	[CHANNEL_LOSSY] = {"_lossy", false, false},
	[CHANNEL_TRACK] = {"_data_track", false, false},
};

/* Two connections: what clients receive travels on the one that we offer; else on the only one. */
static struct peer *data_peer(struct session *s)
{
	return s->join->subscriber_primary ? &s->subscriber : &s->publisher;
}

/* ---- room -> client ---- */

/* For the moment between "active" and "the channel is open". More than fits is lost, as the
 * reference server loses it. */
static void hold(struct session *s, struct span bytes)
{
	uint32_t size = (uint32_t)bytes.size;
	if (s->held.size + sizeof size + bytes.size > LIMIT_DATA_HELD_BYTES)
		return;
	if (buf_add(&s->held, &size, sizeof size) == 0 && buf_add(&s->held, bytes.data, bytes.size))
		s->held.size -= sizeof size;
}

static void transmit(struct peer *p, enum channel to, struct span bytes)
{
	/* A reader that is too slow misses packets; it does not make us hoard them. */
	(void)!sctp_association_send(p->sctp, p->channels[to].id, bytes, true);
}

static void flush_held(struct session *s, struct peer *p)
{
	size_t at = 0;
	while (at < s->held.size) {
		uint32_t size;
		memcpy(&size, s->held.data + at, sizeof size);
		at += sizeof size;
		transmit(p, CHANNEL_RELIABLE, span_of(s->held.data + at, size));
		at += size;
	}
	buf_fini(&s->held);
	s->held.max = LIMIT_DATA_HELD_BYTES;
}

void data_send(struct session *s, const struct data_packet *d)
{
	struct peer *p = data_peer(s);
	enum channel to = d->reliable ? CHANNEL_RELIABLE : CHANNEL_LOSSY;
	if (p->sctp && p->channels[to].open)
		transmit(p, to, d->bytes);
	else if (d->reliable)
		hold(s, d->bytes);
}

/* ---- client -> room ---- */

static void on_output(void *owner, struct span packet)
{
	struct peer *p = owner;
	media_transport_sctp(p->session->door->media, p->transport, packet);
}

static void on_channel_open(void *owner, const char *label, uint16_t id)
{
	struct peer *p = owner;
	struct session *s = p->session;
	for (int i = 0; i < CHANNEL__COUNT; ++i) {
		if (strcmp(label, channels[i].label) != 0 || p->channels[i].open)
			continue;
		p->channels[i].open = true;
		p->channels[i].id = id;
		if (i == CHANNEL_RELIABLE && p == data_peer(s))
			flush_held(s, p);
	}
}

static bool is_channel(const struct peer *p, enum channel c, uint16_t id)
{
	return p->channels[c].open && p->channels[c].id == id;
}

static void on_message(void *owner, uint16_t id, struct span bytes, bool binary)
{
	struct peer *p = owner;
	struct session *s = p->session;
	bool reliable = is_channel(p, CHANNEL_RELIABLE, id);
	bool lossy = is_channel(p, CHANNEL_LOSSY, id);
	struct proto_arena arena = {0};
	ProtobufCMessage *m;

	if ((!reliable && !lossy) || bytes.size > LIMIT_DATA_PACKET_BYTES)
		return;
	if (s->state == SESSION_GONE)
		return;
	/* What is no packet is no reason to end anything: it vanishes. */
	if (proto_unpack(&m, &arena, &livekit__data_packet__descriptor, bytes) == 0)
		participant_send_data(s->participant, (Livekit__DataPacket *)m, reliable);
	proto_arena_fini(&arena);
}

static void on_sctp_closed(void *owner)
{
	struct peer *p = owner;
	for (int i = 0; i < CHANNEL__COUNT; ++i)
		p->channels[i].open = false;
}

static const struct sctp_events events = {
	.output = on_output,
	.channel_open = on_channel_open,
	.message = on_message,
	.closed = on_sctp_closed,
};

/* ---- life ---- */

static int begin(struct peer *p)
{
	if (p->sctp)
		return 0;
	return sctp_association_new(&p->sctp, &events, p, p->remote.dtls_client);
}

void data_connected(struct peer *p)
{
	/* Clients accept ours by their labels on the connection that we offer. */
	if (begin(p) || p->channels_asked || p != &p->session->subscriber)
		return;
	p->channels_asked = true;
	for (int i = 0; i < CHANNEL__COUNT; ++i) {
		uint16_t id;
		/* Without one of them the client only misses what travels on it. */
		(void)!sctp_association_open_channel(&id, p->sctp, channels[i].label,
			channels[i].ordered, channels[i].reliable ? -1 : 0);
	}
}

void data_input(struct peer *p, struct span packet)
{
	/* It may come a moment before we are told that the transport is connected. */
	if (begin(p) == 0)
		sctp_association_input(p->sctp, packet);
}

void data_fini(struct peer *p)
{
	p->sctp = sctp_association_free(p->sctp);
	on_sctp_closed(p);
}

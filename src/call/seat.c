#include "call/seat.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>

struct seat {
	const struct seat_events *events;
	void *owner;
	struct participant *participant; /* NULL once the room has removed it */
	struct participant *removed;     /* inside the event `removed` only */
	struct track *track;             /* the phone's voice; NULL once the API took it away */
	bool leaving; /* seat_leave() runs: nobody wants to hear of it any more */
};

/* RFC 4733, section 3.2: events 0-9, * = 10, # = 11, A-D = 12-15. */
static const char digits[] = "0123456789*#ABCD";

static bool is_voice(const struct subscription *s)
{
	const struct track_config *facts = track_facts(s->track);
	/* An encrypted track is noise to a telephone. */
	return facts->type == LIVEKIT__TRACK_TYPE__AUDIO &&
	       facts->encryption == LIVEKIT__ENCRYPTION__TYPE__NONE;
}

static void on_subscribed(void *owner, struct subscription *sub)
{
	struct seat *s = owner;
	if (!s->leaving && is_voice(sub))
		s->events->voice_began(s->owner, track_media_source(sub->track));
}

static void on_unsubscribed(void *owner, struct subscription *sub)
{
	struct seat *s = owner;
	if (!s->leaving && is_voice(sub))
		s->events->voice_ended(s->owner, track_media_source(sub->track));
}

static void on_dtmf(struct seat *s, const Livekit__SipDTMF *dtmf)
{
	/* Apps fill in `digit`, `code` or both. */
	char digit = dtmf->digit && dtmf->digit[0] ? dtmf->digit[0] : 0;
	if (!digit && dtmf->code < strlen(digits))
		digit = digits[dtmf->code];
	if (digit >= 'a' && digit <= 'd')
		digit = (char)(digit - 'a' + 'A');
	if (digit && strchr(digits, digit))
		s->events->digit(s->owner, digit);
}

/* Only to this phone: clients do not shout, and everybody's answer would be noise. */
static bool is_for(const struct seat *s, const Livekit__DataPacket *packet)
{
	return packet->n_destination_identities == 1 && !strcmp(packet->destination_identities[0], seat_identity(s));
}

static void on_data(void *owner, const struct data_packet *d)
{
	struct seat *s = owner;
	const Livekit__DataPacket *packet = d->packet;
	if (s->leaving)
		return;
	if (packet->value_case == LIVEKIT__DATA_PACKET__VALUE_SIP_DTMF) {
		on_dtmf(s, packet->sip_dtmf);
	} else if (packet->value_case == LIVEKIT__DATA_PACKET__VALUE_RPC_REQUEST && is_for(s, packet)) {
		const Livekit__RpcRequest *request = packet->rpc_request;
		s->events->rpc(s->owner,
			&(struct seat_rpc){request->id, packet->participant_identity, request->method, request->payload});
	}
}

static void send_to(struct seat *s, const char *identity, Livekit__DataPacket *packet)
{
	char *names[] = {(char *)identity};
	packet->n_destination_identities = 1;
	packet->destination_identities = names;
	participant_send_data(s->participant, packet, true);
}

void seat_rpc_answer(struct seat *s, const struct seat_rpc *rpc, unsigned error, const char *text)
{
	Livekit__DataPacket packet = LIVEKIT__DATA_PACKET__INIT;
	Livekit__RpcAck ack = LIVEKIT__RPC_ACK__INIT;
	Livekit__RpcResponse response = LIVEKIT__RPC_RESPONSE__INIT;
	Livekit__RpcError failure = LIVEKIT__RPC_ERROR__INIT;
	if (!s->participant)
		return;

	ack.request_id = (char *)rpc->id;
	packet.value_case = LIVEKIT__DATA_PACKET__VALUE_RPC_ACK;
	packet.rpc_ack = &ack;
	send_to(s, rpc->from, &packet);

	response.request_id = (char *)rpc->id;
	if (error) {
		failure.code = error;
		failure.message = (char *)text;
		response.value_case = LIVEKIT__RPC_RESPONSE__VALUE_ERROR;
		response.error = &failure;
	} else {
		response.value_case = LIVEKIT__RPC_RESPONSE__VALUE_PAYLOAD;
		response.payload = (char *)text;
	}
	packet.value_case = LIVEKIT__DATA_PACKET__VALUE_RPC_RESPONSE;
	packet.rpc_response = &response;
	send_to(s, rpc->from, &packet);
}

static void on_track_muted(void *owner, struct track *own)
{
	struct seat *s = owner;
	if (!s->leaving)
		s->events->muted(s->owner, track_muted(own));
}

static void on_track_unpublished(void *owner, struct track *own)
{
	struct seat *s = owner;
	s->track = NULL;
}

static void on_removed(void *owner, Livekit__DisconnectReason why)
{
	struct seat *s = owner;
	s->removed = s->participant;
	s->participant = NULL;
	if (!s->leaving)
		s->events->removed(s->owner, why);
}

static const struct participant_events participant_events = {
	.subscribed = on_subscribed,
	.unsubscribed = on_unsubscribed,
	.track_muted = on_track_muted,
	.track_unpublished = on_track_unpublished,
	.data = on_data,
	.removed = on_removed,
};

static int publish(struct seat *s, const struct seat_config *config)
{
	const struct track_config track = {
		.name = config->identity,
		.stream = "camera", /* what livekit-sip's track carries; apps never look */
		/* What listeners may not have as it comes is made Opus. */
		.mime_type = room_codec_enabled(participant_room(s->participant), config->mime_type)
			? config->mime_type : "audio/opus",
		.type = LIVEKIT__TRACK_TYPE__AUDIO,
		.source = LIVEKIT__TRACK_SOURCE__MICROPHONE,
		.media_source = config->media_source,
	};
	int r = track_publish(&s->track, s->participant, &track);
	return r > 0 ? err_new(-EPERM) : r; /* we may publish: we said so when joining */
}

int seat_join(struct seat **ret, struct room *room, const struct seat_config *config,
	const struct seat_events *events, void *owner)
{
	assert(ret && room && config->identity && events);

	struct seat *s = mem_zalloc(sizeof *s);
	if (!s)
		return err_new(-ENOMEM);
	s->events = events;
	s->owner = owner;

	const struct participant_config participant = {
		.identity = config->identity,
		.name = config->name ? config->name : "",
		.metadata = config->metadata ? config->metadata : "",
		.attributes = config->attributes,
		.attribute_count = config->attribute_count,
		.kind = LIVEKIT__PARTICIPANT_INFO__KIND__SIP,
		.can_publish = true,
		.can_subscribe = true,
		.can_publish_data = true,
		.can_update_metadata = true,
		.auto_subscribe = true,
		.protocol = 17,
	};
	int r = participant_join(&s->participant, room, &participant, &participant_events, s);
	if (r) {
		mem_free(s);
		return r == PARTICIPANT_E_ROOM_FULL ? SEAT_E_ROOM_FULL : r;
	}
	r = publish(s, config);
	if (r < 0) {
		seat_leave(s, LIVEKIT__DISCONNECT_REASON__JOIN_FAILURE);
		return r;
	}
	participant_joined(s->participant);
	*ret = s; /* before the voices begin: their events find a whole seat */
	participant_active(s->participant);
	return 0;
}

const char *seat_sid(const struct seat *s)
{
	return s->participant ? participant_sid(s->participant) : "";
}

const char *seat_identity(const struct seat *s)
{
	return s->participant ? participant_identity(s->participant) : "";
}

const char *seat_attribute(const struct seat *s, const char *key)
{
	const struct participant *p = s->participant ? s->participant : s->removed;
	return p ? participant_attribute(p, key) : NULL;
}

void seat_set_attributes(struct seat *s, const struct attribute *attributes, size_t count)
{
	if (!s->participant)
		return;
	int r = participant_set(s->participant, NULL, NULL, attributes, count);
	if (r)
		log_warn(seat_identity(s), "attributes not set: too many or too long");
}

void seat_send_digit(struct seat *s, char digit)
{
	const char *at = strchr(digits, digit);
	if (!s->participant || !digit || !at)
		return;

	char text[2] = {digit, 0};
	Livekit__SipDTMF dtmf = LIVEKIT__SIP_DTMF__INIT;
	dtmf.code = (uint32_t)(at - digits);
	dtmf.digit = text;
	Livekit__DataPacket packet = LIVEKIT__DATA_PACKET__INIT;
	packet.value_case = LIVEKIT__DATA_PACKET__VALUE_SIP_DTMF;
	packet.sip_dtmf = &dtmf;
	participant_send_data(s->participant, &packet, true);
}

void seat_level(struct seat *s, uint8_t level, uint16_t active_ms, uint16_t observed_ms)
{
	if (s->participant && s->track)
		track_level(s->track, level, active_ms, observed_ms);
}

void seat_quality(struct seat *s, const struct connection_quality *q)
{
	if (s->participant)
		participant_set_quality(s->participant, q);
}

void seat_leave(struct seat *s, Livekit__DisconnectReason why)
{
	if (!s)
		return;
	s->leaving = true;
	if (s->participant)
		participant_leave(s->participant, why);
	mem_free(s);
}

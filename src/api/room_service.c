/* api/room_service.c - livekit.RoomService. The order of the checks and the words are LiveKit's. */
#include "api/rpc.h"
#include "api/twirp.h"

#include "base/limits.h"
#include "room/info.h"

#include "livekit_room.pb-c.h"

#include <stdio.h>

enum { NONCE_BYTES = 16 }; /* of SendData */

static const char no_participant[] = "participant does not exist";

/* ---- checks shared by the methods; false: the refusal was sent ---- */

static bool may(struct twirp *t, bool granted)
{
	if (!granted)
		twirp_denied(t);
	return granted;
}

static bool argument(struct twirp *t, const char *what, const char *msg)
{
	const struct twirp_meta meta = {"argument", what};
	twirp_fail_with(t, "invalid_argument", msg, &meta, 1);
	return false;
}

static const struct room_limits *limits(const struct twirp *t)
{
	return rooms_limits(t->api->config.rooms);
}

static bool check_name(struct twirp *t, const char *name)
{
	if (strlen(name) <= limits(t)->name)
		return true;
	char msg[64];
	snprintf(msg, sizeof msg, "name length exceeds limits %u", limits(t)->name);
	return argument(t, "name length exceeds limits", msg);
}

static bool check_metadata(struct twirp *t, const char *metadata)
{
	if (strlen(metadata) <= limits(t)->metadata)
		return true;
	char msg[64];
	snprintf(msg, sizeof msg, "metadata size exceeds limits %u", limits(t)->metadata);
	return argument(t, "metadata size exceeds limits", msg);
}

static bool check_attributes_size(struct twirp *t, size_t bytes)
{
	if (bytes <= limits(t)->attributes)
		return true;
	char msg[64];
	snprintf(msg, sizeof msg, "attribute size exceeds limits %u", limits(t)->attributes);
	return argument(t, "attribute size exceeds limits", msg);
}

static struct participant *is_here(struct twirp *t, const char *room, const char *identity)
{
	struct room *r = rooms_find(t->api->config.rooms, room);
	return r && *identity ? room_find(r, identity) : NULL;
}

static struct participant *find_participant(struct twirp *t, const char *room, const char *identity)
{
	struct participant *p = is_here(t, room, identity);
	if (!p)
		twirp_fail(t, "not_found", no_participant);
	return p;
}

static void answer_room(struct twirp *t, const struct room *r)
{
	struct info_arena arena = {0};
	Livekit__Room *info = room_info(&arena, r);
	twirp_answer(t, info ? &info->base : NULL);
	info_arena_fini(&arena);
}

static void answer_participant(struct twirp *t, const struct participant *p)
{
	struct info_arena arena = {0};
	Livekit__ParticipantInfo *info = participant_info(&arena, p);
	twirp_answer(t, info ? &info->base : NULL);
	info_arena_fini(&arena);
}

static void answer_empty(struct twirp *t, const ProtobufCMessageDescriptor *type)
{
	twirp_answer(t, proto_new(&t->arena, type));
}

/* ---- rooms ---- */

static bool check_agents(struct twirp *t, const Livekit__CreateRoomRequest *in)
{
	for (size_t i = 0; i < in->n_agents; ++i) {
		const Livekit__RoomAgentDispatch *agent = in->agents[i];
		size_t bytes = 0;
		for (size_t j = 0; j < agent->n_attributes; ++j)
			bytes += strlen(agent->attributes[j]->key) + strlen(agent->attributes[j]->value);
		if (!check_metadata(t, agent->metadata) || !check_attributes_size(t, bytes))
			return false;
	}
	return true;
}

static bool check_new_room(struct twirp *t, const Livekit__CreateRoomRequest *in)
{
	if (!*in->name)
		twirp_fail(t, "invalid_argument", "room name cannot be empty");
	else if (strlen(in->name) > limits(t)->room_name)
		twirp_fail(t, "invalid_argument", "room name length exceeds limits: max length %u",
			limits(t)->room_name);
	else if (*in->node_id) /* rooms are not placed: LiveKit's answer for a node that it has not */
		twirp_fail(t, "unknown", "could not find object");
	else if (in->egress) /* better refused than a recording that is missed later */
		twirp_fail(t, "internal", "egress not connected");
	else if (*in->room_preset && !rooms_preset(t->api->config.rooms, in->room_preset))
		twirp_fail(t, "invalid_argument", "unknown room configuration in create room request");
	else
		return check_metadata(t, in->metadata) && check_agents(t, in);
	return false;
}

static void create_room(struct twirp *t)
{
	const Livekit__CreateRoomRequest *in = (const Livekit__CreateRoomRequest *)t->in;
	if (!may(t, t->grants.video.room_create) || !check_new_room(t, in))
		return;
	struct rooms *rooms = t->api->config.rooms;
	struct room *r = NULL;
	struct room_options options = {
		.empty_timeout_s = in->empty_timeout,
		.departure_timeout_s = in->departure_timeout,
		.max_participants = in->max_participants,
		.metadata = in->metadata,
		.agents = in->agents,
		.agent_count = in->n_agents,
	};
	room_options_add(&options, rooms_preset(rooms, in->room_preset));
	if (rooms_are_full(rooms)) {
		twirp_fail(t, "internal", "reached configured limit for node");
		return;
	}
	int result = rooms_open(&r, NULL, rooms, in->name, &options);
	if (result < 0)
		twirp_broken(t);
	else if (result == ROOMS_E_LIMIT)
		twirp_fail(t, "resource_exhausted", "there are %d rooms already", LIMIT_ROOMS);
	else
		answer_room(t, r);
}

static bool is_listed(const Livekit__ListRoomsRequest *in, const char *name)
{
	for (size_t i = 0; i < in->n_names; ++i)
		if (!strcmp(in->names[i], name))
			return true;
	return in->n_names == 0;
}

static void list_rooms(struct twirp *t)
{
	const Livekit__ListRoomsRequest *in = (const Livekit__ListRoomsRequest *)t->in;
	struct rooms *rooms = t->api->config.rooms;
	Livekit__ListRoomsResponse out = LIVEKIT__LIST_ROOMS_RESPONSE__INIT;
	struct info_arena arena = {0};
	bool full = false;

	if (!may(t, t->grants.video.room_list))
		return;
	out.rooms = info_alloc(&arena, (rooms_count(rooms) + 1) * sizeof *out.rooms);
	for (struct room *r = rooms_next(rooms, NULL); r && out.rooms && !full; r = rooms_next(rooms, r)) {
		if (!is_listed(in, room_name(r)))
			continue;
		out.rooms[out.n_rooms] = room_info(&arena, r);
		full = !out.rooms[out.n_rooms++];
	}
	twirp_answer(t, out.rooms && !full ? &out.base : NULL);
	info_arena_fini(&arena);
}

static void delete_room(struct twirp *t)
{
	const Livekit__DeleteRoomRequest *in = (const Livekit__DeleteRoomRequest *)t->in;
	if (!may(t, t->grants.video.room_create))
		return;
	if (!*in->room) {
		twirp_fail(t, "invalid_argument", "room name cannot be empty");
		return;
	}
	struct room *r = find_room(t, in->room);
	if (!r)
		return;
	room_close(r, LIVEKIT__DISCONNECT_REASON__ROOM_DELETED);
	answer_empty(t, &livekit__delete_room_response__descriptor);
}

static void update_room_metadata(struct twirp *t)
{
	const Livekit__UpdateRoomMetadataRequest *in = (const Livekit__UpdateRoomMetadataRequest *)t->in;
	if (!check_metadata(t, in->metadata) || !may_admin(t, in->room))
		return;
	struct room *r = find_room(t, in->room);
	if (!r)
		return;
	room_set_metadata(r, in->metadata);
	answer_room(t, r);
}

/* ---- participants ---- */

static void list_participants(struct twirp *t)
{
	const Livekit__ListParticipantsRequest *in = (const Livekit__ListParticipantsRequest *)t->in;
	Livekit__ListParticipantsResponse out = LIVEKIT__LIST_PARTICIPANTS_RESPONSE__INIT;
	struct info_arena arena = {0};
	size_t count = 0;
	bool full = false;

	if (!may_admin(t, in->room))
		return;
	struct room *r = rooms_find(t->api->config.rooms, in->room);
	for (struct participant *p = r ? room_next(r, NULL) : NULL; p; p = room_next(r, p))
		++count;
	out.participants = info_alloc(&arena, (count + 1) * sizeof *out.participants);
	for (struct participant *p = r && out.participants ? room_next(r, NULL) : NULL; p && !full;
		p = room_next(r, p)) {
		out.participants[out.n_participants] = participant_info(&arena, p);
		full = !out.participants[out.n_participants++];
	}
	twirp_answer(t, out.participants && !full ? &out.base : NULL);
	info_arena_fini(&arena);
}

static void get_participant(struct twirp *t)
{
	const Livekit__RoomParticipantIdentity *in = (const Livekit__RoomParticipantIdentity *)t->in;
	if (!may_admin(t, in->room))
		return;
	struct participant *p = find_participant(t, in->room, in->identity);
	if (p)
		answer_participant(t, p);
}

static void remove_participant(struct twirp *t)
{
	const Livekit__RoomParticipantIdentity *in = (const Livekit__RoomParticipantIdentity *)t->in;
	if (!may_admin(t, in->room))
		return;
	struct participant *p = find_participant(t, in->room, in->identity);
	if (!p)
		return;
	participant_leave(p, LIVEKIT__DISCONNECT_REASON__PARTICIPANT_REMOVED);
	answer_empty(t, &livekit__remove_participant_response__descriptor);
}

static void update_participant(struct twirp *t)
{
	const Livekit__UpdateParticipantRequest *in = (const Livekit__UpdateParticipantRequest *)t->in;
	size_t bytes = 0;
	for (size_t i = 0; i < in->n_attributes; ++i)
		bytes += strlen(in->attributes[i]->key) + strlen(in->attributes[i]->value);
	if (!check_name(t, in->name) || !check_metadata(t, in->metadata) ||
		!check_attributes_size(t, bytes) || !may_admin(t, in->room))
		return;
	struct participant *p = find_participant(t, in->room, in->identity);
	if (!p)
		return;
	struct attribute *list = proto_alloc(&t->arena, (in->n_attributes + 1) * sizeof *list);
	for (size_t i = 0; list && i < in->n_attributes; ++i)
		list[i] = (struct attribute){in->attributes[i]->key, in->attributes[i]->value};
	int r = list ? participant_set(p, *in->name ? in->name : NULL, *in->metadata ? in->metadata : NULL,
			       list, in->n_attributes)
		     : -1;
	if (r < 0) {
		twirp_broken(t);
	} else if (r == PARTICIPANT_E_LIMIT) {
		check_attributes_size(t, (size_t)limits(t)->attributes + 1);
	} else {
		if (in->permission)
			participant_set_permission(p, in->permission);
		answer_participant(t, p);
	}
}

static void mute_published_track(struct twirp *t)
{
	const Livekit__MuteRoomTrackRequest *in = (const Livekit__MuteRoomTrackRequest *)t->in;
	Livekit__MuteRoomTrackResponse out = LIVEKIT__MUTE_ROOM_TRACK_RESPONSE__INIT;
	struct info_arena arena = {0};

	if (!may_admin(t, in->room))
		return;
	struct participant *p = find_participant(t, in->room, in->identity);
	if (!p)
		return;
	if (!in->muted && !t->api->config.remote_unmute) {
		twirp_fail(t, "failed_precondition", "remote unmute not enabled");
		return;
	}
	struct track *track = room_find_track(participant_room(p), in->track_sid);
	if (!track || track_owner(track) != p) {
		twirp_fail(t, "not_found", "track is not found");
		return;
	}
	track_set_muted(track, in->muted, true);
	out.track = track_info(&arena, track);
	twirp_answer(t, out.track ? &out.base : NULL);
	info_arena_fini(&arena);
}

static void update_subscriptions(struct twirp *t)
{
	const Livekit__UpdateSubscriptionsRequest *in = (const Livekit__UpdateSubscriptionsRequest *)t->in;
	if (!may_admin(t, in->room))
		return;
	struct participant *p = find_participant(t, in->room, in->identity);
	if (!p)
		return;
	for (size_t i = 0; i < in->n_track_sids; ++i)
		participant_subscribe(p, in->track_sids[i], in->subscribe);
	for (size_t i = 0; i < in->n_participant_tracks; ++i)
		for (size_t j = 0; j < in->participant_tracks[i]->n_track_sids; ++j)
			participant_subscribe(p, in->participant_tracks[i]->track_sids[j], in->subscribe);
	answer_empty(t, &livekit__update_subscriptions_response__descriptor);
}

/* ---- data ---- */

static void send_to_room(struct room *r, const Livekit__SendDataRequest *in)
{
	Livekit__UserPacket user = LIVEKIT__USER_PACKET__INIT;
	user.payload = in->data;
	user.nonce = in->nonce;
	user.n_destination_sids = in->n_destination_sids;
	user.destination_sids = in->destination_sids;
	user.n_destination_identities = in->n_destination_identities;
	user.destination_identities = in->destination_identities;
	if (in->_topic_case == LIVEKIT__SEND_DATA_REQUEST___TOPIC_TOPIC) {
		user._topic_case = LIVEKIT__USER_PACKET___TOPIC_TOPIC;
		user.topic = in->topic;
	}
	Livekit__DataPacket packet = LIVEKIT__DATA_PACKET__INIT;
	packet.kind = in->kind;
	packet.n_destination_identities = in->n_destination_identities;
	packet.destination_identities = in->destination_identities;
	packet.value_case = LIVEKIT__DATA_PACKET__VALUE_USER;
	packet.user = &user;
	room_send_data(r, &packet, in->kind == LIVEKIT__DATA_PACKET__KIND__RELIABLE);
}

static void send_data(struct twirp *t)
{
	const Livekit__SendDataRequest *in = (const Livekit__SendDataRequest *)t->in;
	if (!may_admin(t, in->room))
		return;
	if (in->nonce.len && in->nonce.len != NONCE_BYTES) {
		twirp_fail(t, "invalid_argument", "nonce should be 16-bytes or not present, got: %zu bytes",
			in->nonce.len);
		return;
	}
	struct room *r = find_room(t, in->room);
	if (!r)
		return;
	send_to_room(r, in);
	answer_empty(t, &livekit__send_data_response__descriptor);
}

static void perform_rpc(struct twirp *t)
{
	const Livekit__PerformRpcRequest *in = (const Livekit__PerformRpcRequest *)t->in;
	struct participant *p;
	if (!may_admin(t, in->room))
		return;
	if (!*in->destination_identity)
		twirp_fail(t, "invalid_argument", "destination identity is required");
	else if ((p = find_participant(t, in->room, in->destination_identity)))
		rpc_perform(t, p, in);
}

/* ---- what is not here ---- */

static void send_elsewhere(struct twirp *t, const char *room, const char *identity, const char *destination)
{
	if (!may_admin(t, room))
		return;
	if (!*destination || strcmp(t->grants.video.destination_room, destination))
		twirp_denied(t);
	else if (!strcmp(room, destination))
		argument(t, "destination room cannot be the same as source room",
			"destination room cannot be the same as source room ");
	else if (is_here(t, room, identity))
		twirp_fail(t, "unimplemented", "not implemented");
	else /* LiveKit's words when nobody answers for a participant; ours come at once */
		twirp_fail(t, "unavailable", "twirp error unknown: no response from servers");
}

static void forward_participant(struct twirp *t)
{
	const Livekit__ForwardParticipantRequest *in = (const Livekit__ForwardParticipantRequest *)t->in;
	send_elsewhere(t, in->room, in->identity, in->destination_room);
}

static void move_participant(struct twirp *t)
{
	const Livekit__MoveParticipantRequest *in = (const Livekit__MoveParticipantRequest *)t->in;
	send_elsewhere(t, in->room, in->identity, in->destination_room);
}

#define ROOM "RoomService"
const struct twirp_method room_methods[] = {
	{ROOM, "CreateRoom", &livekit__create_room_request__descriptor, create_room},
	{ROOM, "ListRooms", &livekit__list_rooms_request__descriptor, list_rooms},
	{ROOM, "DeleteRoom", &livekit__delete_room_request__descriptor, delete_room},
	{ROOM, "UpdateRoomMetadata", &livekit__update_room_metadata_request__descriptor, update_room_metadata},
	{ROOM, "ListParticipants", &livekit__list_participants_request__descriptor, list_participants},
	{ROOM, "GetParticipant", &livekit__room_participant_identity__descriptor, get_participant},
	{ROOM, "RemoveParticipant", &livekit__room_participant_identity__descriptor, remove_participant},
	{ROOM, "UpdateParticipant", &livekit__update_participant_request__descriptor, update_participant},
	{ROOM, "MutePublishedTrack", &livekit__mute_room_track_request__descriptor, mute_published_track},
	{ROOM, "UpdateSubscriptions", &livekit__update_subscriptions_request__descriptor,
		update_subscriptions},
	{ROOM, "SendData", &livekit__send_data_request__descriptor, send_data},
	{ROOM, "PerformRpc", &livekit__perform_rpc_request__descriptor, perform_rpc},
	{ROOM, "ForwardParticipant", &livekit__forward_participant_request__descriptor, forward_participant},
	{ROOM, "MoveParticipant", &livekit__move_participant_request__descriptor, move_participant},
};
const size_t room_method_count = COUNT_OF(room_methods);

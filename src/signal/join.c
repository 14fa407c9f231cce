/* The first word of a session: JoinResponse. */
#include "signal/session.h"

enum {
	PROTOCOL = 17, /* of the signalling that this server speaks */
	AGENT_PROTOCOL = 1, /* ... with agents' workers */
	PING_INTERVAL_S = 5,
	PING_TIMEOUT_S = 15,
};

static int add_others(Livekit__JoinResponse *join, struct info_arena *a, struct session *s)
{
	struct room *r = participant_room(s->participant);
	size_t count = 0;
	for (struct participant *p = NULL; (p = room_next(r, p));)
		++count;
	join->other_participants = info_alloc(a, (count + 1) * sizeof *join->other_participants);
	if (!join->other_participants)
		return err_new(-ENOMEM);
	for (struct participant *p = NULL; (p = room_next(r, p));) {
		if (p == s->participant || !participant_is_visible(p, s->participant))
			continue;
		Livekit__ParticipantInfo *info = participant_info(a, p);
		if (!info)
			return err_new(-ENOMEM);
		join->other_participants[join->n_other_participants++] = info;
	}
	return 0;
}

void session_describe_server(Livekit__ServerInfo *server, const struct signal_config *c)
{
	server->version = (char *)c->version;
	server->protocol = PROTOCOL;
	server->agent_protocol = AGENT_PROTOCOL;
	if (c->node_id)
		server->node_id = (char *)c->node_id;
	if (c->region)
		server->region = (char *)c->region;
}

void session_send_join(struct session *s)
{
	const struct signal_config *config = &s->door->config;
	struct info_arena a = {0};
	Livekit__JoinResponse join = LIVEKIT__JOIN_RESPONSE__INIT;
	Livekit__ServerInfo server = LIVEKIT__SERVER_INFO__INIT;
	Livekit__Codec opus = LIVEKIT__CODEC__INIT, red = LIVEKIT__CODEC__INIT;
	const char *trailer = room_sif_trailer(participant_room(s->participant));
	/* Only voices: with no video in this list clients announce a track, then offer it. */
	Livekit__Codec *codecs[] = {&opus, &red};
	Livekit__SignalResponse m = LIVEKIT__SIGNAL_RESPONSE__INIT;

	session_describe_server(&server, config);
	opus.mime = "audio/opus";
	red.mime = "audio/red";
	Livekit__ClientConfiguration client;
	join.n_ice_servers = session_ice_servers(&join.ice_servers, s, &a);
	join.client_configuration = session_client_configuration(s, &client);
	join.room = room_info(&a, participant_room(s->participant));
	join.participant = participant_info(&a, s->participant);
	join.server_info = &server;
	join.server_version = server.version;
	join.server_region = server.region;
	join.subscriber_primary = s->join->subscriber_primary;
	join.ping_interval = PING_INTERVAL_S;
	join.ping_timeout = PING_TIMEOUT_S;
	join.enabled_publish_codecs = codecs;
	join.n_enabled_publish_codecs =
		room_codec_enabled(participant_room(s->participant), red.mime) ? 2 : 1;
	join.sif_trailer = (ProtobufCBinaryData){strlen(trailer), (uint8_t *)trailer};
	join.fast_publish = participant_permission(s->participant)->can_publish;
	m.message_case = LIVEKIT__SIGNAL_RESPONSE__MESSAGE_JOIN;
	m.join = &join;
	/* Who is still joining does not count yet. */
	if (join.room && join.room->num_participants)
		--join.room->num_participants;
	if (join.room && join.participant && add_others(&join, &a, s) == 0)
		session_send(s, &m);
	info_arena_fini(&a);
}

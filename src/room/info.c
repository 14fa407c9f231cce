#include "room/info.h"

#include "room/inside.h"

void *info_alloc(struct info_arena *a, size_t size)
{
	return proto_alloc(&a->pages, size);
}

char *info_text(struct info_arena *a, const char *text)
{
	return proto_text(&a->pages, text);
}

void info_arena_fini(struct info_arena *a)
{
	proto_arena_fini(&a->pages);
}

/* What the room can carry. */
static Livekit__Codec **codecs(struct info_arena *a, const struct room *r, size_t *count)
{
	static const char *const mimes[] = {"audio/opus", "audio/red", "audio/PCMU", "audio/PCMA"};
	Livekit__Codec **list = info_alloc(a, sizeof(mimes));
	*count = 0;
	for (size_t i = 0; list && i < COUNT_OF(mimes); ++i) {
		if (!room_codec_enabled(r, mimes[i]))
			continue;
		Livekit__Codec *c = (Livekit__Codec *)proto_new(&a->pages, &livekit__codec__descriptor);
		if (!c)
			return NULL;
		c->mime = (char *)mimes[i];
		list[(*count)++] = c;
	}
	return list;
}

Livekit__Room *room_info(struct info_arena *a, const struct room *r)
{
	Livekit__Room *info = (Livekit__Room *)proto_new(&a->pages, &livekit__room__descriptor);
	if (!info)
		return NULL;
	info->sid = (char *)r->sid;
	info->name = r->name;
	info->metadata = r->metadata;
	info->empty_timeout = r->empty_timeout_s;
	info->departure_timeout = r->departure_timeout_s;
	info->max_participants = r->max_participants;
	info->creation_time = r->created_unix_ms / 1000;
	info->creation_time_ms = r->created_unix_ms;
	list_each(it, &r->participants) {
		const struct participant *p = container_of(it, struct participant, link);
		info->num_participants += !participant_is_dependent(p) && !p->permission.hidden;
		info->num_publishers += !list_empty(&p->tracks);
		info->active_recording |= p->permission.recorder;
	}
	info->enabled_codecs = codecs(a, r, &info->n_enabled_codecs);
	return info->enabled_codecs ? info : NULL;
}

static bool add_attributes(
	struct info_arena *a, Livekit__ParticipantInfo *info, const struct participant *p)
{
	info->attributes = info_alloc(a, p->attribute_count * sizeof *info->attributes);
	if (!info->attributes)
		return false;
	for (size_t i = 0; i < p->attribute_count; ++i) {
		Livekit__ParticipantInfo__AttributesEntry *entry =
			(Livekit__ParticipantInfo__AttributesEntry *)proto_new(&a->pages,
				&livekit__participant_info__attributes_entry__descriptor);
		if (!entry)
			return false;
		entry->key = (char *)p->attributes[i].key;
		entry->value = (char *)p->attributes[i].value;
		info->attributes[info->n_attributes++] = entry;
	}
	return true;
}

static bool add_tracks(
	struct info_arena *a, Livekit__ParticipantInfo *info, const struct participant *p)
{
	info->tracks = info_alloc(a, p->track_count * sizeof *info->tracks);
	if (!info->tracks)
		return false;
	list_each(it, &p->tracks) {
		Livekit__TrackInfo *t = track_info(a, container_of(it, struct track, link));
		if (!t)
			return false;
		info->tracks[info->n_tracks++] = t;
	}
	return true;
}

Livekit__ParticipantInfo *participant_info(struct info_arena *a, const struct participant *p)
{
	Livekit__ParticipantInfo *info = (Livekit__ParticipantInfo *)proto_new(
		&a->pages, &livekit__participant_info__descriptor);
	if (!info || !add_attributes(a, info, p) || !add_tracks(a, info, p))
		return NULL;
	info->sid = (char *)p->sid;
	info->identity = p->identity;
	info->name = p->name;
	info->metadata = p->metadata;
	info->state = p->state;
	info->kind = p->kind;
	info->version = p->version;
	info->joined_at = p->joined_unix_ms / 1000;
	info->joined_at_ms = p->joined_unix_ms;
	info->permission = (Livekit__ParticipantPermission *)&p->permission;
	info->is_publisher = p->has_published;
	info->disconnect_reason = p->reason;
	info->client_protocol = p->client_protocol;
	info->capabilities = (Livekit__ClientInfo__Capability *)p->capabilities;
	info->n_capabilities = p->capability_count;
	info->kind_details = (Livekit__ParticipantInfo__KindDetail *)p->kind_details;
	info->n_kind_details = p->kind_detail_count;
	return info;
}

static bool add_codec(struct info_arena *a, Livekit__TrackInfo *info)
{
	info->codecs = info_alloc(a, sizeof *info->codecs);
	Livekit__SimulcastCodecInfo *codec = (Livekit__SimulcastCodecInfo *)proto_new(
		&a->pages, &livekit__simulcast_codec_info__descriptor);
	if (!info->codecs || !codec)
		return false;
	codec->mime_type = info->mime_type;
	codec->mid = info->mid;
	codec->video_layer_mode = LIVEKIT__VIDEO_LAYER__MODE__ONE_SPATIAL_LAYER_PER_STREAM;
	info->codecs[info->n_codecs++] = codec;
	return true;
}

Livekit__TrackInfo *track_info(struct info_arena *a, const struct track *t)
{
	Livekit__TrackInfo *info =
		(Livekit__TrackInfo *)proto_new(&a->pages, &livekit__track_info__descriptor);
	Livekit__TimedVersion *version =
		(Livekit__TimedVersion *)proto_new(&a->pages, &livekit__timed_version__descriptor);
	if (!info || !version)
		return NULL;
	const struct track_config *c = &t->config;
	info->sid = (char *)t->sid;
	info->type = c->type;
	info->source = c->source;
	info->name = (char *)c->name;
	info->muted = c->muted;
	info->mime_type = (char *)c->mime_type;
	info->mid = (char *)c->mid;
	info->stream = (char *)c->stream;
	info->stereo = c->stereo;
	info->disable_dtx = c->disable_dtx;
	info->disable_red = c->disable_red;
	info->encryption = c->encryption;
	info->audio_features = (Livekit__AudioTrackFeature *)t->features;
	info->n_audio_features = c->feature_count;
	info->backup_codec_policy = LIVEKIT__BACKUP_CODEC_POLICY__SIMULCAST;
	version->unix_micro = t->version_us;
	info->version = version;
	if (!add_codec(a, info))
		return NULL;
	info->codecs[0]->cid = (char *)c->cid;
	return info;
}

#include "signal/session.h"

#include "base/mem.h"
#include "signal/codecs.h"

#include <assert.h>

/* ---- finding ---- */

struct pub *publish_find(struct session *s, const char *sid)
{
	list_each(it, &s->pubs) {
		struct pub *p = container_of(it, struct pub, link);
		if (strcmp(p->sid, sid) == 0)
			return p;
	}
	return NULL;
}

static struct pub *find_cid(struct session *s, const char *cid)
{
	list_each(it, &s->pubs) {
		struct pub *p = container_of(it, struct pub, link);
		if (p->state != PUB_QUEUED && strcmp(p->request->cid, cid) == 0)
			return p;
	}
	return NULL;
}

static bool has_cid(const Livekit__AddTrackRequest *a, const char *cid)
{
	if (strcmp(a->cid, cid) == 0)
		return true;
	for (size_t i = 0; i < a->n_simulcast_codecs; ++i)
		if (strcmp(a->simulcast_codecs[i]->cid, cid) == 0)
			return true;
	return false;
}

/* The order of LiveKit: by the track's id, else (`any`) the first that waits for an m-line. */
static struct pub *waiting_pub(struct session *s, const char *cid, bool any)
{
	struct pub *first = NULL;
	list_each(it, &s->pubs) {
		struct pub *p = container_of(it, struct pub, link);
		if (p->state != PUB_PENDING)
			continue;
		if (cid[0] && has_cid(p->request, cid))
			return p;
		if (!first)
			first = p;
	}
	return any ? first : NULL;
}

/* ---- life ---- */

static void pub_free(struct pub *p)
{
	if (p->source) {
		map_remove(&p->session->door->sources, &p->by_source);
		media_source_close(p->session->door->media, p->source);
	}
	if (p->section)
		p->section->pub = NULL;
	list_remove(&p->link);
	--p->session->pub_count;
	proto_arena_fini(&p->arena);
	mem_free(p);
}

static int copy_request(struct pub *p, const Livekit__AddTrackRequest *a)
{
	struct buf bytes = {.max = LIMIT_ADD_TRACK_BYTES};
	ProtobufCMessage *copy = NULL;
	int r = proto_pack(&bytes, &a->base);
	if (!r)
		r = proto_unpack(&copy, &p->arena, a->base.descriptor, buf_span(&bytes));
	buf_fini(&bytes);
	p->request = (Livekit__AddTrackRequest *)copy;
	return r;
}

/* What older clients say by `stereo` and `disable_dtx` are features too; each is kept once. */
static int complete_features(struct pub *p)
{
	Livekit__AddTrackRequest *a = p->request;
	size_t count = a->n_audio_features;
	Livekit__AudioTrackFeature *all = proto_alloc(&p->arena, (count + 2) * sizeof *all);
	if (!all)
		return err_new(-ENOMEM);
	if (count)
		memcpy(all, a->audio_features, count * sizeof *all);
	if (a->stereo)
		all[count++] = LIVEKIT__AUDIO_TRACK_FEATURE__TF_STEREO;
	if (a->disable_dtx)
		all[count++] = LIVEKIT__AUDIO_TRACK_FEATURE__TF_NO_DTX;
	a->audio_features = all;
	a->n_audio_features = track_features(all, count, all, count);
	return 0;
}

/* Outcome > 0: it is too large. */
static int pub_new(struct pub **ret, struct session *s, const Livekit__AddTrackRequest *a)
{
	struct pub *p = mem_zalloc(sizeof *p);
	if (!p)
		return err_new(-ENOMEM);
	p->session = s;
	int r = copy_request(p, a);
	if (!r)
		r = complete_features(p);
	if (r) {
		proto_arena_fini(&p->arena);
		mem_free(p);
		return r;
	}
	p->muted = a->muted;
	p->state = find_cid(s, a->cid) ? PUB_QUEUED : PUB_PENDING;
	track_sid_make(p->sid, a->type, a->source);
	list_add(&s->pubs, &p->link);
	++s->pub_count;
	*ret = p;
	return 0;
}

void publish_free_all(struct session *s)
{
	while (!list_empty(&s->pubs))
		pub_free(list_first(&s->pubs, struct pub, link));
}

/* ---- what the publisher is told ---- */

static char *stream_of(const Livekit__AddTrackRequest *a)
{
	if (a->stream[0])
		return a->stream;
	switch (a->source) {
	case LIVEKIT__TRACK_SOURCE__CAMERA:
	case LIVEKIT__TRACK_SOURCE__MICROPHONE:
		return "camera";
	case LIVEKIT__TRACK_SOURCE__SCREEN_SHARE:
	case LIVEKIT__TRACK_SOURCE__SCREEN_SHARE_AUDIO:
		return "screen";
	default:
		return "unknown";
	}
}

static void send_published(struct session *s, const char *cid, Livekit__TrackInfo *info)
{
	Livekit__TrackPublishedResponse published = LIVEKIT__TRACK_PUBLISHED_RESPONSE__INIT;
	Livekit__SignalResponse m = LIVEKIT__SIGNAL_RESPONSE__INIT;
	published.cid = (char *)cid;
	published.track = info;
	m.message_case = LIVEKIT__SIGNAL_RESPONSE__MESSAGE_TRACK_PUBLISHED;
	m.track_published = &published;
	session_send(s, &m);
}

/* A track that waits: only what was announced is known. */
static void tell_pending(struct pub *p)
{
	const Livekit__AddTrackRequest *a = p->request;
	Livekit__SimulcastCodecInfo codec = LIVEKIT__SIMULCAST_CODEC_INFO__INIT;
	Livekit__SimulcastCodecInfo *codecs[] = {&codec};
	Livekit__TrackInfo t = LIVEKIT__TRACK_INFO__INIT;

	codec.cid = a->cid;
	codec.video_layer_mode = LIVEKIT__VIDEO_LAYER__MODE__ONE_SPATIAL_LAYER_PER_STREAM;
	t.sid = p->sid;
	t.type = a->type;
	t.name = a->name;
	t.muted = p->muted;
	t.disable_dtx = a->disable_dtx;
	t.source = a->source;
	t.codecs = codecs;
	t.n_codecs = COUNT_OF(codecs);
	t.stereo = a->stereo;
	t.disable_red = a->disable_red;
	t.encryption = a->encryption;
	t.stream = stream_of(a);
	t.audio_features = a->audio_features;
	t.n_audio_features = a->n_audio_features;
	t.backup_codec_policy = LIVEKIT__BACKUP_CODEC_POLICY__SIMULCAST;
	send_published(p->session, a->cid, &t);
}

/* ---- add_track ---- */

static void refuse(struct session *s, Livekit__AddTrackRequest *a,
	Livekit__RequestResponse__Reason reason, const char *message)
{
	Livekit__RequestResponse r = LIVEKIT__REQUEST_RESPONSE__INIT;
	r.request_case = LIVEKIT__REQUEST_RESPONSE__REQUEST_ADD_TRACK;
	r.add_track = a;
	session_respond(s, &r, reason, message);
}

/* Another codec of a track that is there; voices never ask for one, but may repeat themselves. */
static void add_codec(struct session *s, Livekit__AddTrackRequest *a)
{
	struct pub *p = publish_find(s, a->sid);
	if (!p)
		refuse(s, a, LIVEKIT__REQUEST_RESPONSE__REASON__NOT_FOUND, NULL);
	else
		tell_pending(p);
}

/* The offer may have come first: an m-line that sends and that nobody claimed. */
static void match_early_section(struct session *s, struct pub *p)
{
	list_each(it, &s->publisher.sections) {
		struct section *c = container_of(it, struct section, link);
		if (c->client_sends && !c->pub && c->cid[0] && has_cid(p->request, c->cid)) {
			publish_match(s, c, false);
			publish_go_live(s);
			return;
		}
	}
}

void publish_request(struct session *s, Livekit__AddTrackRequest *a)
{
	struct pub *p = NULL;

	if (!participant_may_publish(s->participant, a->source)) {
		refuse(s, a, LIVEKIT__REQUEST_RESPONSE__REASON__NOT_ALLOWED, NULL);
		return;
	}
	if (a->type != LIVEKIT__TRACK_TYPE__AUDIO) {
		refuse(s, a, LIVEKIT__REQUEST_RESPONSE__REASON__UNSUPPORTED_TYPE,
			a->type == LIVEKIT__TRACK_TYPE__VIDEO
				? "this server carries voices only: video cannot be published"
				: "tracks of this type cannot be published");
		return;
	}
	if (a->sid[0]) {
		add_codec(s, a);
		return;
	}
	if (s->pub_count >= LIMIT_TRACKS_PER_PARTICIPANT || pub_new(&p, s, a)) {
		refuse(s, a, LIVEKIT__REQUEST_RESPONSE__REASON__LIMIT_EXCEEDED,
			"too many tracks, or a description that is too long");
		return;
	}
	if (p->state == PUB_QUEUED) {
		refuse(s, a, LIVEKIT__REQUEST_RESPONSE__REASON__QUEUED, NULL);
		return;
	}
	tell_pending(p);
	if (s->publisher.transport)
		match_early_section(s, p);
}

/* ---- m-lines ---- */

static_assert((int)ROOM_TRAILER_SIZE <= (int)MEDIA_TRAILER_SIZE, "one is copied into the other");

static void open_source(struct pub *p, const struct section *c)
{
	struct media *media = p->session->door->media;
	media_id id;
	struct media_source_config config = {.transport = p->session->publisher.transport,
		.ssrc = c->ssrc, .mid_ext = c->mid_ext, .level_ext = c->level_ext,
		.payloads = {{.pt = c->opus_pt, .codec = CODEC_OPUS}}, .payload_count = 1};

	memcpy(config.mid, c->mid, sizeof config.mid);
	if (p->request->encryption != LIVEKIT__ENCRYPTION__TYPE__NONE)
		snprintf(config.sif_trailer, sizeof config.sif_trailer, "%s",
			room_sif_trailer(participant_room(p->session->participant)));
	if (c->red_pt && codecs_may_be_red(p->request)) {
		config.payloads[config.payload_count].pt = c->red_pt;
		config.payloads[config.payload_count++].codec = CODEC_RED;
	} else {
		config.nack = c->nack;
	}
	if (media_source_open(&id, media, &config))
		return;
	if (map_put_id(&p->session->door->sources, &p->by_source, id)) {
		media_source_close(media, id);
		return;
	}
	p->source = id;
	if (p->muted)
		media_source_mute(media, id, true);
}

void publish_match(struct session *s, struct section *c, bool any)
{
	if (c->pub)
		return;
	struct pub *p = waiting_pub(s, c->cid, any);
	if (!p)
		return;
	assert(p->state == PUB_PENDING);
	p->state = PUB_MATCHED;
	p->section = c;
	c->pub = p;
	open_source(p, c);
}

/* The one that waited for this cid is next. */
static void promote(struct session *s, const char *cid)
{
	list_each(it, &s->pubs) {
		struct pub *p = container_of(it, struct pub, link);
		if (p->state == PUB_QUEUED && strcmp(p->request->cid, cid) == 0) {
			p->state = PUB_PENDING;
			tell_pending(p);
			return;
		}
	}
}

/* Frees `p` first: the request it was made from decides who is next. */
static void end_pub(struct pub *p)
{
	struct session *s = p->session;
	char *cid = mem_strdup(p->request->cid);
	pub_free(p);
	if (cid)
		promote(s, cid);
	mem_free(cid);
}

void publish_stop(struct session *s, struct section *c)
{
	struct pub *p = c->pub;
	struct track *t = p->track;
	end_pub(p);
	if (t)
		track_unpublish(t);
}

/* ---- telling the room ---- */

static int publish(struct pub *p)
{
	const Livekit__AddTrackRequest *a = p->request;
	struct track_config c = {
		.sid = p->sid,
		.name = a->name,
		.cid = a->cid,
		.stream = stream_of(a),
		.mime_type = p->section->red ? "audio/red" : "audio/opus",
		.mid = p->section->mid,
		.type = a->type,
		.source = a->source,
		.muted = p->muted,
		.disable_red = a->disable_red,
		.stereo = a->stereo,
		.disable_dtx = a->disable_dtx,
		.encryption = a->encryption,
		.features = a->audio_features,
		.feature_count = a->n_audio_features,
		.media_source = p->source,
	};
	return track_publish(&p->track, p->session->participant, &c);
}

void publish_go_live(struct session *s)
{
	if (s->publisher.state != MEDIA_TRANSPORT_CONNECTED)
		return;
	for (struct list *it = s->pubs.next, *next; it != &s->pubs; it = next) {
		struct pub *p = container_of(it, struct pub, link);
		next = it->next;
		if (p->state != PUB_MATCHED)
			continue;
		p->state = PUB_LIVE;
		if (publish(p))
			pub_free(p);
	}
}

/* ---- mute and the like ---- */

void publish_mute(struct session *s, Livekit__MuteTrackRequest *m)
{
	struct pub *p = publish_find(s, m->sid);
	if (!p) {
		Livekit__RequestResponse r = LIVEKIT__REQUEST_RESPONSE__INIT;
		r.request_case = LIVEKIT__REQUEST_RESPONSE__REQUEST_MUTE;
		r.mute = m;
		session_respond(s, &r, LIVEKIT__REQUEST_RESPONSE__REASON__NOT_FOUND, NULL);
		return;
	}
	p->muted = m->muted;
	if (p->source)
		media_source_mute(s->door->media, p->source, m->muted);
	if (p->track && track_muted(p->track) != m->muted)
		track_set_muted(p->track, m->muted, false);
}

void publish_features(struct session *s, Livekit__UpdateLocalAudioTrack *m)
{
	struct pub *p = publish_find(s, m->track_sid);
	if (p && p->track) {
		track_set_features(p->track, m->features, m->n_features);
		return;
	}
	Livekit__RequestResponse r = LIVEKIT__REQUEST_RESPONSE__INIT;
	r.request_case = LIVEKIT__REQUEST_RESPONSE__REQUEST_UPDATE_AUDIO_TRACK;
	r.update_audio_track = m;
	session_respond(s, &r, LIVEKIT__REQUEST_RESPONSE__REASON__NOT_FOUND, NULL);
}

void publish_dropped(struct session *s, struct track *t)
{
	struct pub *p = publish_find(s, track_sid(t));
	if (p)
		end_pub(p);
}

#include "signal/session.h"

#include "signal/codecs.h"
#include "signal/describe.h"

#include <assert.h>

static const char mid_uri[] = "urn:ietf:params:rtp-hdrext:sdes:mid";
static const char level_uri[] = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

/* ---- reading the client's offer ---- */

static bool printable(struct span s)
{
	for (size_t i = 0; i < s.size; ++i)
		if (s.data[i] <= ' ' || s.data[i] > '~')
			return false;
	return true;
}

/* Every section has a name of its own that we can keep. */
static bool mids_are_sound(const struct sdp *offer)
{
	for (size_t i = 0; i < offer->media_count; ++i) {
		struct span mid = offer->media[i].mid;
		if (!mid.size || mid.size > SECTION_MID_MAX || !printable(mid))
			return false;
		for (size_t k = 0; k < i; ++k)
			if (offer->media[k].mid.size == mid.size &&
				memcmp(offer->media[k].mid.data, mid.data, mid.size) == 0)
				return false;
	}
	return true;
}

static enum section_kind kind_of(const struct sdp_media *m)
{
	if (span_is(m->kind, "audio"))
		return SECTION_AUDIO;
	return span_is(m->kind, "application") ? SECTION_DATA : SECTION_OTHER;
}

static bool refused(const struct sdp_media *m)
{
	return m->port == 0 && !m->bundle_only;
}

static void take_facts(struct section *c, const struct sdp_media *m)
{
	const struct sdp_format *opus = codecs_find(m, CODEC_OPUS);
	const struct sdp_format *red = codecs_find(m, CODEC_RED);
	bool usable = c->kind == SECTION_AUDIO && opus && !refused(m);
	/* RFC 8830: "a=msid:<stream> <track>"; with one token only, it is the track's. */
	struct span cid = m->msid_track.size ? m->msid_track : m->msid_stream;

	c->client_sends = usable && m->direction != SDP_RECVONLY && m->direction != SDP_INACTIVE;
	c->client_receives = usable && m->direction != SDP_SENDONLY && m->direction != SDP_INACTIVE;
	c->opus_pt = opus ? opus->pt : 0;
	c->red_pt = red ? red->pt : 0;
	c->nack = opus && opus->nack;
	c->ssrc = m->ssrc_count ? m->ssrc[0] : 0;
	c->mid_ext = sdp_extmap_id(m, mid_uri);
	c->level_ext = sdp_extmap_id(m, level_uri);
	c->cid[0] = 0;
	if (cid.size <= SECTION_CID_MAX && cid.size) {
		memcpy(c->cid, cid.data, cid.size);
		c->cid[cid.size] = 0;
	}
}

/* A hearing whose section the client took away waits for another one. */
static void release_hearing(struct section *c)
{
	if (!c->hearing)
		return;
	struct hearing *h = c->hearing;
	if (h->sink)
		media_sink_close(h->session->door->media, h->sink);
	h->sink = 0;
	h->section = NULL;
	c->hearing = NULL;
}

static int take_section(struct section **ret, struct session *s, const struct sdp_media *m)
{
	struct peer *p = &s->publisher;
	struct section *c = peer_find(p, m->mid);
	int r = c ? 0 : peer_add_section(&c, p, m->mid, kind_of(m));
	if (r)
		return r;
	*ret = c;
	bool sent = c->client_sends;
	take_facts(c, m);
	if (!room_codec_enabled(participant_room(s->participant), "audio/red"))
		c->red_pt = 0;
	c->begins = c->client_sends && !sent;
	if (c->client_sends)
		publish_match(s, c, false);
	else if (c->pub)
		publish_stop(s, c);
	if (c->hearing && !c->client_receives)
		release_hearing(c);
	return 0;
}

/* Those who begin to send under another name than was announced: browsers may change the ids, and
 * a section that is used again may keep its old one. After all others, that nobody's is taken. */
static void match_renamed(struct session *s, struct section *const *sections, size_t count)
{
	for (size_t i = 0; i < count; ++i)
		if (sections[i]->begins)
			publish_match(s, sections[i], true);
}

/* RFC 8829, 5.2.2: a section that was refused may be used again under another name; then the old
 * name is gone for good. */
static void drop_missing(struct session *s, struct section *const *now, size_t count)
{
	struct peer *p = &s->publisher;
	for (struct list *it = p->sections.next, *next; it != &p->sections; it = next) {
		struct section *c = container_of(it, struct section, link);
		next = it->next;
		size_t i = 0;
		while (i < count && now[i] != c)
			++i;
		if (i < count)
			continue;
		if (c->pub)
			publish_stop(s, c);
		release_hearing(c);
		peer_drop_section(p, c);
	}
}

/* ---- writing the answer ---- */

/* What the client shall send here, and what we take. */
static void answer_publisher(struct describe_section *d, struct section *c)
{
	const struct pub *p = c->pub;
	struct codec_wish wish = {0};

	c->red = p && c->red_pt && codecs_may_be_red(p->request);
	if (p && p->track)
		wish = codecs_wish(track_facts(p->track)->features, track_facts(p->track)->feature_count);
	else if (p)
		wish = codecs_wish(p->request->audio_features, p->request->n_audio_features);
	codecs_from_client(d, wish, c->opus_pt, c->red ? c->red_pt : 0);
	d->mid_ext = c->mid_ext;
	d->level_ext = c->level_ext;
}

void negotiate_describe_sender(struct describe_section *d, struct hearing *h, struct info_arena *a)
{
	const struct track *t = h->subscription->track;
	const char *owner = participant_sid(track_owner(t));
	char stream[2 * RNG_ID_SIZE + 2];

	snprintf(stream, sizeof stream, "%s|%s", owner, track_sid(t));
	d->stream = info_text(a, stream);
	d->track = track_sid(t);
	d->ssrc = h->ssrc;
	d->cname = owner;
}

static void answer_audio(struct describe_section *d, struct section *c,
	const struct sdp_media *m, bool single, struct info_arena *a)
{
	d->what = DESCRIBE_AUDIO;
	if (c->hearing) {
		d->direction = SDP_SENDONLY;
		codecs_answer(d, c->hearing->subscription->track, m);
		codecs_add_nack(d, m);
		negotiate_describe_sender(d, c->hearing, a);
		return;
	}
	answer_publisher(d, c);
	codecs_add_nack(d, m);
	/* One connection: a section that waits for its first voice is answered as if we sent. */
	bool waits = single && c->client_receives && !c->was_used;
	if (c->client_sends)
		d->direction = SDP_RECVONLY;
	else
		d->direction = waits ? SDP_SENDONLY : SDP_INACTIVE;
}

static void answer_section(struct describe_section *d, struct section *c,
	const struct sdp_media *m, bool single, struct info_arena *a)
{
	*d = (struct describe_section){.kind = m->kind, .protocol = m->protocol, .mid = m->mid};
	if (refused(m))
		d->what = DESCRIBE_REFUSED;
	else if (c->kind == SECTION_DATA)
		d->what = DESCRIBE_DATA;
	else if (c->kind == SECTION_AUDIO && c->opus_pt)
		answer_audio(d, c, m, single, a);
	else
		d->what = m->format_count ? DESCRIBE_UNUSED : DESCRIBE_REFUSED;
	d->echo = m->format_count ? &m->formats[0] : NULL;
}

int negotiate_mids(Livekit__SessionDescription *d, struct info_arena *a, struct peer *p)
{
	typedef Livekit__SessionDescription__MidToTrackIdEntry entry;
	d->mid_to_track_id = info_alloc(a, (p->section_count + 1) * sizeof *d->mid_to_track_id);
	if (!d->mid_to_track_id)
		return err_new(-ENOMEM);
	list_each(it, &p->sections) {
		struct section *c = container_of(it, struct section, link);
		if (!c->hearing)
			continue;
		entry *e = info_alloc(a, sizeof *e);
		if (!e)
			return err_new(-ENOMEM);
		livekit__session_description__mid_to_track_id_entry__init(e);
		e->key = c->mid;
		e->value = (char *)track_sid(c->hearing->subscription->track);
		d->mid_to_track_id[d->n_mid_to_track_id++] = e;
	}
	return 0;
}

/* UDP and TCP of each of our addresses; all of UDP is better than any TCP. */
static size_t list_candidates(struct describe_candidate *out, const struct session *s)
{
	const struct signal_door *d = s->door;
	uint16_t tcp = media_rtc_tcp_port(d->media);
	uint16_t udp = media_rtc_port(d->media, room_worker(participant_room(s->participant)));
	size_t count = 0;

	for (size_t i = 0; i < d->node_ip_count && !(tcp && s->way == WAY_TCP); ++i)
		out[count++] = (struct describe_candidate){.ip = d->node_ips[i], .port = udp};
	for (size_t i = 0; i < d->node_ip_count && tcp; ++i)
		out[count++] = (struct describe_candidate){
			.ip = d->node_ips[i], .port = tcp, .tcp = true};
	return count;
}

int negotiate_send(struct session *s, struct peer *p, struct describe *d, struct info_arena *a,
	const char *type, uint32_t id)
{
	struct signal_door *door = s->door;
	struct buf text = {.max = LIMIT_SDP_BYTES};
	struct describe_candidate candidates[2 * SIGNAL_IPS_MAX];

	d->origin_id = p->origin_id;
	d->origin_version = ++p->origin_version;
	d->ufrag = p->ice.ufrag;
	d->pwd = p->ice.pwd;
	d->fingerprint = media_fingerprint(door->media);
	d->candidates = candidates;
	d->candidate_count = list_candidates(candidates, s);

	Livekit__SessionDescription out = LIVEKIT__SESSION_DESCRIPTION__INIT;
	int r = describe_write(&text, d);
	if (!r)
		r = negotiate_mids(&out, a, p);
	if (!r) {
		bool answer = strcmp(type, "answer") == 0;
		Livekit__SignalResponse m = LIVEKIT__SIGNAL_RESPONSE__INIT;
		out.type = (char *)type;
		out.sdp = (char *)text.data;
		out.id = id;
		m.message_case = answer ? LIVEKIT__SIGNAL_RESPONSE__MESSAGE_ANSWER
					: LIVEKIT__SIGNAL_RESPONSE__MESSAGE_OFFER;
		if (answer)
			m.answer = &out;
		else
			m.offer = &out;
		session_send(s, &m);
	}
	buf_fini(&text);
	return r;
}

static int send_answer(struct session *s, const struct sdp *offer, uint32_t id)
{
	struct signal_door *door = s->door;
	struct info_arena arena = {0};
	struct describe d = {.setup = s->publisher.remote.dtls_client ? "active" : "passive",
		.sections = door->descriptions, .section_count = offer->media_count};

	for (size_t i = 0; i < offer->media_count; ++i)
		answer_section(
			&d.sections[i], door->sections[i], &offer->media[i], s->single, &arena);
	int r = negotiate_send(s, &s->publisher, &d, &arena, "answer", id);
	info_arena_fini(&arena);
	return r;
}

/* One connection: what we answered is what we do. */
static void start_hearings(const struct sdp *offer, struct section *const *sections)
{
	for (size_t i = 0; i < offer->media_count; ++i) {
		struct hearing *h = sections[i]->hearing;
		if (!h || h->sink)
			continue;
		struct codec_choice c = codecs_best(h->subscription->track, &offer->media[i]);
		if (c.codec != CODEC_NONE)
			subscribe_start(h, &c);
	}
}

void negotiate_offer(struct session *s, const Livekit__SessionDescription *m)
{
	struct signal_door *door = s->door;
	struct span text = span_text(m->sdp);
	struct sdp offer;
	enum sdp_error e = sdp_parse(&offer, door->media_scratch, LIMIT_SDP_MEDIA, text);

	if (e != SDP_OK || !mids_are_sound(&offer)) {
		log_debug(participant_identity(s->participant), "offer ignored: %s",
			e == SDP_OK ? "mids" : sdp_error_text(e));
		return;
	}
	if (peer_set_remote(&s->publisher, &offer, true))
		return;
	for (size_t i = 0; i < offer.media_count; ++i)
		if (take_section(&door->sections[i], s, &offer.media[i]))
			return;
	drop_missing(s, door->sections, offer.media_count);
	match_renamed(s, door->sections, offer.media_count);
	if (s->single) {
		participant_subscribe_early(s->participant);
		subscribe_assign(s);
	}
	if (send_answer(s, &offer, m->id))
		return;
	if (s->single)
		start_hearings(&offer, door->sections);
	publish_go_live(s);
	if (s->single)
		offer_fulfilled(s);
}

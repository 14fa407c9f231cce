#include "signal/codecs.h"

#include <stdio.h>

enum {
	/* Payload types of our own offers; whatever an answer says counts. */
	OPUS_PT = 111,
	RED_PT = 63,
	PT_MAX = 127,
};

/* RFC 2198, section 5: "a=fmtp:<RED> <primary>/<copy>/...". */
static bool wraps(const struct sdp_format *red, const struct sdp_format *opus)
{
	struct span f = red->fmtp;
	unsigned pt = 0;

	for (size_t i = 0; i < f.size && f.data[i] >= '0' && f.data[i] <= '9' && pt <= PT_MAX; ++i)
		pt = pt * 10 + (f.data[i] - '0');
	return f.size && opus && pt == opus->pt;
}

const struct sdp_format *codecs_find(const struct sdp_media *m, enum codec codec)
{
	const struct codec_facts *facts = codec_facts(codec);
	const struct sdp_format *f = sdp_find_format(m, facts->name, facts->clock_hz);

	if (f && codec == CODEC_RED && !wraps(f, codecs_find(m, CODEC_OPUS)))
		return NULL;
	return f;
}

static void add(struct describe_section *d, enum codec codec, uint8_t pt, const char *fmtp)
{
	static const char *const rtpmaps[CODEC__COUNT] = {
		[CODEC_OPUS] = "opus/48000/2",
		[CODEC_PCMU] = "PCMU/8000",
		[CODEC_PCMA] = "PCMA/8000",
		[CODEC_RED] = "red/48000/2",
	};
	struct describe_codec *c = &d->codecs[d->codec_count++];
	*c = (struct describe_codec){.pt = pt, .rtpmap = rtpmaps[codec]};
	snprintf(c->fmtp, sizeof c->fmtp, "%s", fmtp);
}

static void add_red(struct describe_section *d, uint8_t pt, uint8_t opus_pt)
{
	char fmtp[16];
	snprintf(fmtp, sizeof fmtp, "%u/%u", opus_pt, opus_pt);
	add(d, CODEC_RED, pt, fmtp);
}

void codecs_add_nack(struct describe_section *d, const struct sdp_media *offer)
{
	if (d->codec_count && strncmp(d->codecs[0].rtpmap, "red/", 4) == 0)
		return;
	for (size_t i = 0; i < d->codec_count; ++i)
		d->codecs[i].nack = !offer;
	for (size_t k = 0; offer && k < offer->format_count; ++k)
		for (size_t i = 0; i < d->codec_count; ++i)
			d->codecs[i].nack |= offer->formats[k].nack &&
				offer->formats[k].pt == d->codecs[i].pt;
}

/* ---- what a client publishes ---- */

bool codecs_may_be_red(const Livekit__AddTrackRequest *a)
{
	return !a->disable_red && a->encryption == LIVEKIT__ENCRYPTION__TYPE__NONE;
}

struct codec_wish codecs_wish(const Livekit__AudioTrackFeature *f, size_t count)
{
	return (struct codec_wish){
		.dtx = !track_has_feature(f, count, LIVEKIT__AUDIO_TRACK_FEATURE__TF_NO_DTX),
		.stereo = track_has_feature(f, count, LIVEKIT__AUDIO_TRACK_FEATURE__TF_STEREO)};
}

void codecs_from_client(
	struct describe_section *d, struct codec_wish wish, uint8_t opus_pt, uint8_t red_pt)
{
	char fmtp[96];

	snprintf(fmtp, sizeof fmtp, "minptime=10;useinbandfec=1%s%s", wish.dtx ? ";usedtx=1" : "",
		wish.stereo ? ";stereo=1;maxaveragebitrate=510000" : "");
	if (red_pt)
		add_red(d, red_pt, opus_pt);
	add(d, CODEC_OPUS, opus_pt, fmtp);
}

/* ---- what a client hears ---- */

/* What a track is best passed on in, for those who take it; CODEC_OPUS when nothing is better. */
static enum codec best_of(const struct track *t)
{
	const char *mime = track_facts(t)->mime_type;
	static const enum codec better[] = {CODEC_RED, CODEC_PCMU, CODEC_PCMA};

	for (size_t i = 0; mime && i < COUNT_OF(better); ++i)
		if (strncasecmp(mime, "audio/", 6) == 0 &&
			strcasecmp(mime + 6, codec_facts(better[i])->name) == 0)
			return better[i];
	return CODEC_OPUS;
}

static void write_choice(
	struct describe_section *d, const struct track *t, enum codec best, uint8_t pt, uint8_t opus_pt)
{
	if (best == CODEC_RED)
		add_red(d, pt, opus_pt);
	else if (best != CODEC_OPUS)
		add(d, best, pt, "");
	const struct track_config *facts = t ? track_facts(t) : NULL;
	bool stereo = facts && codecs_wish(facts->features, facts->feature_count).stereo;
	add(d, CODEC_OPUS, opus_pt,
		stereo ? "minptime=10;useinbandfec=1;sprop-stereo=1" : "minptime=10;useinbandfec=1");
}

void codecs_offer(struct describe_section *d, const struct track *t)
{
	enum codec best = t ? best_of(t) : CODEC_OPUS;
	uint8_t pt = best == CODEC_RED ? RED_PT : codec_facts(best)->static_pt;
	write_choice(d, t, best, pt, OPUS_PT);
}

void codecs_answer(struct describe_section *d, const struct track *t, const struct sdp_media *m)
{
	struct codec_choice c = codecs_best(t, m);
	if (c.codec != CODEC_NONE)
		write_choice(d, t, c.codec, c.pt, c.opus_pt);
}

struct codec_choice codecs_best(const struct track *t, const struct sdp_media *offer)
{
	enum codec codec = best_of(t);
	const struct sdp_format *opus = codecs_find(offer, CODEC_OPUS);
	const struct sdp_format *f = codecs_find(offer, codec);

	if (!opus)
		return (struct codec_choice){.codec = CODEC_NONE};
	if (!f)
		f = opus, codec = CODEC_OPUS;
	return (struct codec_choice){.codec = codec,
		.pt = f->pt,
		.opus_pt = opus->pt,
		.nack = f->nack && codec != CODEC_RED};
}

struct codec_choice codecs_first(const struct track *t, const struct sdp_media *answer)
{
	enum codec best = best_of(t);
	const struct sdp_format *opus = codecs_find(answer, CODEC_OPUS);

	for (size_t i = 0; i < answer->format_count; ++i) {
		const struct sdp_format *f = &answer->formats[i];
		enum codec codec = codec_by_name(f->name, f->clock_hz);
		if (codec == CODEC_NONE || (codec != CODEC_OPUS && codec != best) ||
			codecs_find(answer, codec) != f)
			continue;
		return (struct codec_choice){.codec = codec,
			.pt = f->pt,
			.opus_pt = opus ? opus->pt : 0,
			.nack = f->nack && codec != CODEC_RED};
	}
	return (struct codec_choice){.codec = CODEC_NONE};
}

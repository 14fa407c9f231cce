#include "base/clock.h"
#include "media/history.h"
#include "media/worker.h"

#include <assert.h>

enum {
	LEVEL_SILENT = 127,
	HUSH_FRAMES = 5, /* of 20 ms */
	HUSH_FRAME_MS = 20,
	HUSH_FRAME_TICKS = 960,
	HUSH_FRAME_BYTES = 80, /* clients with encryption know LiveKit's silence by its bytes */
};

void source_init(struct source *s, media_id id)
{
	*s = (struct source){.id = id, .loudest = LEVEL_SILENT};
	list_init(&s->sinks);
	list_init(&s->noted);
}

void source_fini(struct source *s)
{
	if (!s->sinks.next) /* zeroed: never began */
		return;
	list_remove(&s->noted);
	while (!list_empty(&s->sinks)) {
		struct source_sink *sink = list_first(&s->sinks, struct source_sink, link);
		source_remove_sink(sink);
		if (sink->source_gone)
			sink->source_gone(sink);
	}
	for (size_t i = 0; i < CODEC__COUNT; ++i)
		s->history[i] = history_free(s->history[i]);
}

int source_remember(struct source *s, enum codec codec)
{
	return s->history[codec] ? 0 : history_new(&s->history[codec]);
}

void source_add_sink(struct source *s, struct source_sink *sink)
{
	assert(!sink->source && sink->write);
	sink->source = s;
	list_add(&s->sinks, &sink->link);
	++s->wants[sink->codec];
}

void source_remove_sink(struct source_sink *sink)
{
	if (!sink->source)
		return;
	--sink->source->wants[sink->codec];
	sink->source = NULL;
	list_remove(&sink->link);
}

/* A sink's write() neither adds nor removes sinks. */
static void push_to(struct source *s, const struct media_packet *p, enum codec wanted)
{
	if (s->history[wanted])
		history_put(s->history[wanted], s->epoch, p->rtp);
	list_each (it, &s->sinks) {
		struct source_sink *sink = container_of(it, struct source_sink, link);
		if (sink->codec == wanted && !sink->paused)
			sink->write(sink, p);
	}
}

/* For those who take no RED: the Opus packets that are new in it. */
static void push_primaries(struct source *s, const struct media_packet *red)
{
	struct rtp_view views[RED_BLOCKS_MAX];
	struct media_packet opus = *red;
	size_t count = red_primary_take(&s->red, views, red->rtp);

	opus.codec = CODEC_OPUS;
	for (size_t i = 0; i < count; ++i) {
		opus.rtp = &views[i];
		push_to(s, &opus, CODEC_OPUS);
	}
}

/* Plain, but others of its stream may be RED, and may have brought it already. */
static void push_opus(struct source *s, const struct media_packet *p)
{
	if (s->wants[CODEC_RED])
		push_to(s, p, CODEC_RED);
	if (s->wants[CODEC_OPUS] && (!s->red.started || red_primary_note(&s->red, p->rtp)))
		push_to(s, p, CODEC_OPUS);
	for (enum codec c = CODEC_PCMU; s->opus_only && c <= CODEC_PCMA; ++c)
		if (s->wants[c])
			push_to(s, p, c);
}

static void note_newest(struct source *s, const struct rtp_view *v)
{
	if (s->newest.known && s->newest.ssrc == v->ssrc && (int16_t)(v->seq - s->newest.seq) < 0)
		return;
	s->newest.known = true;
	s->newest.ssrc = v->ssrc;
	s->newest.seq = v->seq;
	s->newest.timestamp = v->timestamp;
}

void source_push(struct source *s, const struct media_packet *p)
{
	if (s->muted)
		return;
	if (p->codec == CODEC_OPUS || p->codec == CODEC_RED)
		note_newest(s, p->rtp);
	if (s->wants[CODEC_NONE])
		push_to(s, p, CODEC_NONE);
	if (p->codec == CODEC_OPUS)
		push_opus(s, p);
	else if (s->wants[p->codec])
		push_to(s, p, p->codec);
	if (p->codec == CODEC_RED && s->wants[CODEC_OPUS])
		push_primaries(s, p);
}

/* ---- mute ---- */

/* Opus for silence: CELT, 20 ms, its silence bit set. A phone's mixer needs none: it fades by itself. */
static void hush(struct source *s)
{
	uint8_t payload[HUSH_FRAME_BYTES + MEDIA_TRAILER_SIZE] = {0xf8, 0xff, 0xfe};
	size_t trailer = strlen(s->sif_trailer);
	uint64_t now_us = clock_us();

	memcpy(payload + HUSH_FRAME_BYTES, s->sif_trailer, trailer);
	for (unsigned i = 1; s->newest.known && i <= HUSH_FRAMES; ++i) {
		struct rtp_view v = {.ssrc = s->newest.ssrc,
			.seq = (uint16_t)(s->newest.seq + i),
			.timestamp = s->newest.timestamp + i * HUSH_FRAME_TICKS,
			.payload = span_of(payload, HUSH_FRAME_BYTES + trailer)};
		/* Each as if it had come when it is to be heard: the clock goes on from there. */
		push_opus(s, &(struct media_packet){.rtp = &v,
				     .codec = CODEC_OPUS,
				     .level = LEVEL_SILENT,
				     .arrived_us = now_us + (uint64_t)i * HUSH_FRAME_MS * 1000});
	}
}

void source_mute(struct source *s, bool muted)
{
	if (!s->muted && muted)
		hush(s);
	if (s->muted && !muted) {
		++s->epoch;
		red_primary_restart(&s->red); /* the first packet carries copies of what was muted */
	}
	s->muted = muted;
}

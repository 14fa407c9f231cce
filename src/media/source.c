#include "media/worker.h"

#include "wire/red.h"

#include <assert.h>

enum { LEVEL_SILENT = 127 };

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

void source_mute(struct source *s, bool muted)
{
	if (s->muted && !muted)
		++s->epoch;
	s->muted = muted;
}

/* The newest block of a RED packet, as the Opus packet it would be without RED. */
static bool unwrap(struct media_packet *ret, struct rtp_view *view, const struct media_packet *red)
{
	struct red_block blocks[RED_BLOCKS_MAX];

	size_t count = red_parse(blocks, red->rtp->payload);
	if (!count || !blocks[count - 1].payload.size)
		return false;
	*view = *red->rtp;
	view->payload = blocks[count - 1].payload;
	view->payload_type = blocks[count - 1].payload_type;
	*ret = *red;
	ret->rtp = view;
	ret->codec = CODEC_OPUS;
	return true;
}

/* A sink's write() neither adds nor removes sinks. */
static void push_to(struct source *s, const struct media_packet *p, enum codec wanted)
{
	list_each (it, &s->sinks) {
		struct source_sink *sink = container_of(it, struct source_sink, link);
		if (sink->codec == wanted && !sink->paused)
			sink->write(sink, p);
	}
}

void source_push(struct source *s, const struct media_packet *p)
{
	struct media_packet opus;
	struct rtp_view view;

	if (s->muted)
		return;
	if (s->wants[CODEC_NONE])
		push_to(s, p, CODEC_NONE);
	if (s->wants[p->codec])
		push_to(s, p, p->codec);
	if (p->codec == CODEC_RED && s->wants[CODEC_OPUS] && unwrap(&opus, &view, p))
		push_to(s, &opus, CODEC_OPUS);
}

#include "media/worker.h"

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

/* A sink's write() neither adds nor removes sinks. */
void source_push(struct source *s, const struct media_packet *p)
{
	if (s->muted)
		return;
	list_each (it, &s->sinks) {
		struct source_sink *sink = container_of(it, struct source_sink, link);
		if (!sink->paused && (sink->codec == CODEC_NONE || sink->codec == p->codec))
			sink->write(sink, p);
	}
}

/* What a transport tells upwards about its voices. */
#include "media/transport.h"

#include "base/mem.h"

enum { US_PER_MS = 1000, US_PER_S = 1000000 };

static uint32_t to_us(uint32_t ticks, uint32_t clock_hz)
{
	return clock_hz ? (uint32_t)((uint64_t)ticks * US_PER_S / clock_hz) : 0;
}

static uint32_t since_ms(uint64_t then_us, uint64_t now_us)
{
	return now_us > then_us ? (uint32_t)((now_us - then_us) / US_PER_MS) : 0;
}

static struct media_voice_stats of_source(
	const struct rtp_source *s, uint32_t rtt_us, uint64_t now_us)
{
	return (struct media_voice_stats){.id = s->base.id,
		.packets = rtp_count_received(&s->count),
		.expected = rtp_count_received(&s->count) + rtp_count_lost(&s->count),
		.lost = rtp_count_lost(&s->count),
		.jitter_us = to_us(rtp_count_jitter(&s->count), s->clock_hz),
		.rtt_us = rtt_us,
		.asked = s->asked,
		.silent_ms = since_ms(s->heard_us, now_us)};
}

static struct media_voice_stats of_sink(const struct sink *s, uint64_t now_us)
{
	return (struct media_voice_stats){.id = s->id,
		.sink = true,
		.packets = s->packets,
		.expected = s->heard.expected,
		.lost = s->heard.lost,
		.jitter_us = to_us(s->heard.jitter, s->clock_hz),
		.rtt_us = s->heard.rtt_us,
		.asked = s->asked,
		.resent = s->resent,
		.silent_ms = since_ms(s->heard.at_us ? s->heard.at_us : s->opened_us, now_us)};
}

uint32_t transport_rtt_us(const struct transport *t)
{
	uint64_t newest_us = 0;
	uint32_t rtt_us = 0;

	list_each (it, &t->sinks) {
		const struct sink *s = container_of(it, struct sink, link);
		if (s->heard.rtt_us && s->heard.at_us > newest_us) {
			newest_us = s->heard.at_us;
			rtt_us = s->heard.rtt_us;
		}
	}
	return rtt_us;
}

void transport_post_stats(struct transport *t, uint64_t now_us)
{
	uint32_t rtt_us = transport_rtt_us(t);
	size_t room = 0, count = 0;

	list_each (it, &t->sources)
		++room;
	list_each (it, &t->sinks)
		++room;
	struct media_voice_stats *all = room ? mem_zalloc(room * sizeof *all) : NULL;
	if (!all)
		return;
	list_each (it, &t->sources)
		all[count++] = of_source(container_of(it, struct rtp_source, link), rtt_us, now_us);
	list_each (it, &t->sinks)
		all[count++] = of_sink(container_of(it, struct sink, link), now_us);
	worker_post_stats(t->worker, t->id, all, count);
	mem_free(all);
}

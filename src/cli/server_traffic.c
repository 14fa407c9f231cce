/* cli/server_traffic.c - LiveKit's limit.bytes_per_sec: while so much media goes in and out, nobody joins. */
#include "cli/server.h"

enum { WEIGH_MS = 2000 };

void server_weigh_traffic(struct server *s)
{
	uint32_t limit = s->config.limit.bytes_per_sec;
	uint64_t now_ms = loop_now_ms(&s->loop), passed_ms = now_ms - s->traffic.since_ms;
	if (!limit || passed_ms < WEIGH_MS)
		return;
	struct media_traffic t = media_traffic(s->media);
	uint64_t bytes = t.bytes_in + t.bytes_out;
	/* The first time there is nothing to compare with. */
	if (s->traffic.since_ms)
		rooms_set_busy(s->rooms, (bytes - s->traffic.bytes) * 1000 / passed_ms >= limit);
	s->traffic.bytes = bytes;
	s->traffic.since_ms = now_ms;
}

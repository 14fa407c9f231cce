#include "simulator/voice_line.h"

enum { REORDER_US = 25000 }; /* more than one packet's time: the next one overtakes it */

static struct line_packet *find_place(struct voice_line *l)
{
	for (size_t i = 0; i < LINE_WAITING_MAX; ++i)
		if (!l->waiting[i].size)
			return &l->waiting[i];
	return NULL;
}

bool voice_line_keeps(struct voice_line *l, struct span packet, uint64_t now_us)
{
	uint64_t late = 0;
	if (carrier_random_hit(&l->random, l->faults.loss))
		return true;
	if (l->faults.jitter_ms)
		late = carrier_random_u32(&l->random) % ((uint64_t)l->faults.jitter_ms * 1000);
	if (carrier_random_hit(&l->random, l->faults.reorder))
		late += REORDER_US;
	struct line_packet *p = late && packet.size <= LINE_PACKET_MAX ? find_place(l) : NULL;
	if (!p)
		return false;
	p->due_us = now_us + late;
	p->size = packet.size;
	memcpy(p->bytes, packet.data, packet.size);
	return true;
}

static size_t earliest(const struct voice_line *l)
{
	size_t best = LINE_WAITING_MAX;
	for (size_t i = 0; i < LINE_WAITING_MAX; ++i)
		if (l->waiting[i].size && (best == LINE_WAITING_MAX || l->waiting[i].due_us < l->waiting[best].due_us))
			best = i;
	return best;
}

struct span voice_line_take(struct voice_line *l, uint64_t now_us, uint8_t out[LINE_PACKET_MAX])
{
	size_t i = earliest(l);
	if (i == LINE_WAITING_MAX || l->waiting[i].due_us > now_us)
		return (struct span){0};
	size_t size = l->waiting[i].size;
	memcpy(out, l->waiting[i].bytes, size);
	l->waiting[i].size = 0;
	return span_of(out, size);
}

bool voice_line_doubles(struct voice_line *l)
{
	return carrier_random_hit(&l->random, l->faults.duplicate);
}

uint64_t voice_line_due(const struct voice_line *l)
{
	size_t i = earliest(l);
	return i == LINE_WAITING_MAX ? UINT64_MAX : l->waiting[i].due_us;
}

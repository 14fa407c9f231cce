#include "media/missing.h"

static void drop(struct missing *m, unsigned i)
{
	--m->count;
	memmove(&m->packets[i], &m->packets[i + 1], (m->count - i) * sizeof m->packets[0]);
}

static void came_late(struct missing *m, uint16_t seq)
{
	for (unsigned i = 0; i < m->count; ++i)
		if (m->packets[i].seq == seq) {
			drop(m, i);
			return;
		}
}

static void add(struct missing *m, uint16_t seq, uint32_t now_ms)
{
	if (m->count == MISSING_MAX)
		drop(m, 0);
	m->packets[m->count++] = (struct missing_packet){
		.seq = seq, .since_ms = now_ms, .due_ms = now_ms + MISSING_WAIT_MS};
}

void missing_note(struct missing *m, uint16_t seq, uint64_t now_ms)
{
	int16_t ahead = (int16_t)(seq - m->highest);

	if (m->started && ahead <= 0 && -ahead <= MISSING_MAX * 4) {
		came_late(m, seq);
		return;
	}
	/* A hole that is larger than all we would ask for is another beginning. */
	if (!m->started || ahead <= 0 || ahead > MISSING_MAX)
		m->count = 0;
	else
		for (uint16_t s = (uint16_t)(m->highest + 1); s != seq; ++s)
			add(m, s, (uint32_t)now_ms);
	m->started = true;
	m->highest = seq;
}

size_t missing_due(uint16_t ret[MISSING_MAX], struct missing *m, uint64_t now_ms, uint32_t rtt_ms)
{
	uint32_t now = (uint32_t)now_ms;
	uint32_t pause = rtt_ms > MISSING_PAUSE_MS ? rtt_ms : MISSING_PAUSE_MS;
	size_t count = 0;

	for (unsigned i = 0; i < m->count;) {
		struct missing_packet *p = &m->packets[i];
		if (now - p->since_ms >= MISSING_MS_MAX) {
			drop(m, i);
			continue;
		}
		++i;
		if ((int32_t)(now - p->due_ms) < 0 || p->tries >= MISSING_TRIES)
			continue;
		++p->tries;
		p->due_ms = now + pause;
		ret[count++] = p->seq;
	}
	return count;
}

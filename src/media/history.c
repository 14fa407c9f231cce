#include "media/history.h"

#include "base/err.h"
#include "base/mem.h"

#include <errno.h>

enum {
	RESTART = 500, /* a larger step is a sender that began anew, as for a sink */
	LIFE_BITS = 20,
};

struct slot {
	bool used, marker;
	uint8_t payload_type;
	uint16_t size;
	uint32_t timestamp;
	uint64_t index;
	uint64_t at; /* where in all that was ever written; the ring has the last HISTORY_BYTES of it */
};

struct history {
	bool started;
	unsigned epoch;
	uint32_t ssrc;
	uint64_t newest;  /* index: the sequence number, and above it how often that went round or jumped */
	uint64_t written;
	struct slot slots[HISTORY_PACKETS]; /* by index */
	uint8_t bytes[HISTORY_BYTES];
};

int history_new(struct history **ret)
{
	struct history *h = mem_zalloc(sizeof *h);
	if (!h)
		return err_new(-ENOMEM);
	*ret = h;
	return 0;
}

struct history *history_free(struct history *h)
{
	mem_free(h);
	return NULL;
}

static uint64_t index_of(const struct history *h, uint16_t seq)
{
	return h->newest + (uint64_t)(int64_t)(int16_t)(seq - (uint16_t)h->newest);
}

/* The index of a packet that comes; those of a life before are out of reach from now on. */
static uint64_t follow(struct history *h, unsigned epoch, const struct rtp_view *v)
{
	int16_t step = (int16_t)(v->seq - (uint16_t)h->newest);

	if (!h->started || epoch != h->epoch || v->ssrc != h->ssrc || step > RESTART ||
		step < -RESTART) {
		uint64_t life = (h->newest >> LIFE_BITS) + 1;
		h->newest = life << LIFE_BITS | 1u << 16 | v->seq;
	} else if (step > 0) {
		h->newest = index_of(h, v->seq);
	}
	h->started = true;
	h->epoch = epoch;
	h->ssrc = v->ssrc;
	return index_of(h, v->seq);
}

/* A payload is never split: what does not fit before the end begins at the start again. */
static uint64_t place(const struct history *h, size_t size)
{
	size_t before_end = HISTORY_BYTES - h->written % HISTORY_BYTES;
	return h->written + (size > before_end ? before_end : 0);
}

void history_put(struct history *h, unsigned epoch, const struct rtp_view *v)
{
	uint64_t index = follow(h, epoch, v);
	struct slot *s = &h->slots[index % HISTORY_PACKETS];

	if (h->newest - index >= HISTORY_PACKETS || (s->used && s->index == index))
		return;
	bool fits = v->payload.size <= HISTORY_BYTES / 4;
	*s = (struct slot){.used = true,
		.marker = v->marker,
		.payload_type = v->payload_type,
		.size = fits ? (uint16_t)v->payload.size : 0, /* its number is taken all the same */
		.timestamp = v->timestamp,
		.index = index,
		.at = place(h, fits ? v->payload.size : 0)};
	if (s->size)
		memcpy(&h->bytes[s->at % HISTORY_BYTES], v->payload.data, s->size);
	h->written = s->at + s->size;
}

bool history_get(
	struct rtp_view *ret, const struct history *h, unsigned epoch, uint32_t ssrc, uint16_t seq)
{
	uint64_t index = index_of(h, seq);
	const struct slot *s = &h->slots[index % HISTORY_PACKETS];

	if (!h->started || h->epoch != epoch || h->ssrc != ssrc || !s->used || s->index != index ||
		h->newest - index >= HISTORY_PACKETS || !s->size ||
		h->written - s->at > HISTORY_BYTES)
		return false;
	*ret = (struct rtp_view){.payload_type = s->payload_type,
		.marker = s->marker,
		.seq = seq,
		.timestamp = s->timestamp,
		.ssrc = ssrc,
		.payload = span_of(&h->bytes[s->at % HISTORY_BYTES], s->size)};
	return true;
}

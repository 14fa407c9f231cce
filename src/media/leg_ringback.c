#include "media/leg_private.h"

#include "base/rng.h"
#include "media/g711.h"

enum {
	RINGBACK_HZ = 8000,
	RINGBACK_FRAME = RINGBACK_HZ / LEG_BEATS_PER_S,
};

static void on_beat(struct beat *b, uint64_t now_us)
{
	struct leg_ringback *r = container_of(b, struct leg_ringback, beat);
	struct leg *l = container_of(r, struct leg, ringback);
	int16_t pcm[RINGBACK_FRAME];
	uint8_t payload[RINGBACK_FRAME];

	if (l->in.heard) {
		leg_ringback_stop(l);
		return;
	}
	ring_tone_next(&r->ring, pcm, RINGBACK_FRAME, RINGBACK_HZ);
	g711_encode(payload, pcm, RINGBACK_FRAME, G711_ULAW);
	struct rtp_view v = {
		.seq = r->seq++,
		.timestamp = r->timestamp,
		.ssrc = r->ssrc,
		.payload = span_of(payload, sizeof payload),
	};
	r->timestamp += RINGBACK_FRAME;
	leg_receive_own(l, &v, now_us);
}

void leg_ringback_init(struct leg *l)
{
	list_init(&l->ringback.beat.link);
	l->ringback.beat.tick = on_beat;
}

void leg_ringback(struct leg *l, const struct media_ringback *tone)
{
	struct leg_ringback *r = &l->ringback;

	leg_ringback_stop(l);
	if (l->connected && !l->remote.early)
		return;
	ring_tone_start(&r->ring, tone);
	if (!ring_tone_is_on(&r->ring))
		return;
	r->ssrc = rng_u32();
	worker_add_beat(l->worker, &r->beat);
}

void leg_ringback_stop(struct leg *l)
{
	worker_remove_beat(&l->ringback.beat);
	l->ringback.ring = (struct ring_tone){0};
}

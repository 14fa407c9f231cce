#include "media/leg_private.h"

#include "base/rng.h"
#include "media/g711.h"

#include <math.h>

enum {
	HALVES = 4, /* on, off, on, off */
	RINGBACK_HZ = 8000,
	RINGBACK_FRAME = RINGBACK_HZ / LEG_BEATS_PER_S,
};

/* Each of two tones; together about -16 dBm0, as a telephone exchange does it. */
static const float amplitude = 3600;

static bool sounds(const struct leg_ringback *r)
{
	uint32_t from = 0;
	for (unsigned i = 0; i < HALVES; ++i) {
		from += r->tone.cadence_ms[i];
		if (r->at_ms < from)
			return i % 2 == 0;
	}
	return false;
}

/* Whole frequencies come round each second, so the sum never outgrows what a float can count. */
static void make(int16_t out[RINGBACK_FRAME], const struct leg_ringback *r)
{
	const float turn = 6.2831853f / RINGBACK_HZ;
	uint32_t first = r->at_ms * (RINGBACK_HZ / 1000) % RINGBACK_HZ;

	memset(out, 0, RINGBACK_FRAME * sizeof *out);
	for (unsigned t = 0; t < COUNT_OF(r->tone.hz) && sounds(r); ++t)
		for (unsigned i = 0; r->tone.hz[t] && i < RINGBACK_FRAME; ++i)
			out[i] = (int16_t)((float)out[i] +
				amplitude * sinf(turn * (float)r->tone.hz[t] * (float)(first + i)));
}

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
	make(pcm, r);
	g711_encode(payload, pcm, RINGBACK_FRAME, G711_ULAW);
	struct rtp_view v = {
		.seq = r->seq++,
		.timestamp = r->timestamp,
		.ssrc = r->ssrc,
		.payload = span_of(payload, sizeof payload),
	};
	r->timestamp += RINGBACK_FRAME;
	r->at_ms = (r->at_ms + LEG_BEAT_MS) % r->cycle_ms;
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
	for (unsigned i = 0; i < HALVES && tone->cadence_ms[i]; ++i)
		r->cycle_ms += tone->cadence_ms[i];
	if (!r->cycle_ms || (l->connected && !l->remote.early))
		return;
	r->tone = *tone;
	r->at_ms = 0;
	r->ssrc = rng_u32();
	worker_add_beat(l->worker, &r->beat);
}

void leg_ringback_stop(struct leg *l)
{
	worker_remove_beat(&l->ringback.beat);
	l->ringback.cycle_ms = 0;
}

#include "media/leg_private.h"

enum {
	/* The phone's jitter buffer, which a BYE would empty: played out behind the last sound. */
	TAIL_MS = 100,
};

static unsigned beats(uint32_t ms)
{
	return (ms + LEG_BEAT_MS - 1) / LEG_BEAT_MS;
}

static void finish(struct leg *l)
{
	l->drain.on = false;
	worker_post_leg_event(l->worker, l->id, MEDIA_LEG_DRAINED);
}

void leg_drain(struct leg *l, uint32_t voice_ms, uint32_t digits_ms)
{
	leg_send_let_go(l);
	l->drain = (struct leg_drain){
		.on = true,
		.played = l->out.quiet_beats < beats(TAIL_MS),
		.voice_beats = beats(voice_ms),
		.digit_beats = beats(digits_ms),
		.tail_beats = beats(TAIL_MS),
	};
	if (!l->connected || !leg_send_may(l))
		finish(l);
}

static bool waits(struct leg *l)
{
	struct leg_drain *d = &l->drain;
	bool digits = dtmf_sender_busy(&l->out.dtmf) && d->digit_beats > 0;
	bool voices = leg_send_holds(l) && d->voice_beats > 0;

	d->digit_beats -= d->digit_beats > 0;
	d->voice_beats -= d->voice_beats > 0;
	d->played |= digits || voices;
	return digits || voices;
}

void leg_drain_beat(struct leg *l)
{
	struct leg_drain *d = &l->drain;

	if (!d->on || waits(l))
		return;
	if (!d->played || d->tail_beats-- == 0)
		finish(l);
}

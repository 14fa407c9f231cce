#include "call/quality.h"

#include "media/mos.h"

enum { US_PER_MS = 1000, JITTER_TIMES = 2 /* a receiver's buffer holds about twice the jitter */ };

static float delay_ms(const struct media_leg_stats *s, uint32_t jitter_us, unsigned buffer_ms)
{
	float buffer = (float)(JITTER_TIMES * jitter_us) / US_PER_MS;
	return (float)s->rtt_us / 2 / US_PER_MS + (float)s->ptime_ms +
		(buffer > (float)buffer_ms ? buffer : (float)buffer_ms);
}

/* Losses in a row against those that come one by one by chance: G.107's BurstR. */
static float burst_of(uint64_t lost, uint64_t holes, float loss)
{
	return holes ? (float)lost / (float)holes * (1 - loss) : 0;
}

static float delay_in(const struct media_leg_stats *s)
{
	return delay_ms(s, s->jitter_us, s->in_buffer_ms);
}

static float delay_out(const struct media_leg_stats *s)
{
	return delay_ms(s, s->far_jitter_us, 0) + (float)s->buffer_ms;
}

static float mos_in(const struct media_leg_stats *s, const struct media_leg_stats *before, float delay)
{
	uint64_t lost = s->lost > before->lost ? s->lost - before->lost : 0, late = s->late - before->late;
	uint64_t expected = s->received - before->received + lost;
	if (!expected)
		return 0;
	float loss = (float)(lost + late) / (float)expected;
	return mos_of(&(struct mos_line){.codec = s->codec_in,
		.loss = loss,
		.burst = burst_of(lost, s->holes - before->holes, loss),
		.delay_ms = delay});
}

static float mos_out(const struct media_leg_stats *s, const struct media_leg_stats *before, float delay)
{
	uint64_t expected = s->far_expected - before->far_expected;
	uint64_t lost = s->far_lost > before->far_lost ? s->far_lost - before->far_lost : 0;
	if (!expected)
		return 0;
	return mos_of(&(struct mos_line){
		.codec = s->codec_out, .loss = (float)lost / (float)expected, .delay_ms = delay});
}

static void note_worst(float *worst, float now)
{
	if (now > 0 && (*worst <= 0 || now < *worst))
		*worst = now;
}

bool call_meter_put(struct call_meter *m, const struct media_leg_stats *s)
{
	static const struct media_leg_stats none = {0};
	struct call_quality *q = &m->quality;

	++m->seconds;
	m->delays_in += delay_in(s);
	m->delays_out += delay_out(s);
	q->stats = *s;
	q->mos_in = mos_in(s, &none, m->delays_in / (float)m->seconds);
	q->mos_out = mos_out(s, &none, m->delays_out / (float)m->seconds);
	if (++m->count < CALL_METER_WINDOW)
		return false;
	m->mos_in_now = mos_in(s, &m->before, delay_in(s));
	m->mos_out_now = mos_out(s, &m->before, delay_out(s));
	note_worst(&q->mos_in_worst, m->mos_in_now);
	note_worst(&q->mos_out_worst, m->mos_out_now);
	m->before = *s;
	m->count = 0;
	return true;
}

bool call_meter_now(const struct call_meter *m, struct connection_quality *ret)
{
	float worst = 0;
	note_worst(&worst, m->mos_in_now);
	note_worst(&worst, m->mos_out_now);
	if (worst <= 0)
		return false;
	*ret = quality_of_mos(worst);
	return true;
}

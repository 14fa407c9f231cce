#include "media/plc.h"

void plc_reset(struct plc *p)
{
	*p = (struct plc){0};
}

static void keep(struct plc *p, const int16_t *pcm, size_t count)
{
	if (count >= PLC_KEPT) {
		memcpy(p->kept, pcm + count - PLC_KEPT, sizeof p->kept);
		return;
	}
	memmove(p->kept, p->kept + count, (PLC_KEPT - count) * sizeof *p->kept);
	memcpy(p->kept + PLC_KEPT - count, pcm, count * sizeof *pcm);
}

/* The distance at which the sound resembles itself most: one or more pitch periods. */
static unsigned find_pitch(const struct plc *p)
{
	const int16_t *now = p->kept + PLC_PITCH_LONGEST;
	uint32_t least = UINT32_MAX;
	unsigned best = PLC_PITCH_LONGEST;

	for (unsigned lag = PLC_PITCH_SHORTEST; lag <= PLC_PITCH_LONGEST; ++lag) {
		uint32_t sum = 0;
		for (unsigned i = 0; i < PLC_COMPARED; ++i) {
			int32_t d = now[i] - now[(int)i - (int)lag];
			sum += (uint32_t)(d < 0 ? -d : d);
		}
		if (sum < least) {
			least = sum;
			best = lag;
		}
	}
	return best;
}

/* `share` of 1024 of `b`, the rest of `a`. */
static int16_t blend(int a, int b, int share)
{
	return (int16_t)((a * (1024 - share) + b * share) / 1024);
}

/* Its last quarter flows over into what comes before its beginning, so that the join is smooth. */
static void make_cycle(struct plc *p)
{
	p->pitch = find_pitch(p);
	p->at = 0;
	unsigned quarter = p->pitch / 4, steady = p->pitch - quarter;
	const int16_t *last = p->kept + PLC_KEPT - p->pitch;

	memcpy(p->cycle, last, p->pitch * sizeof *last);
	for (unsigned i = 0; i < quarter; ++i)
		p->cycle[steady + i] = blend(last[steady + i], last[(int)i - (int)quarter],
			(int)(1024 * (i + 1) / (quarter + 1)));
}

static int16_t make_up(struct plc *p)
{
	int16_t sample = p->cycle[p->at];
	p->at = (p->at + 1) % p->pitch;
	unsigned missing = p->missing++;
	if (missing < PLC_STEADY)
		return sample;
	if (missing >= PLC_FADED) {
		p->missing = PLC_FADED;
		return 0;
	}
	return (int16_t)(sample * (int)(PLC_FADED - missing) / (PLC_FADED - PLC_STEADY));
}

void plc_missing(struct plc *p, int16_t *out, size_t count)
{
	if (p->missing == 0)
		make_cycle(p);
	for (size_t i = 0; i < count; ++i)
		out[i] = make_up(p);
	keep(p, out, count);
}

void plc_received(struct plc *p, int16_t *pcm, size_t count)
{
	if (p->missing) {
		/* The longer the hole, the less the made-up sound resembles: a longer blend. */
		size_t over = p->pitch / 4 + (p->missing > PLC_STEADY ? 32 : 0);
		if (over > count)
			over = count;
		for (size_t i = 0; i < over; ++i)
			pcm[i] = blend(make_up(p), pcm[i], (int)(1024 * (i + 1) / (over + 1)));
		p->missing = 0;
	}
	keep(p, pcm, count);
}

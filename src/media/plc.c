#include "media/plc.h"

void plc_init(struct plc *p, uint32_t hz)
{
	*p = (struct plc){.scale = hz / 8000};
}

static void keep(struct plc *p, const int16_t *pcm, size_t count)
{
	size_t kept = PLC_KEPT * p->scale;
	if (count >= kept) {
		memcpy(p->kept, pcm + count - kept, kept * sizeof *pcm);
		return;
	}
	memmove(p->kept, p->kept + count, (kept - count) * sizeof *p->kept);
	memcpy(p->kept + kept - count, pcm, count * sizeof *pcm);
}

/* The distance at which the sound resembles itself most: one or more pitch periods. At 16 kHz every
 * other sample is looked at: a pitch is low, and the join is blended anyway. */
static unsigned find_pitch(const struct plc *p)
{
	unsigned step = p->scale, longest = PLC_PITCH_LONGEST * step;
	const int16_t *now = p->kept + longest;
	uint32_t least = UINT32_MAX;
	unsigned best = longest;

	for (unsigned lag = PLC_PITCH_SHORTEST * step; lag <= longest; lag += step) {
		uint32_t sum = 0;
		for (unsigned i = 0; i < PLC_COMPARED * step; i += step) {
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
	const int16_t *last = p->kept + PLC_KEPT * p->scale - p->pitch;

	memcpy(p->cycle, last, p->pitch * sizeof *last);
	for (unsigned i = 0; i < quarter; ++i)
		p->cycle[steady + i] = blend(last[steady + i], last[(int)i - (int)quarter],
			(int)(1024 * (i + 1) / (quarter + 1)));
}

static int16_t make_up(struct plc *p)
{
	int16_t sample = p->cycle[p->at];
	p->at = (p->at + 1) % p->pitch;
	unsigned missing = p->missing++, steady = PLC_STEADY * p->scale, faded = PLC_FADED * p->scale;
	if (missing < steady)
		return sample;
	if (missing >= faded) {
		p->missing = faded;
		return 0;
	}
	return (int16_t)(sample * (int)(faded - missing) / (int)(faded - steady));
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
		size_t over = p->pitch / 4 + (p->missing > PLC_STEADY * p->scale ? 32 * p->scale : 0);
		if (over > count)
			over = count;
		for (size_t i = 0; i < over; ++i)
			pcm[i] = blend(make_up(p), pcm[i], (int)(1024 * (i + 1) / (over + 1)));
		p->missing = 0;
	}
	keep(p, pcm, count);
}

#include "media/mixer.h"

#include <math.h>

void mixer_add(struct mixer *m, const int16_t *pcm)
{
	if (m->voices++ == 0) {
		for (size_t i = 0; i < m->count; ++i)
			m->sum[i] = pcm[i];
		return;
	}
	for (size_t i = 0; i < m->count; ++i)
		m->sum[i] += pcm[i];
}

void mixer_take(const struct mixer *m, int16_t *out)
{
	if (m->voices == 0) {
		memset(out, 0, m->count * sizeof *out);
		return;
	}
	for (size_t i = 0; i < m->count; ++i) {
		int32_t v = m->sum[i];
		out[i] = (int16_t)(v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : v);
	}
}

uint8_t mixer_level(const int16_t *pcm, size_t count)
{
	uint64_t energy = 0;
	for (size_t i = 0; i < count; ++i)
		energy += (uint32_t)((int32_t)pcm[i] * pcm[i]);
	if (energy == 0)
		return 127;
	/* 0 dBov is the power of a square wave of full scale. */
	float mean = (float)energy / (float)count / (32768.0f * 32768.0f);
	float level = -10.0f * log10f(mean) + 0.5f;
	return level < 0 ? 0 : level > 127 ? 127 : (uint8_t)level;
}

#include "media/mos.h"

#include <math.h>

/* G.107's defaults: basic signal-to-noise, sidetone and loudness at their best. */
static const float best = 93.2f, worst_codec = 95;
static const float delay_free_ms = 100;
static const float burst_max = 4; /* the formula is for moderate bursts */

/* Equipment impairment, and robustness against random loss with the concealment that we have. */
static const struct {
	float ie, bpl;
} codecs[CODEC__COUNT] = {
	[CODEC_NONE] = {0, 25.1f},
	[CODEC_PCMU] = {0, 25.1f}, /* G.113, table I.4: G.711 with concealment */
	[CODEC_PCMA] = {0, 25.1f},
	[CODEC_G722] = {0, 20}, /* estimates: its predictors go astray for a while after a loss */
	[CODEC_OPUS] = {0, 25},
	[CODEC_RED] = {0, 25},
};

/* G.107, 3.5: what is past a tenth of a second makes people talk at the same time. */
static float delay_effect(float ms)
{
	if (ms <= delay_free_ms)
		return 0;
	float x = logf(ms / delay_free_ms) / logf(2);
	float sixth = 1.0f / 6;
	return 25 * (powf(1 + powf(x, 6), sixth) - 3 * powf(1 + powf(x / 3, 6), sixth) + 2);
}

static float loss_effect(const struct mos_line *l)
{
	float percent = 100 * (l->loss < 0 ? 0 : l->loss > 1 ? 1 : l->loss);
	float burst = l->burst < 1 ? 1 : l->burst > burst_max ? burst_max : l->burst;
	float ie = codecs[l->codec].ie;
	if (percent <= 0)
		return ie;
	return ie + (worst_codec - ie) * percent / (percent / burst + codecs[l->codec].bpl);
}

float mos_rating(const struct mos_line *l)
{
	float r = best - delay_effect(l->delay_ms) - loss_effect(l);
	return r > 0 ? r : 0;
}

float mos_of_rating(float r)
{
	if (r <= 0)
		return 1;
	float mos = 1 + 0.035f * r + r * (r - 60) * (100 - r) * 7e-6f;
	return mos < 1 ? 1 : mos;
}

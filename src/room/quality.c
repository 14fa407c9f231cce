#include "room/quality.h"

#include <math.h>

static const float best_score = 100, least_score = 30; /* below that only who is lost */
static const float rises = 0.4f, falls = 0.8f; /* of the way to the new score, each window */
static const float opus_weight = 8 / 1.5f /* for its FEC */, red_weight = 4;
static const float best_mos = 4.5f, worst_mos = 1;

static float delay_effect(const struct quality_window *w)
{
	float delay_ms = (float)w->rtt_us / 2000 + 2 * (float)w->jitter_us / 1000;
	return delay_ms > 160 ? (delay_ms - 120) / 10 : delay_ms / 40;
}

/* Loss of what little is sent in silence is hardly heard. */
static float loss_effect(struct quality *q, const struct quality_window *w, uint64_t expected)
{
	uint64_t lost = w->lost > q->lost ? w->lost - q->lost : 0;
	float seconds = (float)(w->now_ms - q->at_ms) / 1000;
	float per_s = seconds > 0 ? (float)expected / seconds : 0;

	if (per_s > q->most_per_s)
		q->most_per_s = per_s;
	float share = q->most_per_s > 0 ? per_s / q->most_per_s : 1;
	return (float)lost * 100 / (float)expected * (w->red ? red_weight : opus_weight) * sqrtf(share);
}

static void follow(struct quality *q, float score)
{
	if (!q->measured)
		q->score = best_score;
	q->measured = true;
	q->score += (score - q->score) * (score < q->score ? falls : rises);
	if (q->score < least_score)
		q->score = least_score;
}

static void judge(struct quality *q, const struct quality_window *w)
{
	uint64_t expected = w->expected > q->expected ? w->expected - q->expected : 0;
	bool speaks = w->up || w->sent > q->sent;
	uint32_t patience_ms = w->up ? QUALITY_SILENT_UP_MS : QUALITY_SILENT_DOWN_MS;

	if (expected) {
		follow(q, best_score - delay_effect(w) - loss_effect(q, w, expected));
	} else if (speaks && (w->up || w->expected) && w->silent_ms >= patience_ms) {
		q->measured = true;
		q->score = 0;
	} else if (w->up && q->at_ms) {
		q->measured = true;
		q->score = least_score; /* its reports come, its voice does not */
	}
}

void quality_put(struct quality *q, const struct quality_window *w)
{
	if (w->muted) {
		q->measured = false;
	} else if (!q->was_muted) { /* else what was counted is half of silence */
		judge(q, w);
	}
	q->was_muted = w->muted;
	q->expected = w->expected;
	q->lost = w->lost;
	q->sent = w->sent;
	q->at_ms = w->now_ms;
}

struct connection_quality quality_best(void)
{
	return (struct connection_quality){
		.quality = LIVEKIT__CONNECTION_QUALITY__EXCELLENT, .score = best_mos};
}

struct connection_quality quality_of_mos(float mos)
{
	static const float satisfying = 4.03f, bearable = 3.10f;
	Livekit__ConnectionQuality name = mos >= satisfying ? LIVEKIT__CONNECTION_QUALITY__EXCELLENT
		: mos >= bearable ? LIVEKIT__CONNECTION_QUALITY__GOOD
				  : LIVEKIT__CONNECTION_QUALITY__POOR;
	return (struct connection_quality){.quality = name, .score = mos};
}

static Livekit__ConnectionQuality name_of(float score)
{
	if (score > 80)
		return LIVEKIT__CONNECTION_QUALITY__EXCELLENT;
	if (score > 40)
		return LIVEKIT__CONNECTION_QUALITY__GOOD;
	return score > 20 ? LIVEKIT__CONNECTION_QUALITY__POOR : LIVEKIT__CONNECTION_QUALITY__LOST;
}

static float mos_of(float score)
{
	float share = (score - least_score) / (best_score - least_score);
	return share > 0 ? worst_mos + (best_mos - worst_mos) * share : worst_mos;
}

void quality_add(struct connection_quality *worst, const struct quality *q)
{
	/* By the score alone: the names follow it. */
	if (!q->measured || mos_of(q->score) > worst->score ||
		worst->quality == LIVEKIT__CONNECTION_QUALITY__LOST)
		return;
	*worst = (struct connection_quality){
		.quality = name_of(q->score), .score = mos_of(q->score)};
}

#include "media/resend.h"

void resend_note(struct resend *r, uint16_t seq)
{
	int16_t ahead = (int16_t)(seq - r->highest);

	if (!r->started || ahead > 0) {
		r->sent = r->started && ahead < RESEND_WINDOW ? r->sent << ahead | 1 : 1;
		r->highest = seq;
		r->started = true;
	} else if (-ahead < RESEND_WINDOW) {
		r->sent |= (uint64_t)1 << -ahead;
	}
}

static bool has_left(const struct resend *r, uint16_t seq)
{
	uint16_t back = (uint16_t)(r->highest - seq);
	return r->started && back < RESEND_WINDOW && r->sent >> back & 1;
}

static bool take_credit(struct resend *r, uint64_t now_ms)
{
	uint64_t passed_ms = r->credit_ms ? now_ms - r->credit_ms : UINT32_MAX;
	uint64_t credit = r->credit_x1000 + passed_ms * RESEND_PER_SECOND;

	r->credit_ms = now_ms;
	r->credit_x1000 = (uint32_t)(credit < RESEND_BURST * 1000 ? credit : RESEND_BURST * 1000);
	if (r->credit_x1000 < 1000)
		return false;
	r->credit_x1000 -= 1000;
	return true;
}

bool resend_allow(struct resend *r, uint16_t seq, uint64_t now_ms, uint32_t rtt_ms)
{
	struct resend_turn *t = &r->turns[seq % RESEND_WINDOW];
	uint32_t pause_ms = rtt_ms < RESEND_PAUSE_MS_MIN ? RESEND_PAUSE_MS_MIN : rtt_ms;

	if (!has_left(r, seq))
		return false;
	if (pause_ms > RESEND_PAUSE_MS_MAX)
		pause_ms = RESEND_PAUSE_MS_MAX;
	if (t->seq != seq)
		*t = (struct resend_turn){.seq = seq};
	if (t->times >= RESEND_TIMES_MAX ||
		(t->times && (uint32_t)now_ms - t->last_ms < pause_ms) || !take_credit(r, now_ms))
		return false;
	++t->times;
	t->last_ms = (uint32_t)now_ms;
	return true;
}

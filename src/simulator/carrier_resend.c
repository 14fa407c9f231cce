#include "simulator/carrier_resend.h"

#include "base/clock.h"
#include "base/limits.h"

enum { TIMES_T1 = 64, T2_TIMES_T1 = 8 };

static void wait_for(struct carrier_resend *r)
{
	uint64_t now = clock_ms();
	uint64_t left = r->end_ms > now ? r->end_ms - now : 1;
	timer_start(&r->timer, r->repeats && r->interval_ms < left ? r->interval_ms : left, 0);
}

static void on_time(void *owner)
{
	struct carrier_resend *r = owner;
	if (clock_ms() >= r->end_ms) {
		r->gave_up(r->owner);
		return;
	}
	if (r->repeats) {
		carrier_resend_again(r);
		r->interval_ms = r->interval_ms * 2 < r->most_ms ? r->interval_ms * 2 : r->most_ms;
	}
	wait_for(r);
}

int carrier_resend_init(struct carrier_resend *r, struct loop *l, struct carrier_wire *wire,
	void (*gave_up)(void *owner), void *owner)
{
	r->wire = wire;
	r->gave_up = gave_up;
	r->owner = owner;
	r->bytes.max = LIMIT_SIP_MESSAGE_BYTES;
	return timer_init(&r->timer, l, on_time, r);
}

int carrier_resend_start(struct carrier_resend *r, const struct carrier_way *way, struct span bytes, long t1_ms,
	enum carrier_repeat how, long piece_ms)
{
	timer_stop(&r->timer);
	if (r->bytes.size)
		buf_drop_front(&r->bytes, r->bytes.size);
	int bad = buf_add(&r->bytes, bytes.data, bytes.size);
	if (bad)
		return bad;
	r->way = *way;
	r->piece_ms = piece_ms;
	r->interval_ms = (uint64_t)t1_ms;
	r->most_ms = (uint64_t)t1_ms * (how == REPEAT_ON_UDP ? TIMES_T1 : T2_TIMES_T1);
	r->end_ms = clock_ms() + (uint64_t)t1_ms * TIMES_T1;
	r->repeats = how == REPEAT_ALWAYS || (how != REPEAT_NEVER && way->transport == CARRIER_UDP);
	r->times = 0;
	carrier_resend_again(r);
	if (how != REPEAT_NEVER)
		wait_for(r);
	return 0;
}

void carrier_resend_again(struct carrier_resend *r)
{
	if (!r->bytes.size)
		return;
	++r->times;
	carrier_wire_send(r->wire, &r->way, buf_span(&r->bytes), r->piece_ms);
}

void carrier_resend_stop(struct carrier_resend *r)
{
	timer_stop(&r->timer);
}

bool carrier_resend_waits(const struct carrier_resend *r)
{
	return timer_running(&r->timer);
}

void carrier_resend_fini(struct carrier_resend *r)
{
	timer_fini(&r->timer);
	buf_fini(&r->bytes);
}

#include "media/rebase.h"

enum {
	SEQ_BACK_MAX = 100,    /* RFC 3550, A.1: MAX_MISORDER */
	SEQ_AHEAD_MAX = 3000,  /* MAX_DROPOUT */
	CLOCK_OFF_MAX_S = 2,   /* between the timestamps and our clock */
	STEP_MS = 20,
};

static bool goes_on(const struct rebase *r, uint32_t ssrc, uint16_t seq, uint32_t timestamp,
	uint32_t clock_hz, uint64_t now_us)
{
	int ahead = (int16_t)(seq - r->seq);
	if (ssrc != r->ssrc || ahead < -SEQ_BACK_MAX || ahead > SEQ_AHEAD_MAX)
		return false;
	int64_t ticks = (int32_t)(timestamp - r->timestamp);
	int64_t elapsed = (int64_t)((now_us - r->arrived_us) * clock_hz / 1000000);
	int64_t off = ticks - elapsed, most = (int64_t)CLOCK_OFF_MAX_S * clock_hz;
	return off > -most && off < most;
}

static void begin(struct rebase *r, uint32_t ssrc, uint16_t seq, uint32_t timestamp,
	uint32_t clock_hz, uint64_t now_us)
{
	if (r->started) {
		uint32_t step = STEP_MS * clock_hz / 1000;
		uint64_t elapsed = (now_us - r->arrived_us) * clock_hz / 1000000;
		uint16_t next_seq = (uint16_t)(r->seq + r->add_seq + 1);
		uint32_t next_timestamp = r->timestamp + r->add_timestamp +
			(elapsed > step ? (uint32_t)elapsed : step);
		r->add_seq = (uint16_t)(next_seq - seq);
		r->add_timestamp = next_timestamp - timestamp;
	}
	r->started = true;
	r->ssrc = ssrc;
	r->seq = seq;
	r->timestamp = timestamp;
	r->arrived_us = now_us;
}

/* True when the packet is the newest so far. */
static bool follow(struct rebase *r, uint32_t ssrc, uint16_t seq, uint32_t timestamp,
	uint32_t clock_hz, uint64_t now_us)
{
	if (!r->started || !goes_on(r, ssrc, seq, timestamp, clock_hz, now_us)) {
		begin(r, ssrc, seq, timestamp, clock_hz, now_us);
		return true;
	}
	if ((int16_t)(seq - r->seq) <= 0)
		return false;
	r->seq = seq;
	r->timestamp = timestamp;
	r->arrived_us = now_us;
	return true;
}

void rebase_put(struct rebase *r, uint32_t ssrc, uint16_t *seq, uint32_t *timestamp,
	uint32_t clock_hz, uint64_t now_us)
{
	follow(r, ssrc, *seq, *timestamp, clock_hz, now_us);
	*seq = (uint16_t)(*seq + r->add_seq);
	*timestamp += r->add_timestamp;
}

void rebase_skip(struct rebase *r, uint32_t ssrc, uint16_t seq, uint32_t timestamp,
	uint32_t clock_hz, uint64_t now_us)
{
	if (follow(r, ssrc, seq, timestamp, clock_hz, now_us))
		--r->add_seq;
}

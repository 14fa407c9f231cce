#include "media/rebase.h"

#include "wire/rtp.h"

enum {
	CLOCK_OFF_MAX_S = 2,   /* between the timestamps and our clock */
	STEP_MS = 20,
};

static bool goes_on(const struct rebase *r, uint32_t ssrc, uint16_t seq, uint32_t timestamp,
	uint32_t clock_hz, uint64_t now_us)
{
	int ahead = (int16_t)(seq - r->seq);
	if (ssrc != r->ssrc || ahead < -RTP_MISORDER_MAX || ahead > RTP_DROPOUT_MAX)
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
	r->shifted = false;
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

/* A number of the new numbering goes to nobody, or to a packet of our own. */
static void shift(struct rebase *r, int by)
{
	r->add_seq = (uint16_t)(r->add_seq + by);
	r->shifted = true;
	r->shift_seq = r->seq;
}

static bool is_too_late(const struct rebase *r, uint16_t seq)
{
	return r->shifted && (int16_t)(seq - r->shift_seq) <= 0;
}

bool rebase_put(struct rebase *r, uint32_t ssrc, uint16_t *seq, uint32_t *timestamp,
	uint32_t clock_hz, uint64_t now_us)
{
	if (!follow(r, ssrc, *seq, *timestamp, clock_hz, now_us) && is_too_late(r, *seq))
		return false;
	*seq = (uint16_t)(*seq + r->add_seq);
	*timestamp += r->add_timestamp;
	int32_t early = r->inserted ? (int32_t)(r->inserted_end - *timestamp) : 0;
	r->inserted = false;
	if (early > 0) {
		r->add_timestamp += (uint32_t)early;
		*timestamp += (uint32_t)early;
	}
	/* Keeps "too late" a question of half the circle. */
	if (r->shifted && (uint16_t)(r->seq - r->shift_seq) > 0x4000)
		r->shifted = false;
	return true;
}

void rebase_skip(struct rebase *r, uint32_t ssrc, uint16_t seq, uint32_t timestamp,
	uint32_t clock_hz, uint64_t now_us)
{
	if (follow(r, ssrc, seq, timestamp, clock_hz, now_us))
		shift(r, -1);
}

void rebase_insert(struct rebase *r, uint16_t *seq, uint32_t *timestamp, uint32_t ticks)
{
	shift(r, 1);
	*seq = (uint16_t)(r->seq + r->add_seq);
	*timestamp = r->inserted ? r->inserted_end : r->timestamp + r->add_timestamp;
	r->inserted = true;
	r->inserted_end = *timestamp + ticks;
}

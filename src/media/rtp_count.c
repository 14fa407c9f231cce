#include "media/rtp_count.h"

#include "wire/rtp.h"

static uint32_t expected(const struct rtp_count *c)
{
	return c->started ? c->cycles + c->highest_seq - c->first_seq + 1 : 0;
}

static uint64_t lost_now(const struct rtp_count *c)
{
	uint32_t want = expected(c);
	return want > c->received ? want - c->received : 0;
}

static void begin(struct rtp_count *c, uint32_t ssrc, uint16_t seq)
{
	*c = (struct rtp_count){
		.started = true,
		.ssrc = ssrc,
		.first_seq = seq,
		.highest_seq = seq,
		.received_before = rtp_count_received(c),
		.lost_before = rtp_count_lost(c),
		.holes = c->holes,
	};
}

void rtp_count_put(struct rtp_count *c, uint32_t ssrc, uint16_t seq, uint32_t timestamp,
	uint32_t clock_hz, uint64_t now_us)
{
	uint32_t transit = (uint32_t)(now_us * clock_hz / 1000000) - timestamp;
	int ahead = (int16_t)(seq - c->highest_seq);

	if (!c->started || ssrc != c->ssrc || ahead > RTP_DROPOUT_MAX || ahead < -RTP_MISORDER_MAX) {
		begin(c, ssrc, seq);
		c->transit = transit;
	} else if (ahead > 0) {
		c->holes += ahead > 1;
		if (seq < c->highest_seq)
			c->cycles += 65536;
		c->highest_seq = seq;
	}
	++c->received;

	int32_t change = (int32_t)(transit - c->transit);
	uint32_t size = change < 0 ? 0u - (uint32_t)change : (uint32_t)change;
	c->transit = transit;
	if (size < clock_hz) /* more is another clock, not jitter */
		c->jitter_16 += size - ((c->jitter_16 + 8) >> 4);
}

uint64_t rtp_count_received(const struct rtp_count *c)
{
	return c->received_before + c->received;
}

uint64_t rtp_count_lost(const struct rtp_count *c)
{
	return c->lost_before + lost_now(c);
}

uint32_t rtp_count_jitter(const struct rtp_count *c)
{
	return c->jitter_16 >> 4;
}

bool rtp_count_report(
	struct rtp_count *c, struct rtcp_report *ret, uint32_t last_sr, uint64_t since_sr_us)
{
	if (!c->started)
		return false;
	uint32_t want = expected(c);
	uint32_t want_lately = want - c->expected_reported;
	uint32_t got_lately = c->received - c->received_reported;
	uint32_t lost_lately = want_lately > got_lately ? want_lately - got_lately : 0;
	int64_t lost = (int64_t)want - c->received;

	*ret = (struct rtcp_report){
		.ssrc = c->ssrc,
		.fraction_lost = (uint8_t)(want_lately ? (uint64_t)lost_lately * 255 / want_lately : 0),
		.lost = (int32_t)(lost > 0x7fffff ? 0x7fffff : lost < -0x800000 ? -0x800000 : lost),
		.highest_seq = c->cycles + c->highest_seq,
		.jitter = rtp_count_jitter(c),
		.last_sr = last_sr,
	};
	if (last_sr)
		ret->delay_since_sr = (uint32_t)(since_sr_us * 65536 / 1000000);
	c->expected_reported = want;
	c->received_reported = c->received;
	return true;
}

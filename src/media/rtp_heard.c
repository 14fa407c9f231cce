#include "media/rtp_heard.h"

enum {
	RTT_S_MAX = 10, /* more is a clock that was set */
	NTP_SHIFT = 16, /* reports have the middle of NTP's 64 bits: 1/65536 s */
};

/* A receiver may begin anew. */
static void count(struct rtp_heard *h, const struct rtcp_report *r, uint32_t sent)
{
	uint32_t expected = h->at_us ? r->highest_seq - h->highest_seq : sent;
	int64_t lost = h->at_us ? (int64_t)r->lost - h->lost_seq : r->lost;

	h->highest_seq = r->highest_seq;
	h->lost_seq = r->lost;
	if (expected > UINT16_MAX || lost > (int64_t)expected)
		return;
	h->expected += expected;
	if (lost >= 0)
		h->lost += (uint64_t)lost;
	else /* they came late, or again */
		h->lost -= (uint64_t)-lost < h->lost ? (uint64_t)-lost : h->lost;
}

void rtp_heard_put(struct rtp_heard *h, const struct rtcp_report *r, uint32_t sent, uint64_t ntp,
	uint64_t now_us)
{
	count(h, r, sent);
	h->at_us = now_us;
	h->jitter = r->jitter;
	if (!r->last_sr)
		return;
	uint32_t rtt = (uint32_t)(ntp >> NTP_SHIFT) - r->last_sr - r->delay_since_sr;
	if (rtt < RTT_S_MAX << NTP_SHIFT)
		h->rtt_us = (uint32_t)((uint64_t)rtt * 1000000 >> NTP_SHIFT) | 1; /* known */
}

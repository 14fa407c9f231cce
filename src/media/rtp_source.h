/* media/rtp_source.h - a voice that comes in by a transport: which packets are its, how well
 * they arrive (RFC 3550, A.3 and A.8), how loud they are.
 *
 * Owner:   its transport (transport->sources). Thread: the worker's.
 * Owns:    nothing else; its sinks hang on `base`.
 */
#pragma once

#include "media/missing.h"
#include "media/rtp_count.h"
#include "media/worker.h"
#include "wire/rtcp.h"

struct rtp_source {
	struct source base;
	struct list link; /* transport->sources */
	struct transport *transport;
	struct media_source_config config;

	bool has_ssrc; /* from the SDP, or learned */
	uint32_t ssrc;

	/* Reception of that SSRC. */
	struct rtp_count count;
	uint32_t last_timestamp;
	uint32_t clock_hz; /* of the last packet's codec */
	uint64_t heard_us; /* the last packet or report of it, or when it was opened */
	struct missing missing; /* when its sender may be asked */
	uint32_t asked; /* packets, by NACK */
	uint32_t last_sr; /* middle bits of its NTP time, 0 = none */
	uint64_t last_sr_us;
};

MUST_USE int rtp_source_new(struct rtp_source **ret, struct transport *t, media_id id,
	const struct media_source_config *c);
struct rtp_source *rtp_source_free(struct rtp_source *s); /* and every sink that hears it */

bool rtp_source_takes(const struct rtp_source *s, uint8_t payload_type);
void rtp_source_set_ssrc(struct rtp_source *s, uint32_t ssrc); /* reception counts anew */
void rtp_source_forget_ssrc(struct rtp_source *s);
/* One packet of its SSRC, in the clear. */
void rtp_source_receive(struct rtp_source *s, const struct rtp_view *v, uint64_t now_us);
/* `ntp` is when the report was made, by our clock. */
void rtp_source_sender_report(
	struct rtp_source *s, const struct rtcp_sender *r, uint64_t ntp, uint64_t now_us);
/* What it tells its sender; false when there is nothing to tell yet. */
MUST_USE bool rtp_source_report(struct rtp_source *s, struct rtcp_report *ret, uint64_t now_us);
/* Asks again for what did not come, when that is due. */
void rtp_source_tick(struct rtp_source *s, uint64_t now_us);

/* media/sink.h - a copy of a source that leaves by a transport: one SSRC, and a sequence and a
 * clock that never jump, whatever the source does (mute, pause, restart, another sender).
 *
 * Owner:   its transport (transport->sinks). It goes when its source goes.
 * Owns:    what may be sent again. Thread: the worker's.
 */
#pragma once

#include "media/resend.h"
#include "media/rtp_heard.h"
#include "media/worker.h"
#include "wire/rtcp.h"

struct sink {
	struct map_node by_id; /* worker_sinks() */
	struct source_sink base;
	struct list link; /* transport->sinks */
	struct transport *transport;
	struct media_sink_config config;
	media_id id;
	uint32_t clock_hz; /* of what it was sent last, as is ... */
	uint8_t sent_pt;   /* ... this */

	/* out = in + shift, until the next beginning. */
	bool sent_any, begin_anew;
	uint32_t in_ssrc;
	unsigned in_epoch;
	uint16_t in_first_seq, in_last_seq;
	uint16_t seq_shift;
	uint32_t timestamp_shift;

	/* The newest packet that left. */
	uint16_t seq;
	uint32_t timestamp;
	uint64_t sent_us;
	uint64_t opened_us;
	uint32_t packets, octets;
	uint64_t report_due_ms;

	struct resend *resend; /* NULL: NACK was not negotiated */
	struct rtp_heard heard; /* what its receiver told */
	uint32_t asked, resent; /* packets: by NACK, and those it got */
};

MUST_USE int sink_new(struct sink **ret, struct transport *t, struct source *source, media_id id,
	const struct media_sink_config *c);
struct sink *sink_free(struct sink *s);
void sink_pause(struct sink *s, bool paused);
/* SR and SDES when they are due. */
void sink_tick(struct sink *s, uint64_t now_us);
/* A report about it came. */
void sink_reported(struct sink *s, const struct rtcp_report *r, uint64_t now_us);
/* Its receiver misses packet `seq` of ours. */
void sink_asked(struct sink *s, uint16_t seq, uint64_t now_us);

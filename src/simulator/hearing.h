/* simulator/hearing.h - whether the RTP that a caller sends is right: payload numbers, one SSRC, timestamps that
 * go on as the samples do, a packet every ptime, from the address that was promised (RFC 3550, RFC 4733).
 *
 * Owner:   a voice embeds it; zeroed memory is a valid start.
 * Owns:    nothing. Pure: the time is given. Thread: its owner's.
 */
#pragma once

#include "media/codec.h"
#include "media/g722.h"
#include "wire/rtp.h"

struct hearing {
	uint32_t packets, events, noise; /* sound; RFC 4733; comfort noise */
	uint32_t wrong_source, wrong_type, wrong_size;
	uint32_t malformed; /* or, with SRTP, not opened by the key */
	uint32_t lost, late, doubled; /* by sequence numbers */
	uint32_t ssrcs;               /* that were heard; 1 is right */
	uint32_t bad_timestamps;      /* jumps that are no pause: no marker with them */
	uint32_t gaps;                /* pauses of 200 ms and more */
	uint32_t sound_ms, quiet_ms;  /* by loudness */
	uint32_t last_sound_at;       /* value of sound_ms + quiet_ms when the last sound came */
	uint64_t interval_sum_us, intervals, interval_max_us;

	bool started;
	uint32_t ssrc, timestamp;
	uint16_t seq, sound_seq;
	bool event_between;
	uint64_t last_us, sound_us;
	struct g722_coder g722;
};

struct hearing_expects {
	uint8_t types[4]; /* payload numbers of sound */
	size_t type_count;
	uint8_t dtmf_type; /* 0 = none */
	enum codec codec;
};

/* What a packet is; the caller hands keys on. */
enum heard { HEARD_SOUND, HEARD_EVENT, HEARD_NOISE, HEARD_NOTHING };
enum heard hearing_packet(
	struct hearing *h, const struct hearing_expects *e, const struct rtp_view *rtp, uint64_t now_us);

/* "good", or the first fault in a word: "nothing", "source", "key" (nothing else came), "type", "ssrc", "timestamps", "cadence". */
const char *hearing_verdict(const struct hearing *h);
uint32_t hearing_mean_us(const struct hearing *h); /* between packets, pauses aside */

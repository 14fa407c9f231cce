/* cli/doctor_rtp.h - the doctor's own end of a call's sound: a quiet tone goes out for some seconds, and
 * what comes in is counted.
 *
 * Owner:   cli/doctor_call.c. Owns: two UDP sockets (RTP, RTCP) and a timer. Thread: its loop's.
 */
#pragma once

#include "net/loop.h"
#include "media/rtp_count.h"

#include <sys/socket.h>

struct doctor_rtp;

struct doctor_rtp_result {
	uint64_t sent, received, lost; /* packets */
	uint64_t elsewhere;            /* of those received, from another address than the SDP named */
	uint64_t other_payload;        /* with a payload type that was not agreed on; not in `received` */
	unsigned jitter_ms;
	bool reported;          /* the far end's RTCP said how it hears us */
	unsigned far_lost_percent, far_jitter_ms;
	struct sockaddr_storage from; /* of the last packet */
};

/* A free pair of ports within [first, last]; any when first is 0. */
MUST_USE int doctor_rtp_open(struct doctor_rtp **ret, struct loop *l, const struct sockaddr *bind, uint16_t first,
	uint16_t last);
uint16_t doctor_rtp_port(const struct doctor_rtp *r);
/* PCMU, 20 ms a packet, until it is closed. */
void doctor_rtp_start(struct doctor_rtp *r, const struct sockaddr *to);
void doctor_rtp_result(const struct doctor_rtp *r, struct doctor_rtp_result *ret);
struct doctor_rtp *doctor_rtp_close(struct doctor_rtp *r); /* takes NULL */

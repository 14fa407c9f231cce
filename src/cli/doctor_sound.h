/* cli/doctor_sound.h - the sound of the doctor's calls: a phone leg as the server's calls have one, with the
 * trunk's codecs, its encryption and its IP version. A tone goes out, and what comes in is counted.
 *
 * Owner:   cli/doctor_call.c.
 * Owns:    a data plane of its own (inside the loop), its leg, and what was said and agreed on, with the keys.
 * Thread:  its loop's.
 * Life:    open -> offer, aimed, give_up (as sip/call.h asks) -> answered -> measured, each second -> close.
 */
#pragma once

#include "call/negotiate.h"
#include "net/address.h"
#include "net/loop.h"

struct doctor_sound;

struct doctor_sound_config {
	const Livekit__SIPOutboundTrunkInfo *trunk;
	const struct trunk_options *options;
	const char *ip, *ip6;    /* ours, for the SDP; ip6 NULL = none. They outlive it */
	uint16_t first, last;    /* RTP ports; 0 = any */
	/* The leg's figures, every second from the answer on. */
	void (*measured)(void *owner, const struct media_leg_stats *stats);
	void *owner;
};

/* Returns 0, or -errno: no port, no memory. */
MUST_USE int doctor_sound_open(struct doctor_sound **ret, struct loop *l, const struct doctor_sound_config *c);
struct doctor_sound *doctor_sound_close(struct doctor_sound *s); /* takes NULL */

/* Bodies: valid until the next one is written; empty: there is none. */
struct span doctor_sound_offer(struct doctor_sound *s);
struct span doctor_sound_aimed(struct doctor_sound *s, int family); /* empty: the last one holds */
struct span doctor_sound_give_up(struct doctor_sound *s); /* encryption; empty: the trunk requires it */
/* From here on sound flows, when ANSWER_OK. */
MUST_USE enum answer_outcome doctor_sound_answered(struct doctor_sound *s, struct span tag, struct span body);

const char *doctor_sound_ours(const struct doctor_sound *s, char out[ADDRESS_TEXT_SIZE]);
/* Once it is answered: where the far end's is, "PCMU", and "AES_CM_128_HMAC_SHA1_80" or NULL (in clear). */
const char *doctor_sound_theirs(const struct doctor_sound *s, char out[ADDRESS_TEXT_SIZE]);
const char *doctor_sound_codec(const struct doctor_sound *s);
const char *doctor_sound_encryption(const struct doctor_sound *s);

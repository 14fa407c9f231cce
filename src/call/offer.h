/* call/offer.h - the trunk's SDP: our offer, and what the answer means for the leg. Pure.
 *
 * Owner, owns: nothing. Thread: any.
 */
#pragma once

#include "base/writer.h"
#include "media/media.h"

#include "livekit_sip.pb-c.h"

enum {
	OFFER_SIZE = 2048,
	OFFER_DTMF_PT = 101, /* what livekit-sip and most user agents use */
};

enum { OFFER_CODECS_MAX = 2 };

struct offer_security; /* call/offer_security.h */

struct offer {
	const char *ip;
	uint16_t rtp_port;
	uint64_t session_id;
	enum codec codecs[OFFER_CODECS_MAX]; /* best first */
	size_t codec_count;
	const struct offer_security *security; /* NULL = in clear */
};
/* PCMU and PCMA; the media's list puts its own first, or allows no others (only_listed_codecs).
 * Codecs that we do not have are passed over: *count may become 0. `media` may be NULL. */
void offer_choose_codecs(enum codec ret[OFFER_CODECS_MAX], size_t *count, const Livekit__SIPMediaConfig *media);
/* These codecs and telephone-event, 20 ms (RFC 3264, RFC 4733). */
void offer_write(struct writer *w, const struct offer *o);

/* Named outcomes of answer_read(). */
enum answer_outcome {
	ANSWER_OK,
	ANSWER_E_SDP,      /* not readable as SDP */
	ANSWER_E_NO_AUDIO, /* no usable audio section: refused, or port 0 */
	ANSWER_E_CODEC,    /* none of the codecs that we offered */
	ANSWER_E_ADDRESS,  /* its c= line is no address literal */
	ANSWER_E_IN_CLEAR, /* no SRTP, and the trunk requires it */
	ANSWER_E_CRYPTO,   /* SRTP, but with no key that fits */
	ANSWER_E_UNWANTED, /* SRTP, and the trunk has it disabled */
	ANSWER__COUNT,
};
/* The answer to what `security` last offered. */
MUST_USE enum answer_outcome answer_read(
	struct media_leg_remote *ret, struct span body, const struct offer_security *security);
const char *answer_outcome_text(enum answer_outcome o);
/* What to do about it, for a person; NULL when the codecs are to blame. */
const char *answer_outcome_advice(enum answer_outcome o);

/* call/offer.h - the trunk's SDP: our offer, and what a section of theirs means for the leg. Pure.
 * Who offered what when, and what was agreed, is call/negotiate.h's.
 *
 * Owner, owns: nothing. Thread: any.
 */
#pragma once

#include "base/writer.h"
#include "media/media.h"
#include "wire/sdp.h"

#include "livekit_sip.pb-c.h"

enum {
	OFFER_SIZE = 1024,
	OFFER_DTMF_PT = 101, /* what livekit-sip and most user agents use */
};

enum { OFFER_CODECS_MAX = 2 };

struct offer {
	const char *ip;
	uint16_t rtp_port;
	uint64_t session_id, session_version;
	enum codec codecs[OFFER_CODECS_MAX]; /* best first */
	size_t codec_count;
	enum sdp_direction direction;
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
	ANSWER_E_NONE,     /* no SDP at all where one is due */
	ANSWER__COUNT,
};
/* The section that we talk in: the first of audio that is RTP and not refused. NULL = none. */
const struct sdp_media *offer_find_audio(const struct sdp *theirs);
/* What a section of theirs, offered or answered, means for our leg: a codec of `ours`, its payload
 * numbers, the addresses, the direction as seen from us. */
MUST_USE enum answer_outcome offer_read_audio(struct media_leg_remote *ret, const struct sdp_media *m,
	const struct offer *ours);
const char *answer_outcome_text(enum answer_outcome o);

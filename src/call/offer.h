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
	OFFER_SIZE = 2048,
	OFFER_DTMF_PT = 101, /* what livekit-sip and most user agents use */
	OFFER_OPUS_PT = 111,
	OFFER_DTMF_48000_PT = 110, /* beside Opus (RFC 4733, 2.1: the clock of the sound) */
	OFFER_CODECS_MAX = 4,
};

struct offer_security; /* call/offer_security.h */

struct offer {
	const char *ip;
	uint16_t rtp_port;
	uint64_t session_id, session_version;
	enum codec codecs[OFFER_CODECS_MAX]; /* best first */
	size_t codec_count;
	enum sdp_direction direction;
	struct offer_security *security; /* NULL = in clear */
};
/* G722, PCMU and PCMA, as livekit-sip offers them; the media's list puts its own first, Opus among
 * them, or allows no others (only_listed_codecs). Codecs that we do not have are passed over: *count may become 0. `media` may be NULL. */
void offer_choose_codecs(enum codec ret[OFFER_CODECS_MAX], size_t *count, const Livekit__SIPMediaConfig *media);
/* How one of them is described under this number. */
struct sdp_audio_format offer_format(enum codec codec, uint8_t pt);
/* These codecs and telephone-event, 20 ms (RFC 3264, RFC 4733). */
void offer_write(struct writer *w, const struct offer *o);

/* Named outcomes of answer_read(). */
enum answer_outcome {
	ANSWER_OK,
	ANSWER_E_SDP,      /* not readable as SDP */
	ANSWER_E_NO_AUDIO, /* no usable audio section: refused, or port 0 */
	ANSWER_E_CODEC,    /* none of the codecs that we offered */
	ANSWER_E_ADDRESS,  /* its c= line is no address literal: names are not asked about in mid-call */
	ANSWER_E_FAMILY,   /* an IPv4 address, and our own in the SDP is IPv6; or the other way round */
	ANSWER_E_NONE,     /* no SDP at all where one is due */
	/* Of call/offer_security.h: */
	ANSWER_E_IN_CLEAR, /* no SRTP, and the trunk requires it */
	ANSWER_E_CRYPTO,   /* SRTP, but with no key that fits */
	ANSWER_E_UNWANTED, /* SRTP, and the trunk has it disabled */
	ANSWER__COUNT,
};
/* What a section of theirs, offered or answered, means for our leg: a codec of `ours`, its payload
 * numbers, the addresses, the direction as seen from us. In clear: keys are offer_security.h's. */
MUST_USE enum answer_outcome offer_read_audio(struct media_leg_remote *ret, const struct sdp_media *m,
	const struct offer *ours);
/* It was an answer: what they send bears the numbers of our offer (RFC 3264, 5.1); many use their own
 * all the same, which are taken where they are not ours for something else. */
void offer_expect_our_numbers(struct media_leg_remote *terms);
/* Whether codecs, numbers and packet times are the same. */
bool offer_same_formats(const struct media_leg_remote *a, const struct media_leg_remote *b);
const char *answer_outcome_text(enum answer_outcome o);
bool answer_is_about_keys(enum answer_outcome o); /* one of the last three */

/* call/offer_security.h - SRTP in a call's descriptions (LiveKit's media_encryption): which a=crypto
 * lines ours have (RFC 4568), or whose certificate a DTLS handshake will show (RFC 5763), what an
 * answer to them means, and how an offer of the far end is answered. Keys of SDES are made here and
 * live here and in the leg, nowhere else.
 *
 *   DISABLE  RTP/AVP, no keys; an offer of SRTP is refused
 *   ALLOW    offered as SRTP; an answer in clear is taken; refused, it is offered again in clear
 *   REQUIRE  SRTP or nothing
 *
 * Owner:   the call.
 * Owns:    keys; offer_security_fini() wipes them.
 * Thread:  the control thread. Nothing here allocates.
 */
#pragma once

#include "call/offer.h"
#include "trunk/options.h"
#include "wire/sdp.h"

enum offer_security_mode {
	OFFER_SECURITY_DISABLE,
	OFFER_SECURITY_ALLOW,
	OFFER_SECURITY_REQUIRE,
};

struct offer_security {
	enum offer_security_mode mode;
	bool suites[SDP_CRYPTO__SUITES]; /* that may be used */
	bool mki, best_effort, rtcp_mux, dtls; /* the trunk's options */
	const char *fingerprint;   /* of our certificate; NULL = no DTLS */
	struct media_ice ice;      /* ours, for DTLS */
	/* Of our next offer: all that we can do, and after offer_security_agree() what was agreed on. */
	const char *protocol;
	struct sdp_crypto lines[SDP_CRYPTO__SUITES]; /* each with its key, best first */
	size_t line_count;
	bool offers_dtls;
};

/* What our answer to an offer says. */
struct offer_security_reply {
	const char *protocol;
	bool secure, rtcp_mux;
	struct sdp_crypto line; /* ours, when `secure`: wiped by the owner */
	const char *fingerprint, *setup; /* NULL = no DTLS */
	const struct media_ice *ice;     /* NULL = none */
};

/* `trunk` with the request's media merged in. No trunk, no options: zeros. */
enum offer_security_mode offer_security_mode_of(const Livekit__SIPOutboundTrunkInfo *trunk);
/* Makes a key for each suite that is offered. `fingerprint` is media_fingerprint() and outlives it;
 * NULL = no DTLS. */
void offer_security_init(struct offer_security *s, enum offer_security_mode mode,
	const struct trunk_options *options, const char *fingerprint);
void offer_security_fini(struct offer_security *s); /* zeroed memory is fine */

/* The far end refused our offer of SRTP (415, 488, 606). True: it is to be offered again, and from
 * now on that is in clear. */
bool offer_security_give_up(struct offer_security *s);
/* Protocol, crypto and rtcp-mux of what sdp_write_audio() shall write: as an offer, as an answer. */
void offer_security_describe(const struct offer_security *s, struct sdp_audio_offer *o);
void offer_security_describe_reply(const struct offer_security_reply *r, struct sdp_audio_offer *o);

/* From here on `s` may be NULL, which is as DISABLE.
 * The audio section to use: the safest that the mode allows, else the first; NULL = none at all. */
const struct sdp_media *offer_security_section(const struct offer_security *s, const struct sdp *sdp);
/* The far end's answer to our offer. Sets `secure`, `keys` and `rtcp_mux` of *ret. ANSWER_OK,
 * ANSWER_E_IN_CLEAR, ANSWER_E_CRYPTO, ANSWER_E_UNWANTED, ANSWER_E_NO_AUDIO. */
MUST_USE enum answer_outcome offer_security_answered(
	const struct offer_security *s, struct media_leg_remote *ret, const struct sdp_media *m);
/* An offer of the far end's (re-INVITE, UPDATE), and our reply. `before` is what holds until now
 * (NULL: nothing does): the same key of theirs keeps ours (RFC 4568, 7.1.4), else it is a new one.
 * Outcomes as above: 488 is owed, and what was agreed on goes on. */
MUST_USE enum answer_outcome offer_security_offered(const struct offer_security *s,
	struct media_leg_remote *ret, struct offer_security_reply *reply, const struct sdp_media *m,
	const struct media_leg_remote *before);
/* These terms hold from now on, whoever offered: our later offers say them again. */
void offer_security_agree(struct offer_security *s, const struct media_leg_remote *terms);
/* "AES_CM_128_HMAC_SHA1_80" and so on, "DTLS-SRTP"; NULL = in clear. */
const char *offer_security_name(const struct media_leg_remote *terms);
/* Whether packets would be protected alike. */
bool offer_security_same(const struct media_leg_remote *a, const struct media_leg_remote *b);

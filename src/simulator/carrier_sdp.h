/* simulator/carrier_sdp.h - what a carrier makes of an offer, and the SDP it answers. Pure: spans point into
 * the caller's text only while it reads.
 *
 * Owner:   the call. Owns: nothing. Thread: any.
 */
#pragma once

#include "base/writer.h"
#include "media/codec.h"
#include "simulator/carrier_quirk.h"
#include "simulator/carrier_refusal.h"
#include "wire/sdp.h"

#include <sys/socket.h>

enum { CARRIER_FORMATS_MAX = 4 };

struct carrier_format {
	enum codec codec;
	uint8_t pt; /* the offerer's number */
};

/* What was agreed on, from the carrier's side. */
struct carrier_media {
	struct sockaddr_storage to; /* where the peer hears */
	bool to_nowhere;            /* c=0.0.0.0, port 0 */
	enum sdp_direction theirs;  /* direction as the peer wrote it */
	struct carrier_format formats[CARRIER_FORMATS_MAX]; /* the first is what we send */
	size_t format_count;
	uint8_t dtmf_pt; /* 0 = none */
	uint16_t ptime_ms; /* the peer's wish; 0 = none */
	bool secure;       /* RTP/SAVP, with the peer's key */
	struct sdp_crypto crypto;
};

/* REFUSE_NOT, or why the carrier does not take this offer (or answer). */
enum refusal carrier_media_read(struct carrier_media *ret, const struct quirks *q, struct span body, bool over_tls);

struct carrier_sdp {
	const char *ip;
	uint16_t port;
	uint64_t id, version;
	const struct carrier_format *formats;
	size_t format_count;
	uint8_t dtmf_pt;
	enum sdp_direction direction;
	bool zero; /* c=0.0.0.0, the hold of RFC 2543 */
	const struct sdp_crypto *crypto; /* ours; NULL = RTP/AVP */
};
void carrier_sdp_write(struct writer *w, const struct quirks *q, const struct carrier_sdp *s);

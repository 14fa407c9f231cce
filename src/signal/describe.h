/* signal/describe.h - the session descriptions that a room server says: struct in, text out.
 *
 * Pure: no session, no media. What is offered or answered is decided in negotiate.c; this file only
 * knows how it is spelled (RFC 8829, RFC 8839, RFC 8841, RFC 8843).
 *
 * Owner:   the caller. Owns: nothing; the text goes into the caller's buf.
 * Thread:  any.
 */
#pragma once

#include "base/buf.h"
#include "wire/sdp.h"

enum describe_what {
	DESCRIBE_AUDIO,
	DESCRIBE_DATA,
	DESCRIBE_UNUSED, /* a section we take no part in: inactive, its first format echoed */
	DESCRIBE_REFUSED, /* port 0: not even that is possible */
};

enum { DESCRIBE_CODECS_MAX = 3 };

struct describe_codec {
	uint8_t pt;
	const char *rtpmap; /* "opus/48000/2" */
	char fmtp[96];      /* "" = none */
	bool nack;          /* RFC 4585: lost packets may be asked for */
};

struct describe_section {
	enum describe_what what;
	struct span kind, protocol;  /* as the offer spelled them; empty = ours */
	struct span mid;
	enum sdp_direction direction;
	struct describe_codec codecs[DESCRIBE_CODECS_MAX]; /* best first */
	size_t codec_count;
	uint8_t mid_ext, level_ext;  /* 0 = not negotiated */
	const char *stream, *track;  /* a=msid; NULL = none */
	uint32_t ssrc;               /* 0 = none */
	const char *cname;
	const struct sdp_format *echo; /* UNUSED: the format that is echoed, or NULL */
};

/* A host candidate (RFC 8839, 5.1). */
struct describe_candidate {
	const char *ip;
	uint16_t port;
	bool tcp; /* RFC 6544: we wait for the client to connect */
};

struct describe {
	uint64_t origin_id, origin_version;
	const char *ufrag, *pwd, *fingerprint;
	const char *setup;           /* "actpass", "active", "passive" */
	const struct describe_candidate *candidates; /* best first */
	size_t candidate_count;
	struct describe_section *sections;
	size_t section_count;
};

/* Appends to `b`. Returns 0, BUF_E_FULL or a negative error. */
MUST_USE int describe_write(struct buf *b, const struct describe *d);

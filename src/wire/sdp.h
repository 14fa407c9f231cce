/* wire/sdp.h - session descriptions (RFC 8866): text <-> structs, for the room (RFC 8829 kind) and
 * for trunks alike. Pure and bounded.
 *
 * Owner:   the caller.
 * Owns:    struct sdp owns nothing: every span points into the text that was parsed (names of
 *          static payload types: into constants), so the text must outlive it. Writing goes
 *          through base/writer.h.
 * Thread:  any.
 */
#pragma once

#include "base/limits.h"
#include "base/reader.h"
#include "base/writer.h"
#include "wire/sdp_crypto.h"

enum sdp_direction { SDP_SENDRECV, SDP_SENDONLY, SDP_RECVONLY, SDP_INACTIVE };

enum {
	SDP_FORMATS_MAX = 64, /* payload types of one section; more are ignored */
	SDP_EXTMAP_MAX = 24,
	SDP_SSRC_MAX = 8,
	SDP_CRYPTO_MAX = 12, /* a=crypto lines of one section; more are ignored */
	SDP_CANDIDATES_MAX = 16,
	SDP_SECTIONS_MAX = 64, /* plenty for a trunk; rooms take LIMIT_SDP_MEDIA */
};

struct sdp_format {
	uint8_t pt;
	struct span name;   /* "opus", as written; static types without rtpmap get theirs */
	uint32_t clock_hz;
	uint8_t channels;   /* 1 when not said */
	struct span fmtp;   /* empty when none */
	bool nack;          /* a=rtcp-fb:<pt> nack */
};

struct sdp_extmap {
	uint8_t id;
	struct span uri;
};

struct sdp_media {
	struct span kind;     /* "audio", "application", "video" */
	uint16_t port;
	struct span protocol; /* "RTP/AVP", "UDP/TLS/RTP/SAVPF", "UDP/DTLS/SCTP" */
	struct span format_list; /* the rest of the m= line, as written */
	struct sdp_format formats[SDP_FORMATS_MAX];
	size_t format_count;
	struct span connection; /* address of c=, section's or else session's */
	enum sdp_direction direction;
	struct span mid, msid_stream, msid_track;
	struct sdp_extmap extmap[SDP_EXTMAP_MAX];
	size_t extmap_count;
	uint32_t ssrc[SDP_SSRC_MAX];
	size_t ssrc_count;
	/* The section's own, or else the session's. */
	struct span ice_ufrag, ice_pwd, fingerprint_hash, fingerprint, setup;
	bool rtcp_mux, bundle_only;
	uint16_t rtcp_port;   /* a=rtcp, 0 when absent */
	uint16_t sctp_port;
	uint32_t max_message_size;
	uint16_t ptime_ms, maxptime_ms;
	struct span crypto[SDP_CRYPTO_MAX]; /* of a=crypto, for sdp_crypto_parse() */
	size_t crypto_count;
	struct span candidates[SDP_CANDIDATES_MAX]; /* of a=candidate (RFC 8839, 5.1) */
	size_t candidate_count;
};

struct sdp {
	struct span origin_username, origin_id, origin_version, origin_address;
	struct span session_name, connection;
	struct span bundle; /* the mids of a=group:BUNDLE, as written */
	bool ice_lite, extmap_allow_mixed;
	struct sdp_media *media; /* storage given by the caller */
	size_t media_count;
};

/* Why a text was refused: a name for the counters and a sentence for the sender. */
enum sdp_error {
	SDP_OK,
	SDP_E_SIZE,     /* larger than LIMIT_SDP_BYTES */
	SDP_E_LINE,     /* not "x=value" */
	SDP_E_VERSION,
	SDP_E_MEDIA,    /* an m= line that cannot be read */
	SDP_E_SECTIONS, /* more sections than `media_max` */
	SDP_E_EMPTY,    /* no m= line */
	SDP_E__COUNT,
};
/* `ret` and `media` are filled only as far as it was read when the text is refused. */
MUST_USE enum sdp_error sdp_parse(
	struct sdp *ret, struct sdp_media *media, size_t media_max, struct span text);
const char *sdp_error_text(enum sdp_error e);

const struct sdp_format *sdp_find_format(
	const struct sdp_media *m, const char *name, uint32_t clock_hz);
uint8_t sdp_extmap_id(const struct sdp_media *m, const char *uri); /* 0 = none */
const char *sdp_direction_text(enum sdp_direction d);

/* The trunk's side: one audio section (RFC 3264 offer or answer). */
struct sdp_audio_format {
	uint8_t pt;
	const char *name;
	uint32_t clock_hz;
	uint8_t channels; /* 0 and 1 are not written */
	const char *fmtp; /* NULL = none */
};
struct sdp_audio_offer {
	const char *ip;      /* IPv4 or IPv6 literal */
	uint16_t port;
	uint64_t session_id, session_version;
	const struct sdp_audio_format *formats;
	size_t format_count;
	uint8_t dtmf_pt;     /* 0 = none */
	uint32_t dtmf_hz;    /* 0 = 8000 */
	uint8_t ptime_ms;
	enum sdp_direction direction;
	const char *protocol; /* NULL = RTP/AVP */
	const struct sdp_crypto *crypto; /* best first */
	size_t crypto_count;
	bool rtcp_mux;
	/* DTLS-SRTP (RFC 5763): "AB:CD:..." of SHA-256, NULL = none; "actpass", "active", "passive". */
	const char *fingerprint, *setup;
	/* ICE, of which we do the answering half (RFC 8445, 2.5); NULL = none. */
	const char *ice_ufrag, *ice_pwd;
};
/* `w->bad` afterwards: it did not fit. */
void sdp_write_audio(struct writer *w, const struct sdp_audio_offer *offer);
/* The two parts of it, for answers of several sections. */
void sdp_write_session(struct writer *w, const struct sdp_audio_offer *offer);
void sdp_write_audio_section(struct writer *w, const struct sdp_audio_offer *offer);
/* An answer's section for one that is not taken: port 0 (RFC 3264 section 6). Sets `bad` when the
 * words of theirs are none that one could send back. */
void sdp_write_refused(struct writer *w, const struct sdp_media *theirs);

#include "signal/describe.h"

#include <inttypes.h>

/* RFC 8445, 5.1.2: 126 is the type preference of host candidates. RFC 6544, 4.2: TCP is less wanted,
 * and 4 is the direction preference of those who wait. */
static uint32_t candidate_priority(const struct describe_candidate *c, size_t index)
{
	enum { HOST = 126, HOST_TCP = 99, PASSIVE = 4, OTHERS_MAX = 8191 };
	uint32_t worse = (uint32_t)(index < OTHERS_MAX ? index : OTHERS_MAX);

	if (c->tcp)
		return (uint32_t)HOST_TCP << 24 | (PASSIVE << 13 | (OTHERS_MAX - worse)) << 8 | 255;
	return (uint32_t)HOST << 24 | (65535 - worse) << 8 | 255;
}

static const char *ip_version(const char *ip)
{
	return strchr(ip, ':') ? "IP6" : "IP4";
}

static int write_session(struct buf *b, const struct describe *d)
{
	int r = buf_format(b,
		"v=0\r\no=- %" PRIu64 " %" PRIu64 " IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
		"a=ice-lite\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS *\r\n",
		d->origin_id, d->origin_version);
	if (r)
		return r;
	r = buf_add_text(b, "a=group:BUNDLE");
	for (size_t i = 0; !r && i < d->section_count; ++i) {
		const struct describe_section *s = &d->sections[i];
		if (s->what != DESCRIBE_REFUSED)
			r = buf_format(b, " %.*s", (int)s->mid.size, (const char *)s->mid.data);
	}
	return r ? r : buf_add_text(b, "\r\n");
}

static int write_formats(struct buf *b, const struct describe_section *s)
{
	int r = 0;
	if (s->what == DESCRIBE_DATA || span_is(s->kind, "application"))
		return buf_add_text(b, " webrtc-datachannel");
	if (s->what == DESCRIBE_AUDIO) {
		for (size_t i = 0; !r && i < s->codec_count; ++i)
			r = buf_format(b, " %u", s->codecs[i].pt);
		return r;
	}
	return buf_format(b, " %u", s->echo ? s->echo->pt : 0);
}

/* RFC 8839, 4.2.1.2: what the m-line names. With no UDP it is nothing, the candidates say more. */
static const struct describe_candidate *default_candidate(const struct describe *d)
{
	static const struct describe_candidate none = {.ip = "0.0.0.0", .port = 9};
	for (size_t i = 0; i < d->candidate_count; ++i)
		if (!d->candidates[i].tcp)
			return &d->candidates[i];
	return &none;
}

static int write_media_line(
	struct buf *b, const struct describe *d, const struct describe_section *s)
{
	struct span kind = s->kind, protocol = s->protocol;
	if (!kind.size)
		kind = span_text(s->what == DESCRIBE_DATA ? "application" : "audio");
	if (!protocol.size)
		protocol = span_text(
			s->what == DESCRIBE_DATA ? "UDP/DTLS/SCTP" : "UDP/TLS/RTP/SAVPF");

	const struct describe_candidate *c = default_candidate(d);
	int r = buf_format(b, "m=%.*s %u %.*s", (int)kind.size, (const char *)kind.data,
		s->what == DESCRIBE_REFUSED ? 0 : c->port, (int)protocol.size,
		(const char *)protocol.data);
	if (!r)
		r = write_formats(b, s);
	const char *ip = c->ip;
	return r ? r : buf_format(b, "\r\nc=IN %s %s\r\n", ip_version(ip), ip);
}

static int write_transport(struct buf *b, const struct describe *d)
{
	return buf_format(b,
		"a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:sha-256 %s\r\na=setup:%s\r\n",
		d->ufrag, d->pwd, d->fingerprint, d->setup);
}

static int write_candidates(struct buf *b, const struct describe *d)
{
	int r = 0;
	for (size_t i = 0; !r && i < d->candidate_count; ++i) {
		const struct describe_candidate *c = &d->candidates[i];
		r = buf_format(b, "a=candidate:%zu 1 %s %" PRIu32 " %s %u typ host%s\r\n", i + 1,
			c->tcp ? "tcp" : "udp", candidate_priority(c, i), c->ip, c->port,
			c->tcp ? " tcptype passive" : "");
	}
	return r;
}

static int write_codecs(struct buf *b, const struct describe_section *s)
{
	int r = 0;
	for (size_t i = 0; !r && i < s->codec_count; ++i) {
		const struct describe_codec *c = &s->codecs[i];
		r = buf_format(b, "a=rtpmap:%u %s\r\n", c->pt, c->rtpmap);
		if (!r && c->fmtp[0])
			r = buf_format(b, "a=fmtp:%u %s\r\n", c->pt, c->fmtp);
		if (!r && c->nack)
			r = buf_format(b, "a=rtcp-fb:%u nack\r\n", c->pt);
	}
	return r;
}

static int write_echo(struct buf *b, const struct sdp_format *f)
{
	if (!f || !f->name.size)
		return 0;
	int r = buf_format(b, "a=rtpmap:%u %.*s/%" PRIu32, f->pt, (int)f->name.size,
		(const char *)f->name.data, f->clock_hz);
	if (!r && f->channels > 1)
		r = buf_format(b, "/%u", f->channels);
	if (!r && f->fmtp.size)
		r = buf_format(b, "\r\na=fmtp:%u %.*s", f->pt, (int)f->fmtp.size,
			(const char *)f->fmtp.data);
	return r ? r : buf_add_text(b, "\r\n");
}

static int write_extensions(struct buf *b, const struct describe_section *s)
{
	int r = 0;
	if (s->level_ext)
		r = buf_format(b, "a=extmap:%u urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n",
			s->level_ext);
	if (!r && s->mid_ext)
		r = buf_format(
			b, "a=extmap:%u urn:ietf:params:rtp-hdrext:sdes:mid\r\n", s->mid_ext);
	return r;
}

static int write_sender(struct buf *b, const struct describe_section *s)
{
	int r = 0;
	if (s->stream)
		r = buf_format(b, "a=msid:%s %s\r\n", s->stream, s->track);
	if (!r && s->ssrc)
		r = buf_format(b, "a=ssrc:%" PRIu32 " cname:%s\r\n", s->ssrc, s->cname);
	if (!r && s->ssrc && s->stream)
		r = buf_format(
			b, "a=ssrc:%" PRIu32 " msid:%s %s\r\n", s->ssrc, s->stream, s->track);
	return r;
}

static int write_rtp(struct buf *b, const struct describe_section *s)
{
	int r = buf_format(b, "a=rtcp-mux\r\na=rtcp-rsize\r\na=%s\r\n",
		sdp_direction_text(s->what == DESCRIBE_UNUSED ? SDP_INACTIVE : s->direction));
	if (!r && s->what == DESCRIBE_UNUSED)
		return write_echo(b, s->echo);
	if (!r)
		r = write_codecs(b, s);
	if (!r)
		r = write_extensions(b, s);
	return r ? r : write_sender(b, s);
}

static int write_data(struct buf *b)
{
	return buf_format(b, "a=sendrecv\r\na=sctp-port:5000\r\na=max-message-size:%d\r\n",
		LIMIT_DATA_PACKET_BYTES);
}

static int write_section(
	struct buf *b, const struct describe *d, const struct describe_section *s, bool candidates)
{
	int r = write_media_line(b, d, s);
	if (!r)
		r = buf_format(b, "a=mid:%.*s\r\n", (int)s->mid.size, (const char *)s->mid.data);
	if (r || s->what == DESCRIBE_REFUSED)
		return r ? r : buf_add_text(b, "a=inactive\r\n");
	r = write_transport(b, d);
	if (!r && candidates)
		r = write_candidates(b, d);
	if (r)
		return r;
	return s->what == DESCRIBE_DATA ? write_data(b) : write_rtp(b, s);
}

int describe_write(struct buf *b, const struct describe *d)
{
	int r = write_session(b, d);
	bool candidates = true; /* once, in the section that carries the bundle */
	for (size_t i = 0; !r && i < d->section_count; ++i) {
		const struct describe_section *s = &d->sections[i];
		r = write_section(b, d, s, candidates);
		if (s->what != DESCRIBE_REFUSED)
			candidates = false;
	}
	return r;
}

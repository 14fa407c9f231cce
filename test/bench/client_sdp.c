#include "test/bench/client_sdp.h"

#include "wire/sdp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { SECTIONS_MAX = 128 };

static bool parse(struct sdp *ret, const char *text)
{
	static struct sdp_media sections[SECTIONS_MAX]; /* one thread, one at a time */
	return sdp_parse(ret, sections, COUNT_OF(sections), span_text(text)) == SDP_OK;
}

uint16_t client_sdp_candidate(const char *text)
{
	for (const char *at = text; (at = strstr(at, "candidate:")); ++at) {
		char protocol[8] = "", address[64] = "";
		unsigned port = 0;
		if (sscanf(at, "candidate:%*s %*u %7s %*u %63s %u", protocol, address, &port) == 3 &&
			strcasecmp(protocol, "udp") == 0 && strcmp(address, "127.0.0.1") == 0)
			return (uint16_t)port;
	}
	return 0;
}

static void copy(char *ret, size_t size, struct span s)
{
	snprintf(ret, size, "%.*s", (int)s.size, (const char *)s.data);
}

bool client_sdp_read(struct client_sdp *ret, const char *text, bool answers)
{
	struct sdp sdp;

	if (!parse(&sdp, text))
		return false;
	*ret = (struct client_sdp){.port = client_sdp_candidate(text)};
	const struct sdp_media *m = &sdp.media[0];
	copy(ret->remote.ufrag, sizeof ret->remote.ufrag, m->ice_ufrag);
	copy(ret->remote.pwd, sizeof ret->remote.pwd, m->ice_pwd);
	copy(ret->remote.fingerprint, sizeof ret->remote.fingerprint, m->fingerprint);
	/* RFC 8445, 6.1.1: the offerer controls, unless the other end is a lite one. */
	ret->remote.controlling = answers || sdp.ice_lite;
	ret->remote.dtls_client = answers ? !span_is(m->setup, "active") : true;
	for (size_t i = 0; i < sdp.media_count; ++i)
		ret->has_data |= span_is(sdp.media[i].kind, "application");
	return true;
}

/* ---- writing ---- */

static void write_session(struct writer *w)
{
	write_text(w, "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n");
}

static void write_transport(struct writer *w, const struct rtc_client *c, const char *setup)
{
	write_format(w,
		"c=IN IP4 127.0.0.1\r\na=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:sha-256 %s\r\n"
		"a=setup:%s\r\na=candidate:1 1 udp 2130706431 127.0.0.1 %u typ host\r\n",
		c->local.ufrag, c->local.pwd, dtls_identity_fingerprint(c->identity), setup, c->port);
}

static void write_mid(struct writer *w, struct span mid)
{
	write_format(w, "a=mid:%.*s\r\n", (int)mid.size, (const char *)mid.data);
}

static void answer_section(struct writer *w, const struct sdp_media *m, const struct rtc_client *c)
{
	const struct sdp_format *opus = sdp_find_format(m, "opus", 48000);
	bool sends = m->direction == SDP_SENDRECV || m->direction == SDP_SENDONLY;

	if (span_is(m->kind, "application")) {
		write_text(w, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n");
		write_transport(w, c, "active");
		write_mid(w, m->mid);
		write_text(w, "a=sctp-port:5000\r\n");
		return;
	}
	write_format(w, "m=%.*s 9 UDP/TLS/RTP/SAVPF %u\r\n", (int)m->kind.size,
		(const char *)m->kind.data, opus ? opus->pt : m->formats[0].pt);
	write_transport(w, c, "active");
	write_mid(w, m->mid);
	write_format(w, "a=rtcp-mux\r\na=%s\r\n", opus && sends ? "recvonly" : "inactive");
	if (opus)
		write_format(w, "a=rtpmap:%u opus/48000/2\r\na=fmtp:%u minptime=10;useinbandfec=1\r\n",
			opus->pt, opus->pt);
}

void client_sdp_write_answer(struct writer *w, const char *offer, const struct rtc_client *c)
{
	struct sdp sdp;

	if (!parse(&sdp, offer))
		return;
	write_session(w);
	write_format(w, "a=group:BUNDLE%s%.*s\r\n", sdp.bundle.size ? " " : "",
		(int)sdp.bundle.size, (const char *)sdp.bundle.data);
	for (size_t i = 0; i < sdp.media_count; ++i)
		answer_section(w, &sdp.media[i], c);
}

void client_sdp_write_offer(struct writer *w, const struct rtc_client *c)
{
	write_session(w);
	write_format(w, "a=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF %u\r\n", PUBLISHER_PT);
	write_transport(w, c, "actpass");
	write_format(w,
		"a=mid:0\r\na=rtcp-mux\r\na=sendonly\r\na=msid:bench " CLIENT_SDP_TRACK
		"\r\na=rtpmap:%u opus/48000/2\r\na=fmtp:%u minptime=10;useinbandfec=1\r\n"
		"a=extmap:%u urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
		"a=ssrc:%" PRIu32 " cname:bench\r\n",
		PUBLISHER_PT, PUBLISHER_PT, LEVEL_EXT, c->ssrc);
}

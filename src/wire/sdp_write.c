#include "wire/sdp.h"

#include <inttypes.h>

enum { DTMF_HZ = 8000 };

static const char *ip_version(const char *ip)
{
	return strchr(ip, ':') ? "IP6" : "IP4";
}

static void write_map(struct writer *w, const struct sdp_audio_format *f)
{
	write_format(w, "a=rtpmap:%u %s/%" PRIu32, f->pt, f->name, f->clock_hz);
	if (f->channels > 1)
		write_format(w, "/%u", f->channels);
	write_text(w, "\r\n");
	if (f->fmtp)
		write_format(w, "a=fmtp:%u %s\r\n", f->pt, f->fmtp);
}

static void write_formats(struct writer *w, const struct sdp_audio_offer *o)
{
	write_format(w, "m=audio %u %s", o->port, o->protocol ? o->protocol : "RTP/AVP");
	for (size_t i = 0; i < o->format_count; ++i)
		write_format(w, " %u", o->formats[i].pt);
	if (o->dtmf_pt)
		write_format(w, " %u", o->dtmf_pt);
	write_text(w, "\r\n");
	for (size_t i = 0; i < o->format_count; ++i)
		write_map(w, &o->formats[i]);
	/* RFC 4733, 2.4.1: the events we understand; 0-15 are the sixteen keys. */
	const struct sdp_audio_format dtmf = {o->dtmf_pt, "telephone-event",
		o->dtmf_hz ? o->dtmf_hz : DTMF_HZ, 1, "0-15"};
	if (o->dtmf_pt)
		write_map(w, &dtmf);
}

void sdp_write_session(struct writer *w, const struct sdp_audio_offer *o)
{
	const char *version = ip_version(o->ip);

	write_format(w, "v=0\r\no=- %" PRIu64 " %" PRIu64 " IN %s %s\r\ns=-\r\n", o->session_id,
		o->session_version, version, o->ip);
	write_format(w, "c=IN %s %s\r\nt=0 0\r\n", version, o->ip);
	if (o->ice_ufrag)
		write_text(w, "a=ice-lite\r\n");
}

/* RFC 8839, 5.1: the one address that we have, of the highest priority (RFC 8445, 5.1.2.1). */
static void write_ice(struct writer *w, const struct sdp_audio_offer *o)
{
	write_format(w, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\n", o->ice_ufrag, o->ice_pwd);
	write_format(w, "a=candidate:1 1 UDP 2130706431 %s %u typ host\r\na=end-of-candidates\r\n",
		o->ip, o->port);
}

void sdp_write_audio_section(struct writer *w, const struct sdp_audio_offer *o)
{
	write_formats(w, o);
	if (o->ptime_ms)
		write_format(w, "a=ptime:%u\r\n", o->ptime_ms);
	for (size_t i = 0; i < o->crypto_count; ++i)
		sdp_crypto_write(w, &o->crypto[i]);
	if (o->fingerprint)
		write_format(w, "a=fingerprint:sha-256 %s\r\na=setup:%s\r\n", o->fingerprint, o->setup);
	if (o->ice_ufrag)
		write_ice(w, o);
	if (o->rtcp_mux)
		write_text(w, "a=rtcp-mux\r\n");
	write_format(w, "a=%s\r\n", sdp_direction_text(o->direction));
}

void sdp_write_audio(struct writer *w, const struct sdp_audio_offer *o)
{
	sdp_write_session(w, o);
	sdp_write_audio_section(w, o);
}

static bool is_word(struct span s)
{
	for (size_t i = 0; i < s.size; ++i)
		if (s.data[i] <= ' ' || s.data[i] >= 0x7f)
			return false;
	return s.size > 0;
}

void sdp_write_refused(struct writer *w, const struct sdp_media *theirs)
{
	struct span format = theirs->format_list;
	const uint8_t *end = format.size ? memchr(format.data, ' ', format.size) : NULL;

	if (end)
		format.size = (size_t)(end - format.data);
	if (!format.size)
		format = span_text("0");
	if (!is_word(theirs->kind) || !is_word(theirs->protocol) || !is_word(format)) {
		w->bad = true;
		return;
	}
	write_text(w, "m=");
	write_span(w, theirs->kind);
	write_text(w, " 0 ");
	write_span(w, theirs->protocol);
	write_u8(w, ' ');
	write_span(w, format);
	write_text(w, "\r\n");
}

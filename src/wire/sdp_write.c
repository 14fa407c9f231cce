#include "wire/sdp.h"

#include <inttypes.h>

static const char *ip_version(const char *ip)
{
	return strchr(ip, ':') ? "IP6" : "IP4";
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
		write_format(w, "a=rtpmap:%u %s/%" PRIu32 "\r\n", o->formats[i].pt,
			o->formats[i].name, o->formats[i].clock_hz);
	/* RFC 4733, 2.4.1: the events we understand; 0-15 are the sixteen keys. */
	if (o->dtmf_pt)
		write_format(w, "a=rtpmap:%u telephone-event/8000\r\na=fmtp:%u 0-15\r\n",
			o->dtmf_pt, o->dtmf_pt);
}

void sdp_write_session(struct writer *w, const struct sdp_audio_offer *o)
{
	const char *version = ip_version(o->ip);

	write_format(w, "v=0\r\no=- %" PRIu64 " %" PRIu64 " IN %s %s\r\ns=-\r\n", o->session_id,
		o->session_version, version, o->ip);
	write_format(w, "c=IN %s %s\r\nt=0 0\r\n", version, o->ip);
}

void sdp_write_audio_section(struct writer *w, const struct sdp_audio_offer *o)
{
	write_formats(w, o);
	if (o->ptime_ms)
		write_format(w, "a=ptime:%u\r\n", o->ptime_ms);
	for (size_t i = 0; i < o->crypto_count; ++i)
		sdp_crypto_write(w, &o->crypto[i]);
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

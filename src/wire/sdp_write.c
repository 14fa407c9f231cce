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

void sdp_write_audio(struct writer *w, const struct sdp_audio_offer *o)
{
	const char *version = ip_version(o->ip);

	write_format(w, "v=0\r\no=- %" PRIu64 " %" PRIu64 " IN %s %s\r\ns=-\r\n", o->session_id,
		o->session_version, version, o->ip);
	write_format(w, "c=IN %s %s\r\nt=0 0\r\n", version, o->ip);
	write_formats(w, o);
	if (o->ptime_ms)
		write_format(w, "a=ptime:%u\r\n", o->ptime_ms);
	for (size_t i = 0; i < o->crypto_count; ++i)
		sdp_crypto_write(w, &o->crypto[i]);
	if (o->rtcp_mux)
		write_text(w, "a=rtcp-mux\r\n");
	write_format(w, "a=%s\r\n", sdp_direction_text(o->direction));
}

#include "simulator/carrier_sdp.h"

#include "net/address.h"

#include <inttypes.h>

static bool speaks(enum codec c)
{
	return c == CODEC_PCMU || c == CODEC_PCMA || c == CODEC_G722;
}

static void take_formats(struct carrier_media *ret, const struct quirks *q, const struct sdp_media *m)
{
	const char *codecs = quirk_text(q, Q_CODECS);
	size_t most = quirk(q, Q_ANSWER) == ANSWER_FIRST ? 1 : CARRIER_FORMATS_MAX;
	for (size_t i = 0; i < m->format_count && ret->format_count < most; ++i) {
		enum codec c = codec_by_name(m->formats[i].name, m->formats[i].clock_hz);
		if (speaks(c) && quirk_list_has(codecs, m->formats[i].name, false))
			ret->formats[ret->format_count++] = (struct carrier_format){c, m->formats[i].pt};
	}
	const struct sdp_format *dtmf = sdp_find_format(m, "telephone-event", 8000);
	ret->dtmf_pt = dtmf ? dtmf->pt : 0;
}

static bool take_address(struct carrier_media *ret, const struct sdp_media *m)
{
	char ip[ADDRESS_TEXT_SIZE] = "";
	if (m->connection.size && m->connection.size < sizeof ip)
		memcpy(ip, m->connection.data, m->connection.size);
	ret->to_nowhere = !m->port || !strcmp(ip, "0.0.0.0") || !strcmp(ip, "::");
	return address_parse(&ret->to, ip, m->port) == 0;
}

static const struct sdp_media *find_audio(const struct sdp *sdp)
{
	for (size_t i = 0; i < sdp->media_count; ++i)
		if (span_is(sdp->media[i].kind, "audio"))
			return &sdp->media[i];
	return NULL;
}

static enum refusal check_security(const struct quirks *q, bool srtp, bool over_tls)
{
	switch (quirk(q, Q_SECURE)) {
	case SECURE_ON:
		if (!over_tls)
			return REFUSE_SECURE_TRANSPORT;
		return srtp ? REFUSE_NOT : REFUSE_SECURE_MEDIA;
	case SECURE_OFF:
		return srtp ? REFUSE_INSECURE_MEDIA : REFUSE_NOT;
	default:
		return REFUSE_NOT;
	}
}

static bool is_srtp(const struct sdp_media *m)
{
	return m->protocol.size >= 4 && memmem(m->protocol.data, m->protocol.size, "SAVP", 4);
}

/* The first line with a suite that Twilio takes, 80 or 32 bits of tag, without MKI. */
static bool take_crypto(struct carrier_media *ret, const struct sdp_media *m)
{
	for (size_t i = 0; i < m->crypto_count; ++i) {
		struct sdp_crypto c;
		if (sdp_crypto_parse(&c, m->crypto[i]) != SDP_CRYPTO_OK || c.mki_bytes)
			continue;
		if (c.suite != SDP_CRYPTO_AES_CM_128_HMAC_SHA1_80 && c.suite != SDP_CRYPTO_AES_CM_128_HMAC_SHA1_32)
			continue;
		ret->crypto = c;
		return true;
	}
	return false;
}

enum refusal carrier_media_read(struct carrier_media *ret, const struct quirks *q, struct span body, bool over_tls)
{
	struct sdp_media sections[4];
	struct sdp sdp;
	*ret = (struct carrier_media){0};
	if (!body.size)
		return REFUSE_NO_SDP;
	if (sdp_parse(&sdp, sections, COUNT_OF(sections), body) != SDP_OK)
		return REFUSE_BAD_SDP;
	const struct sdp_media *m = find_audio(&sdp);
	if (!m || !take_address(ret, m))
		return REFUSE_BAD_SDP;
	ret->secure = is_srtp(m);
	ret->theirs = m->direction;
	ret->ptime_ms = m->ptime_ms;
	enum refusal r = check_security(q, ret->secure, over_tls);
	if (r != REFUSE_NOT)
		return r;
	if (ret->secure && !take_crypto(ret, m))
		return REFUSE_SECURE_MEDIA;
	take_formats(ret, q, m);
	return ret->format_count ? REFUSE_NOT : REFUSE_CODEC;
}

static void write_formats(struct writer *w, const struct carrier_sdp *s)
{
	for (size_t i = 0; i < s->format_count; ++i)
		write_format(w, " %u", s->formats[i].pt);
	if (s->dtmf_pt)
		write_format(w, " %u", s->dtmf_pt);
	write_text(w, "\r\n");
	for (size_t i = 0; i < s->format_count; ++i) {
		const struct codec_facts *f = codec_facts(s->formats[i].codec);
		write_format(w, "a=rtpmap:%u %s/%u\r\n", s->formats[i].pt, f->name, f->clock_hz);
	}
	if (s->dtmf_pt)
		write_format(w, "a=rtpmap:%u telephone-event/8000\r\na=fmtp:%u 0-16\r\n", s->dtmf_pt, s->dtmf_pt);
}

void carrier_sdp_write(struct writer *w, const struct quirks *q, const struct carrier_sdp *s)
{
	const char *version = strchr(s->ip, ':') ? "IP6" : "IP4";
	bool hidden = quirk(q, Q_PRIVATE_SDP);
	write_format(w, "v=0\r\no=root %" PRIu64 " %" PRIu64 " IN %s %s\r\n", s->id, s->version,
		hidden ? "IP4" : version, hidden ? "172.18.155.180" : s->ip);
	write_format(w, "s=Ringdown Media Gateway\r\nc=IN %s %s\r\nt=0 0\r\n", version,
		s->zero ? (version[2] == '6' ? "::" : "0.0.0.0") : s->ip);
	write_format(w, "m=audio %u RTP/%s", s->port, s->crypto ? "SAVP" : "AVP");
	write_formats(w, s);
	if (s->crypto)
		sdp_crypto_write(w, s->crypto);
	write_format(w, "a=ptime:%ld\r\na=maxptime:%ld\r\na=%s\r\n", quirk(q, Q_PTIME), quirk(q, Q_PTIME),
		sdp_direction_text(s->direction));
}

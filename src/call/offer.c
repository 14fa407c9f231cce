#include "call/offer.h"

#include "net/address.h"

static void add_codec(enum codec ret[OFFER_CODECS_MAX], size_t *count, enum codec c)
{
	if (c != CODEC_PCMU && c != CODEC_PCMA)
		return;
	for (size_t i = 0; i < *count; ++i)
		if (ret[i] == c)
			return;
	ret[(*count)++] = c;
}

void offer_choose_codecs(enum codec ret[OFFER_CODECS_MAX], size_t *count, const Livekit__SIPMediaConfig *media)
{
	*count = 0;
	for (size_t i = 0; media && i < media->n_codecs; ++i) {
		const Livekit__SIPCodec *c = media->codecs[i];
		add_codec(ret, count, codec_by_name(span_text(c->name), c->rate ? c->rate : 8000));
	}
	if (media && media->only_listed_codecs)
		return;
	add_codec(ret, count, CODEC_PCMU);
	add_codec(ret, count, CODEC_PCMA);
}

void offer_write(struct writer *w, const struct offer *o)
{
	struct sdp_audio_format formats[OFFER_CODECS_MAX];
	for (size_t i = 0; i < o->codec_count; ++i) {
		const struct codec_facts *facts = codec_facts(o->codecs[i]);
		formats[i] = (struct sdp_audio_format){facts->static_pt, facts->name, facts->clock_hz};
	}
	sdp_write_audio(w, &(struct sdp_audio_offer){
				   .ip = o->ip,
				   .port = o->rtp_port,
				   .session_id = o->session_id,
				   .session_version = o->session_version,
				   .formats = formats,
				   .format_count = o->codec_count,
				   .dtmf_pt = OFFER_DTMF_PT,
				   .ptime_ms = 20,
				   .direction = o->direction,
			   });
}

/* RFC 3264, 6.1: the answerer sends in the direction we receive, and the other way round. */
static void read_direction(struct media_leg_remote *ret, const struct sdp_media *m)
{
	ret->send = m->direction == SDP_SENDRECV || m->direction == SDP_RECVONLY;
	ret->receive = m->direction == SDP_SENDRECV || m->direction == SDP_SENDONLY;
}

static bool read_addresses(struct media_leg_remote *ret, const struct sdp_media *m)
{
	char ip[ADDRESS_TEXT_SIZE];
	if (m->connection.size >= sizeof ip)
		return false;
	memcpy(ip, m->connection.data, m->connection.size);
	ip[m->connection.size] = 0;

	uint16_t rtcp_port = m->rtcp_port ? m->rtcp_port : (uint16_t)(m->port + 1);
	return address_parse(&ret->rtp, ip, m->port) == 0 &&
	       address_parse(&ret->rtcp, ip, m->rtcp_mux ? m->port : rtcp_port) == 0;
}

static bool is_ours(const struct offer *ours, enum codec codec)
{
	for (size_t i = 0; i < ours->codec_count; ++i)
		if (ours->codecs[i] == codec)
			return true;
	return false;
}

/* The first format that we know is the one that the far end prefers and will send. */
static bool read_codec(struct media_leg_remote *ret, const struct sdp_media *m, const struct offer *ours)
{
	for (size_t i = 0; i < m->format_count; ++i) {
		const struct sdp_format *f = &m->formats[i];
		enum codec codec = codec_by_name(f->name, f->clock_hz);
		if (!is_ours(ours, codec))
			continue;
		ret->codec = codec;
		ret->pt = f->pt;
		return true;
	}
	return false;
}

static uint8_t read_ptime(const struct sdp_media *m)
{
	uint16_t ms = m->ptime_ms ? m->ptime_ms : 20;
	if (m->maxptime_ms && ms > m->maxptime_ms)
		ms = m->maxptime_ms;
	if (ms < 10 || ms > 60)
		return 20;
	return (uint8_t)(ms - ms % 10);
}

const struct sdp_media *offer_find_audio(const struct sdp *sdp)
{
	for (size_t i = 0; i < sdp->media_count; ++i) {
		const struct sdp_media *m = &sdp->media[i];
		if (span_is(m->kind, "audio") && m->port != 0 && span_is(m->protocol, "RTP/AVP"))
			return m;
	}
	return NULL;
}

enum answer_outcome offer_read_audio(struct media_leg_remote *ret, const struct sdp_media *m,
	const struct offer *ours)
{
	struct media_leg_remote remote = {0};
	if (!read_codec(&remote, m, ours))
		return ANSWER_E_CODEC;
	if (!read_addresses(&remote, m))
		return ANSWER_E_ADDRESS;
	const struct sdp_format *dtmf = sdp_find_format(m, "telephone-event", 8000);
	remote.dtmf_pt = dtmf ? dtmf->pt : 0;
	remote.ptime_ms = read_ptime(m);
	read_direction(&remote, m);
	*ret = remote;
	return ANSWER_OK;
}

const char *answer_outcome_text(enum answer_outcome o)
{
	static const char *const texts[ANSWER__COUNT] = {
		[ANSWER_OK] = "fine",
		[ANSWER_E_SDP] = "the answer's SDP cannot be read",
		[ANSWER_E_NO_AUDIO] = "the answer has no audio section that we can use",
		[ANSWER_E_CODEC] = "the answer has neither PCMU nor PCMA",
		[ANSWER_E_ADDRESS] = "the answer names no media address",
		[ANSWER_E_NONE] = "there is no SDP in the answer",
	};
	return texts[o];
}

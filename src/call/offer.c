#include "call/offer.h"

#include "call/offer_security.h"
#include "net/address.h"

enum { DTMF_HZ = 8000 };

static void add_codec(enum codec ret[OFFER_CODECS_MAX], size_t *count, enum codec c)
{
	if (!codec_facts(c)->leg_hz)
		return;
	for (size_t i = 0; i < *count; ++i)
		if (ret[i] == c)
			return;
	ret[(*count)++] = c;
}

static enum codec by_name(const Livekit__SIPCodec *c)
{
	const struct codec_facts *opus = codec_facts(CODEC_OPUS);
	uint32_t usual_hz = strcasecmp(c->name, opus->name) == 0 ? opus->clock_hz : DTMF_HZ;
	return codec_by_name(span_text(c->name), c->rate ? c->rate : usual_hz);
}

void offer_choose_codecs(enum codec ret[OFFER_CODECS_MAX], size_t *count, const Livekit__SIPMediaConfig *media)
{
	*count = 0;
	for (size_t i = 0; media && i < media->n_codecs; ++i)
		add_codec(ret, count, by_name(media->codecs[i]));
	if (media && media->only_listed_codecs)
		return;
	add_codec(ret, count, CODEC_G722);
	add_codec(ret, count, CODEC_PCMU);
	add_codec(ret, count, CODEC_PCMA);
}

static uint8_t our_number(enum codec c)
{
	return c == CODEC_OPUS ? OFFER_OPUS_PT : codec_facts(c)->static_pt;
}

struct sdp_audio_format offer_format(enum codec codec, uint8_t pt)
{
	const struct codec_facts *facts = codec_facts(codec);
	return (struct sdp_audio_format){.pt = pt,
		.name = facts->name,
		.clock_hz = facts->clock_hz,
		.channels = facts->channels,
		.fmtp = codec == CODEC_OPUS ? "minptime=10;useinbandfec=1" : NULL};
}

void offer_write(struct writer *w, const struct offer *o)
{
	struct sdp_audio_format formats[OFFER_CODECS_MAX + 1];
	size_t count = 0;
	bool opus = false;

	for (size_t i = 0; i < o->codec_count; ++i) {
		formats[count++] = offer_format(o->codecs[i], our_number(o->codecs[i]));
		opus |= o->codecs[i] == CODEC_OPUS;
	}
	if (opus)
		formats[count++] = (struct sdp_audio_format){.pt = OFFER_DTMF_48000_PT,
			.name = "telephone-event",
			.clock_hz = codec_facts(CODEC_OPUS)->clock_hz,
			.fmtp = "0-15"};
	struct sdp_audio_offer text = {
		.ip = o->ip,
		.port = o->rtp_port,
		.session_id = o->session_id,
		.session_version = o->session_version,
		.formats = formats,
		.format_count = count,
		.dtmf_pt = OFFER_DTMF_PT,
		.ptime_ms = 20,
		.direction = o->direction,
	};
	if (o->security)
		offer_security_describe(o->security, &text);
	sdp_write_audio(w, &text);
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

	/* ::ffff:192.0.2.1 is an IPv4 address, and only IPv4 sockets reach it. */
	const char *plain = strncasecmp(ip, "::ffff:", 7) == 0 && strchr(ip, '.') ? ip + 7 : ip;

	uint16_t rtcp_port = m->rtcp_port ? m->rtcp_port : (uint16_t)(m->port + 1);
	return address_parse(&ret->rtp, plain, m->port) == 0 &&
	       address_parse(&ret->rtcp, plain, m->rtcp_mux ? m->port : rtcp_port) == 0;
}

/* A leg has sockets of one family. 0.0.0.0, which only holds the call, is nowhere to send to. */
static bool is_of_our_family(const struct media_leg_remote *r, const struct offer *ours)
{
	bool is_v6 = ours->ip && strchr(ours->ip, ':');
	return address_is_any((const struct sockaddr *)&r->rtp) || is_v6 == (r->rtp.ss_family == AF_INET6);
}

static bool is_ours(const struct offer *ours, enum codec codec)
{
	for (size_t i = 0; i < ours->codec_count; ++i)
		if (ours->codecs[i] == codec)
			return true;
	return false;
}

static const struct media_leg_payload *payload_of(const struct media_leg_remote *r, uint8_t pt)
{
	for (size_t i = 0; i < r->payload_count; ++i)
		if (r->payloads[i].pt == pt)
			return &r->payloads[i];
	return NULL;
}

/* The first meaning of a number holds. */
static void add_payload(struct media_leg_remote *r, uint8_t pt, enum codec codec)
{
	if (r->payload_count < MEDIA_LEG_PAYLOADS_MAX && !payload_of(r, pt))
		r->payloads[r->payload_count++] = (struct media_leg_payload){pt, codec};
}

static bool wants_fec(const struct sdp_format *f)
{
	static const char says[] = "useinbandfec=1";
	return f->fmtp.size && memmem(f->fmtp.data, f->fmtp.size, says, sizeof says - 1);
}

/* The first format that we know is the one that the far end prefers and will send; it may change to
 * the others. */
static bool read_codecs(struct media_leg_remote *ret, const struct sdp_media *m, const struct offer *ours)
{
	ret->codec = CODEC_NONE;
	for (size_t i = 0; i < m->format_count; ++i) {
		const struct sdp_format *f = &m->formats[i];
		enum codec codec = codec_by_name(f->name, f->clock_hz);
		if (!is_ours(ours, codec))
			continue;
		add_payload(ret, f->pt, codec);
		if (ret->codec != CODEC_NONE)
			continue;
		ret->codec = codec;
		ret->pt = f->pt;
		ret->fec = codec == CODEC_OPUS && wants_fec(f);
	}
	return ret->codec != CODEC_NONE;
}

/* telephone-event of the codec's clock; or else the common one, whose durations count in its own. */
static void read_dtmf(struct media_leg_remote *ret, const struct sdp_media *m)
{
	const struct sdp_format *f = sdp_find_format(m, "telephone-event", codec_facts(ret->codec)->clock_hz);
	if (!f)
		f = sdp_find_format(m, "telephone-event", DTMF_HZ);
	if (!f)
		return;
	ret->dtmf_pt = f->pt;
	ret->dtmf_hz = f->clock_hz;
	for (size_t i = 0; i < m->format_count; ++i)
		if (span_is_nocase(m->formats[i].name, "telephone-event"))
			add_payload(ret, m->formats[i].pt, CODEC_NONE);
}

static uint8_t read_ptime(const struct sdp_media *m)
{
	enum { PTIME_LOW_MS = 10, PTIME_HIGH_MS = 60, PTIME_USUAL_MS = 20 };
	uint16_t ms = m->ptime_ms ? m->ptime_ms : PTIME_USUAL_MS;
	if (m->maxptime_ms && ms > m->maxptime_ms)
		ms = m->maxptime_ms;
	if (ms < PTIME_LOW_MS)
		ms = PTIME_LOW_MS;
	if (ms > PTIME_HIGH_MS)
		ms = PTIME_HIGH_MS;
	return (uint8_t)(ms - ms % PTIME_LOW_MS);
}

enum answer_outcome offer_read_audio(struct media_leg_remote *ret, const struct sdp_media *m,
	const struct offer *ours)
{
	struct media_leg_remote remote = {0};
	if (!read_codecs(&remote, m, ours))
		return ANSWER_E_CODEC;
	if (!read_addresses(&remote, m))
		return ANSWER_E_ADDRESS;
	if (!is_of_our_family(&remote, ours))
		return ANSWER_E_FAMILY;
	read_dtmf(&remote, m);
	remote.ptime_ms = read_ptime(m);
	read_direction(&remote, m);
	*ret = remote;
	return ANSWER_OK;
}

void offer_expect_our_numbers(struct media_leg_remote *terms)
{
	struct media_leg_remote theirs = *terms;
	bool dtmf = false;

	terms->payload_count = 0;
	for (size_t i = 0; i < theirs.payload_count; ++i) {
		dtmf |= theirs.payloads[i].codec == CODEC_NONE;
		if (theirs.payloads[i].codec != CODEC_NONE)
			add_payload(terms, our_number(theirs.payloads[i].codec), theirs.payloads[i].codec);
	}
	if (dtmf) {
		add_payload(terms, OFFER_DTMF_PT, CODEC_NONE);
		add_payload(terms, OFFER_DTMF_48000_PT, CODEC_NONE);
	}
	for (size_t i = 0; i < theirs.payload_count; ++i)
		add_payload(terms, theirs.payloads[i].pt, theirs.payloads[i].codec);
}

bool offer_same_formats(const struct media_leg_remote *a, const struct media_leg_remote *b)
{
	if (a->codec != b->codec || a->pt != b->pt || a->dtmf_pt != b->dtmf_pt || a->dtmf_hz != b->dtmf_hz ||
		a->fec != b->fec || a->ptime_ms != b->ptime_ms || a->payload_count != b->payload_count)
		return false;
	for (size_t i = 0; i < a->payload_count; ++i)
		if (a->payloads[i].pt != b->payloads[i].pt || a->payloads[i].codec != b->payloads[i].codec)
			return false;
	return true;
}

const char *answer_outcome_text(enum answer_outcome o)
{
	static const char *const texts[ANSWER__COUNT] = {
		[ANSWER_OK] = "fine",
		[ANSWER_E_SDP] = "the answer's SDP cannot be read",
		[ANSWER_E_NO_AUDIO] = "the answer has no audio section that we can use",
		[ANSWER_E_CODEC] = "the answer has none of the codecs that we offered",
		[ANSWER_E_ADDRESS] = "the media address (c=) is missing or a host name, and must be an IP address",
		[ANSWER_E_FAMILY] = "its media address is of the other IP version than ours",
		[ANSWER_E_NONE] = "there is no SDP in the answer",
		[ANSWER_E_IN_CLEAR] = "without encryption, which this trunk requires",
		[ANSWER_E_CRYPTO] = "with encryption, but with no key that fits ours",
		[ANSWER_E_UNWANTED] = "with encryption, which this trunk has disabled",
	};
	return texts[o];
}

bool answer_is_about_keys(enum answer_outcome o)
{
	return o == ANSWER_E_IN_CLEAR || o == ANSWER_E_CRYPTO || o == ANSWER_E_UNWANTED;
}

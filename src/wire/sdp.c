#include "wire/sdp.h"

#include <assert.h>

/* RFC 3551, section 6: what a payload type means when no rtpmap says so. */
static const struct {
	uint8_t pt;
	const char *name;
	uint32_t clock_hz;
} static_types[] = {
	{0, "PCMU", 8000},
	{3, "GSM", 8000},
	{4, "G723", 8000},
	{8, "PCMA", 8000},
	{9, "G722", 8000},
	{13, "CN", 8000},
	{15, "G728", 8000},
	{18, "G729", 8000},
};

/* What the session part says for every section that does not say it itself. */
struct parser {
	struct sdp *sdp;
	size_t media_max;
	struct sdp_media *m; /* section being read, NULL in the session part */
	struct sdp_media session;
};

/* ---- words of a line ---- */

static struct span trim(struct span s)
{
	while (s.size && (s.data[0] == ' ' || s.data[0] == '\t')) {
		++s.data;
		--s.size;
	}
	while (s.size && (s.data[s.size - 1] == ' ' || s.data[s.size - 1] == '\t'))
		--s.size;
	return s;
}

/* Cuts `s` at the first `stop`; the rest (without it) stays in `s`. */
static struct span cut(struct span *s, char stop)
{
	struct span head = *s;
	const uint8_t *at = s->size ? memchr(s->data, stop, s->size) : NULL;
	if (!at) {
		s->data += s->size;
		s->size = 0;
		return head;
	}
	head.size = (size_t)(at - s->data);
	s->data += head.size + 1;
	s->size -= head.size + 1;
	return head;
}

/* Between blanks: RFC 4566 says one space, some write tabs. */
static struct span word(struct span *s)
{
	size_t i = 0;

	*s = trim(*s);
	while (i < s->size && s->data[i] != ' ' && s->data[i] != '\t')
		++i;
	return cut(s, i < s->size ? (char)s->data[i] : ' ');
}

/* Decimal digits at the front of `s`, at most `max`; false when there are none or too many. */
static bool number(struct span s, uint32_t max, uint32_t *ret)
{
	uint64_t value = 0;
	size_t i = 0;
	for (; i < s.size && s.data[i] >= '0' && s.data[i] <= '9'; ++i) {
		value = value * 10 + (uint64_t)(s.data[i] - '0');
		if (value > max)
			return false;
	}
	if (i == 0)
		return false;
	*ret = (uint32_t)value;
	return true;
}

static uint16_t number_u16(struct span s)
{
	uint32_t n = 0;
	return number(s, UINT16_MAX, &n) ? (uint16_t)n : 0;
}

static struct sdp_format *format_of(struct sdp_media *m, uint32_t pt)
{
	for (size_t i = 0; i < m->format_count; ++i)
		if (m->formats[i].pt == pt)
			return &m->formats[i];
	return NULL;
}

/* ---- attributes ---- */

static void read_rtpmap(struct sdp_media *m, struct span value)
{
	uint32_t pt, n;
	if (!number(word(&value), 127, &pt))
		return;
	struct sdp_format *f = format_of(m, pt);
	if (!f)
		return;
	value = trim(value);
	if (!value.size)
		return; /* a name that is none takes nothing from a static type */
	f->name = cut(&value, '/');
	f->clock_hz = number(cut(&value, '/'), UINT32_MAX, &n) ? n : 0;
	f->channels = number(value, UINT8_MAX, &n) && n ? (uint8_t)n : 1;
}

static void read_fmtp(struct sdp_media *m, struct span value)
{
	uint32_t pt;
	struct sdp_format *f = number(word(&value), 127, &pt) ? format_of(m, pt) : NULL;
	if (f)
		f->fmtp = trim(value);
}

static void read_rtcp_fb(struct sdp_media *m, struct span value)
{
	struct span which = word(&value);
	uint32_t pt = 0;
	bool all = span_is(which, "*");
	if (!span_is(trim(value), "nack") || (!all && !number(which, 127, &pt)))
		return;
	for (size_t i = 0; i < m->format_count; ++i)
		if (all || m->formats[i].pt == pt)
			m->formats[i].nack = true;
}

static void read_extmap(struct sdp_media *m, struct span value)
{
	uint32_t id;
	struct span which = word(&value); /* "3" or "3/sendonly" */
	if (m->extmap_count == SDP_EXTMAP_MAX || !number(which, 255, &id) || id == 0)
		return;
	m->extmap[m->extmap_count++] = (struct sdp_extmap){.id = (uint8_t)id, .uri = word(&value)};
}

static void read_ssrc(struct sdp_media *m, struct span value)
{
	uint32_t ssrc;
	if (m->ssrc_count == SDP_SSRC_MAX || !number(word(&value), UINT32_MAX, &ssrc))
		return;
	for (size_t i = 0; i < m->ssrc_count; ++i)
		if (m->ssrc[i] == ssrc)
			return;
	m->ssrc[m->ssrc_count++] = ssrc;
}

static void read_msid(struct sdp_media *m, struct span value)
{
	m->msid_stream = word(&value);
	m->msid_track = word(&value);
}

static void read_fingerprint(struct sdp_media *m, struct span value)
{
	m->fingerprint_hash = word(&value);
	m->fingerprint = word(&value);
}

static void read_max_message_size(struct sdp_media *m, struct span value)
{
	uint32_t n;
	if (number(trim(value), UINT32_MAX, &n))
		m->max_message_size = n;
}

static void read_mid(struct sdp_media *m, struct span value)
{
	m->mid = trim(value);
}

static void read_ufrag(struct sdp_media *m, struct span value)
{
	m->ice_ufrag = trim(value);
}

static void read_pwd(struct sdp_media *m, struct span value)
{
	m->ice_pwd = trim(value);
}

static void read_setup(struct sdp_media *m, struct span value)
{
	m->setup = trim(value);
}

static void read_rtcp(struct sdp_media *m, struct span value)
{
	m->rtcp_port = number_u16(trim(value));
}

static void read_sctp_port(struct sdp_media *m, struct span value)
{
	m->sctp_port = number_u16(trim(value));
}

static void read_crypto(struct sdp_media *m, struct span value)
{
	if (m->crypto_count < SDP_CRYPTO_MAX)
		m->crypto[m->crypto_count++] = trim(value);
}

static void read_candidate(struct sdp_media *m, struct span value)
{
	if (m->candidate_count < SDP_CANDIDATES_MAX)
		m->candidates[m->candidate_count++] = trim(value);
}

static void read_ptime(struct sdp_media *m, struct span value)
{
	m->ptime_ms = number_u16(trim(value));
}

static void read_maxptime(struct sdp_media *m, struct span value)
{
	m->maxptime_ms = number_u16(trim(value));
}

static const struct {
	const char *name;
	void (*read)(struct sdp_media *m, struct span value);
} attributes[] = {
	{"candidate", read_candidate},
	{"crypto", read_crypto},
	{"extmap", read_extmap},
	{"fingerprint", read_fingerprint},
	{"fmtp", read_fmtp},
	{"ice-pwd", read_pwd},
	{"ice-ufrag", read_ufrag},
	{"max-message-size", read_max_message_size},
	{"maxptime", read_maxptime},
	{"mid", read_mid},
	{"msid", read_msid},
	{"ptime", read_ptime},
	{"rtcp", read_rtcp},
	{"rtcp-fb", read_rtcp_fb},
	{"rtpmap", read_rtpmap},
	{"sctp-port", read_sctp_port},
	{"sctpmap", read_sctp_port}, /* before RFC 8841: "5000 webrtc-datachannel 1024" */
	{"setup", read_setup},
	{"ssrc", read_ssrc},
};

static const char *const directions[] = {
	[SDP_SENDRECV] = "sendrecv",
	[SDP_SENDONLY] = "sendonly",
	[SDP_RECVONLY] = "recvonly",
	[SDP_INACTIVE] = "inactive",
};

static bool read_flag(struct parser *p, struct sdp_media *m, struct span name)
{
	for (size_t i = 0; i < COUNT_OF(directions); ++i) {
		if (span_is_nocase(name, directions[i])) {
			m->direction = (enum sdp_direction)i;
			return true;
		}
	}
	if (span_is(name, "rtcp-mux"))
		m->rtcp_mux = true;
	else if (span_is(name, "bundle-only"))
		m->bundle_only = true;
	else if (span_is(name, "ice-lite"))
		p->sdp->ice_lite = true;
	else if (span_is(name, "extmap-allow-mixed"))
		p->sdp->extmap_allow_mixed = true;
	else
		return false;
	return true;
}

static void read_attribute(struct parser *p, struct span value)
{
	struct sdp_media *m = p->m ? p->m : &p->session;
	struct span name = trim(cut(&value, ':'));

	if (read_flag(p, m, name))
		return;
	if (!p->m && span_is(name, "group")) {
		if (span_is(word(&value), "BUNDLE"))
			p->sdp->bundle = trim(value);
		return;
	}
	for (size_t i = 0; i < COUNT_OF(attributes); ++i) {
		if (span_is_nocase(name, attributes[i].name)) {
			attributes[i].read(m, value);
			return;
		}
	}
}

/* ---- lines ---- */

static void read_formats(struct sdp_media *m, struct span value)
{
	while ((value = trim(value)).size && m->format_count < SDP_FORMATS_MAX) {
		uint32_t pt;
		if (!number(word(&value), 127, &pt) || format_of(m, pt))
			continue;
		struct sdp_format *f = &m->formats[m->format_count++];
		*f = (struct sdp_format){.pt = (uint8_t)pt, .channels = 1};
		for (size_t i = 0; i < COUNT_OF(static_types); ++i) {
			if (static_types[i].pt == pt) {
				f->name = span_text(static_types[i].name);
				f->clock_hz = static_types[i].clock_hz;
			}
		}
	}
}

static enum sdp_error read_media(struct parser *p, struct span value)
{
	if (p->sdp->media_count == p->media_max)
		return SDP_E_SECTIONS;
	struct sdp_media *m = &p->sdp->media[p->sdp->media_count];
	*m = p->session;
	m->kind = word(&value);
	struct span port = word(&value); /* "49170" or "49170/2" */
	uint32_t n;
	if (!m->kind.size || !number(port, UINT16_MAX, &n))
		return SDP_E_MEDIA;
	m->port = (uint16_t)n;
	m->protocol = word(&value);
	if (!m->protocol.size)
		return SDP_E_MEDIA;
	m->format_list = trim(value);
	read_formats(m, value);
	p->m = m;
	++p->sdp->media_count;
	return SDP_OK;
}

static void read_connection(struct parser *p, struct span value)
{
	word(&value); /* IN */
	word(&value); /* IP4 or IP6 */
	struct span address = word(&value);
	address = cut(&address, '/'); /* a multicast TTL is of no use here */
	if (p->m)
		p->m->connection = address;
	else
		p->sdp->connection = p->session.connection = address;
}

static void read_origin(struct sdp *s, struct span value)
{
	s->origin_username = word(&value);
	s->origin_id = word(&value);
	s->origin_version = word(&value);
	word(&value); /* IN */
	word(&value); /* IP4 or IP6 */
	s->origin_address = word(&value);
}

static enum sdp_error read_line(struct parser *p, char type, struct span value)
{
	switch (type) {
	case 'm':
		return read_media(p, value);
	case 'a':
		read_attribute(p, value);
		break;
	case 'c':
		read_connection(p, value);
		break;
	case 'o':
		read_origin(p->sdp, value);
		break;
	case 's':
		p->sdp->session_name = value;
		break;
	default: /* b= t= i= and so on: nothing in them for us */
		break;
	}
	return SDP_OK;
}

/* Next line without its end ("\r\n", "\n"), empty ones skipped. False at the end. */
static bool next_line(struct span *text, struct span *ret)
{
	while (text->size) {
		struct span line = cut(text, '\n');
		while (line.size && (line.data[line.size - 1] == '\r' || !line.data[line.size - 1]))
			--line.size;
		if (trim(line).size) {
			*ret = line;
			return true;
		}
	}
	return false;
}

enum sdp_error sdp_parse(
	struct sdp *ret, struct sdp_media *media, size_t media_max, struct span text)
{
	assert(ret && (media || !media_max));
	struct parser p = {.sdp = ret, .media_max = media_max};
	struct span line;

	*ret = (struct sdp){.media = media};
	if (text.size > LIMIT_SDP_BYTES)
		return SDP_E_SIZE;
	if (!next_line(&text, &line) || line.size < 2 || memcmp(line.data, "v=", 2) != 0)
		return SDP_E_VERSION;
	if (!span_is(trim(span_of(line.data + 2, line.size - 2)), "0"))
		return SDP_E_VERSION;
	while (next_line(&text, &line)) {
		if (line.size < 2 || line.data[1] != '=')
			return SDP_E_LINE;
		enum sdp_error e = read_line(
			&p, (char)line.data[0], span_of(line.data + 2, line.size - 2));
		if (e != SDP_OK)
			return e;
	}
	return ret->media_count ? SDP_OK : SDP_E_EMPTY;
}

const char *sdp_error_text(enum sdp_error e)
{
	static const char *const texts[SDP_E__COUNT] = {
		[SDP_OK] = "fine",
		[SDP_E_SIZE] = "the session description is too large",
		[SDP_E_LINE] = "the session description has a line that is not of the form x=value",
		[SDP_E_VERSION] = "the session description does not begin with v=0",
		[SDP_E_MEDIA] = "the session description has an m= line that cannot be read",
		[SDP_E_SECTIONS] = "the session description has too many m= lines",
		[SDP_E_EMPTY] = "the session description has no m= line",
	};
	return (unsigned)e < SDP_E__COUNT ? texts[e] : "unknown";
}

const struct sdp_format *sdp_find_format(
	const struct sdp_media *m, const char *name, uint32_t clock_hz)
{
	for (size_t i = 0; i < m->format_count; ++i)
		if (span_is_nocase(m->formats[i].name, name) && m->formats[i].clock_hz == clock_hz)
			return &m->formats[i];
	return NULL;
}

uint8_t sdp_extmap_id(const struct sdp_media *m, const char *uri)
{
	for (size_t i = 0; i < m->extmap_count; ++i)
		if (span_is(m->extmap[i].uri, uri))
			return m->extmap[i].id;
	return 0;
}

const char *sdp_direction_text(enum sdp_direction d)
{
	return directions[d];
}

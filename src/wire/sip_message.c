#include "wire/sip_message.h"

#include "wire/sip_multipart.h"

#define NAME(text) sizeof text - 1, text
static const struct header_name {
	enum sip_header_id id;
	char compact; /* RFC 3261 section 7.3.3 and the registry; 0 = none */
	uint8_t size; /* most names are told apart by it */
	const char *name;
} header_names[] = {
	{SIP_H_VIA, 'v', NAME("Via")},
	{SIP_H_FROM, 'f', NAME("From")},
	{SIP_H_TO, 't', NAME("To")},
	{SIP_H_CALL_ID, 'i', NAME("Call-ID")},
	{SIP_H_CSEQ, 0, NAME("CSeq")},
	{SIP_H_CONTACT, 'm', NAME("Contact")},
	{SIP_H_ROUTE, 0, NAME("Route")},
	{SIP_H_RECORD_ROUTE, 0, NAME("Record-Route")},
	{SIP_H_MAX_FORWARDS, 0, NAME("Max-Forwards")},
	{SIP_H_CONTENT_TYPE, 'c', NAME("Content-Type")},
	{SIP_H_CONTENT_LENGTH, 'l', NAME("Content-Length")},
	{SIP_H_CONTENT_ENCODING, 'e', NAME("Content-Encoding")},
	{SIP_H_WWW_AUTHENTICATE, 0, NAME("WWW-Authenticate")},
	{SIP_H_PROXY_AUTHENTICATE, 0, NAME("Proxy-Authenticate")},
	{SIP_H_AUTHORIZATION, 0, NAME("Authorization")},
	{SIP_H_PROXY_AUTHORIZATION, 0, NAME("Proxy-Authorization")},
	{SIP_H_REQUIRE, 0, NAME("Require")},
	{SIP_H_SUPPORTED, 'k', NAME("Supported")},
	{SIP_H_ALLOW, 0, NAME("Allow")},
	{SIP_H_RSEQ, 0, NAME("RSeq")},
	{SIP_H_RACK, 0, NAME("RAck")},
	{SIP_H_REASON, 0, NAME("Reason")},
	{SIP_H_WARNING, 0, NAME("Warning")},
	{SIP_H_RETRY_AFTER, 0, NAME("Retry-After")},
	{SIP_H_EVENT, 'o', NAME("Event")},
	{SIP_H_REFER_TO, 'r', NAME("Refer-To")},
	{SIP_H_SESSION_EXPIRES, 'x', NAME("Session-Expires")},
	{SIP_H_SUBJECT, 's', NAME("Subject")},
	{SIP_H_TIMESTAMP, 0, NAME("Timestamp")},
};

static const char *const method_names[SIP_METHOD__COUNT] = {
	[SIP_METHOD_OTHER] = "",
	[SIP_INVITE] = "INVITE",
	[SIP_ACK] = "ACK",
	[SIP_BYE] = "BYE",
	[SIP_CANCEL] = "CANCEL",
	[SIP_OPTIONS] = "OPTIONS",
	[SIP_REGISTER] = "REGISTER",
	[SIP_PRACK] = "PRACK",
	[SIP_UPDATE] = "UPDATE",
	[SIP_INFO] = "INFO",
	[SIP_NOTIFY] = "NOTIFY",
	[SIP_SUBSCRIBE] = "SUBSCRIBE",
	[SIP_REFER] = "REFER",
	[SIP_MESSAGE] = "MESSAGE",
	[SIP_PUBLISH] = "PUBLISH",
};

enum sip_method sip_method_of(struct span name)
{
	for (int i = 1; i < SIP_METHOD__COUNT; ++i)
		if (span_is(name, method_names[i]))
			return (enum sip_method)i;
	return SIP_METHOD_OTHER;
}

const char *sip_method_text(enum sip_method method)
{
	return method_names[method];
}

const char *sip_drop_text(enum sip_drop why)
{
	static const char *const texts[SIP_DROP__COUNT] = {"ok", "keep-alive", "start line",
		"too many headers", "headers do not end", "Content-Length", "Via", "From", "To",
		"Call-ID", "CSeq"};
	return texts[why];
}

static enum sip_header_id header_id_of(struct span name)
{
	for (size_t i = 0; i < COUNT_OF(header_names); ++i) {
		const struct header_name *h = &header_names[i];
		if (name.size == 1 ? h->compact && (name.data[0] | 0x20) == h->compact
				   : name.size == h->size && !strncasecmp((const char *)name.data, h->name, h->size))
			return h->id;
	}
	return SIP_H_OTHER;
}

/* One line without its end, which may be CRLF or a lonely LF. False when no line ends here. */
static bool take_line(struct span *s, struct span *ret)
{
	const uint8_t *end = s->size ? memchr(s->data, '\n', s->size) : NULL;
	if (!end)
		return false;
	size_t size = (size_t)(end - s->data);
	*ret = span_of(s->data, size && end[-1] == '\r' ? size - 1 : size);
	*s = span_of(end + 1, s->size - size - 1);
	return true;
}

/* A line and those that continue it (RFC 3261 section 7.3.1). */
static bool take_folded(struct span *s, struct span *ret)
{
	struct span more;

	if (!take_line(s, ret))
		return false;
	while (ret->size && s->size && (s->data[0] == ' ' || s->data[0] == '\t')) {
		if (!take_line(s, &more))
			return false;
		*ret = span_of(ret->data, (size_t)(more.data + more.size - ret->data));
	}
	return true;
}

static struct span take_word(struct span *s)
{
	const uint8_t *blank = s->size ? memchr(s->data, ' ', s->size) : NULL;
	size_t size = blank ? (size_t)(blank - s->data) : s->size;
	struct span word = span_of(s->data, size);
	*s = span_of(s->data + size, s->size - size);
	if (s->size)
		*s = span_of(s->data + 1, s->size - 1);
	return word;
}

static bool is_version(struct span s)
{
	return s.size > 4 && strncasecmp((const char *)s.data, "SIP/", 4) == 0;
}

static bool parse_status_line(struct sip_message *m, struct span line)
{
	struct span version = take_word(&line);
	uint32_t status;

	line = sip_trim(line);
	struct span code = take_word(&line);

	m->is_response = true;
	m->version_is_2 = span_is_nocase(version, "SIP/2.0");
	if (!m->version_is_2 || code.size != 3 || !sip_number(code, 699, &status) || status < 100)
		return false;
	m->status = status;
	m->reason = sip_trim(line);
	return true;
}

/* Method SP Request-URI SP SIP-Version. A URI with blanks in it is framed all the same: the
 * version is the last word, and sip_message_refusal() says 400. */
static bool parse_request_line(struct sip_message *m, struct span line)
{
	m->method_name = take_word(&line);
	line = sip_trim(line);
	size_t at = line.size;
	while (at && line.data[at - 1] != ' ')
		--at;
	struct span version = span_of(line.data + at, line.size - at);
	if (!m->method_name.size || !at || !is_version(version))
		return false;
	m->version_is_2 = span_is_nocase(version, "SIP/2.0");
	m->uri = sip_trim(span_of(line.data, at));
	m->method = sip_method_of(m->method_name);
	return m->uri.size > 0;
}

static bool is_name_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		(c && strchr("-.!%*_+`'~", c));
}

static bool parse_header(struct sip_header_line *h, struct span line)
{
	const uint8_t *colon = line.size ? memchr(line.data, ':', line.size) : NULL;
	if (!colon)
		return false;
	size_t size = (size_t)(colon - line.data);
	h->name = sip_trim(span_of(line.data, size));
	h->value = sip_trim(span_of(colon + 1, line.size - size - 1));
	for (size_t i = 0; i < h->name.size; ++i)
		if (!is_name_byte(h->name.data[i]))
			return false;
	h->id = header_id_of(h->name);
	return h->name.size > 0;
}

static enum sip_drop parse_headers(struct sip_message *m, struct span *rest)
{
	struct span line;

	while (take_folded(rest, &line)) {
		if (!line.size)
			return SIP_OK;
		struct sip_header_line h;
		if (!parse_header(&h, line)) {
			++m->broken_lines;
			continue;
		}
		if (m->header_count == LIMIT_SIP_HEADERS)
			return SIP_DROP_HEADERS_MANY;
		m->headers[m->header_count++] = h;
	}
	return SIP_DROP_UNFINISHED;
}

/* Several Content-Length lines are alright when they agree: some carriers send two. */
static bool content_length(const struct sip_message *m, bool *found, uint32_t *ret)
{
	*found = false;
	for (size_t i = 0; i < m->header_count; ++i) {
		uint32_t value;
		if (m->headers[i].id != SIP_H_CONTENT_LENGTH)
			continue;
		if (!sip_number(m->headers[i].value, UINT32_MAX, &value))
			return false;
		if (*found && *ret != value)
			return false;
		*found = true;
		*ret = value;
	}
	return true;
}

static enum sip_drop parse_body(struct sip_message *m, struct span rest)
{
	bool found;
	uint32_t size = 0;

	if (!content_length(m, &found, &size) || (found && size > rest.size))
		return SIP_DROP_LENGTH;
	m->content = span_of(rest.data, found ? size : rest.size);
	m->body = m->content;
	(void)sip_multipart_find(&m->body, sip_message_value(m, SIP_H_CONTENT_TYPE), "application/sdp");
	return SIP_OK;
}

static enum sip_drop parse_mandatory(struct sip_message *m)
{
	struct sip_items vias = {.m = m, .id = SIP_H_VIA};
	struct span via;

	if (!sip_items_next(&vias, &via) || sip_via_parse(&m->via, via))
		return SIP_DROP_VIA;
	if (sip_name_addr_parse(&m->from, sip_message_value(m, SIP_H_FROM)) || m->from.wildcard)
		return SIP_DROP_FROM;
	if (sip_name_addr_parse(&m->to, sip_message_value(m, SIP_H_TO)) || m->to.wildcard)
		return SIP_DROP_TO;
	m->call_id = sip_message_value(m, SIP_H_CALL_ID);
	if (!m->call_id.size)
		return SIP_DROP_CALL_ID;
	if (sip_cseq_parse(&m->cseq, sip_message_value(m, SIP_H_CSEQ)))
		return SIP_DROP_CSEQ;
	if (m->is_response) {
		m->method_name = m->cseq.method;
		m->method = sip_method_of(m->method_name);
	}
	return SIP_OK;
}

static void reset(struct sip_message *m)
{
	/* Not the header array: 6 KB for each packet would be for nothing. */
	memset(m, 0, offsetof(struct sip_message, headers));
	m->header_count = m->broken_lines = 0;
	m->content = m->body = m->bytes = (struct span){0};
}

enum sip_drop sip_message_parse(struct sip_message *ret, struct span bytes)
{
	struct span rest = bytes, line = {0};

	reset(ret);
	/* RFC 3261 section 7.5: line ends before the start line are nothing. */
	while (rest.size && (rest.data[0] == '\r' || rest.data[0] == '\n'))
		rest = span_of(rest.data + 1, rest.size - 1);
	if (!rest.size)
		return SIP_DROP_KEEPALIVE;
	ret->bytes = rest;
	if (!take_line(&rest, &line))
		return SIP_DROP_START_LINE;
	if (!(is_version(line) ? parse_status_line(ret, line) : parse_request_line(ret, line)))
		return SIP_DROP_START_LINE;

	enum sip_drop why = parse_headers(ret, &rest);
	if (why != SIP_OK)
		return why;
	why = parse_body(ret, rest);
	enum sip_drop head = parse_mandatory(ret);
	return why == SIP_OK ? head : why;
}

bool sip_message_answerable(const struct sip_message *m)
{
	return !m->is_response && m->method_name.size && m->method != SIP_ACK && m->via.host.size;
}

/* The end of the headers: an empty line. 0 when it is not there yet. */
static size_t headers_size(struct span s)
{
	struct span rest = s, line;

	while (take_line(&rest, &line))
		if (!line.size)
			return s.size - rest.size;
	return 0;
}

/* Only what framing needs: a message whose headers make no sense is still cut out whole. */
static bool stream_length(struct span head, uint32_t *ret)
{
	struct span line;
	bool found = false;

	if (!take_line(&head, &line))
		return false;
	while (take_folded(&head, &line) && line.size) {
		struct sip_header_line h;
		uint32_t value;
		if (!parse_header(&h, line) || h.id != SIP_H_CONTENT_LENGTH)
			continue;
		if (!sip_number(h.value, LIMIT_SIP_MESSAGE_BYTES, &value))
			return false;
		if (found && value != *ret)
			return false;
		found = true;
		*ret = value;
	}
	return found;
}

int sip_message_frame(struct span stream, size_t *ret_size)
{
	size_t blank = 0;
	uint32_t body = 0;

	*ret_size = 0;
	while (blank < stream.size && (stream.data[blank] == '\r' || stream.data[blank] == '\n'))
		++blank;
	if (blank) {
		*ret_size = blank;
		return SIP_FRAME_E_BLANK;
	}
	size_t head = headers_size(stream);
	if (!head)
		return stream.size > LIMIT_SIP_MESSAGE_BYTES ? SIP_FRAME_E_BROKEN
							     : SIP_FRAME_E_MORE;
	if (!stream_length(span_of(stream.data, head), &body) ||
		head + body > LIMIT_SIP_MESSAGE_BYTES)
		return SIP_FRAME_E_BROKEN;
	*ret_size = head + body;
	return stream.size < head + body ? SIP_FRAME_E_MORE : 0;
}

static unsigned count_of(const struct sip_message *m, enum sip_header_id id)
{
	unsigned count = 0;
	for (size_t i = 0; i < m->header_count; ++i)
		count += m->headers[i].id == id;
	return count;
}

/* ";;": separators with nothing between them. */
static bool has_gap(struct span params)
{
	bool empty = true;

	for (size_t i = 0; i < params.size; ++i) {
		if (params.data[i] == ';' && empty)
			return true;
		empty = params.data[i] == ';' || (empty && params.data[i] <= ' ');
	}
	return false;
}

/* Whoever begins a call must do it well; within one a slip of a carrier shall not cost the BYE. */
static bool badly_begun(const struct sip_message *m)
{
	return m->method == SIP_INVITE && !m->to.tag.size && has_gap(m->via.params);
}

unsigned sip_message_refusal(const struct sip_message *m)
{
	static const enum sip_header_id once[] = {SIP_H_FROM, SIP_H_TO, SIP_H_CALL_ID, SIP_H_CSEQ,
		SIP_H_MAX_FORWARDS};
	struct sip_uri uri;
	uint32_t hops;

	if (!m->version_is_2)
		return 505;
	if (m->broken_lines || badly_begun(m))
		return 400;
	for (size_t i = 0; i < COUNT_OF(once); ++i)
		if (count_of(m, once[i]) > 1)
			return 400;
	if (m->cseq.method.size != m->method_name.size ||
		memcmp(m->cseq.method.data, m->method_name.data, m->method_name.size))
		return 400;
	/* Headers have no place in a Request-URI (RFC 3261 section 19.1.1). */
	if (sip_uri_parse(&uri, m->uri) || uri.headers.size)
		return 400;
	if (uri.scheme == SIP_SCHEME_OTHER)
		return 416;
	const struct sip_header_line *max = sip_message_header(m, SIP_H_MAX_FORWARDS);
	/* We forward nothing, so 0 hops left is enough (RFC 3261 section 8.2 asks no more). */
	if (max && !sip_number(max->value, UINT32_MAX, &hops))
		return 400;
	return 0;
}

bool sip_is_type(struct span media_type, const char *type)
{
	const uint8_t *end = media_type.size ? memchr(media_type.data, ';', media_type.size) : NULL;
	size_t size = end ? (size_t)(end - media_type.data) : media_type.size;

	return span_is_nocase(sip_trim(span_of(media_type.data, size)), type);
}

/* None said is taken for SDP. */
static bool is_sdp(struct span media_type)
{
	return !media_type.size || sip_is_type(media_type, "application/sdp");
}

/* Without Accept it is SDP (RFC 3261 section 20.1). */
static bool accepts_sdp(const struct sip_message *m)
{
	bool any = false;

	for (size_t i = 0; i < m->header_count; ++i) {
		struct span rest = m->headers[i].value, item;
		if (!span_is_nocase(m->headers[i].name, "Accept"))
			continue;
		any = true;
		while (sip_list_next(&rest, &item))
			if (is_sdp(item) || item.data[0] == '*' ||
				(item.size >= 13 && !strncasecmp((const char *)item.data, "application/*", 13)))
				return true;
	}
	return !any;
}

unsigned sip_message_body_refusal(const struct sip_message *m)
{
	if (m->method != SIP_INVITE && m->method != SIP_UPDATE)
		return 0;
	bool is_part = m->body.data != m->content.data;
	if (m->body.size && ((!is_part && !is_sdp(sip_message_value(m, SIP_H_CONTENT_TYPE))) ||
				    sip_message_header(m, SIP_H_CONTENT_ENCODING)))
		return 415;
	return m->method == SIP_INVITE && !accepts_sdp(m) ? 406 : 0;
}

const struct sip_header_line *sip_message_header(
	const struct sip_message *m, enum sip_header_id id)
{
	for (size_t i = 0; i < m->header_count; ++i)
		if (m->headers[i].id == id)
			return &m->headers[i];
	return NULL;
}

const struct sip_header_line *sip_message_header_named(
	const struct sip_message *m, const char *name)
{
	enum sip_header_id id = header_id_of(span_text(name));

	if (id != SIP_H_OTHER)
		return sip_message_header(m, id);
	for (size_t i = 0; i < m->header_count; ++i)
		if (span_is_nocase(m->headers[i].name, name))
			return &m->headers[i];
	return NULL;
}

struct span sip_message_value(const struct sip_message *m, enum sip_header_id id)
{
	const struct sip_header_line *h = sip_message_header(m, id);
	return h ? h->value : (struct span){0};
}

struct span sip_message_value_named(const struct sip_message *m, const char *name)
{
	const struct sip_header_line *h = sip_message_header_named(m, name);
	return h ? h->value : (struct span){0};
}

bool sip_items_next(struct sip_items *it, struct span *ret_item)
{
	for (;;) {
		if (sip_list_next(&it->rest, ret_item))
			return true;
		while (it->at < it->m->header_count && it->m->headers[it->at].id != it->id)
			++it->at;
		if (it->at == it->m->header_count)
			return false;
		it->rest = it->m->headers[it->at++].value;
	}
}

bool sip_message_lists(const struct sip_message *m, enum sip_header_id id, const char *token)
{
	struct sip_items it = {.m = m, .id = id};
	struct span item;

	while (sip_items_next(&it, &item))
		if (span_is_nocase(item, token))
			return true;
	return false;
}

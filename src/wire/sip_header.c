#include "wire/sip_header.h"

static bool is_token_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		(c && strchr("-.!%*_+`'~", c));
}

static struct span take_token(struct span *s)
{
	size_t i = 0;
	while (i < s->size && is_token_byte(s->data[i]))
		++i;
	return sip_take(s, i);
}

/* A quoted string at the front, without its quotes. False when it does not end. */
static bool take_quoted(struct span *s, struct span *ret)
{
	for (size_t i = 1; i < s->size; ++i) {
		if (s->data[i] == '\\') {
			++i;
		} else if (s->data[i] == '"') {
			*ret = span_of(s->data + 1, i - 1);
			sip_take(s, i + 1);
			return true;
		}
	}
	return false;
}

/* Index of the first byte of `any`, or size. */
static size_t find_any(struct span s, const char *any)
{
	size_t i = 0;
	while (i < s.size && (!s.data[i] || !strchr(any, s.data[i])))
		++i;
	return i;
}

bool sip_list_next(struct span *rest, struct span *ret_item)
{
	while (rest->size) {
		bool quoted = false;
		unsigned angle = 0;
		size_t i = 0;

		for (; i < rest->size; ++i) {
			uint8_t c = rest->data[i];
			if (quoted && c == '\\' && i + 1 < rest->size)
				++i;
			else if (c == '"' && !angle)
				quoted = !quoted;
			else if (!quoted && c == '<')
				angle = 1;
			else if (!quoted && c == '>')
				angle = 0;
			else if (c == ',' && !quoted && !angle)
				break;
		}
		struct span item = sip_trim(sip_take(rest, i));
		if (rest->size)
			sip_take(rest, 1);
		if (item.size) {
			*ret_item = item;
			return true;
		}
	}
	return false;
}

/* <uri> ;params. The caller has taken the display name. */
static int parse_bracketed(struct sip_name_addr *a, struct span s)
{
	size_t end = find_any(s, ">");
	if (end == s.size)
		return SIP_HEADER_E_BAD;
	a->uri = sip_trim(span_of(s.data + 1, end - 1));
	sip_take(&s, end + 1);
	s = sip_trim(s);
	if (s.size && s.data[0] != ';')
		return SIP_HEADER_E_BAD;
	if (s.size)
		a->params = span_of(s.data + 1, s.size - 1);
	return 0;
}

/* Without < > whatever follows ';' belongs to the header (RFC 3261 section 20). */
static void parse_bare(struct sip_name_addr *a, struct span s)
{
	a->uri = sip_trim(sip_take(&s, find_any(s, ";")));
	if (s.size)
		a->params = span_of(s.data + 1, s.size - 1);
}

int sip_name_addr_parse(struct sip_name_addr *ret, struct span value)
{
	struct sip_name_addr a = {0};
	struct span s = sip_trim(value);

	if (span_is(s, "*")) {
		a.wildcard = true;
		*ret = a;
		return 0;
	}
	bool quoted = s.size && s.data[0] == '"';
	if (quoted && !take_quoted(&s, &a.display))
		return SIP_HEADER_E_BAD;
	s = sip_trim(s);
	size_t angle = find_any(s, "<");
	if (angle < s.size) {
		if (quoted && angle)
			return SIP_HEADER_E_BAD;
		if (!quoted)
			a.display = sip_trim(span_of(s.data, angle));
		sip_take(&s, angle);
		if (parse_bracketed(&a, s))
			return SIP_HEADER_E_BAD;
	} else if (quoted) {
		return SIP_HEADER_E_BAD;
	} else {
		parse_bare(&a, s);
	}
	if (!a.uri.size)
		return SIP_HEADER_E_BAD;
	sip_param_get(a.params, "tag", &a.tag);
	*ret = a;
	return 0;
}

/* "SIP / 2.0 / UDP", with blanks wherever somebody likes them; and any version, or whoever speaks
 * another one could not be told so (505). */
static bool take_via_protocol(struct span *s, struct span *transport)
{
	static const char *const want[] = {"SIP", NULL};

	for (size_t i = 0; i < COUNT_OF(want); ++i) {
		*s = sip_trim(*s);
		struct span word = take_token(s);
		if (want[i] ? !span_is_nocase(word, want[i]) : !word.size)
			return false;
		*s = sip_trim(*s);
		if (!s->size || sip_take(s, 1).data[0] != '/')
			return false;
	}
	*s = sip_trim(*s);
	*transport = take_token(s);
	size_t before = s->size;
	*s = sip_trim(*s);
	return transport->size && s->size < before;
}

static bool take_sent_by(struct span *s, struct sip_via *v)
{
	if (s->size && s->data[0] == '[') {
		size_t end = find_any(*s, "]");
		if (end == s->size)
			return false;
		v->host = span_of(s->data + 1, end - 1);
		sip_take(s, end + 1);
	} else {
		v->host = sip_trim(sip_take(s, find_any(*s, ":;")));
	}
	*s = sip_trim(*s);
	if (!s->size || s->data[0] != ':')
		return v->host.size > 0;

	uint32_t port;
	sip_take(s, 1);
	if (!sip_number(sip_trim(sip_take(s, find_any(*s, ";"))), 65535, &port))
		return false;
	v->port = (uint16_t)port;
	return v->host.size > 0;
}

int sip_via_parse(struct sip_via *ret, struct span value)
{
	struct sip_via v = {0};
	struct span s = sip_trim(value), text;
	uint32_t port;

	if (!take_via_protocol(&s, &v.transport) || !take_sent_by(&s, &v))
		return SIP_HEADER_E_BAD;
	if (s.size && s.data[0] != ';')
		return SIP_HEADER_E_BAD;
	if (s.size)
		v.params = span_of(s.data + 1, s.size - 1);
	sip_param_get(v.params, "branch", &v.branch);
	sip_param_get(v.params, "received", &v.received);
	v.has_rport = sip_param_get(v.params, "rport", &text);
	if (v.has_rport && text.size && sip_number(text, 65535, &port))
		v.rport = (uint16_t)port;
	*ret = v;
	return 0;
}

int sip_cseq_parse(struct sip_cseq *ret, struct span value)
{
	struct sip_cseq c;
	struct span s = sip_trim(value);
	size_t digits = 0;

	while (digits < s.size && s.data[digits] >= '0' && s.data[digits] <= '9')
		++digits;
	/* RFC 3261 section 8.1.1.5: below 2^31. Some start higher; nothing breaks by it. */
	if (!sip_number(sip_take(&s, digits), UINT32_MAX, &c.number))
		return SIP_HEADER_E_BAD;
	size_t before = s.size;
	s = sip_trim(s);
	if (s.size == before)
		return SIP_HEADER_E_BAD;
	c.method = take_token(&s);
	if (!c.method.size || s.size)
		return SIP_HEADER_E_BAD;
	*ret = c;
	return 0;
}

int sip_reason_parse(struct sip_reason *ret, struct span value)
{
	struct sip_reason reason = {0};
	struct span s = sip_trim(value), text;

	reason.protocol = take_token(&s);
	s = sip_trim(s);
	if (!reason.protocol.size || (s.size && s.data[0] != ';'))
		return SIP_HEADER_E_BAD;
	if (s.size)
		sip_take(&s, 1);
	if (sip_param_get(s, "cause", &text) && !sip_number(text, 999, &reason.cause))
		reason.cause = 0;
	sip_param_get(s, "text", &reason.text);
	*ret = reason;
	return 0;
}

int sip_rack_parse(struct sip_rack *ret, struct span value)
{
	struct sip_rack rack;
	struct span s = sip_trim(value);

	size_t digits = find_any(s, " \t\r\n");
	if (!sip_number(sip_take(&s, digits), UINT32_MAX, &rack.rseq) ||
		sip_cseq_parse(&rack.cseq, s))
		return SIP_HEADER_E_BAD;
	*ret = rack;
	return 0;
}

int sip_session_expires_parse(struct sip_session_expires *ret, struct span value)
{
	struct sip_session_expires e = {0};
	struct span s = sip_trim(value);

	size_t digits = find_any(s, "; \t\r\n");
	if (!sip_number(sip_take(&s, digits), UINT32_MAX, &e.seconds))
		return SIP_HEADER_E_BAD;
	s = sip_trim(s);
	if (s.size && s.data[0] != ';')
		return SIP_HEADER_E_BAD;
	if (s.size)
		sip_take(&s, 1);
	sip_param_get(s, "refresher", &e.refresher);
	*ret = e;
	return 0;
}

uint32_t sip_retry_after_s(struct span value)
{
	uint32_t seconds = 0;
	size_t digits = 0;

	while (digits < value.size && value.data[digits] >= '0' && value.data[digits] <= '9')
		++digits;
	return sip_number(span_of(value.data, digits), UINT32_MAX, &seconds) ? seconds : 0;
}

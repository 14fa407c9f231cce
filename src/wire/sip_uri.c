#include "wire/sip_uri.h"

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span sip_trim(struct span s)
{
	while (s.size && is_blank(s.data[0])) {
		++s.data;
		--s.size;
	}
	while (s.size && is_blank(s.data[s.size - 1]))
		--s.size;
	return s;
}

struct span sip_take(struct span *s, size_t size)
{
	struct span front = span_of(s->data, size);

	if (size)
		*s = span_of(s->data + size, s->size - size);
	return front;
}

bool sip_number(struct span text, uint32_t max, uint32_t *ret)
{
	uint64_t value = 0;

	if (!text.size)
		return false;
	for (size_t i = 0; i < text.size; ++i) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		value = value * 10 + (text.data[i] - '0');
		if (value > max)
			return false;
	}
	*ret = (uint32_t)value;
	return true;
}

/* Index of `c`, or size. */
static size_t find(struct span s, uint8_t c)
{
	const uint8_t *at = s.size ? memchr(s.data, c, s.size) : NULL;
	return at ? (size_t)(at - s.data) : s.size;
}

/* Takes up to `c`, and `c` itself away. False when there is none; then nothing is taken. */
static bool take_until(struct span *s, uint8_t c, struct span *ret)
{
	size_t at = find(*s, c);
	if (at == s->size)
		return false;
	*ret = sip_take(s, at);
	sip_take(s, 1);
	return true;
}

static enum sip_scheme scheme_of(struct span name)
{
	if (span_is_nocase(name, "sip"))
		return SIP_SCHEME_SIP;
	if (span_is_nocase(name, "sips"))
		return SIP_SCHEME_SIPS;
	if (span_is_nocase(name, "tel"))
		return SIP_SCHEME_TEL;
	return SIP_SCHEME_OTHER;
}

/* RFC 3986 section 3.1: a letter, then letters, digits, "+-.". */
static bool is_scheme(struct span s)
{
	for (size_t i = 0; i < s.size; ++i) {
		uint8_t c = s.data[i], lower = c | 0x20;
		bool letter = lower >= 'a' && lower <= 'z';
		bool other = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
		if (!letter && (i == 0 || !other))
			return false;
	}
	return s.size > 0;
}

static bool has_blank_or_control(struct span s)
{
	for (size_t i = 0; i < s.size; ++i)
		if (s.data[i] <= ' ' || s.data[i] == 0x7f || s.data[i] == '<' || s.data[i] == '>' ||
			s.data[i] == '"')
			return true;
	return false;
}

static bool is_host_byte(uint8_t c)
{
	uint8_t lower = c | 0x20;
	return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
		c == '_';
}

/* host [":" port], an IPv6 host in brackets. */
static int parse_host_port(struct sip_uri *u, struct span s)
{
	if (s.size && s.data[0] == '[') {
		sip_take(&s, 1);
		if (!take_until(&s, ']', &u->host))
			return SIP_URI_E_BAD;
		u->host_is_ipv6 = true;
		for (size_t i = 0; i < u->host.size; ++i)
			if (!is_host_byte(u->host.data[i]) && u->host.data[i] != ':')
				return SIP_URI_E_BAD;
	} else {
		u->host = sip_take(&s, find(s, ':'));
		for (size_t i = 0; i < u->host.size; ++i)
			if (!is_host_byte(u->host.data[i]))
				return SIP_URI_E_BAD;
	}
	if (!u->host.size)
		return SIP_URI_E_BAD;
	if (!s.size)
		return 0;

	uint32_t port;
	if (sip_take(&s, 1).data[0] != ':' || !sip_number(s, 65535, &port) || !port)
		return SIP_URI_E_BAD;
	u->port = (uint16_t)port;
	return 0;
}

/* The user part may hold ';' and '?', so the '@' is looked for first; it can stand nowhere else
 * unescaped (RFC 3261 section 25.1). */
static int parse_sip(struct sip_uri *u, struct span s)
{
	struct span userinfo;

	if (take_until(&s, '@', &userinfo)) {
		u->user = sip_take(&userinfo, find(userinfo, ':'));
		if (userinfo.size)
			u->password = span_of(userinfo.data + 1, userinfo.size - 1);
		if (!u->user.size || find(s, '@') != s.size)
			return SIP_URI_E_BAD;
	}
	struct span before = sip_take(&s, find(s, '?'));
	if (s.size)
		u->headers = span_of(s.data + 1, s.size - 1);
	struct span host_port = sip_take(&before, find(before, ';'));
	if (before.size)
		u->params = span_of(before.data + 1, before.size - 1);
	return parse_host_port(u, host_port);
}

static int parse_tel(struct sip_uri *u, struct span s)
{
	u->host = sip_take(&s, find(s, ';'));
	if (s.size)
		u->params = span_of(s.data + 1, s.size - 1);
	return u->host.size ? 0 : SIP_URI_E_BAD;
}

int sip_uri_parse(struct sip_uri *ret, struct span text)
{
	struct sip_uri u = {0};
	struct span scheme;
	int r = 0;

	if (!take_until(&text, ':', &scheme) || !is_scheme(scheme) || !text.size ||
		has_blank_or_control(text))
		return SIP_URI_E_BAD;
	u.scheme = scheme_of(scheme);
	if (u.scheme == SIP_SCHEME_OTHER)
		u.host = text;
	else if (u.scheme == SIP_SCHEME_TEL)
		r = parse_tel(&u, text);
	else
		r = parse_sip(&u, text);
	if (r)
		return r;
	*ret = u;
	return 0;
}

static void write_tail(struct writer *w, const char *mark, struct span s)
{
	if (!s.size)
		return;
	write_text(w, mark);
	write_span(w, s);
}

void sip_uri_write(struct writer *w, const struct sip_uri *uri)
{
	static const char *const schemes[] = {"sip:", "sips:", "tel:", "other:"};

	write_text(w, schemes[uri->scheme]);
	if (uri->user.size) {
		write_span(w, uri->user);
		write_tail(w, ":", uri->password);
		write_text(w, "@");
	}
	write_text(w, uri->host_is_ipv6 ? "[" : "");
	write_span(w, uri->host);
	write_text(w, uri->host_is_ipv6 ? "]" : "");
	if (uri->port)
		write_format(w, ":%u", uri->port);
	write_tail(w, ";", uri->params);
	write_tail(w, "?", uri->headers);
}

/* Up to the next ';' outside quotes. */
static struct span take_param(struct span *rest)
{
	bool quoted = false;
	size_t i = 0;

	for (; i < rest->size; ++i) {
		uint8_t c = rest->data[i];
		if (quoted && c == '\\' && i + 1 < rest->size)
			++i;
		else if (c == '"')
			quoted = !quoted;
		else if (c == ';' && !quoted)
			break;
	}
	struct span item = sip_take(rest, i);
	if (rest->size)
		sip_take(rest, 1);
	return item;
}

bool sip_param_get(struct span params, const char *name, struct span *ret_value)
{
	while (params.size) {
		struct span value = take_param(&params);
		struct span key = sip_trim(sip_take(&value, find(value, '=')));
		if (!span_is_nocase(key, name))
			continue;
		if (value.size)
			sip_take(&value, 1);
		value = sip_trim(value);
		if (value.size >= 2 && value.data[0] == '"' && value.data[value.size - 1] == '"')
			value = span_of(value.data + 1, value.size - 2);
		if (ret_value)
			*ret_value = value;
		return true;
	}
	return false;
}

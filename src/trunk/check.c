#include "trunk/check.h"

#include "trunk/options.h"

#include <stdarg.h>
#include <stdio.h>

/* The INVITE's own headers, long and compact. Case does not count. */
static const char *const reserved[] = {
	"accept", "accept-encoding", "accept-language", "allow", "allow-events", "call-id", "contact",
	"content-disposition", "content-encoding", "content-language", "content-length", "content-type",
	"cseq", "event", "expires", "from", "max-forwards", "record-route", "refer-to", "reply-to",
	"c", "e", "f", "i", "k", "l", "m", "o", "r", "t", "u", "v",
};

PRINTF(2, 3) static bool no(char why[TRUNK_WHY_SIZE], const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(why, TRUNK_WHY_SIZE, format, args);
	va_end(args);
	return false;
}

/* RFC 3261, section 25.1: token. */
static bool is_token_char(unsigned c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		(c && c < 0x80 && strchr("-.!%*_+`'~", (int)c));
}

/* The code point at *text, which is UTF-8 already (protobuf says so), and step over it. */
static unsigned next_char(const char **text)
{
	const unsigned char *c = (const unsigned char *)*text;
	unsigned extra = *c >= 0xf0 ? 3 : *c >= 0xe0 ? 2 : *c >= 0xc0 ? 1 : 0;
	unsigned value = extra ? *c & (0x3f >> extra) : *c;
	for (++c; extra && (*c & 0xc0) == 0x80; --extra, ++c)
		value = value << 6 | (*c & 0x3f);
	*text = (const char *)c;
	return value;
}

bool check_header_name(const char *name, char why[TRUNK_WHY_SIZE])
{
	if (!*name)
		return no(why, "invalid header name: header name cannot be empty");
	if (strlen(name) > HEADER_NAME_BYTES_MAX)
		return no(why, "invalid header name: header name too long (max %d characters)",
			HEADER_NAME_BYTES_MAX);
	for (const char *at = name; *at;) {
		unsigned c = next_char(&at);
		if (c > 0x7f)
			return no(why, "invalid header name: header name %s contains invalid "
				"characters: char %u out of range, consider explicilty adding utf8 "
				"characters", name, c);
		if (!is_token_char(c))
			return no(why, "invalid header name: header name %s contains invalid "
				"characters: char %u not allowed", name, c);
	}
	return true;
}

static bool check_header_value(const char *name, const char *value, char why[TRUNK_WHY_SIZE])
{
	if (strlen(value) > HEADER_VALUE_BYTES_MAX)
		return no(why, "invalid header value for %s: header %s: value too long (max %d characters)",
			name, name, HEADER_VALUE_BYTES_MAX);
	for (const unsigned char *c = (const unsigned char *)value; *c; ++c)
		if ((*c < 0x20 && *c != '\t') || *c == 0x7f)
			return no(why, "invalid header value for %s: header %s: value: char %u not allowed",
				name, name, *c);
	return true;
}

bool check_header(const char *name, const char *value, char why[TRUNK_WHY_SIZE])
{
	if (!check_header_name(name, why))
		return false;
	for (size_t i = 0; i < COUNT_OF(reserved); ++i)
		if (!strcasecmp(name, reserved[i]))
			return no(why, "invalid header name: header name %s not supported", name);
	return check_header_value(name, value, why);
}

bool check_request_header(const char *name, const char *value, char why[TRUNK_WHY_SIZE])
{
	/* A second To, or a way of one's own: past the number that the policy was asked about. */
	static const char *const routing[] = {"to", "via", "route"};

	for (size_t i = 0; i < COUNT_OF(routing); ++i)
		if (!strcasecmp(name, routing[i]))
			return no(why, "invalid header name: header name %s not supported", name);
	return check_header(name, value, why);
}

bool check_host(const char *label, const char *host, char why[TRUNK_WHY_SIZE])
{
	if (strstr(host, "transport="))
		return no(why, "%s should not contain transport parameter", label);
	if (!strncasecmp(host, "sip:", 4) || !strncasecmp(host, "sips:", 5) || strpbrk(host, "@;"))
		return no(why, "%s should be a hostname or IP, not SIP URI", label);
	return true;
}

static bool check_codec(const Livekit__SIPCodec *c, char why[TRUNK_WHY_SIZE])
{
	if (!*c->name)
		return no(why, "missing codec name");
	if (strchr(c->name, '/'))
		return no(why, "codec name must not contain '/'");
	return strpbrk(c->name, " \t\r\n") ? no(why, "invalid codec name") : true;
}

bool check_media(const Livekit__SIPMediaConfig *m, char why[TRUNK_WHY_SIZE])
{
	if (!m)
		return true;
	for (size_t i = 0; i < m->n_codecs; ++i)
		if (!check_codec(m->codecs[i], why))
			return false;
	if (m->_media_timeout_case != LIVEKIT__SIPMEDIA_CONFIG___MEDIA_TIMEOUT_MEDIA_TIMEOUT)
		return true;
	const Livekit__Duration *d = m->media_timeout;
	if (d->seconds < 0 || d->nanos < 0)
		return no(why, "media_timeout must not be negative");
	if (d->seconds > MEDIA_TIMEOUT_S_MAX || (d->seconds == MEDIA_TIMEOUT_S_MAX && d->nanos > 0))
		return no(why, "media_timeout must not exceed 10m0s");
	return true;
}

static bool check_headers(const Livekit__SIPOutboundTrunkInfo *t, char why[TRUNK_WHY_SIZE])
{
	for (size_t i = 0; i < t->n_headers; ++i)
		if (!check_header(t->headers[i]->key, t->headers[i]->value, why))
			return false;
	for (size_t i = 0; i < t->n_headers_to_attributes; ++i)
		if (!check_header_name(t->headers_to_attributes[i]->key, why))
			return false;
	for (size_t i = 0; i < t->n_attributes_to_headers; ++i)
		if (!check_header_name(t->attributes_to_headers[i]->value, why))
			return false;
	return true;
}

static bool check_options(const Livekit__SIPOutboundTrunkInfo *t, char why[TRUNK_WHY_SIZE])
{
	struct trunk_options options;

	if (trunk_options_read(&options, t->metadata, why))
		return false;
	const char *user = trunk_options_user(&options, t);
	if (trunk_options_register(&options) && (!*user || strpbrk(user, "@<>\";:, ")))
		return no(why, "metadata: ringdown.register needs a SIP user: set register.user, or auth_username");
	return true;
}

bool check_trunk(const Livekit__SIPOutboundTrunkInfo *t, char why[TRUNK_WHY_SIZE])
{
	if (t->n_numbers == 0)
		return no(why, "no trunk numbers specified");
	if (!*t->address)
		return no(why, "no outbound address specified");
	return check_host("trunk address", t->address, why) &&
		check_host("from_host", t->from_host, why) && check_headers(t, why) &&
		check_media(t->media, why) && check_options(t, why);
}

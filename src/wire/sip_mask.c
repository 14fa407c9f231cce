#include "wire/sip_mask.h"

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* Blanks and line ends stay, so that folded values keep their shape. */
static void hide(uint8_t *from, const uint8_t *end)
{
	for (; from < end; ++from)
		if (!is_blank(*from) && *from != '\r' && *from != '\n')
			*from = '*';
}

/* Where the line at `at` ends, without its line end; *next is the following line. */
static uint8_t *line_end(uint8_t *at, uint8_t *end, uint8_t **next)
{
	uint8_t *feed = memchr(at, '\n', (size_t)(end - at));
	*next = feed ? feed + 1 : end;
	uint8_t *stop = feed ? feed : end;
	return stop > at && stop[-1] == '\r' ? stop - 1 : stop;
}

static struct span between(const uint8_t *from, const uint8_t *to)
{
	return span_of(from, (size_t)(to - from));
}

/* `word` is lower case. */
static bool contains(struct span s, const char *word)
{
	size_t size = strlen(word);
	for (size_t i = 0; i + size <= s.size; ++i)
		if ((s.data[i] | 0x20) == word[0] && !strncasecmp((const char *)s.data + i, word, size))
			return true;
	return false;
}

static bool begins(struct span s, const char *word)
{
	size_t size = strlen(word);
	return s.size >= size && !strncasecmp((const char *)s.data, word, size);
}

/* ---- headers ---- */

/* RFC 7616, 3.4: what anybody may see of credentials. */
static bool is_public_parameter(struct span name)
{
	static const char *const names[] = {"username", "username*", "realm", "nonce", "uri", "algorithm", "cnonce", "opaque",
		"qop", "nc", "userhash", "nextnonce"};
	for (size_t i = 0; i < COUNT_OF(names); ++i)
		if (span_is_nocase(name, names[i]))
			return true;
	return false;
}

static bool is_space(uint8_t c)
{
	return is_blank(c) || c == '\r' || c == '\n';
}

/* The value of a parameter: quoted, or up to the next comma. */
static uint8_t *value_end(uint8_t *at, uint8_t *end)
{
	bool quoted = at < end && *at == '"';
	for (uint8_t *c = at + quoted; c < end; ++c) {
		if (quoted && *c == '\\' && c + 1 < end)
			++c;
		else if (quoted ? *c == '"' : *c == ',')
			return c;
	}
	return end;
}

/* name=value, name="value", ... */
static void hide_parameters(uint8_t *at, uint8_t *end)
{
	while (at < end) {
		while (at < end && (is_space(*at) || *at == ','))
			++at;
		uint8_t *equals = memchr(at, '=', (size_t)(end - at));
		if (!equals) {
			hide(at, end); /* no parameter: who knows what it is */
			return;
		}
		uint8_t *name_end = equals, *value = equals + 1;
		while (name_end > at && is_space(name_end[-1]))
			--name_end;
		while (value < end && is_space(*value))
			++value;
		uint8_t *stop = value_end(value, end);
		if (!is_public_parameter(between(at, name_end)))
			hide(value + (value < end && *value == '"'), stop);
		/* Past the closing quote and whatever stands before the next comma. */
		at = stop;
		while (at < end && *at != ',')
			++at;
	}
}

/* "Digest username=..., response=..."; other schemes are hidden whole. */
static void hide_credentials(uint8_t *at, uint8_t *end)
{
	while (at < end && is_space(*at))
		++at;
	uint8_t *scheme_end = at;
	while (scheme_end < end && !is_space(*scheme_end))
		++scheme_end;
	if (span_is_nocase(between(at, scheme_end), "Digest"))
		hide_parameters(scheme_end, end);
	else
		hide(scheme_end < end ? scheme_end : at, end);
}

static bool is_secret_name(struct span name)
{
	static const char *const words[] = {"token", "passw", "secret", "apikey", "api-key", "auth-key", "credential", "cookie",
		"authorization"};
	for (size_t i = 0; i < COUNT_OF(words); ++i)
		if (contains(name, words[i]))
			return true;
	return false;
}

/* RFC 3261, 19.1.1: sip:user:password@host. */
static void hide_uri_passwords(uint8_t *at, uint8_t *end)
{
	static const char stops[] = " \t\r\n<>\",@";
	while (at < end) {
		size_t scheme = 0;
		if (*at == 's' || *at == 'S')
			scheme = begins(between(at, end), "sip:") ? 4 : begins(between(at, end), "sips:") ? 5 : 0;
		if (!scheme) {
			++at;
			continue;
		}
		uint8_t *colon = NULL;
		for (at += scheme; at < end && !memchr(stops, *at, sizeof stops - 1); ++at)
			colon = !colon && *at == ':' ? at : colon;
		if (at < end && *at == '@' && colon)
			hide(colon + 1, at);
	}
}

static void mask_header(uint8_t *at, uint8_t *end)
{
	uint8_t *colon = memchr(at, ':', (size_t)(end - at));
	if (!colon) {
		hide_uri_passwords(at, end); /* the start line */
		return;
	}
	struct span name = between(at, colon);
	while (name.size && is_blank(name.data[name.size - 1]))
		--name.size;
	if (span_is_nocase(name, "Authorization") || span_is_nocase(name, "Proxy-Authorization"))
		hide_credentials(colon + 1, end);
	else if (span_is_nocase(name, "Authentication-Info") || span_is_nocase(name, "Proxy-Authentication-Info"))
		hide_parameters(colon + 1, end);
	else if (is_secret_name(name))
		hide(colon + 1, end);
	else
		hide_uri_passwords(at, end);
}

/* ---- bodies ---- */

/* a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^20|1:4;inline:... (RFC 4568, 9.2) */
static void hide_inline_keys(uint8_t *at, uint8_t *end)
{
	while (at < end) {
		if (!begins(between(at, end), "inline:")) {
			++at;
			continue;
		}
		uint8_t *key = at += 7;
		while (at < end && *at != '|' && *at != ';' && !is_blank(*at))
			++at;
		hide(key, at);
	}
}

/* "Signal=5": what stands behind the name, if that is it; else NULL. */
static uint8_t *field_value(uint8_t *at, uint8_t *end, const char *name)
{
	if (!begins(between(at, end), name))
		return NULL;
	for (at += strlen(name); at < end && is_blank(*at);)
		++at;
	return at < end && *at == '=' ? at + 1 : NULL;
}

/* Keys may be a PIN: of what tells them only the words around them and how long each was pressed stay. */
static void hide_digits(uint8_t *at, uint8_t *end)
{
	uint8_t *signal = field_value(at, end, "signal");
	if (!field_value(at, end, "duration"))
		hide(signal ? signal : at, end);
}

static void hide_keys(uint8_t *at, uint8_t *end)
{
	static const char *const whole[] = {"a=ice-pwd:", "k=", "a=key-mgmt:"};
	struct span line = between(at, end);
	for (size_t i = 0; i < COUNT_OF(whole); ++i)
		if (begins(line, whole[i])) {
			hide(at + strlen(whole[i]), end);
			return;
		}
	if (begins(line, "a=crypto:"))
		hide_inline_keys(at, end);
}

/* ---- a message ---- */

struct masking {
	bool info;      /* whatever an INFO carries may be keys: gateways have many types for them */
	bool multipart;
	bool in_head;   /* of a part */
	bool digits;    /* the type of the body, or of this part, is one for keys */
};

static bool names(struct span line, const char *name)
{
	size_t size = strlen(name);
	if (!begins(line, name))
		return false;
	while (size < line.size && is_blank(line.data[size]))
		++size;
	return size < line.size && line.data[size] == ':';
}

static void note_type(struct masking *m, struct span line)
{
	static const char *const types[] = {"dtmf", "kpml", "telephone-event", "digits", "msml"};
	if (!names(line, "content-type") && !names(line, "c"))
		return;
	m->multipart |= contains(line, "multipart/");
	for (size_t i = 0; i < COUNT_OF(types); ++i)
		m->digits |= contains(line, types[i]);
}

static void note_header(struct masking *m, struct span line)
{
	note_type(m, line);
	if (names(line, "cseq"))
		m->info |= contains(line, "info");
}

static bool is_part_header(struct span line)
{
	size_t i = 0;
	while (i < line.size && line.data[i] > ' ' && line.data[i] < 0x7f && line.data[i] != ':' && line.data[i] != '=')
		++i;
	return names(line, "c") || (i > 1 && i < line.size && line.data[i] == ':');
}

static void mask_body_line(struct masking *m, uint8_t *at, uint8_t *end)
{
	struct span line = between(at, end);

	if (m->multipart && begins(line, "--")) {
		m->in_head = true;
		m->digits = false;
		return;
	}
	m->in_head = m->in_head && (is_part_header(line) || (line.size && is_blank(*line.data)));
	if (m->in_head)
		note_type(m, line);
	else if (m->info || m->digits)
		hide_digits(at, end);
	else
		hide_keys(at, end);
}

void sip_mask(uint8_t *bytes, size_t size)
{
	uint8_t *at = bytes, *end = bytes + size, *next;
	struct masking m = {0};

	while (at < end) {
		uint8_t *stop = line_end(at, end, &next);
		if (stop == at) {
			at = next;
			break;
		}
		/* Folded lines belong to the one before (RFC 3261, 7.3.1). */
		while (next < end && is_blank(*next))
			stop = line_end(next, end, &next);
		m.info |= at == bytes && begins(between(at, stop), "info ");
		mask_header(at, stop);
		note_header(&m, between(at, stop)); /* as it is seen when it is masked once more */
		at = next;
	}
	for (; at < end; at = next)
		mask_body_line(&m, at, line_end(at, end, &next));
}

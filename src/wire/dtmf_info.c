#include "wire/dtmf_info.h"

#include "wire/dtmf_event.h"

enum { EVENTS = 16 };

static struct span trim(struct span s)
{
	while (s.size && (*s.data == ' ' || *s.data == '\t')) {
		++s.data;
		--s.size;
	}
	while (s.size && (s.data[s.size - 1] == ' ' || s.data[s.size - 1] == '\t' || s.data[s.size - 1] == '\r'))
		--s.size;
	return s;
}

/* The next line; `rest` moves behind it. */
static struct span next_line(struct span *rest)
{
	const uint8_t *end = rest->size ? memchr(rest->data, '\n', rest->size) : NULL;
	size_t size = end ? (size_t)(end - rest->data) : rest->size;
	struct span line = span_of(rest->data, size);
	rest->data += end ? size + 1 : size;
	rest->size -= end ? size + 1 : size;
	return trim(line);
}

/* False when it is no number of a few digits. */
static bool read_number(unsigned *ret, struct span s)
{
	unsigned n = 0;
	if (!s.size || s.size > 6)
		return false;
	for (size_t i = 0; i < s.size; ++i) {
		if (s.data[i] < '0' || s.data[i] > '9')
			return false;
		n = n * 10 + (s.data[i] - '0');
	}
	*ret = n;
	return true;
}

/* A character, or the number of its event (RFC 4733). */
static char read_digit(struct span s)
{
	unsigned event = 0;
	if (s.size == 1)
		return dtmf_event_of_digit((char)s.data[0]) < 0
			? 0 : dtmf_event_digit((uint8_t)dtmf_event_of_digit((char)s.data[0]));
	return s.size == 2 && read_number(&event, s) && event >= 10 && event < EVENTS
		? dtmf_event_digit((uint8_t)event) : 0;
}

static bool split(struct span line, struct span *name, struct span *value)
{
	const uint8_t *equals = line.size ? memchr(line.data, '=', line.size) : NULL;
	if (!equals)
		return false;
	*name = trim(span_of(line.data, (size_t)(equals - line.data)));
	*value = trim(span_of(equals + 1, (size_t)(line.data + line.size - equals - 1)));
	return true;
}

static void read_relay(struct dtmf_info *ret, struct span body)
{
	struct span name, value;
	while (body.size) {
		if (!split(next_line(&body), &name, &value))
			continue;
		if (span_is_nocase(name, "Signal"))
			ret->digit = read_digit(value);
		else if (span_is_nocase(name, "Duration"))
			(void)read_number(&ret->duration_ms, value);
	}
}

static struct span media_type(struct span content_type)
{
	const uint8_t *end = content_type.size ? memchr(content_type.data, ';', content_type.size) : NULL;
	return trim(end ? span_of(content_type.data, (size_t)(end - content_type.data)) : content_type);
}

bool dtmf_info_parse(struct dtmf_info *ret, struct span content_type, struct span body)
{
	struct span type = media_type(content_type);
	*ret = (struct dtmf_info){.duration_ms = DTMF_INFO_USUAL_MS};
	if (span_is_nocase(type, "application/dtmf-relay"))
		read_relay(ret, body);
	else if (span_is_nocase(type, "application/dtmf"))
		ret->digit = read_digit(next_line(&body));
	if (ret->duration_ms < DTMF_INFO_LEAST_MS)
		ret->duration_ms = DTMF_INFO_LEAST_MS;
	if (ret->duration_ms > DTMF_INFO_MOST_MS)
		ret->duration_ms = DTMF_INFO_MOST_MS;
	return ret->digit != 0;
}

void dtmf_info_write(struct writer *w, const struct dtmf_info *i)
{
	write_format(w, "Signal=%c\r\nDuration=%u\r\n", i->digit, i->duration_ms);
}

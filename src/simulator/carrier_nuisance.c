/* simulator/carrier_nuisance.c - the ways of writing a message that carriers have and parsers stumble over
 * (RFC 3261 sections 7.3.1, 7.3.3; RFC 4475). */
#include "simulator/carrier_inside.h"

static const struct {
	const char *name, *compact;
} compacts[] = {
	{"Via", "v"}, {"From", "f"}, {"To", "t"}, {"Call-ID", "i"}, {"Contact", "m"}, {"Content-Type", "c"},
	{"Content-Length", "l"}, {"Supported", "k"}, {"Session-Expires", "x"}, {"Subject", "s"},
};

static struct span name_of(struct span line)
{
	const uint8_t *colon = memchr(line.data, ':', line.size);
	return span_of(line.data, colon ? (size_t)(colon - line.data) : 0);
}

static struct span value_of(struct span line)
{
	struct span name = name_of(line);
	return name.size ? sip_trim(span_of(line.data + name.size + 1, line.size - name.size - 1)) : line;
}

static void write_name(struct writer *out, const struct quirks *q, struct span name)
{
	for (size_t i = 0; quirk(q, Q_COMPACT) && i < COUNT_OF(compacts); ++i) {
		if (!span_is_nocase(name, compacts[i].name))
			continue;
		write_text(out, compacts[i].compact);
		return;
	}
	write_span(out, name);
}

static void write_lower(struct writer *out, struct span value)
{
	for (size_t i = 0; i < value.size; ++i) {
		uint8_t c = value.data[i];
		write_u8(out, c >= 'A' && c <= 'Z' ? c | 0x20 : c);
	}
}

/* "a;b;c" becomes "a\r\n\t;b\r\n\t;c"; inside < > nothing is touched. */
static void write_folded(struct writer *out, struct span value)
{
	bool inside = false;
	for (size_t i = 0; i < value.size; ++i) {
		uint8_t c = value.data[i];
		inside = c == '<' ? true : c == '>' ? false : inside;
		if (c == ';' && !inside && i)
			write_text(out, "\r\n\t");
		write_u8(out, c);
	}
}

static void write_line(struct writer *out, const struct quirks *q, struct span line)
{
	struct span name = name_of(line), value = value_of(line);
	write_name(out, q, name);
	write_text(out, quirk(q, Q_JOINED) ? "  :   " : ": ");
	if (quirk(q, Q_LOWER_ALLOW) && span_is_nocase(name, "Allow"))
		write_lower(out, value);
	else if (quirk(q, Q_FOLDED))
		write_folded(out, value);
	else
		write_span(out, value);
	write_text(out, "\r\n");
}

static void write_additions(struct writer *out, const struct quirks *q)
{
	if (quirk(q, Q_UNKNOWN_HEADERS))
		write_text(out, "X-Nobody-Knows: \"quoted, with; everything\" <sip:a@b;c>;d=e\r\n"
				"P-Charging-Vector: icid-value=1234;orig-ioi=a.example\r\n"
				"x-empty:\r\n");
	if (quirk(q, Q_MALFORMED_HEADER))
		write_text(out, "this line is no header\r\nTimestamp: not a number\r\nWarning: 399\r\nReason: ;;=\r\n"
				"Bad Name Here: value\r\n");
	long size = quirk(q, Q_LONG_HEADER);
	if (size) {
		write_text(out, "X-Long: ");
		for (long i = 0; i < size && !out->bad; ++i)
			write_u8(out, (uint8_t)('a' + i % 26));
		write_text(out, "\r\n");
	}
}

static void write_length(struct writer *out, const struct quirks *q, bool over_udp, struct span line)
{
	if (quirk(q, Q_NO_LENGTH) && over_udp)
		return;
	write_line(out, q, line);
	if (quirk(q, Q_DOUBLE_LENGTH))
		write_line(out, q, line);
}

static bool take_line(struct span *rest, struct span *line)
{
	const uint8_t *end = memmem(rest->data, rest->size, "\r\n", 2);
	if (!end)
		return false;
	*line = span_of(rest->data, (size_t)(end - rest->data));
	sip_take(rest, line->size + 2);
	return true;
}

/* The following lines of the same name, as one list. */
static void write_joined(struct writer *out, const struct quirks *q, struct span line, struct span *rest)
{
	struct span name = name_of(line), next, after = *rest;
	write_name(out, q, name);
	write_text(out, "  :   ");
	write_span(out, value_of(line));
	while (take_line(&after, &next) && next.size && name_of(next).size == name.size &&
		!memcmp(next.data, name.data, name.size)) {
		write_text(out, "  ,\t");
		write_span(out, value_of(next));
		*rest = after;
	}
	write_text(out, "\r\n");
}

void carrier_nuisance(struct writer *out, const struct quirks *q, bool over_udp, struct span message)
{
	struct span rest = message, line;
	if (!take_line(&rest, &line))
		return;
	write_span(out, line);
	write_text(out, "\r\n");
	while (take_line(&rest, &line) && line.size) {
		struct span name = name_of(line);
		if (span_is_nocase(name, "Content-Length")) {
			write_additions(out, q);
			write_length(out, q, over_udp, line);
		} else if (quirk(q, Q_JOINED) && (span_is_nocase(name, "Record-Route") || span_is_nocase(name, "Via"))) {
			write_joined(out, q, line, &rest);
		} else {
			write_line(out, q, line);
		}
	}
	write_text(out, "\r\n");
	write_span(out, rest);
}

#include "net/http_url.h"

static const uint8_t *find(struct span s, uint8_t c)
{
	return s.size ? memchr(s.data, c, s.size) : NULL;
}

static struct span from(struct span s, size_t skip)
{
	return span_of(s.data + skip, s.size - skip);
}

/* What stands before the first `c`, or everything. */
static struct span until(struct span s, uint8_t c)
{
	const uint8_t *at = find(s, c);
	return at ? span_of(s.data, (size_t)(at - s.data)) : s;
}

static bool starts(struct span s, const char *text)
{
	size_t size = strlen(text);
	return s.size >= size && !strncasecmp((const char *)s.data, text, size);
}

/* "http://host/path" -> "/path" */
static struct span without_host(struct span path)
{
	size_t scheme = starts(path, "http://") ? 7 : starts(path, "https://") ? 8 : 0;
	if (!scheme)
		return path;
	static const char root[] = "/";
	path = from(path, scheme);
	const uint8_t *slash = find(path, '/');
	return slash ? from(path, (size_t)(slash - path.data)) : span_text(root);
}

struct span http_url_path(struct span target)
{
	struct span path = without_host(until(until(target, '#'), '?'));
	while (path.size > 1 && path.data[0] == '/' && path.data[1] == '/')
		path = from(path, 1);
	return path;
}

bool http_url_query(struct span target, const char *name, struct span *value)
{
	target = until(target, '#');
	struct span rest = from(target, until(target, '?').size);
	while (rest.size) {
		rest = from(rest, 1); /* '?' or '&' */
		struct span argument = until(rest, '&');
		struct span key = until(argument, '=');
		rest = from(rest, argument.size);
		if (!span_is(key, name))
			continue;
		*value = from(argument, key.size + (argument.size > key.size));
		return true;
	}
	return false;
}

static int hex(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t http_url_decode(char *out, struct span text)
{
	size_t n = 0;
	for (size_t i = 0; i < text.size; ++i) {
		uint8_t c = text.data[i];
		bool escape = c == '%' && text.size - i > 2;
		int high = escape ? hex(text.data[i + 1]) : -1;
		int low = high >= 0 ? hex(text.data[i + 2]) : -1;
		if (low >= 0) {
			c = (uint8_t)(high << 4 | low);
			i += 2;
		} else if (c == '+') {
			c = ' ';
		}
		if (c)
			out[n++] = (char)c;
	}
	out[n] = 0;
	return n;
}

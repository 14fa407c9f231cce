#include "wire/sip_multipart.h"

#include "wire/sip_header.h"
#include "wire/sip_message.h"

/* The boundary without its dashes; empty = no multipart. */
static struct span boundary_of(struct span content_type)
{
	struct span value = {0};
	const uint8_t *params = content_type.size ? memchr(content_type.data, ';', content_type.size) : NULL;

	if (!params || content_type.size < 10 || strncasecmp((const char *)content_type.data, "multipart/", 10))
		return value;
	size_t before = (size_t)(params - content_type.data) + 1;
	sip_param_get(span_of(params + 1, content_type.size - before), "boundary", &value);
	return value;
}

/* One line without its end. False at the end of the text. */
static bool take_line(struct span *s, struct span *ret)
{
	if (!s->size)
		return false;
	const uint8_t *end = memchr(s->data, '\n', s->size);
	size_t size = end ? (size_t)(end - s->data) : s->size;
	*ret = sip_take(s, size);
	if (ret->size && ret->data[ret->size - 1] == '\r')
		--ret->size;
	if (end)
		sip_take(s, 1);
	return true;
}

/* "--boundary", or with "--" behind it the last one. */
static bool is_delimiter(struct span line, struct span boundary)
{
	return line.size >= boundary.size + 2 && memcmp(line.data, "--", 2) == 0 &&
		memcmp(line.data + 2, boundary.data, boundary.size) == 0;
}

/* The headers of a part, up to the empty line. A part without a type is plain text. */
static bool take_head(struct span *s, const char *type)
{
	static const char name[] = "content-type";
	struct span line;
	bool fits = false;

	while (take_line(s, &line) && line.size) {
		struct span value = line;
		const uint8_t *colon = memchr(line.data, ':', line.size);
		if (!colon)
			continue;
		struct span key = sip_trim(sip_take(&value, (size_t)(colon - line.data)));
		sip_take(&value, 1);
		if (span_is_nocase(key, name) || span_is_nocase(key, "c"))
			fits = sip_is_type(value, type);
	}
	return fits;
}

bool sip_multipart_find(struct span *body, struct span content_type, const char *type)
{
	struct span rest = *body, boundary = boundary_of(content_type), line;
	const uint8_t *begin = NULL;

	if (!boundary.size)
		return false;
	while (take_line(&rest, &line)) {
		if (!is_delimiter(line, boundary))
			continue;
		if (begin) {
			*body = span_of(begin, (size_t)(line.data - begin));
			return true;
		}
		if (take_head(&rest, type))
			begin = rest.data;
	}
	/* The last delimiter is missing: what there is. */
	if (!begin)
		return false;
	*body = span_of(begin, (size_t)(body->data + body->size - begin));
	return true;
}

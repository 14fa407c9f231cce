/* The path and the arguments lie inside the target, and decoding never makes text longer. */
#include "net/http_url.h"

#include <assert.h>
#include <stdlib.h>

static bool inside(struct span s, const uint8_t *data, size_t size)
{
	return s.size == 0 || (s.data >= data && s.data + s.size <= data + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"a", "access_token", ""};
	struct span target = span_of(data, size), path = http_url_path(target), value;
	assert(inside(path, data, size) || span_is(path, "/"));
	assert(path.size < 2 || path.data[0] != '/' || path.data[1] != '/');
	assert(!memchr(path.data ? path.data : data, '?', path.size));
	for (size_t i = 0; i < COUNT_OF(names); ++i) {
		if (!http_url_query(target, names[i], &value))
			continue;
		assert(inside(value, data, size));
		char *text = malloc(value.size + 1);
		size_t n = http_url_decode(text, value);
		assert(n <= value.size && strlen(text) == n);
		free(text);
	}
	return 0;
}

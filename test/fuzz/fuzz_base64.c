/* What is read can be written again and reads the same; reading in place reads the same. */
#include "wire/base64.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *out = malloc(size / 4 * 3 + 3), *again = malloc(size + 3);
	char *text = malloc(BASE64_TEXT_SIZE(size));
	size_t out_size, again_size;

	memcpy(again, data, size);
	int r = base64_decode(out, &out_size, span_of(data, size));
	assert(base64_decode(again, &again_size, span_of(again, size)) == r);
	if (r == 0) {
		assert(out_size <= size / 4 * 3 + 2);
		assert(again_size == out_size && !memcmp(out, again, out_size));
		size_t n = base64_encode_url(text, span_of(out, out_size));
		assert(strlen(text) == n && n <= size);
		assert(base64_decode(again, &again_size, span_text(text)) == 0);
		assert(again_size == out_size && !memcmp(out, again, out_size));
	}

	/* The bytes themselves, both ways. */
	free(again);
	free(text);
	text = malloc(BASE64_TEXT_SIZE(size));
	again = malloc(BASE64_TEXT_SIZE(size) / 4 * 3 + 3);
	assert(base64_encode(text, span_of(data, size)) == BASE64_TEXT_SIZE(size) - 1);
	assert(base64_decode(again, &again_size, span_text(text)) == 0);
	assert(again_size == size && (!size || !memcmp(again, data, size)));
	free(out);
	free(again);
	free(text);
	return 0;
}

/* The first line is the content type. */
#include "wire/dtmf_info.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	size_t type = end ? (size_t)(end - data) : size;
	struct span body = end ? span_of(end + 1, size - type - 1) : (struct span){0};
	struct dtmf_info d, again;
	if (!dtmf_info_parse(&d, span_of(data, type), body))
		return 0;
	assert(strchr("0123456789*#ABCD", d.digit));
	assert(d.duration_ms >= DTMF_INFO_LEAST_MS && d.duration_ms <= DTMF_INFO_MOST_MS);
	char text[DTMF_INFO_SIZE];
	struct writer w = writer_of(text, sizeof text);
	dtmf_info_write(&w, &d);
	assert(!w.bad && dtmf_info_parse(&again, span_text("application/dtmf-relay"), writer_span(&w)));
	assert(again.digit == d.digit && again.duration_ms == d.duration_ms);
	return 0;
}

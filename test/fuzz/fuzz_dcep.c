#include "wire/dcep.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum dcep_type type;
	struct dcep_open open = {0}, again;

	if (!dcep_parse(&type, &open, span_of(data, size)))
		return 0;
	assert(type == DCEP_OPEN || type == DCEP_ACK);
	if (type == DCEP_ACK)
		return 0;
	assert(open.label.size + open.protocol.size + 12 <= size);

	static uint8_t out[1 << 18];
	struct writer w = writer_of(out, sizeof out);
	dcep_write_open(&w, &open);
	assert(!w.bad && dcep_parse(&type, &again, writer_span(&w)));
	assert(again.kind == open.kind && again.reliability == open.reliability);
	assert(again.ordered == open.ordered && again.label.size == open.label.size);
	return 0;
}

#include "wire/red.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct red_block blocks[RED_BLOCKS_MAX];
	size_t count = red_parse(blocks, span_of(data, size)), used = 0;
	uint8_t copy[2048];
	struct writer w = writer_of(copy, sizeof copy);

	red_write_as(&w, span_of(data, size), 109);
	assert(w.bad || w.used == size);

	assert(count <= RED_BLOCKS_MAX);
	if (!count)
		return 0;
	assert(w.bad || red_is_of(writer_span(&w), 109));
	for (size_t i = 0; i < count; ++i) {
		const struct red_block *b = &blocks[i];
		assert(b->payload_type < 128 && b->offset < 1 << 14);
		assert(b->payload.data >= data && b->payload.data + b->payload.size <= data + size);
		used += b->payload.size;
	}
	/* Headers and blocks are all there is, and the primary one is the end. */
	assert(used + 4 * (count - 1) + 1 == size);
	assert(blocks[count - 1].offset == 0);
	assert(blocks[count - 1].payload.data + blocks[count - 1].payload.size == data + size);
	return 0;
}

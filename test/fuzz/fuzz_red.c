#include "wire/red.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct red_block b[RED_BLOCKS_MAX];
	size_t count = red_parse(b, span_of(data, size));
	size_t sum = 0;

	assert(count <= RED_BLOCKS_MAX);
	for (size_t i = 0; i < count; ++i) {
		assert(b[i].data.data >= data && b[i].data.data + b[i].data.size <= data + size);
		assert(b[i].payload_type <= 127 && b[i].timestamp_offset < 1 << 14);
		sum += b[i].data.size;
	}
	/* Headers and blocks are the whole payload, with nothing between. */
	if (count)
		assert(sum + 4 * (count - 1) + 1 == size);
	return 0;
}

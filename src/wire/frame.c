#include "wire/frame.h"

#include <assert.h>

enum frame_result frame_take(struct span *packet, struct span *in, size_t max)
{
	size_t size = 0;

	for (;;) {
		if (in->size < FRAME_HEADER_BYTES)
			return FRAME_MORE;
		size = (size_t)in->data[0] << 8 | in->data[1];
		if (size)
			break;
		*in = span_of(in->data + FRAME_HEADER_BYTES, in->size - FRAME_HEADER_BYTES);
	}
	if (size > max)
		return FRAME_TOO_LONG;
	if (in->size - FRAME_HEADER_BYTES < size)
		return FRAME_MORE;
	*packet = span_of(in->data + FRAME_HEADER_BYTES, size);
	*in = span_of(packet->data + size, in->size - FRAME_HEADER_BYTES - size);
	return FRAME_OK;
}

void frame_header(uint8_t out[FRAME_HEADER_BYTES], size_t size)
{
	assert(size <= UINT16_MAX);
	out[0] = (uint8_t)(size >> 8);
	out[1] = (uint8_t)size;
}

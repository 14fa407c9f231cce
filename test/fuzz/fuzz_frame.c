#include "wire/frame.h"

#include <assert.h>

enum { MAX = 40 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever the stream, packets lie in it one behind the other, and what is written reads back. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size), packet;
	const uint8_t *at = data;

	while (frame_take(&packet, &in, MAX) == FRAME_OK) {
		uint8_t header[FRAME_HEADER_BYTES];
		assert(packet.size > 0 && packet.size <= MAX);
		assert(packet.data >= at + FRAME_HEADER_BYTES);
		frame_header(header, packet.size);
		assert(!memcmp(header, packet.data - FRAME_HEADER_BYTES, sizeof header));
		at = packet.data + packet.size;
		assert(in.data == at && in.data + in.size == data + size);
	}
	return 0;
}

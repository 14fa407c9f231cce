#include "wire/red.h"

#include "base/reader.h"

enum { MORE = 0x80 };

/*
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |1|   block PT  |  timestamp offset         |   block length    |
 * |0|   block PT  | the primary: the rest of the payload
 */
size_t red_parse(struct red_block ret[RED_BLOCKS_MAX], struct span payload)
{
	struct reader r = reader_of(payload);
	size_t sizes[RED_BLOCKS_MAX] = {0};
	size_t count = 0;

	for (;;) {
		uint8_t first = read_u8(&r);
		if (r.bad || count == RED_BLOCKS_MAX)
			return 0;
		struct red_block *b = &ret[count];
		*b = (struct red_block){.payload_type = first & 0x7f};
		if (!(first & MORE))
			break;
		uint16_t high = read_u16(&r);
		b->timestamp_offset = high >> 2;
		sizes[count++] = (size_t)(high & 3) << 8 | read_u8(&r);
	}
	for (size_t i = 0; i < count; ++i)
		ret[i].data = read_bytes(&r, sizes[i]);
	if (r.bad)
		return 0;
	ret[count].data = span_of(r.pos, reader_left(&r));
	return count + 1;
}

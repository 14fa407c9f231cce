#include "wire/red.h"

#include "base/reader.h"

/* |1| PT (7) | timestamp offset (14) | length (10) |, and for the primary only |0| PT (7) | */
size_t red_parse(struct red_block ret[RED_BLOCKS_MAX], struct span payload)
{
	struct reader r = reader_of(payload);
	size_t count = 0;
	uint8_t first = read_u8(&r);

	while (first & 0x80) {
		if (count + 1 >= RED_BLOCKS_MAX)
			return 0;
		uint32_t rest = (uint32_t)read_u8(&r) << 16;
		rest |= read_u16(&r);
		ret[count++] = (struct red_block){
			.payload_type = first & 0x7f,
			.offset = (uint16_t)(rest >> 10),
			.payload.size = rest & 0x3ff,
		};
		first = read_u8(&r);
	}
	for (size_t i = 0; i < count; ++i)
		ret[i].payload = read_bytes(&r, ret[i].payload.size);
	if (r.bad)
		return 0;
	ret[count++] = (struct red_block){
		.payload_type = first & 0x7f,
		.payload = span_of(r.pos, reader_left(&r)),
	};
	return count;
}

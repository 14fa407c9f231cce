#include "wire/red.h"

#include "base/reader.h"

enum { RED_HEADER_BYTES = 4 }; /* of a block that is not the primary */

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

/* Bytes before the primary's own header: four for each block before it. */
static size_t redundant_headers(struct span payload)
{
	size_t at = 0;
	while (at < payload.size && payload.data[at] & 0x80)
		at += RED_HEADER_BYTES;
	return at;
}

bool red_is_of(struct span payload, uint8_t payload_type)
{
	size_t primary = redundant_headers(payload);

	for (size_t at = 0; at <= primary && at < payload.size; at += RED_HEADER_BYTES)
		if ((payload.data[at] & 0x7f) != payload_type)
			return false;
	return true;
}

void red_write_as(struct writer *w, struct span payload, uint8_t payload_type)
{
	size_t primary = redundant_headers(payload), start = w->used;

	write_span(w, payload);
	if (w->bad || primary >= payload.size)
		return;
	for (size_t at = 0; at <= primary; at += RED_HEADER_BYTES)
		w->data[start + at] = (uint8_t)((payload.data[at] & 0x80) | payload_type);
}

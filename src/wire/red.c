#include "wire/red.h"

#include "base/reader.h"

bool red_primary(struct red_block *ret, struct span payload)
{
	struct reader r = reader_of(payload);
	size_t redundant = 0;
	uint8_t first = read_u8(&r);

	/* |F| PT (7) | timestamp offset (14) | length (10) |, and for the last only |0| PT (7) | */
	while (first & 0x80) {
		read_u8(&r);
		redundant += read_u16(&r) & 0x3ff;
		first = read_u8(&r);
	}
	read_bytes(&r, redundant);
	if (r.bad)
		return false;
	*ret = (struct red_block){
		.payload_type = first & 0x7f,
		.payload = span_of(r.pos, reader_left(&r)),
	};
	return true;
}

#include "wire/dns_ttl.h"

#include "base/reader.h"

enum { POINTER_BITS = 0xc0, LABELS_MAX = 128 };

/* Labels, and a pointer or the root at their end: where it points does not matter here. */
static void skip_name(struct reader *r)
{
	for (int i = 0; i < LABELS_MAX; ++i) {
		uint8_t size = read_u8(r);
		if ((size & POINTER_BITS) == POINTER_BITS)
			read_u8(r);
		else if (size & POINTER_BITS)
			r->bad = true;
		else
			read_bytes(r, size);
		if (!size || size & POINTER_BITS)
			return;
	}
	r->bad = true;
}

bool dns_ttl_read(struct span message, uint32_t *ret_s)
{
	struct reader r = reader_of(message);
	uint32_t least = UINT32_MAX;

	read_u32(&r); /* id, flags */
	unsigned questions = read_u16(&r), answers = read_u16(&r);
	read_u32(&r);
	for (unsigned i = 0; i < questions && !r.bad; ++i) {
		skip_name(&r);
		read_u32(&r); /* type, class */
	}
	for (unsigned i = 0; i < answers && !r.bad; ++i) {
		skip_name(&r);
		read_u32(&r);
		uint32_t ttl = read_u32(&r);
		read_bytes(&r, read_u16(&r));
		if (ttl > INT32_MAX)
			ttl = 0;
		least = ttl < least ? ttl : least;
	}
	if (r.bad || !answers)
		return false;
	*ret_s = least;
	return true;
}

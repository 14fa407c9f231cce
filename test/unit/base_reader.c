#include "base/reader.h"
#include "test/check.h"

/* An empty packet or an absent field is a span without an address; clang's UBSan knows. */
static void nothing_can_be_read(void)
{
	const struct span empty[] = {{0}, span_of("x", 0)};

	for (size_t i = 0; i < COUNT_OF(empty); ++i) {
		struct reader r = reader_of(empty[i]);
		CHECK_EQ(reader_left(&r), 0);
		CHECK_EQ(read_bytes(&r, 0).size, 0);
		CHECK(!r.bad);
		CHECK_EQ(read_u32(&r), 0);
		CHECK(r.bad);
	}
}

static void what_does_not_fit_is_bad_from_then_on(void)
{
	struct reader r = reader_of(span_of("\x01\x02\x03\x04\x05", 5));

	CHECK_EQ(read_u16(&r), 0x0102);
	CHECK_EQ(reader_left(&r), 3);
	CHECK_EQ(read_bytes(&r, 4).size, 0);
	CHECK(r.bad);
	CHECK_EQ(read_u8(&r), 0);
}

int main(void)
{
	nothing_can_be_read();
	what_does_not_fit_is_bad_from_then_on();
	return 0;
}

#include "test/check.h"
#include "wire/red.h"

static struct red_block primary(const void *bytes, size_t size)
{
	struct red_block b;
	CHECK(red_primary(&b, span_of(bytes, size)));
	return b;
}

static void the_last_block_is_the_sound(void)
{
	/* One redundant block of 3 bytes, 960 ticks ago: F=1 PT=111, offset 960, length 3. */
	struct red_block b = primary("\xef\x0f\x00\x03\x6f" "old" "new!", 12);
	CHECK_EQ(b.payload_type, 111);
	CHECK(span_is(b.payload, "new!"));
}

static void a_lone_block_has_one_byte_of_header(void)
{
	struct red_block b = primary("\x6f" "sound", 6);
	CHECK(span_is(b.payload, "sound"));
}

static void nonsense_is_refused(void)
{
	struct red_block b;
	CHECK(!red_primary(&b, span_of("", 0)));
	CHECK(!red_primary(&b, span_of("\xef\x0f\x00", 3)));
	CHECK(!red_primary(&b, span_of("\xef\x0f\x00\x04\x6f" "old", 8)));
	CHECK(!red_primary(&b, span_of("\xff\xff\xff\xff\xff\xff\xff\xff", 8)));
}

int main(void)
{
	the_last_block_is_the_sound();
	a_lone_block_has_one_byte_of_header();
	nonsense_is_refused();
	return 0;
}

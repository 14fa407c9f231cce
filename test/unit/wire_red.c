#include "wire/red.h"

#include "test/check.h"

static void blocks_come_oldest_first(void)
{
	static const uint8_t payload[] = {0x80 | 111, 1920 >> 6, (1920 << 2 & 0xff) | 0, 2,
		0x80 | 111, 960 >> 6, (960 << 2 & 0xff) | 0, 0, 111, 'o', 'l', 'n', 'e', 'w'};
	struct red_block b[RED_BLOCKS_MAX];

	CHECK_EQ(red_parse(b, span_of(payload, sizeof payload)), 3);
	CHECK_EQ(b[0].timestamp_offset, 1920);
	CHECK(span_is(b[0].data, "ol"));
	CHECK_EQ(b[1].timestamp_offset, 960);
	CHECK_EQ(b[1].data.size, 0);
	CHECK_EQ(b[2].payload_type, 111);
	CHECK_EQ(b[2].timestamp_offset, 0);
	CHECK(span_is(b[2].data, "new"));
	/* Without the primary's bytes it still has one; cut further, it is broken. */
	CHECK_EQ(red_parse(b, span_of(payload, 11)), 3);
	CHECK_EQ(b[2].data.size, 0);
	for (size_t size = 0; size < 11; ++size)
		CHECK_EQ(red_parse(b, span_of(payload, size)), 0);
}

static void a_lone_primary_and_too_many(void)
{
	uint8_t many[RED_BLOCKS_MAX * 4 + 1];
	struct red_block b[RED_BLOCKS_MAX];

	CHECK_EQ(red_parse(b, span_of("oopus", 5)), 1);
	CHECK(span_is(b[0].data, "opus"));
	memset(many, 0, sizeof many);
	for (size_t i = 0; i < RED_BLOCKS_MAX; ++i)
		many[4 * i] = 0x80 | 111;
	CHECK_EQ(red_parse(b, span_of(many, sizeof many)), 0);
	CHECK_EQ(red_parse(b, span_of(many + 4, sizeof many - 4)), RED_BLOCKS_MAX);
}

int main(void)
{
	blocks_come_oldest_first();
	a_lone_primary_and_too_many();
	return 0;
}

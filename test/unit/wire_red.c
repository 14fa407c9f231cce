#include "test/check.h"
#include "wire/red.h"

static struct red_block blocks[RED_BLOCKS_MAX];

static void the_last_block_is_the_sound(void)
{
	/* One redundant block of 3 bytes, 960 ticks ago: F=1 PT=111, offset 960, length 3. */
	CHECK_EQ(red_parse(blocks, span_of("\xef\x0f\x00\x03\x6f"
					   "oldnew!", 12)), 2);
	CHECK_EQ(blocks[0].payload_type, 111);
	CHECK_EQ(blocks[0].offset, 960);
	CHECK(span_is(blocks[0].payload, "old"));
	CHECK_EQ(blocks[1].payload_type, 111);
	CHECK_EQ(blocks[1].offset, 0);
	CHECK(span_is(blocks[1].payload, "new!"));
}

static void a_lone_block_has_one_byte_of_header(void)
{
	CHECK_EQ(red_parse(blocks, span_of("\x6fsound", 6)), 1);
	CHECK(span_is(blocks[0].payload, "sound"));
}

static void nonsense_is_refused(void)
{
	uint8_t many[60];
	memset(many, 0, sizeof many);
	for (int i = 0; i < 12; ++i)
		many[4 * i] = 0xef;
	CHECK_EQ(red_parse(blocks, span_of(many, sizeof many)), 0);
	CHECK_EQ(red_parse(blocks, span_of("", 0)), 0);
	CHECK_EQ(red_parse(blocks, span_of("\xef\x0f\x00", 3)), 0);
	CHECK_EQ(red_parse(blocks, span_of("\xef\x0f\x00\x04\x6fold", 8)), 0);
	memset(many, 0xff, sizeof many);
	CHECK_EQ(red_parse(blocks, span_of(many, sizeof many)), 0);
}

static void blocks_are_renamed(void)
{
	uint8_t bytes[16];
	struct writer w = writer_of(bytes, sizeof bytes);
	struct span two = span_of("\xef\x0f\x00\x03\x6foldnew!", 12);

	CHECK(red_is_of(two, 111) && !red_is_of(two, 109));
	CHECK(!red_is_of(span_of("\xef\x0f\x00\x03\x6doldnew!", 12), 111));
	red_write_as(&w, two, 109);
	CHECK(!w.bad && w.used == 12 && !memcmp(bytes, "\xed\x0f\x00\x03\x6doldnew!", 12));

	w = writer_of(bytes, 11);
	red_write_as(&w, two, 109);
	CHECK(w.bad);
	/* Not RED at all: as it was. */
	w = writer_of(bytes, sizeof bytes);
	red_write_as(&w, span_of("\xef\xef\xef\xef\xef", 5), 109);
	CHECK(!w.bad && w.used == 5 && !memcmp(bytes, "\xef\xef\xef\xef\xef", 5));
	w = writer_of(bytes, sizeof bytes);
	red_write_as(&w, span_of("", 0), 109);
	CHECK(!w.bad && !w.used);
}

int main(void)
{
	blocks_are_renamed();
	the_last_block_is_the_sound();
	a_lone_block_has_one_byte_of_header();
	nonsense_is_refused();
	return 0;
}

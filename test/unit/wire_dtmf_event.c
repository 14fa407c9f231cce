#include "test/check.h"
#include "wire/dtmf_event.h"

static void the_example_of_the_rfc(void)
{
	/* Section 5.1.1, the last packet of digit 9: end, volume 7, duration 1600. */
	const uint8_t bytes[] = {9, 0x87, 0x06, 0x40};
	struct dtmf_event e;
	CHECK(dtmf_event_parse(&e, span_of(bytes, sizeof bytes)));
	CHECK_EQ(e.event, 9);
	CHECK(e.end);
	CHECK_EQ(e.volume, 7);
	CHECK_EQ(e.duration, 1600);

	uint8_t out[4];
	struct writer w = writer_of(out, sizeof out);
	dtmf_event_write(&w, &e);
	CHECK(!w.bad);
	CHECK(!memcmp(out, bytes, sizeof bytes));
}

static void a_short_payload_is_no_event(void)
{
	struct dtmf_event e = {.event = 77};
	for (size_t size = 0; size < 4; ++size)
		CHECK(!dtmf_event_parse(&e, span_of("\x01\x80\x00", size)));
	CHECK_EQ(e.event, 77);
}

static void the_reserved_bit_is_not_volume(void)
{
	struct dtmf_event e;
	CHECK(dtmf_event_parse(&e, span_of("\x05\x4a\x00\xa0", 4)));
	CHECK(!e.end);
	CHECK_EQ(e.volume, 10);
}

static void digits_have_numbers(void)
{
	const char *all = "0123456789*#ABCD";
	for (int i = 0; i < 16; ++i) {
		CHECK_EQ(dtmf_event_digit((uint8_t)i), all[i]);
		CHECK_EQ(dtmf_event_of_digit(all[i]), i);
	}
	CHECK_EQ(dtmf_event_of_digit('d'), 15);
	CHECK_EQ(dtmf_event_digit(16), 0);
	CHECK_EQ(dtmf_event_of_digit(0), -1);
	CHECK_EQ(dtmf_event_of_digit('w'), -1);
}

int main(void)
{
	the_example_of_the_rfc();
	a_short_payload_is_no_event();
	the_reserved_bit_is_not_volume();
	digits_have_numbers();
	return 0;
}

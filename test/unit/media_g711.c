#include "media/g711.h"
#include "test/check.h"

/* The decision of the standard, in words: sign, segment (a doubling step), four bits of step. */
static int ulaw_by_formula(int code)
{
	int c = ~code & 0xff, segment = c >> 4 & 7, step = c & 15;
	int size = ((step << 3) + 0x84) * (1 << segment) - 0x84;
	return c & 0x80 ? -size : size;
}

static int alaw_by_formula(int code)
{
	int c = code ^ 0x55, segment = c >> 4 & 7, step = c & 15;
	int size = segment ? (step * 16 + 8 + 256) * (1 << (segment - 1)) : step * 16 + 8;
	return c & 0x80 ? size : -size;
}

static int decoded(uint8_t code, enum g711_law law)
{
	int16_t out;
	g711_decode(&out, &code, 1, law);
	return out;
}

static uint8_t encoded(int linear, enum g711_law law)
{
	int16_t in = (int16_t)linear;
	uint8_t out;
	g711_encode(&out, &in, 1, law);
	return out;
}

static void every_code_decodes_by_the_formula(void)
{
	for (int c = 0; c < 256; ++c) {
		CHECK_EQ(decoded((uint8_t)c, G711_ULAW), ulaw_by_formula(c));
		CHECK_EQ(decoded((uint8_t)c, G711_ALAW), alaw_by_formula(c));
	}
}

/* Each of the 65536 values lies in the interval of its code: half a step away at most, with what the
 * standard does not look at (the last bits) on top; and a greater value never gets a lesser code. */
static void every_value_lies_in_its_interval(enum g711_law law, int unseen)
{
	int top = decoded(law == G711_ULAW ? 0x80 : 0xaa, law), before = -top;
	for (int v = INT16_MIN; v <= INT16_MAX; ++v) {
		uint8_t code = encoded(v, law);
		int got = decoded(code, law);
		int segment = (law == G711_ULAW ? ~code : code ^ 0x55) >> 4 & 7;
		int step = law == G711_ULAW ? 8 << segment : 16 << (segment ? segment - 1 : 0);
		CHECK(got >= before);
		CHECK(abs(got - v) <= step / 2 + unseen || abs(v) > top);
		before = got;
	}
	CHECK_EQ(before, top);
}

static void codes_survive_the_round_trip(void)
{
	for (int c = 0; c < 256; ++c) {
		CHECK_EQ(encoded(decoded((uint8_t)c, G711_ALAW), G711_ALAW), c);
		if (c != 0x7f) /* minus zero comes back as plus zero */
			CHECK_EQ(encoded(decoded((uint8_t)c, G711_ULAW), G711_ULAW), c);
	}
	CHECK_EQ(encoded(0, G711_ULAW), G711_ULAW_SILENCE);
	CHECK_EQ(encoded(0, G711_ALAW), G711_ALAW_SILENCE);
}

static void laws_convert_by_way_of_the_value(void)
{
	for (int c = 0; c < 256; ++c) {
		uint8_t code = (uint8_t)c;
		g711_convert(&code, &code, 1, G711_ULAW);
		CHECK_EQ(code, encoded(decoded((uint8_t)c, G711_ULAW), G711_ALAW));
		code = (uint8_t)c;
		g711_convert(&code, &code, 1, G711_ALAW);
		CHECK_EQ(code, encoded(decoded((uint8_t)c, G711_ALAW), G711_ULAW));
	}
}

int main(void)
{
	every_code_decodes_by_the_formula();
	every_value_lies_in_its_interval(G711_ULAW, 4);
	every_value_lies_in_its_interval(G711_ALAW, 1);
	codes_survive_the_round_trip();
	laws_convert_by_way_of_the_value();
	return 0;
}

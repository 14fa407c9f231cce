#include "wire/frame.h"

#include "test/check.h"

enum { MAX = 4 };

static const struct {
	const char *in;
	size_t size;
	enum frame_result result;
	const char *packet;
	size_t left;
} cases[] = {
	{"", 0, FRAME_MORE, "", 0},
	{"\0", 1, FRAME_MORE, "", 1},
	{"\0\3ab", 4, FRAME_MORE, "", 4},
	{"\0\3abc", 5, FRAME_OK, "abc", 0},
	{"\0\3abc\0", 6, FRAME_OK, "abc", 1},
	{"\0\4abcd", 6, FRAME_OK, "abcd", 0},
	{"\0\5abcde", 7, FRAME_TOO_LONG, "", 7},
	{"\1\0", 2, FRAME_TOO_LONG, "", 2},
	{"\0\0\0\0\0\1a", 7, FRAME_OK, "a", 0},
	{"\0\0\0", 3, FRAME_MORE, "", 1},
};

int main(void)
{
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct span in = span_of(cases[i].in, cases[i].size), packet = {0};
		CHECK_EQ(frame_take(&packet, &in, MAX), cases[i].result);
		CHECK(span_is(packet, cases[i].packet));
		CHECK_EQ(in.size, cases[i].left);
	}
	uint8_t header[FRAME_HEADER_BYTES];
	frame_header(header, 0x1234);
	CHECK(header[0] == 0x12 && header[1] == 0x34);
	return 0;
}

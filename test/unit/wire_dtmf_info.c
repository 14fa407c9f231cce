#include "test/check.h"
#include "wire/dtmf_info.h"

int main(void)
{
	static const struct {
		const char *body, *digits;
		uint32_t ms;
	} cases[] = {
		{"Signal=5\r\nDuration=160\r\n", "5", 160},
		{"Signal= *\nDuration = 250", "*", 250},
		{"signal=#\r\n", "#", 0},
		{"SIGNAL=d\r\nDURATION=99999999\r\n", "D", DTMF_INFO_MS_MAX},
		{"Signal=10\r\nDuration=x\r\n", "*", 0},
		{"Signal=11", "#", 0},
		{"Signal=15", "D", 0},
		{"Duration=100\r\nSignal=0\r\n", "0", 100},
		{"5", "5", 0},
		{" 7\r\n", "7", 0},
		{"12#", "12#", 0},
		{"1234567890123456789012345678901234567890", "12345678901234567890123456789012", 0},
		{"Signal=16\r\n", "", 0},
		{"Signal=hook\r\n", "", 0},
		{"Signal=\r\n", "", 0},
		{"=5", "", 0},
		{"flash", "A", 0},
		{"!\r\n", "", 0},
		{"", "", 0},
	};

	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct dtmf_info d;
		CHECK_EQ(dtmf_info_parse(&d, span_text(cases[i].body)), *cases[i].digits != 0);
		CHECK_STR(d.digits, cases[i].digits);
		CHECK_EQ(d.duration_ms, cases[i].ms);
	}

	/* What is written is read. */
	for (const char *digit = "0123456789*#ABCD"; *digit; ++digit) {
		char body[DTMF_INFO_SIZE];
		struct writer w = writer_of(body, sizeof body);
		struct dtmf_info d;
		dtmf_info_write(&w, *digit, 160);
		CHECK(!w.bad && dtmf_info_parse(&d, writer_span(&w)));
		CHECK(d.digits[0] == *digit && !d.digits[1]);
		CHECK_EQ(d.duration_ms, 160);
	}
	return 0;
}

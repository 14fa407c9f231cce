#include "test/check.h"
#include "wire/dtmf_info.h"

static void bodies_that_are_in_use(void)
{
	static const struct {
		const char *type, *body;
		char digit;
		unsigned ms;
	} cases[] = {
		{"application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", '5', 160},
		{"application/dtmf-relay", "Signal= 5\r\nDuration= 200", '5', 200},
		{"Application/DTMF-Relay;charset=utf-8", "duration=100\nSIGNAL = #\n", '#', 100},
		{"application/dtmf-relay", "Signal=*", '*', 250},
		{"application/dtmf-relay", "Signal=11\r\nDuration=1\r\n", '#', 40},
		{"application/dtmf-relay", "Signal=d\r\nDuration=999999\r\n", 'D', 6000},
		{"application/dtmf-relay", "Signal=12\r\nDuration=-5\r\n", 'A', 250},
		{"application/dtmf-relay", "Signal=16\r\nDuration=100\r\n", 0, 0}, /* a hook flash */
		{"application/dtmf-relay", "Signal=\r\n", 0, 0},
		{"application/dtmf-relay", "Signal=5Duration=100", 0, 0},
		{"application/dtmf-relay", "5", 0, 0},
		{"application/dtmf-relay", "", 0, 0},
		{"application/dtmf", "7", '7', 250},
		{"application/dtmf", " 10 \r\n", '*', 250},
		{"application/dtmf", "e", 0, 0},
		{"application/dtmf", "55", 0, 0},
		{"application/dtmf", "", 0, 0},
		{"application/media_control+xml", "Signal=5\r\n", 0, 0},
		{"", "5", 0, 0},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct dtmf_info d;
		bool got = dtmf_info_parse(&d, span_text(cases[i].type), span_text(cases[i].body));
		CHECK_EQ(got, cases[i].digit != 0);
		CHECK_EQ(d.digit, cases[i].digit);
		if (got)
			CHECK_EQ(d.duration_ms, cases[i].ms);
	}
}

static void what_is_written_is_read(void)
{
	static const char digits[] = "0123456789*#ABCD";
	for (size_t i = 0; digits[i]; ++i) {
		char body[DTMF_INFO_SIZE];
		struct writer w = writer_of(body, sizeof body);
		struct dtmf_info d;
		dtmf_info_write(&w, &(struct dtmf_info){digits[i], 160});
		CHECK(dtmf_info_parse(&d, span_text("application/dtmf-relay"), writer_span(&w)));
		CHECK_EQ(d.digit, digits[i]);
		CHECK_EQ(d.duration_ms, 160);
	}
}

int main(void)
{
	bodies_that_are_in_use();
	what_is_written_is_read();
	return 0;
}

#include "wire/dns_ttl.h"

#include "test/check.h"

#define HEAD "\x12\x34\x81\x80\x00\x01\x00\x02\x00\x00\x00\x00"
#define QUESTION "\x01" "a\x00\x00\x21\x00\x01"
#define ONE "\xc0\x0c\x00\x21\x00\x01\x00\x00\x01\x2c\x00\x02xx"          /* 300 s */
#define OTHER "\x01" "b\x00\x00\x21\x00\x01\x00\x00\x00\x3c\x00\x00"      /* 60 s */
#define FOREVER "\xc0\x0c\x00\x21\x00\x01\xff\xff\xff\xff\x00\x00"

static void the_shortest_counts(void)
{
	static const struct {
		const char *bytes;
		size_t size;
		bool good;
		uint32_t ttl_s;
	} cases[] = {
#define CASE(text, good, ttl) {text, sizeof text - 1, good, ttl}
		CASE(HEAD QUESTION ONE OTHER, true, 60),
		CASE(HEAD QUESTION OTHER ONE, true, 60),
		CASE(HEAD QUESTION ONE FOREVER, true, 0),
		CASE(HEAD QUESTION ONE, false, 0),
		CASE(HEAD QUESTION ONE "\xc0", false, 0),
		CASE(HEAD QUESTION ONE "\x80\x0c\x00\x21\x00\x01\x00\x00\x00\x01\x00\x00", false, 0),
		CASE("\x12\x34\x81\x80\x00\x01\x00\x00\x00\x00\x00\x00" QUESTION, false, 0),
		CASE("\x12\x34\x81\x80\xff\xff\xff\xff\x00\x00\x00\x00" QUESTION, false, 0),
		CASE("", false, 0),
	};

	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		uint32_t ttl_s = 0;
		CHECK_EQ(dns_ttl_read(span_of(cases[i].bytes, cases[i].size), &ttl_s), cases[i].good);
		CHECK_EQ(ttl_s, cases[i].ttl_s);
	}
}

int main(void)
{
	the_shortest_counts();
	return 0;
}

#include "wire/dcep.h"

#include "test/check.h"

static void an_open_goes_round(void)
{
	static const struct dcep_open cases[] = {
		{.ordered = true, .kind = DCEP_RELIABLE, .label = {(const uint8_t *)"_reliable", 9}},
		{.ordered = false,
			.kind = DCEP_RETRANSMITS,
			.reliability = 0,
			.priority = 256,
			.label = {(const uint8_t *)"_lossy", 6}},
		{.ordered = true,
			.kind = DCEP_LIFETIME,
			.reliability = 1500,
			.protocol = {(const uint8_t *)"chat", 4}},
	};

	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		uint8_t out[64];
		struct writer w = writer_of(out, sizeof out);
		enum dcep_type type;
		struct dcep_open got;
		dcep_write_open(&w, &cases[i]);
		CHECK(dcep_parse(&type, &got, writer_span(&w)));
		CHECK_EQ(type, DCEP_OPEN);
		CHECK_EQ(got.ordered, cases[i].ordered);
		CHECK_EQ(got.kind, cases[i].kind);
		CHECK_EQ(got.reliability, cases[i].reliability);
		CHECK_EQ(got.label.size, cases[i].label.size);
		CHECK_EQ(got.protocol.size, cases[i].protocol.size);
		for (size_t size = 0; size < w.used; ++size)
			CHECK(!dcep_parse(&type, &got, span_of(out, size)));
	}
}

static void damage_is_refused(void)
{
	enum dcep_type type;
	struct dcep_open open;

	CHECK(dcep_parse(&type, &open, span_of("\x02", 1)) && type == DCEP_ACK);
	CHECK(!dcep_parse(&type, &open, span_of("\x01", 1)));
	CHECK(!dcep_parse(&type, &open, span_of("\x03\x03\0\0\0\0\0\0\0\0\0\0", 12)));
}

int main(void)
{
	an_open_goes_round();
	damage_is_refused();
	return 0;
}

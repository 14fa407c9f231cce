#include "media/red_primary.h"
#include "test/check.h"

/* A 20 ms Opus packet of two bytes: TOC 0xf8 is one CELT frame; the second byte tells them apart. */
enum { FRAME = 960, OPUS_PT = 111 };

static size_t red_packet(struct rtp_view *v, uint8_t *bytes, uint16_t seq, unsigned copies)
{
	size_t n = 0;
	for (unsigned back = copies; back; --back) {
		uint32_t head = (uint32_t)back * FRAME << 10 | 2;
		bytes[n++] = 0x80 | OPUS_PT;
		bytes[n++] = (uint8_t)(head >> 16);
		bytes[n++] = (uint8_t)(head >> 8);
		bytes[n++] = (uint8_t)head;
	}
	bytes[n++] = OPUS_PT;
	for (unsigned back = copies + 1; back--;) {
		bytes[n++] = 0xf8;
		bytes[n++] = (uint8_t)(seq - back);
	}
	*v = (struct rtp_view){.payload_type = 63,
		.marker = true,
		.seq = seq,
		.timestamp = (uint32_t)seq * FRAME,
		.ssrc = 7,
		.extension_profile = 0xbede,
		.extension = span_text("abcd"),
		.payload = span_of(bytes, n)};
	return n;
}

/* What `red` yields, as text: "98 99 100". Checks that all facts of each packet belong together. */
static const char *take(struct red_primary *r, uint16_t seq, unsigned copies)
{
	static char text[128];
	struct rtp_view red, out[RED_BLOCKS_MAX];
	uint8_t bytes[64];
	struct writer w = writer_of(text, sizeof text);

	red_packet(&red, bytes, seq, copies);
	size_t count = red_primary_take(r, out, &red);
	for (size_t i = 0; i < count; ++i) {
		write_format(&w, "%s%u", i ? " " : "", out[i].seq);
		CHECK_EQ(out[i].timestamp, (uint32_t)seq * FRAME - (uint16_t)(seq - out[i].seq) * FRAME);
		CHECK_EQ(out[i].payload.data[1], (uint8_t)out[i].seq);
		CHECK_EQ(out[i].payload_type, OPUS_PT);
		CHECK_EQ(out[i].ssrc, 7);
		CHECK_EQ(out[i].marker, out[i].seq == seq);
		CHECK_EQ(out[i].extension.size, out[i].seq == seq ? 4 : 0);
	}
	text[w.used] = '\0';
	return text;
}

static void holes_are_filled_in_order_and_nothing_comes_twice(void)
{
	static const struct {
		const char *label;
		struct {
			uint16_t seq;
			unsigned copies;
			const char *out;
		} steps[6];
	} cases[] = {
		{"nothing lost", {{100, 2, "100"}, {101, 2, "101"}, {102, 2, "102"}}},
		{"one lost", {{100, 2, "100"}, {102, 2, "101 102"}, {103, 2, "103"}}},
		{"two lost", {{100, 2, "100"}, {103, 2, "101 102 103"}, {104, 2, "104"}}},
		{"three lost, two copies", {{100, 2, "100"}, {104, 2, "102 103 104"}}},
		{"no copies", {{100, 0, "100"}, {102, 0, "102"}}},
		{"late, made up for already", {{100, 2, "100"}, {102, 2, "101 102"}, {101, 2, ""}}},
		{"late, new", {{100, 0, "100"}, {102, 0, "102"}, {101, 0, "101"}, {101, 0, ""}}},
		{"late, and brings an older one",
			{{100, 0, "100"}, {103, 0, "103"}, {102, 1, "101 102"}, {102, 1, ""}}},
		{"the same twice", {{100, 2, "100"}, {100, 2, ""}, {101, 2, "101"}}},
		{"around the wrap", {{65534, 2, "65534"}, {1, 2, "65535 0 1"}, {0, 2, ""}}},
		{"a jump begins anew", {{100, 2, "100"}, {5000, 2, "5000"}, {5001, 2, "5001"}}},
		{"a jump back too", {{5000, 2, "5000"}, {100, 2, "100"}, {102, 2, "101 102"}}},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct red_primary r = {0};
		for (size_t k = 0; k < COUNT_OF(cases[i].steps) && cases[i].steps[k].out; ++k) {
			const char *got =
				take(&r, cases[i].steps[k].seq, cases[i].steps[k].copies);
			if (strcmp(got, cases[i].steps[k].out))
				printf("%s, step %zu: %s\n", cases[i].label, k, got);
			CHECK_STR(got, cases[i].steps[k].out);
		}
	}
}

static void plain_packets_count_among_them(void)
{
	struct red_primary r = {0};
	struct rtp_view plain = {.seq = 101, .ssrc = 7};

	CHECK_STR(take(&r, 100, 2), "100");
	CHECK(red_primary_note(&r, &plain));
	CHECK(!red_primary_note(&r, &plain));
	CHECK_STR(take(&r, 103, 2), "102 103");
	plain.seq = 102;
	CHECK(!red_primary_note(&r, &plain));
}

static void after_a_restart_nothing_of_before_is_taken(void)
{
	struct red_primary r = {0};

	CHECK_STR(take(&r, 100, 2), "100");
	red_primary_restart(&r);
	CHECK_STR(take(&r, 103, 2), "103");
	CHECK_STR(take(&r, 105, 2), "104 105");
}

static void what_cannot_be_read_yields_nothing(void)
{
	static const struct span payloads[] = {
		{(const uint8_t *)"", 0},
		{(const uint8_t *)"\xef", 1},
		{(const uint8_t *)"\x6f", 1},                 /* no primary */
		{(const uint8_t *)"\xef\x0f\x00\x09\x6f", 5}, /* a block that is not there */
	};
	for (size_t i = 0; i < COUNT_OF(payloads); ++i) {
		struct red_primary r = {0};
		struct rtp_view out[RED_BLOCKS_MAX], v = {.payload = payloads[i]};
		CHECK_EQ(red_primary_take(&r, out, &v), 0);
	}
	/* Copies whose number is unknown (a pause lay between) or that are no Opus. */
	CHECK_EQ(red_block_ticks(&(struct red_block){.offset = 960, .payload = span_of("\xf8x", 2)}, 1), 960);
	CHECK_EQ(red_block_ticks(&(struct red_block){.offset = 9600, .payload = span_of("\xf8x", 2)}, 1), 0);
	CHECK_EQ(red_block_ticks(&(struct red_block){.offset = 960}, 1), 0);
}

int main(void)
{
	holes_are_filled_in_order_and_nothing_comes_twice();
	plain_packets_count_among_them();
	after_a_restart_nothing_of_before_is_taken();
	what_cannot_be_read_yields_nothing();
	return 0;
}

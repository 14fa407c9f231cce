#include "api/ladder.h"

#include "base/mem.h"
#include "test/check.h"

static const char invite[] =
	"INVITE sip:+1@x SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\n"
	"Call-ID: c\r\nCSeq: 7 INVITE\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n";
static const char busy[] =
	"SIP/2.0 486 Busy\t Here\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>;tag=2\r\n"
	"Call-ID: c\r\nCSeq: 7 INVITE\r\nContent-Length: 0\r\n\r\n";

static struct record_message message(int64_t at_us, bool sent, const char *remote, const char *text)
{
	return (struct record_message){.at_us = at_us, .sent = sent, .protocol = "UDP", .local = "10.0.0.1:5060", .remote = remote,
		.bytes = span_text(text)};
}

static void arrows_go_both_ways(void)
{
	struct ladder l = {0};
	const struct record_message list[] = {
		message(1000000, true, "10.0.0.2:5060", invite),
		message(1250000, false, "10.0.0.2:5060", busy),
		message(1251000, true, "10.0.0.3:5060", "half a mess"),
	};
	for (size_t i = 0; i < COUNT_OF(list); ++i)
		CHECK_EQ(ladder_add_arrow(&l, &list[i]), 0);
	CHECK_STR((char *)l.out.data,
		"             us 10.0.0.1:5060                                            UDP 10.0.0.2:5060\n"
		"    0.000 s  |- INVITE (7) with SDP ---------------------------------->|\n"
		"    0.250 s  |<---------------------------- 486 Busy  Here (7 INVITE) -|\n"
		"             us 10.0.0.1:5060                                            UDP 10.0.0.3:5060\n"
		"    0.251 s  |- (a message that was cut) ----------------------------->|\n");
	buf_fini(&l.out);
}

static void packets_have_both_ends(void)
{
	struct ladder l = {0};
	const struct record_message list[] = {
		message(1000000, true, "10.0.0.2:5070", "abc"),
		message(1250000, false, "sip.example.org:5070", "def"),
	};
	for (size_t i = 0; i < COUNT_OF(list); ++i)
		CHECK_EQ(ladder_add_packet(&l, &list[i]), 0);
	const uint8_t *first = l.out.data + 24 + 16, *second = first + 28 + 3 + 16;
	CHECK_EQ(l.out.size, 24 + 2 * (16 + 28 + 3));
	CHECK(first[12] == 10 && first[15] == 1 && first[19] == 2 && !memcmp(first + 28, "abc", 3));
	CHECK(second[12] == 192 && second[15] == 2 && second[19] == 1 && !memcmp(second + 28, "def", 3));
	buf_fini(&l.out);
}

static void without_memory_they_say_so(void)
{
	const struct record_message m = message(1, true, "10.0.0.2:5060", invite);
	for (int i = 0; i < 3; ++i) {
		struct ladder l = {0};
		mem_fail_after(i);
		int r = ladder_add_arrow(&l, &m);
		if (r == 0)
			r = ladder_add_packet(&l, &m);
		mem_fail_after(-1);
		CHECK(r <= 0);
		buf_fini(&l.out);
	}
	CHECK_EQ(mem_live(), 0);
}

int main(void)
{
	arrows_go_both_ways();
	packets_have_both_ends();
	without_memory_they_say_so();
	return 0;
}

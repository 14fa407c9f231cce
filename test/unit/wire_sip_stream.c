/* A byte stream of SIP, cut to pieces in every way. */
#include "wire/sip_stream.h"

#include "base/limits.h"
#include "base/mem.h"
#include "test/check.h"

#define MESSAGE(body, length) "OPTIONS sip:a SIP/2.0\r\nl: " length "\r\n\r\n" body

static char story[1024];

/* "m<size>" for a message, "P" for a ping, "p" for a pong, "X" for the end. */
static bool take_all(struct sip_stream *s)
{
	struct span m;
	size_t n = strlen(story);
	int r;

	while ((r = sip_stream_next(s, &m)) != SIP_STREAM_E_MORE) {
		if (r == 0)
			snprintf(story + n, sizeof story - n, "m%zu ", m.size);
		else
			snprintf(story + n, sizeof story - n, "%s ", r == SIP_STREAM_E_PING ? "P"
				: r == SIP_STREAM_E_PONG ? "p" : "X");
		n = strlen(story);
		if (r == SIP_STREAM_E_BROKEN)
			return false;
	}
	return true;
}

static void every_cut_tells_the_same(void)
{
	static const struct {
		const char *bytes, *story;
		bool awaits_pong;
	} cases[] = {
		{MESSAGE("", "0"), "m31 ", false},
		{MESSAGE("abc", "3") MESSAGE("", "0"), "m34 m31 ", false},
		{"\r\n" MESSAGE("", "0") "\r\n\r\n", "m31 P ", false},
		{"\r\n\r\n\r\n\r\n", "P P ", false},
		{"\r\n", "p ", true},
		{"\r\n\r\n\r\n", "p P ", true},
		{"\r\n", "", false},
		{"OPTIONS sip:a SIP/2.0\nl: 2\n\nab\n\n\n\n", "m30 P ", false}, /* bare line ends */
		{"OPTIONS sip:a SIP/2.0\r\nX: 1\r\n\r\n", "X ", false},  /* no Content-Length */
		{"OPTIONS sip:a SIP/2.0\r\nl: 1\r\nl: 2\r\n\r\n", "X ", false},
		{"OPTIONS sip:a SIP/2.0\r\nl: -1\r\n\r\n", "X ", false},
		{"OPTIONS sip:a SIP/2.0\r\nl: 70000\r\n\r\n", "X ", false},
		{MESSAGE("", "0") "GET / HTTP/1.1\r\n\r\n", "m31 X ", false},
		{MESSAGE("ab", "3"), "", false}, /* cut short */
		{"OPTIONS sip:a SIP/2.0\r\nX: y", "", false},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i)
		for (size_t piece = 1; piece <= strlen(cases[i].bytes); ++piece) {
			struct sip_stream s = {.awaits_pong = cases[i].awaits_pong};
			struct span left = span_text(cases[i].bytes);
			bool good = true;
			story[0] = 0;
			while (left.size && good) {
				size_t n = left.size < piece ? left.size : piece;
				CHECK_EQ(sip_stream_add(&s, span_of(left.data, n)), 0);
				left = span_of(left.data + n, left.size - n);
				good = take_all(&s);
			}
			CHECK_STR(story, cases[i].story);
			sip_stream_fini(&s);
		}
}

static void a_message_that_never_ends(void)
{
	struct sip_stream s = {0};
	size_t sent = 0;

	story[0] = 0;
	CHECK(!sip_stream_has_begun(&s));
	CHECK_EQ(sip_stream_add(&s, span_text("OPTIONS sip:a SIP/2.0\r\n")), 0);
	CHECK(take_all(&s));
	CHECK(sip_stream_has_begun(&s));
	while (take_all(&s)) {
		CHECK_EQ(sip_stream_add(&s, span_text("X: y\r\n")), 0);
		CHECK((sent += 6) < 2 * LIMIT_SIP_MESSAGE_BYTES);
	}
	CHECK_STR(story, "X ");
	CHECK_EQ(sip_stream_add(&s, span_text("more")), 0);
	CHECK(!take_all(&s)); /* it stays broken */
	sip_stream_fini(&s);

	static char large[2 * LIMIT_SIP_MESSAGE_BYTES + 1];
	memset(large, 'x', sizeof large);
	CHECK_EQ(sip_stream_add(&s, span_of(large, sizeof large)), SIP_STREAM_E_BROKEN);
	sip_stream_fini(&s);
}

/* One byte at a time costs each byte once, not all before it again: 64 KB in well under a second. */
static void a_slow_sender(void)
{
	static char head[LIMIT_SIP_MESSAGE_BYTES / 2];
	struct sip_stream s = {0};

	story[0] = 0;
	memset(head, 'x', sizeof head);
	memcpy(head, "OPTIONS sip:a SIP/2.0\r\nl: 0\r\nX: ", 32);
	for (size_t i = 0; i < sizeof head; ++i) {
		CHECK_EQ(sip_stream_add(&s, span_of(head + i, 1)), 0);
		CHECK(take_all(&s));
	}
	CHECK_EQ(sip_stream_add(&s, span_text("\r\n\r\n")), 0);
	CHECK(take_all(&s));
	CHECK_STR(story, "m32772 ");
	sip_stream_fini(&s);
}

static void without_memory(void)
{
	struct sip_stream s = {0};

	mem_fail_after(0);
	CHECK(sip_stream_add(&s, span_text("OPTIONS")) < 0);
	mem_fail_after(-1);
	CHECK_EQ(sip_stream_add(&s, span_text(MESSAGE("", "0"))), 0);
	story[0] = 0;
	CHECK(take_all(&s));
	CHECK_STR(story, "m31 ");
	sip_stream_fini(&s);
}

int main(void)
{
	every_cut_tells_the_same();
	a_message_that_never_ends();
	a_slow_sender();
	without_memory();
	CHECK_EQ(mem_live(), 0);
	return 0;
}

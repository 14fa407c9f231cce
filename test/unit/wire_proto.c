#include "base/limits.h"
#include "base/mem.h"
#include "test/check.h"
#include "wire/proto.h"
#include "wire/utf8.h"

#include "livekit_rtc.pb-c.h"

static void test_utf8(void)
{
	static const struct {
		const char *text;
		bool ok;
	} cases[] = {
		{"", true},
		{"plain", true},
		{"z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x98\x80", true},
		{"\xf4\x8f\xbf\xbf", true},  /* the last one */
		{"\xf4\x90\x80\x80", false}, /* past it */
		{"\xc0\xaf", false},         /* overlong */
		{"\xe0\x80\xaf", false},
		{"\xf0\x80\x80\xaf", false},
		{"\xed\xa0\x80", false}, /* a surrogate */
		{"\xed\x9f\xbf", true},
		{"\x80", false},      /* a follower alone */
		{"a\xe2\x82", false}, /* cut short */
		{"\xff", false},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i)
		CHECK_EQ(utf8_ok(span_text(cases[i].text)), cases[i].ok);
	CHECK(utf8_ok(span_of("a\0b", 3)));
	CHECK(!utf8_ok_string(span_of("a\0b", 3)));
	CHECK_EQ(utf8_cut(span_text("a\xe2\x82\xac"), 3), 1);
	CHECK_EQ(utf8_cut(span_text("a\xe2\x82\xac"), 4), 4);
}

static int unpack(
	struct proto_arena *a, Livekit__SignalRequest **ret, const void *bytes, size_t size)
{
	ProtobufCMessage *m = NULL;
	int r = proto_unpack(&m, a, &livekit__signal_request__descriptor, span_of(bytes, size));
	*ret = (Livekit__SignalRequest *)m;
	return r;
}

/* SignalRequest{mute: {sid: "TR_x", muted: true}}, by hand. */
static const uint8_t mute[] = {0x2a, 8, 0x0a, 4, 'T', 'R', '_', 'x', 0x10, 1};

static void test_unpack(void)
{
	struct proto_arena a = {0};
	Livekit__SignalRequest *request;
	CHECK_EQ(unpack(&a, &request, mute, sizeof mute), 0);
	CHECK_EQ(request->message_case, LIVEKIT__SIGNAL_REQUEST__MESSAGE_MUTE);
	CHECK_STR(request->mute->sid, "TR_x");
	CHECK(request->mute->muted);

	struct buf b = {0};
	CHECK_EQ(proto_pack(&b, &request->base), 0);
	CHECK_EQ(b.size, sizeof mute);
	CHECK(!memcmp(b.data, mute, sizeof mute));

	struct buf small = {.max = 4};
	CHECK_EQ(proto_pack(&small, &request->base), BUF_E_FULL);
	CHECK_EQ(small.size, 0);
	buf_fini(&small);
	buf_fini(&b);

	CHECK_EQ(unpack(&a, &request, "", 0), 0);
	CHECK_EQ(request->message_case, LIVEKIT__SIGNAL_REQUEST__MESSAGE__NOT_SET);
	proto_arena_fini(&a);
	CHECK_EQ(mem_live(), 0);
}

static void test_malformed(void)
{
	static const struct {
		const char *bytes;
		size_t size;
		int r;
	} cases[] = {
		{"\x2a\x04\x0a\x02\xff\xfe", 6, PROTO_E_MALFORMED}, /* a sid that is not UTF-8 */
		{"\x2a\x05\x0a\x03"
		 "a\0b",
			7, PROTO_E_MALFORMED}, /* a zero in a sid */
		{"\x2a\x05\x0a\x02"
		 "ab",
			6, PROTO_E_MALFORMED},                                      /* cut short */
		{"\x2a", 1, PROTO_E_MALFORMED}, {"\x2b\x2c", 2, PROTO_E_MALFORMED}, /* a group */
		{"\x00\x01", 2, PROTO_E_MALFORMED},                                 /* field 0 */
		{"\x70\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12, PROTO_E_MALFORMED},
		{"\x2a\xff\xff\xff\xff\x0f", 6, PROTO_E_MALFORMED}, /* a size of 4 GB */
		{"\x4a\x02\xff\xfe", 4, 0},                         /* field 9: nobody knows it */
		{"\x70\x05", 2, 0},                                 /* ping */
	};
	struct proto_arena a = {0};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		Livekit__SignalRequest *request;
		CHECK_EQ(unpack(&a, &request, cases[i].bytes, cases[i].size), cases[i].r);
	}
	proto_arena_fini(&a);
}

/* A JoinRequest whose add_track_requests are all empty: two bytes each. */
static void test_limit(void)
{
	enum {
		SIZE = 1 << 20
	};
	uint8_t *bytes = mem_zalloc(SIZE);
	for (size_t i = 0; i < SIZE; i += 2)
		bytes[i] = 0x2a;
	struct proto_arena a = {.max = 4 << 20};
	ProtobufCMessage *m;
	CHECK_EQ(proto_unpack(&m, &a, &livekit__join_request__descriptor, span_of(bytes, SIZE)),
		PROTO_E_LIMIT);
	CHECK(a.used <= a.max);
	proto_arena_fini(&a);
	mem_free(bytes);
	CHECK_EQ(mem_live(), 0);
}

static void test_alloc(void)
{
	struct proto_arena a = {0};
	for (size_t size = 0; size < 20000; size = size * 2 + 1) {
		uint8_t *p = proto_alloc(&a, size);
		CHECK(p && (uintptr_t)p % _Alignof(max_align_t) == 0);
		for (size_t i = 0; i < size; ++i)
			CHECK_EQ(p[i], 0);
		memset(p, 0xff, size);
	}
	CHECK_STR(proto_text(&a, NULL), "");
	proto_arena_fini(&a);
}

static void test_ladder(void)
{
	size_t before = mem_live();
	for (int allowed = 0;; ++allowed) {
		mem_fail_after(allowed);
		struct proto_arena a = {0};
		struct buf b = {0};
		Livekit__SignalRequest *request;
		int r = unpack(&a, &request, mute, sizeof mute);
		if (r == 0)
			r = proto_pack(&b, &request->base);
		mem_fail_after(-1);
		buf_fini(&b);
		proto_arena_fini(&a);
		CHECK_EQ(mem_live(), before);
		if (r == 0)
			return;
		CHECK(r < 0);
	}
}

int main(void)
{
	test_utf8();
	test_unpack();
	test_malformed();
	test_limit();
	test_alloc();
	test_ladder();
	return 0;
}

#include "wire/join_request.h"

#include "base/mem.h"
#include "test/check.h"

#include <zlib.h>

static const char url_safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char *base64(const uint8_t *bytes, size_t size, const char *alphabet, bool padded)
{
	char *text = calloc(1, size * 2 + 8), *out = text;
	CHECK(text);
	for (size_t i = 0; i < size; i += 3) {
		uint32_t b = (uint32_t)bytes[i] << 16 | (i + 1 < size ? bytes[i + 1] << 8 : 0) |
			(i + 2 < size ? bytes[i + 2] : 0);
		*out++ = alphabet[b >> 18];
		*out++ = alphabet[b >> 12 & 63];
		if (i + 1 < size)
			*out++ = alphabet[b >> 6 & 63];
		else if (padded)
			*out++ = '=';
		if (i + 2 < size)
			*out++ = alphabet[b & 63];
		else if (padded)
			*out++ = '=';
	}
	return text;
}

static size_t gzip(uint8_t *out, size_t capacity, const uint8_t *bytes, size_t size)
{
	z_stream z = {.next_in = (Bytef *)bytes, .avail_in = (uInt)size, .next_out = out,
		.avail_out = (uInt)capacity};
	CHECK_EQ(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	CHECK_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

static char *wrap(const uint8_t *inner, size_t size, bool zipped, const char *alphabet, bool padded)
{
	static uint8_t out[4 << 20];
	Livekit__WrappedJoinRequest w = LIVEKIT__WRAPPED_JOIN_REQUEST__INIT;
	w.compression = zipped ? LIVEKIT__WRAPPED_JOIN_REQUEST__COMPRESSION__GZIP
			       : LIVEKIT__WRAPPED_JOIN_REQUEST__COMPRESSION__NONE;
	w.join_request.data = (uint8_t *)inner;
	w.join_request.len = size;
	return base64(out, livekit__wrapped_join_request__pack(&w, out), alphabet, padded);
}

static char *request(bool zipped, const char *alphabet, bool padded, const char *metadata)
{
	static uint8_t inner[3 << 20], packed[3 << 20];
	Livekit__JoinRequest j = LIVEKIT__JOIN_REQUEST__INIT;
	j.metadata = (char *)metadata;
	size_t size = livekit__join_request__pack(&j, packed);
	if (!zipped)
		return wrap(packed, size, false, alphabet, padded);
	return wrap(inner, gzip(inner, sizeof inner, packed, size), true, alphabet, padded);
}

static enum join_request_error decode(struct proto_arena *a, Livekit__JoinRequest **ret, char *text)
{
	enum join_request_error e = join_request_decode(ret, a, text);
	free(text);
	return e;
}

static void every_client_is_understood(void)
{
	for (int i = 0; i < 8; ++i) {
		struct proto_arena a = {0};
		Livekit__JoinRequest *j = NULL;
		const char *alphabet = i & 1 ? standard : url_safe;
		CHECK_EQ(decode(&a, &j, request(i & 2, alphabet, i & 4, "?>?>>>~~~")), JOIN_REQUEST_OK);
		CHECK_STR(j->metadata, "?>?>>>~~~");
		proto_arena_fini(&a);
	}

	/* A form decoder made spaces of '+'. */
	struct proto_arena a = {0};
	Livekit__JoinRequest *j = NULL;
	char *text = request(false, standard, true, "?>?>>>~~~");
	for (char *c = text; *c; ++c)
		if (*c == '+')
			*c = ' ';
	CHECK_EQ(decode(&a, &j, text), JOIN_REQUEST_OK);
	CHECK_STR(j->metadata, "?>?>>>~~~");
	proto_arena_fini(&a);
}

static void refusals(void)
{
	static uint8_t big[3 << 20], zipped[64 << 10];
	struct proto_arena a = {0};
	Livekit__JoinRequest *j;

	CHECK_EQ(decode(&a, &j, strdup("a*b")), JOIN_REQUEST_E_BASE64);
	CHECK_EQ(decode(&a, &j, strdup("abc=d")), JOIN_REQUEST_E_BASE64);
	CHECK_EQ(decode(&a, &j, strdup("abcde")), JOIN_REQUEST_E_BASE64);
	CHECK_EQ(decode(&a, &j, strdup("_____w==")), JOIN_REQUEST_E_WRAPPED);
	CHECK_EQ(decode(&a, &j, wrap((const uint8_t *)"\xff\xff", 2, false, url_safe, true)),
		JOIN_REQUEST_E_INNER);
	CHECK_EQ(decode(&a, &j, wrap((const uint8_t *)"no gzip", 7, true, url_safe, true)),
		JOIN_REQUEST_E_INFLATE);
	CHECK_EQ(decode(&a, &j, wrap((const uint8_t *)"", 0, true, url_safe, true)),
		JOIN_REQUEST_E_INFLATE);

	/* Cut short, and a bomb. */
	size_t size = gzip(zipped, sizeof zipped, big, 1000);
	CHECK_EQ(decode(&a, &j, wrap(zipped, size - 9, true, url_safe, true)), JOIN_REQUEST_E_INFLATE);
	size = gzip(zipped, sizeof zipped, big, sizeof big);
	CHECK_EQ(decode(&a, &j, wrap(zipped, size, true, url_safe, true)), JOIN_REQUEST_E_SIZE);
	CHECK_EQ(decode(&a, &j, wrap(big, LIMIT_JOIN_REQUEST_BYTES + 1, false, url_safe, true)),
		JOIN_REQUEST_E_SIZE);

	for (int e = 0; e < JOIN_REQUEST_E__COUNT; ++e)
		CHECK(join_request_error_text(e)[0]);
	proto_arena_fini(&a);
}

static void every_allocation_may_fail(void)
{
	for (int n = 0;; ++n) {
		struct proto_arena a = {0};
		Livekit__JoinRequest *j = NULL;
		char *text = request(true, url_safe, true, "m");
		mem_fail_after(n);
		enum join_request_error e = join_request_decode(&j, &a, text);
		mem_fail_after(-1);
		free(text);
		proto_arena_fini(&a);
		CHECK_EQ(mem_live(), 0);
		if (e == JOIN_REQUEST_OK)
			return;
		CHECK_EQ(e, JOIN_REQUEST_E_MEMORY);
		CHECK(!j);
	}
}

int main(void)
{
	every_client_is_understood();
	refusals();
	every_allocation_may_fail();
	CHECK_EQ(mem_live(), 0);
	return 0;
}

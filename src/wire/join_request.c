#include "wire/join_request.h"

#include "base/mem.h"
#include "wire/base64.h"

#include <assert.h>
#include <zlib.h>

/* Runs `z` into a growing block of at most LIMIT_JOIN_REQUEST_BYTES; `*out` is the caller's. */
static enum join_request_error inflate_all(z_stream *z, uint8_t **out, size_t *size)
{
	size_t capacity = 16 << 10;
	for (;;) {
		uint8_t *grown = mem_realloc(*out, capacity);
		if (!grown)
			return JOIN_REQUEST_E_MEMORY;
		*out = grown;
		z->next_out = grown + z->total_out;
		z->avail_out = (uInt)(capacity - z->total_out);
		int r = inflate(z, Z_NO_FLUSH);
		if (r == Z_STREAM_END) {
			*size = z->total_out;
			return JOIN_REQUEST_OK;
		}
		if (r != Z_OK && r != Z_BUF_ERROR)
			return JOIN_REQUEST_E_INFLATE;
		if (z->avail_out) /* it wants more, and there is none */
			return JOIN_REQUEST_E_INFLATE;
		if (capacity >= LIMIT_JOIN_REQUEST_BYTES)
			return JOIN_REQUEST_E_SIZE;
		capacity *= 2;
	}
}

static enum join_request_error gunzip(uint8_t **out, size_t *size, struct span bytes)
{
	z_stream z = {.next_in = (Bytef *)bytes.data, .avail_in = (uInt)bytes.size};
	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) /* 16: a gzip header, nothing else */
		return JOIN_REQUEST_E_MEMORY;
	enum join_request_error e = inflate_all(&z, out, size);
	inflateEnd(&z);
	return e;
}

static enum join_request_error unpack(ProtobufCMessage **ret, struct proto_arena *a,
	const ProtobufCMessageDescriptor *type, struct span bytes,
	enum join_request_error malformed)
{
	int r = proto_unpack(ret, a, type, bytes);
	if (r == PROTO_E_LIMIT)
		return JOIN_REQUEST_E_SIZE;
	if (r)
		return r < 0 ? JOIN_REQUEST_E_MEMORY : malformed;
	return JOIN_REQUEST_OK;
}

static enum join_request_error unwrap(
	Livekit__JoinRequest **ret, struct proto_arena *a, struct span bytes)
{
	ProtobufCMessage *m;
	enum join_request_error e = unpack(&m, a, &livekit__wrapped_join_request__descriptor, bytes,
		JOIN_REQUEST_E_WRAPPED);
	if (e != JOIN_REQUEST_OK)
		return e;

	const Livekit__WrappedJoinRequest *w = (const Livekit__WrappedJoinRequest *)m;
	struct span inner = span_of(w->join_request.data, w->join_request.len);
	uint8_t *inflated = NULL;
	size_t size = 0;
	if (w->compression == LIVEKIT__WRAPPED_JOIN_REQUEST__COMPRESSION__GZIP) {
		e = gunzip(&inflated, &size, inner);
		inner = span_of(inflated, size);
	}
	if (e == JOIN_REQUEST_OK && inner.size > LIMIT_JOIN_REQUEST_BYTES)
		e = JOIN_REQUEST_E_SIZE;
	if (e == JOIN_REQUEST_OK)
		e = unpack(&m, a, &livekit__join_request__descriptor, inner, JOIN_REQUEST_E_INNER);
	if (e == JOIN_REQUEST_OK)
		*ret = (Livekit__JoinRequest *)m;
	mem_free(inflated);
	return e;
}

enum join_request_error join_request_decode(
	Livekit__JoinRequest **ret, struct proto_arena *a, const char *text)
{
	assert(ret && a && text);
	size_t size = strlen(text);
	if (size > (size_t)LIMIT_JOIN_REQUEST_BYTES * 2)
		return JOIN_REQUEST_E_SIZE;
	char *copy = mem_strdup(text);
	if (!copy)
		return JOIN_REQUEST_E_MEMORY;
	/* A form decoder has made spaces of '+'. */
	for (char *c = copy; *c; ++c)
		if (*c == ' ')
			*c = '+';
	uint8_t *bytes = (uint8_t *)copy; /* in place: it only gets shorter */
	enum join_request_error e = JOIN_REQUEST_E_BASE64;
	if (base64_decode(bytes, &size, span_of(bytes, size)) == 0)
		e = unwrap(ret, a, span_of(bytes, size));
	mem_free(copy);
	return e;
}

const char *join_request_error_text(enum join_request_error e)
{
	static const char *const texts[JOIN_REQUEST_E__COUNT] = {
		[JOIN_REQUEST_OK] = "fine",
		[JOIN_REQUEST_E_BASE64] = "cannot base64 decode wrapped join request",
		[JOIN_REQUEST_E_WRAPPED] = "cannot unmarshal wrapped join request",
		[JOIN_REQUEST_E_INFLATE] = "cannot read decompressed join request",
		[JOIN_REQUEST_E_SIZE] = "join request too large",
		[JOIN_REQUEST_E_INNER] = "cannot unmarshal join request",
		[JOIN_REQUEST_E_MEMORY] = "out of memory",
	};
	return (unsigned)e < JOIN_REQUEST_E__COUNT ? texts[e] : "unknown";
}

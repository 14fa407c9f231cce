/* What a client says on the WebSocket. What was taken must survive being packed and read again. */
#include "wire/proto.h"

#include "livekit_rtc.pb-c.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(cond) ((cond) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proto_arena a = {.max = 4 << 20}, again = {.max = 8 << 20};
	struct buf b = {0}, b2 = {0};
	const ProtobufCMessageDescriptor *type = &livekit__signal_request__descriptor;
	ProtobufCMessage *m, *m2;

	if (proto_unpack(&m, &a, type, span_of(data, size)) == 0) {
		MUST(protobuf_c_message_check(m));
		MUST(proto_pack(&b, m) == 0);
		MUST(proto_unpack(&m2, &again, type, buf_span(&b)) == 0);
		MUST(proto_pack(&b2, m2) == 0);
		MUST(b.size == b2.size && (b.size == 0 || !memcmp(b.data, b2.data, b.size)));
	}
	MUST(a.used <= a.max);
	buf_fini(&b);
	buf_fini(&b2);
	proto_arena_fini(&a);
	proto_arena_fini(&again);
	return 0;
}

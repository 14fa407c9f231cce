/* JSON of strangers, into messages that have every kind of field between them. The first byte
 * chooses the message and strictness. What was taken must be written so that it reads back the
 * same. */
#include "wire/proto_json.h"

#include "livekit_room.pb-c.h"
#include "livekit_rtc.pb-c.h"
#include "livekit_sip.pb-c.h"
#include "livekit_webhook.pb-c.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(cond) ((cond) ? (void)0 : abort())

static void check_form(const ProtobufCMessage *m, enum proto_json_form form)
{
	struct proto_arena a = {0};
	struct buf b = {0}, b2 = {0};
	struct proto_json_error error;
	ProtobufCMessage *again;
	MUST(proto_json_write(&b, m, form) == 0);
	MUST(proto_json_read(&again, &a, m->descriptor, buf_span(&b), PROTO_JSON_STRICT, &error) ==
		0);
	MUST(proto_json_write(&b2, again, form) == 0);
	MUST(b.size == b2.size && !memcmp(b.data, b2.data, b.size));
	buf_fini(&b);
	buf_fini(&b2);
	proto_arena_fini(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const ProtobufCMessageDescriptor *const types[] = {
		&livekit__signal_request__descriptor, &livekit__webhook_event__descriptor,
		&livekit__create_sipparticipant_request__descriptor,
		&livekit__update_sipinbound_trunk_request__descriptor,
		&livekit__data_packet__descriptor,
		&livekit__create_sipdispatch_rule_request__descriptor,
		&livekit__data_track_subscriber_handles__descriptor,
		&livekit__room_configuration__descriptor};
	if (size == 0)
		return 0;

	struct proto_arena a = {.max = 4 << 20};
	struct proto_json_error error = {""};
	ProtobufCMessage *m;
	int r = proto_json_read(&m, &a, types[data[0] % COUNT_OF(types)],
		span_of(data + 1, size - 1), data[0] & 0x80 ? PROTO_JSON_STRICT : 0, &error);
	MUST(r >= 0 && strlen(error.text) < sizeof error.text);
	if (r == 0) {
		MUST(protobuf_c_message_check(m));
		check_form(m, PROTO_JSON_TWIRP);
		check_form(m, PROTO_JSON_SHORT);
	} else if (r == PROTO_JSON_E_FIELD) {
		MUST(error.text[0]);
	}
	proto_arena_fini(&a);
	return 0;
}

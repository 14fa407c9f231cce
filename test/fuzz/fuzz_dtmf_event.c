/* One event, written back; and the same bytes as a series of packets to the digit receiver. */
#include "media/dtmf_receiver.h"
#include "wire/dtmf_event.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void one_event(struct span payload)
{
	struct dtmf_event e;
	uint8_t out[DTMF_EVENT_BYTES];
	if (!dtmf_event_parse(&e, payload)) {
		assert(payload.size < DTMF_EVENT_BYTES);
		return;
	}
	assert(e.volume < 64);
	struct writer w = writer_of(out, sizeof out);
	dtmf_event_write(&w, &e);
	assert(!w.bad && w.used == DTMF_EVENT_BYTES);
	out[1] |= payload.data[1] & 0x40; /* the reserved bit is not kept */
	assert(!memcmp(out, payload.data, sizeof out));
	char digit = dtmf_event_digit(e.event);
	assert(!digit || dtmf_event_of_digit(digit) == e.event);
}

/* Records of one byte of timestamp step and four of event. */
static void a_series(const uint8_t *data, size_t size)
{
	struct dtmf_receiver r = {0};
	uint32_t timestamp = 0;
	for (; size >= 5; data += 5, size -= 5) {
		char digit = 0;
		timestamp += data[0] * 40u - 2000;
		if (dtmf_receiver_packet(&r, span_of(data + 1, 4), timestamp, &digit))
			assert(dtmf_event_of_digit(digit) == data[1]);
		else
			assert(!digit);
		assert(!dtmf_receiver_packet(&r, span_of(data + 1, 4), timestamp, &digit));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	one_event(span_of(data, size));
	a_series(data, size);
	return 0;
}

#include "wire/rtp.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void is_inside(struct span part, struct span whole)
{
	assert(part.size == 0 ||
		(part.data >= whole.data && part.data + part.size <= whole.data + whole.size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span packet = span_of(data, size);
	struct rtp_view v, again;

	if (rtp_parse(&v, packet) != RTP_OK)
		return 0;
	is_inside(v.payload, packet);
	is_inside(v.extension, packet);
	assert(v.extension.size % 4 == 0);
	for (unsigned id = 0; id < 256; ++id) {
		struct span element;
		if (!rtp_extension(&element, &v, (uint8_t)id))
			continue;
		assert(id > 0);
		is_inside(element, v.extension);
	}
	assert(rtp_audio_level(&v, 1) <= 127);

	static uint8_t out[1 << 17];
	if (size > sizeof out / 2)
		return 0;
	struct writer w = writer_of(out, sizeof out);
	rtp_write(&w, &v);
	assert(!w.bad && w.used <= size);
	assert(rtp_parse(&again, writer_span(&w)) == RTP_OK);
	assert(again.seq == v.seq && again.ssrc == v.ssrc && again.timestamp == v.timestamp);
	assert(again.payload.size == v.payload.size && again.marker == v.marker);
	assert(again.payload_type == v.payload_type);
	return 0;
}

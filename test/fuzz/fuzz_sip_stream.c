/* However a stream is cut to pieces, the same messages and pings come out of it, whole and inside its
 * bounds. The first byte of the input says how it is cut. */
#include "base/limits.h"
#include "base/mem.h"
#include "wire/sip_stream.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct story {
	uint64_t hash;
	size_t events;
	bool broken;
};

static void note(struct story *s, int outcome, struct span message)
{
	s->hash = s->hash * 1099511628211u + (unsigned)outcome;
	for (size_t i = 0; i < message.size; ++i)
		s->hash = (s->hash ^ message.data[i]) * 1099511628211u;
	++s->events;
}

static void take_all(struct story *story, struct sip_stream *s)
{
	struct span message = {0};
	int r;

	while ((r = sip_stream_next(s, &message)) != SIP_STREAM_E_MORE && r != SIP_STREAM_E_BROKEN) {
		if (r == 0 && (!message.size || message.size > LIMIT_SIP_MESSAGE_BYTES))
			abort();
		note(story, r, r ? (struct span){0} : message);
	}
	story->broken = r == SIP_STREAM_E_BROKEN;
}

static struct story read_in_pieces(struct span all, size_t piece, bool awaits_pong)
{
	struct sip_stream s = {.awaits_pong = awaits_pong};
	struct story story = {0};

	while (all.size && !story.broken) {
		size_t n = all.size < piece ? all.size : piece;
		if (sip_stream_add(&s, span_of(all.data, n)))
			abort(); /* a reader that takes all is never full */
		all = span_of(all.data + n, all.size - n);
		take_all(&story, &s);
	}
	sip_stream_fini(&s);
	return story;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size || size > LIMIT_SIP_MESSAGE_BYTES)
		return 0;
	struct span all = span_of(data + 1, size - 1);
	bool awaits_pong = data[0] & 0x80;
	struct story whole = read_in_pieces(all, size, awaits_pong);
	struct story cut = read_in_pieces(all, 1u + (data[0] & 0x7f), awaits_pong);

	if (whole.hash != cut.hash || whole.events != cut.events || whole.broken != cut.broken)
		abort();
	if (mem_live())
		abort();
	return 0;
}

#include "wire/sip_stream.h"

#include "base/limits.h"
#include "wire/sip_message.h"

enum { PING_BYTES = 4, PONG_BYTES = 2 };

static struct span rest(const struct sip_stream *s)
{
	return s->in.data ? span_of(s->in.data + s->taken, s->in.size - s->taken) : (struct span){0};
}

int sip_stream_add(struct sip_stream *s, struct span bytes)
{
	if (s->taken)
		buf_drop_front(&s->in, s->taken);
	s->taken = 0;
	s->in.max = 2 * LIMIT_SIP_MESSAGE_BYTES;
	int r = bytes.size ? buf_add(&s->in, bytes.data, bytes.size) : 0;
	if (r == BUF_E_FULL)
		s->broken = true;
	return r == BUF_E_FULL ? SIP_STREAM_E_BROKEN : r;
}

/* Takes line ends before a message. 0: none are left there. */
static int take_line_ends(struct sip_stream *s)
{
	for (struct span left = rest(s); left.size && (left.data[0] == '\r' || left.data[0] == '\n'); left = rest(s)) {
		++s->taken;
		++s->line_ends;
		if (s->awaits_pong && s->line_ends == PONG_BYTES) {
			s->awaits_pong = false;
			s->line_ends = 0;
			return SIP_STREAM_E_PONG;
		}
		if (s->line_ends == PING_BYTES) {
			s->line_ends = 0;
			return SIP_STREAM_E_PING;
		}
	}
	return 0;
}

/* An empty line: every byte is looked at once, however many pieces it comes in. */
static bool headers_are_complete(struct sip_stream *s, struct span left)
{
	while (s->looked < left.size) {
		const uint8_t *end = memchr(left.data + s->looked, '\n', left.size - s->looked);
		size_t next = end ? (size_t)(end - left.data) + 1 : left.size;
		size_t after = next < left.size && left.data[next] == '\r' ? next + 1 : next;
		if (end && after < left.size && left.data[after] == '\n')
			return true;
		if (end && after >= left.size) {
			s->looked = next - 1; /* what follows decides */
			return false;
		}
		s->looked = next;
	}
	return false;
}

static int break_off(struct sip_stream *s)
{
	s->broken = true;
	return SIP_STREAM_E_BROKEN;
}

int sip_stream_next(struct sip_stream *s, struct span *ret)
{
	if (s->broken)
		return SIP_STREAM_E_BROKEN;
	int r = s->whole ? 0 : take_line_ends(s);
	struct span left = rest(s);
	if (r || !left.size)
		return r ? r : SIP_STREAM_E_MORE;
	s->line_ends = 0;
	if (!s->whole && !headers_are_complete(s, left))
		return left.size > LIMIT_SIP_MESSAGE_BYTES ? break_off(s) : SIP_STREAM_E_MORE;
	if (!s->whole && sip_message_frame(left, &s->whole) == SIP_FRAME_E_BROKEN)
		return break_off(s);
	if (left.size < s->whole)
		return SIP_STREAM_E_MORE;
	*ret = span_of(left.data, s->whole);
	s->taken += s->whole;
	s->looked = s->whole = 0;
	return 0;
}

bool sip_stream_has_begun(const struct sip_stream *s)
{
	return s->in.size > s->taken;
}

void sip_stream_fini(struct sip_stream *s)
{
	buf_fini(&s->in);
	*s = (struct sip_stream){0};
}

/* wire/sip_stream.h - SIP messages out of a byte stream, however it was cut to pieces (RFC 3261 section
 * 18.3), and the line ends between them that keep a connection alive (RFC 5626 section 4.4.1).
 *
 * Owner:   whoever embeds it. Zeroed memory is a valid stream at its beginning.
 * Owns:    what came and is not taken yet: at most LIMIT_SIP_MESSAGE_BYTES and one input.
 * Thread:  its owner's. Pure but for memory. Fuzzed by test/fuzz/fuzz_sip_stream.c.
 */
#pragma once

#include "base/buf.h"

struct sip_stream {
	struct buf in;
	size_t taken;  /* of `in`: given away already */
	size_t looked; /* of what is left: no end of headers up to here */
	size_t whole;  /* size of the message that has begun; 0 = not known yet */
	unsigned line_ends; /* bytes of them in a row */
	bool awaits_pong; /* set by the owner when it has sent a ping */
	bool broken;
};

/* Outcomes of sip_stream_next(). */
enum {
	SIP_STREAM_E_MORE = 1, /* nothing complete is left */
	SIP_STREAM_E_PING,     /* two line ends: one is owed */
	SIP_STREAM_E_PONG,     /* the one that `awaits_pong` waited for; it is false again */
	SIP_STREAM_E_BROKEN,   /* no message can ever come of it, or too large a one: close the stream */
};

/* Returns 0, SIP_STREAM_E_BROKEN (what came before was not taken) or -ENOMEM. */
MUST_USE int sip_stream_add(struct sip_stream *s, struct span bytes);
/* Call until it says MORE. 0: *ret is one message, which lives until the next call. */
MUST_USE int sip_stream_next(struct sip_stream *s, struct span *ret);
bool sip_stream_has_begun(const struct sip_stream *s); /* a message whose end is still to come */
void sip_stream_fini(struct sip_stream *s);

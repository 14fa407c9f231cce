/* media/history.h - the last packets of a voice, for those of its listeners who lost one (RFC 4585,
 * generic NACK): 64 packets or 16 KB, whichever is less, shared by all sinks of a source.
 *
 * Owner:   a source, from the first sink on that may ask.
 * Owns:    copies of payloads. Thread: its owner's. Pure.
 *
 * What is kept under a number never changes: a packet that is sent again must be the same to the
 * bit, since it is enciphered under the same keystream (RFC 3711, 9.1).
 */
#pragma once

#include "base/limits.h"
#include "wire/rtp.h"

enum {
	HISTORY_PACKETS = LIMIT_HISTORY_PACKETS,
	HISTORY_BYTES = LIMIT_HISTORY_BYTES,
};

struct history;

MUST_USE int history_new(struct history **ret);
struct history *history_free(struct history *h);

/* `epoch` as in struct source: numbers of another one are other packets. Repeated numbers and those
 * that are older than the ring are not taken. Extensions are not kept. */
void history_put(struct history *h, unsigned epoch, const struct rtp_view *v);
/* False when it is not there (any more). Valid until the next history_put(). */
MUST_USE bool history_get(
	struct rtp_view *ret, const struct history *h, unsigned epoch, uint32_t ssrc, uint16_t seq);

/* media/leg.h - the RTP side of one phone call inside a worker: what media/worker_orders.c calls when a
 * media_leg_*() command arrives.
 *
 * Owner:   its worker (worker->legs).
 * Owns:    both sockets, the jitter buffer, decoders of the voices it hears, encoder for the room.
 * Thread:  the worker's.
 */
#pragma once

#include "media/worker.h"

struct leg;

/* Takes over the two bound, non-blocking sockets, also on failure. */
MUST_USE int leg_new(struct leg **ret, struct worker *w, media_id id, int rtp_fd, int rtcp_fd,
	const struct media_leg_config *c);
struct leg *leg_free(struct leg *l);
struct source *leg_source(struct leg *l);
/* Other sockets from now on; taken over, also on failure: then it has none, and can only be freed. */
MUST_USE int leg_move(struct leg *l, int rtp_fd, int rtcp_fd);
void leg_connect(struct leg *l, const struct media_leg_remote *remote);
void leg_hear(struct leg *l, struct source *s);
void leg_unhear(struct leg *l, media_id source);
void leg_digits(struct leg *l, const char *digits);
void leg_ringback(struct leg *l, const struct media_ringback *tone);
void leg_ring(struct leg *l, const struct media_ringback *tone);
void leg_drain(struct leg *l, uint32_t voice_ms, uint32_t digits_ms);

/* api/rpc.h - PerformRpc: the server calls a method of a participant's, as a caller that nobody sees.
 *
 * Owner:   struct api (its `rpcs`).
 * Owns:    the deadline and the exchange, which it owes an answer.
 * Thread:  the control thread.
 * Life:    rpc_perform -> acknowledged -> answered; or the time is over, or whoever asked went away.
 */
#pragma once

#include "api/twirp.h"

#include "room/room.h"

#include "livekit_room.pb-c.h"

/* `p` is there; its room is not freed by this. Answers now or later. */
void rpc_perform(struct twirp *t, struct participant *p, const Livekit__PerformRpcRequest *in);
void rpc_refuse_all(struct api *a);

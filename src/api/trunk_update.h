/* api/trunk_update.h - SIPOutboundTrunkUpdate: some fields of a trunk changed. Pure.
 *
 * Owner:   the arena that is given. Owns: nothing. Thread: any.
 */
#pragma once

#include "trunk/trunk.h"
#include "wire/proto.h"

/* Outcome of both: TRUNK_E_INVALID, with `why`. */
MUST_USE int trunk_update_check(const Livekit__SIPOutboundTrunkUpdate *u, char why[TRUNK_WHY_SIZE]);
/* *ret = a copy of `old` with the changes; it points into both and into the arena. `u` was checked. */
MUST_USE int trunk_update_apply(Livekit__SIPOutboundTrunkInfo *ret, struct proto_arena *arena,
	const Livekit__SIPOutboundTrunkInfo *old, const Livekit__SIPOutboundTrunkUpdate *u);

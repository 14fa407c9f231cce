/* api/sip_service.h - the part of livekit.SIP that has a file of its own.
 *
 * Owner:   the exchange. Owns: nothing. Thread: the control thread.
 */
#pragma once

#include "api/twirp.h"

#include "trunk/trunk.h"

void sip_create_participant(struct twirp *t);

/* api/sip_service.h - the parts of livekit.SIP that have files of their own.
 *
 * Owner:   the exchange. Owns: nothing. Thread: the control thread.
 */
#pragma once

#include "api/twirp.h"

#include "trunk/trunk.h"

void sip_create_participant(struct twirp *t);
void sip_transfer_participant(struct twirp *t);
void sip_transfers_refuse_all(struct api *a); /* the server stops */

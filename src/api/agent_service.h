/* api/agent_service.h - the door of agents' workers.
 *
 * Owner:   struct api. Owns: nothing. Thread: the control thread.
 */
#pragma once

#include "api/api_private.h"

/* A WebSocket at /agent: accepted when its token has the grant `agent`, else refused. */
void agent_upgrade(struct api *a, struct http_exchange *x);

/* webhook/events.h - which events of the rooms become webhooks, and what LiveKit writes in each.
 *
 * Owner:   whoever embeds it, for as long as the rooms are. Owns: nothing.
 * Thread:  the control thread.
 */
#pragma once

#include "room/room.h"
#include "webhook/webhook.h"

struct webhook_events {
	struct rooms_listener listener;
	struct webhooks *hooks;
};

void webhook_events_start(struct webhook_events *e, struct rooms *rs, struct webhooks *w);

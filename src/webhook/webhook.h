/* webhook/webhook.h - what happens in the rooms, told to the operator's own servers: POSTs of
 * LiveKit's WebhookEvent, signed, in order for each room, tried again while nobody takes them.
 *
 * Owner:   the server. Owns: the queues and the requests under way.
 * Thread:  the control thread; nothing here waits.
 * Words:   a "target" is one URL; a "lane" is one room's events on their way to one target. A lane
 *          has one request under way, so its events arrive in order; lanes do not wait for another.
 *
 * A target that is away (no answer, 408, 429, 5xx) is tried again after 0.5 s, then 1, 2, 4 ... 30 s,
 * until an event is LIMIT_WEBHOOK_AGE_S old; another refusal is final. More events than
 * LIMIT_WEBHOOKS_QUEUED, or LIMIT_WEBHOOK_QUEUE_BYTES, for one target are dropped, and counted.
 */
#pragma once

#include "net/loop.h"
#include "wire/jwt.h"

struct webhooks;

struct webhooks_config {
	struct loop *loop;
	const char *const *urls; /* these and the key are copied */
	size_t url_count;
	const char *key; /* that signs: LiveKit's webhook.api_key */
	jwt_secret_fn *secret_of;
	void *secret_owner;
};

struct webhook_counts {
	uint64_t delivered, refused, dropped, retried;
};

MUST_USE int webhooks_new(struct webhooks **ret, const struct webhooks_config *config);
/* What waits is lost. */
struct webhooks *webhooks_free(struct webhooks *w);
/* Tells every target of `json`. Events of one `resource` (a room's sid) arrive in this order. */
void webhooks_send(struct webhooks *w, const char *resource, struct span json);
/* Stopping: gives what waits a last try each, LIMIT_WEBHOOK_CLOSE_MS altogether; then `closed`,
 * which may be called from inside when nothing waits. */
void webhooks_close(struct webhooks *w, void (*closed)(void *owner), void *owner);
const struct webhook_counts *webhooks_counts(const struct webhooks *w);

/* metrics/metrics.h - the page that Prometheus reads: LiveKit's and livekit-sip's names where they
 * have one, `ringdown_` for the rest, `process_` as everywhere.
 *
 * Owner:   the server. Owns: its counters and the timer that measures the loop's lag.
 * Thread:  the control thread.
 */
#pragma once

#include "media/media.h"
#include "metrics/exposition.h"
#include "net/http_server.h"
#include "room/room.h"
#include "webhook/webhook.h"

struct metrics;

struct metrics_config {
	struct loop *loop;
	struct rooms *rooms;
	const struct media *media;
	const struct webhooks *webhooks;      /* or NULL */
	/* Families of those whom this folder does not know; or NULL. */
	void (*more)(void *owner, struct exposition *e);
	void *more_owner;
	const char *node_id;                  /* these are copied */
	const char *username, *password;      /* Basic authentication (RFC 7617); NULL: none */
};

MUST_USE int metrics_new(struct metrics **ret, const struct metrics_config *config);
struct metrics *metrics_free(struct metrics *m);
/* The page; `e` is the caller's to free (e->text). */
void metrics_write(struct metrics *m, struct exposition *e);
/* For http_server_new(), with the struct metrics as owner: GET /metrics, and nothing else. */
extern const struct http_events metrics_http_events;

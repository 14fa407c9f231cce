/* api/api_private.h - what the files of this folder share.
 *
 * Owner:   struct api is the server's; the rest as said below.
 * Owns:    see api.h.
 * Thread:  the control thread.
 */
#pragma once

#include "api/api.h"
#include "api/idempotency.h"

#include "base/list.h"
#include "room/room.h"
#include "wire/grants.h"

struct api {
	struct api_config config;
	struct list waits; /* struct api_wait: requests that wait for a call */
	struct list transfers; /* struct sip_transfer: requests that wait for a transfer */
	struct list rpcs;  /* struct rpc: PerformRpc under way */
	size_t rpc_count;
	struct idempotency *answers;
	bool closed;
};

/* ---- paths ---- */
void api_twirp(struct api *a, struct http_exchange *x);   /* /twirp/... */
void api_backend(struct api *a, struct http_exchange *x); /* /livekit/..., /app/... */
bool api_is_backend_path(const char *path);
bool api_is_operator_path(const char *path); /* of those, what the commands read: on LiveKit's port too */
void api_not_found(struct http_exchange *x);
void api_text(struct http_exchange *x, unsigned status, const char *text);

/* "ws://host:7880": configured, or made from the request's Host. */
enum { API_URL_SIZE = 320 };
const char *api_server_url(char out[API_URL_SIZE], const struct api *a, const struct http_exchange *x);

/* net/http_client.h - POSTs on the loop, over http and https, by libcurl's multi interface.
 *
 * Owner:   whoever posts. Owns: the requests under way and their sockets.
 * Thread:  the loop's. Names are resolved on threads of libcurl's own.
 *
 * No redirect is followed, certificates are checked against the machine's authorities (or those in
 * the file that SSL_CERT_FILE names), and an answer's body is thrown away: only its status counts.
 * Connections are kept and used again.
 */
#pragma once

#include "net/loop.h"

struct http_client;
struct http_post; /* one request under way */

/* `user_agent` is copied. */
MUST_USE int http_client_new(struct http_client **ret, struct loop *l, const char *user_agent);
/* Requests under way end unheard. */
struct http_client *http_client_free(struct http_client *c);

/* Called once, last; the request is gone then. `status` is HTTP's, or 0 with `error` saying why
 * there is none. */
typedef void http_post_done(void *owner, unsigned status, const char *error);

/* What is given must stay until `done` or the cancelling; headers are "Name: value". */
struct http_post_config {
	const char *url;
	const char *const *headers;
	size_t header_count;
	struct span body;
	uint32_t timeout_ms;
};
/* `done` is never called from inside. */
MUST_USE int http_post(struct http_post **ret, struct http_client *c,
	const struct http_post_config *config, http_post_done *done, void *owner);
void http_post_cancel(struct http_post *p); /* `done` will not be called */

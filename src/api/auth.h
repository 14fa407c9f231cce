/* api/auth.h - who asks: the token of a request.
 *
 * Owner:   the request. Owns: nothing. Thread: the control thread.
 */
#pragma once

#include "api/api.h"
#include "wire/grants.h"

/* Outcomes of auth_read(). */
enum {
	AUTH_E_NONE = 1, /* no token came */
	AUTH_E_BAD,      /* one came that is not to be believed; *why says so, in LiveKit's words */
};
/* Header `Authorization: Bearer ...`, else the query's access_token. On 0 *ret is to be finished by
 * grants_fini(). */
MUST_USE int auth_read(struct grants *ret, const struct api *a, struct http_exchange *x, const char **why);

/* The app's endpoints need no token: development, and both the peer and the names that the request
 * gives (Host, Origin) are of this machine, so that no web page elsewhere can dial through a browser
 * that runs here. */
bool auth_is_open(const struct api *a, const struct http_exchange *x);

/* "127.0.0.1:8000", "localhost", "[::1]:8000" */
bool auth_is_loopback_host(const char *host);

/* wire/turn_auth.h - credentials for a TURN server that shares a secret with us (coturn's
 * `use-auth-secret`, draft-uberti-behave-turn-rest-00): the user name says until when they are good,
 * the password is the base64 of HMAC-SHA1(secret, user name).
 *
 * Pure. Thread: any.
 */
#pragma once

#include "wire/base64.h"

enum { TURN_AUTH_PASSWORD_SIZE = BASE64_TEXT_SIZE(20) };

/* Returns 0 or a negative error. */
MUST_USE int turn_auth_password(
	char out[TURN_AUTH_PASSWORD_SIZE], const char *secret, const char *username);

/* wire/jwt.h - access tokens (RFC 7519) as LiveKit uses them: HS256 and nothing else.
 *
 * Pure but for OpenSSL's HMAC; the time is given. Secrets and tokens are never logged.
 * Thread: any.
 */
#pragma once

#include "base/base.h"

#include <jansson.h>

enum {
	JWT_TEXT_MAX = 64 << 10, /* a token longer than this is malformed */
	JWT_LEEWAY_S = 60,
};

/* Named outcomes of jwt_verify() and jwt_sign(). */
enum jwt_outcome {
	JWT_OK,
	JWT_E_MALFORMED,   /* not three parts of base64url JSON, an odd time, or too long */
	JWT_E_ALGORITHM,   /* not HS256 */
	JWT_E_UNKNOWN_KEY, /* nobody has the key named by `iss` */
	JWT_E_SIGNATURE,
	JWT_E_EXPIRED,
	JWT_E_NOT_YET,     /* nbf or iat is in the future */
	JWT__COUNT,
};
const char *jwt_outcome_text(enum jwt_outcome o);

/* The secret of an API key, or NULL. */
typedef const char *jwt_secret_fn(void *owner, const char *key);

/* *claims is a new reference (json_decref). A token without `exp` is accepted, as LiveKit does.
 * `now_s` is Unix time; JWT_LEEWAY_S is granted to clocks that differ. Returns a jwt_outcome or a
 * negative error. */
MUST_USE int jwt_verify(json_t **claims, struct span token, jwt_secret_fn *secret_of, void *owner,
	int64_t now_s);
/* *token is a mem_ text. `claims` should name iss, sub, exp ... Claims that would make a token that
 * jwt_verify() refuses for its length are JWT_E_MALFORMED. */
MUST_USE int jwt_sign(char **token, const json_t *claims, const char *secret);

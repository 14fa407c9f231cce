#include "wire/turn_auth.h"

#include "base/err.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

int turn_auth_password(char out[TURN_AUTH_PASSWORD_SIZE], const char *secret, const char *username)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned size = 0;

	if (!HMAC(EVP_sha1(), secret, (int)strlen(secret), (const uint8_t *)username,
		    strlen(username), digest, &size))
		return err_new(-ENOMEM);
	base64_encode(out, span_of(digest, size));
	return 0;
}

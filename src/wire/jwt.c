#include "wire/jwt.h"

#include "base/err.h"
#include "base/mem.h"
#include "wire/base64.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { MAC_SIZE = 32 };

const char *jwt_outcome_text(enum jwt_outcome o)
{
	static const char *const texts[JWT__COUNT] = {
		[JWT_OK] = "valid",
		[JWT_E_MALFORMED] = "malformed token",
		[JWT_E_ALGORITHM] = "the token's algorithm is not HS256",
		[JWT_E_UNKNOWN_KEY] = "unknown API key",
		[JWT_E_SIGNATURE] = "wrong signature",
		[JWT_E_EXPIRED] = "token is expired",
		[JWT_E_NOT_YET] = "token is not valid yet",
	};
	return texts[o];
}

/* Takes what stands before the next dot off `rest`. */
static struct span take_part(struct span *rest)
{
	const uint8_t *dot = memchr(rest->data, '.', rest->size);
	size_t size = dot ? (size_t)(dot - rest->data) : rest->size;
	struct span part = span_of(rest->data, size);
	*rest = span_of(rest->data + size + (dot ? 1 : 0), rest->size - size - (dot ? 1 : 0));
	return part;
}

/* NULL when it is no base64url JSON object. */
static json_t *load_part(uint8_t *scratch, struct span part)
{
	size_t size;
	if (base64_decode(scratch, &size, part))
		return NULL;
	json_t *o = json_loadb((char *)scratch, size, JSON_REJECT_DUPLICATES, NULL);
	if (o && !json_is_object(o)) {
		json_decref(o);
		o = NULL;
	}
	return o;
}

static bool is_hs256(const json_t *header)
{
	const char *alg = json_string_value(json_object_get(header, "alg"));
	return alg && !strcmp(alg, "HS256");
}

static bool signature_fits(struct span signed_text, struct span signature, const char *secret)
{
	uint8_t given[MAC_SIZE + 8], mac[EVP_MAX_MD_SIZE];
	size_t given_size;
	unsigned mac_size = 0;
	if (signature.size > 44 || base64_decode(given, &given_size, signature) || given_size != MAC_SIZE)
		return false;
	if (!HMAC(EVP_sha256(), secret, (int)strlen(secret), signed_text.data, signed_text.size, mac, &mac_size))
		return false;
	return mac_size == MAC_SIZE && CRYPTO_memcmp(mac, given, MAC_SIZE) == 0;
}

static enum jwt_outcome check_times(const json_t *claims, int64_t now_s)
{
	const json_t *exp = json_object_get(claims, "exp"), *nbf = json_object_get(claims, "nbf");
	if (json_is_number(exp) && (double)now_s > json_number_value(exp) + JWT_LEEWAY_S)
		return JWT_E_EXPIRED;
	if (json_is_number(nbf) && (double)now_s < json_number_value(nbf) - JWT_LEEWAY_S)
		return JWT_E_NOT_YET;
	return JWT_OK;
}

static enum jwt_outcome check(const json_t *header, const json_t *claims, struct span signed_text,
	struct span signature, jwt_secret_fn *secret_of, void *owner, int64_t now_s)
{
	if (!header || !claims)
		return JWT_E_MALFORMED;
	if (!is_hs256(header))
		return JWT_E_ALGORITHM;
	const char *key = json_string_value(json_object_get(claims, "iss"));
	const char *secret = key ? secret_of(owner, key) : NULL;
	if (!secret)
		return JWT_E_UNKNOWN_KEY;
	if (!signature_fits(signed_text, signature, secret))
		return JWT_E_SIGNATURE;
	return check_times(claims, now_s);
}

int jwt_verify(json_t **claims, struct span token, jwt_secret_fn *secret_of, void *owner, int64_t now_s)
{
	if (token.size == 0 || token.size > JWT_TEXT_MAX || memchr(token.data, 0, token.size))
		return JWT_E_MALFORMED;
	uint8_t *scratch = mem_zalloc(token.size + 4);
	if (!scratch)
		return err_new(-ENOMEM);

	struct span rest = token;
	json_t *header = load_part(scratch, take_part(&rest));
	json_t *body = load_part(scratch, take_part(&rest));
	size_t signed_size = rest.data > token.data ? (size_t)(rest.data - token.data) - 1 : 0;
	int r = check(header, body, span_of(token.data, signed_size), rest, secret_of, owner, now_s);
	mem_free(scratch);
	json_decref(header);
	if (r == JWT_OK)
		*claims = body;
	else
		json_decref(body);
	return r;
}

int jwt_sign(char **token, const json_t *claims, const char *secret)
{
	static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
	char *body = json_dumps(claims, JSON_COMPACT);
	if (!body)
		return err_new(-ENOMEM);
	size_t body_size = strlen(body);
	char *out = mem_zalloc(BASE64_TEXT_SIZE(sizeof header) + BASE64_TEXT_SIZE(body_size) + BASE64_TEXT_SIZE(MAC_SIZE) + 3);
	if (out) {
		size_t n = base64_encode_url(out, span_text(header));
		out[n++] = '.';
		n += base64_encode_url(out + n, span_of(body, body_size));
		uint8_t mac[EVP_MAX_MD_SIZE];
		unsigned mac_size = 0;
		HMAC(EVP_sha256(), secret, (int)strlen(secret), (uint8_t *)out, n, mac, &mac_size);
		out[n++] = '.';
		base64_encode_url(out + n, span_of(mac, mac_size));
	}
	/* jansson's memory, not one of ours. */
	void (*release)(void *) = NULL;
	json_get_alloc_funcs(NULL, &release);
	release(body);
	if (!out)
		return err_new(-ENOMEM);
	*token = out;
	return 0;
}

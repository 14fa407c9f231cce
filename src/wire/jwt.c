#include "wire/jwt.h"

#include "base/err.h"
#include "base/mem.h"
#include "wire/base64.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

enum {
	MAC_SIZE = 32,
	MAC_CHARS = 43, /* as base64url */
};

/* RFC 7515 section 3.1: header.claims.signature. */
struct parts {
	struct span header, claims, signature;
	struct span covered; /* what is signed: the first two with their dot */
};

/* The last three as LiveKit's library words them: people search for these texts. */
const char *jwt_outcome_text(enum jwt_outcome o)
{
	static const char *const texts[JWT__COUNT] = {
		[JWT_OK] = "valid",
		[JWT_E_MALFORMED] = "malformed token",
		[JWT_E_ALGORITHM] = "the token's algorithm is not HS256",
		[JWT_E_UNKNOWN_KEY] = "unknown API key",
		[JWT_E_SIGNATURE] = "token signature is invalid: signature is invalid",
		[JWT_E_EXPIRED] = "token has invalid claims: token is expired",
		[JWT_E_NOT_YET] = "token has invalid claims: token is not valid yet",
	};
	return texts[o];
}

/* ---- reading ---- */

/* Nothing but base64url without padding, and two dots: RFC 7515 section 2. */
static bool split(struct parts *p, struct span token)
{
	size_t dots[2], count = 0;
	for (size_t i = 0; i < token.size; ++i) {
		uint8_t c = token.data[i];
		bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
		if (letter || (c >= '0' && c <= '9') || c == '-' || c == '_')
			continue;
		if (c != '.' || count == COUNT_OF(dots))
			return false;
		dots[count++] = i;
	}
	if (count != COUNT_OF(dots))
		return false;
	p->header = span_of(token.data, dots[0]);
	p->claims = span_of(token.data + dots[0] + 1, dots[1] - dots[0] - 1);
	p->signature = span_of(token.data + dots[1] + 1, token.size - dots[1] - 1);
	p->covered = span_of(token.data, dots[1]);
	return true;
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

/* ---- judging ---- */

/* RFC 7515 section 4.1.11: whoever does not know what is critical must refuse, and we know none. */
static enum jwt_outcome check_header(const json_t *header)
{
	const char *alg = json_string_value(json_object_get(header, "alg"));
	if (!header || json_object_get(header, "crit"))
		return JWT_E_MALFORMED;
	return alg && !strcmp(alg, "HS256") ? JWT_OK : JWT_E_ALGORITHM;
}

static bool make_mac(uint8_t mac[EVP_MAX_MD_SIZE], const char *secret, struct span covered)
{
	unsigned size = 0;
	return HMAC(EVP_sha256(), secret, (int)strlen(secret), covered.data, covered.size, mac,
		       &size) &&
	       size == MAC_SIZE;
}

static bool signature_fits(const struct parts *p, const char *secret)
{
	uint8_t given[MAC_CHARS], mac[EVP_MAX_MD_SIZE];
	size_t given_size;
	if (p->signature.size != MAC_CHARS || base64_decode(given, &given_size, p->signature))
		return false;
	return given_size == MAC_SIZE && make_mac(mac, secret, p->covered) &&
	       CRYPTO_memcmp(mac, given, MAC_SIZE) == 0;
}

/* A time that is there must be a number: to take "never" for an odd `exp` would be generous. */
static bool read_time(const json_t *claims, const char *name, double *ret, double absent)
{
	const json_t *value = json_object_get(claims, name);
	*ret = json_is_number(value) ? json_number_value(value) : absent;
	return !value || json_is_number(value) || json_is_null(value);
}

static enum jwt_outcome check_times(const json_t *claims, int64_t now_s)
{
	double now = (double)now_s, exp, nbf, iat;
	bool good = read_time(claims, "exp", &exp, now);
	good &= read_time(claims, "nbf", &nbf, now);
	good &= read_time(claims, "iat", &iat, now);
	if (!good)
		return JWT_E_MALFORMED;
	if (now > exp + JWT_LEEWAY_S)
		return JWT_E_EXPIRED;
	return now < nbf - JWT_LEEWAY_S || now < iat - JWT_LEEWAY_S ? JWT_E_NOT_YET : JWT_OK;
}

static enum jwt_outcome check(const struct parts *p, const json_t *header, const json_t *claims,
	jwt_secret_fn *secret_of, void *owner, int64_t now_s)
{
	enum jwt_outcome o = check_header(header);
	if (o != JWT_OK)
		return o;
	if (!claims)
		return JWT_E_MALFORMED;
	const char *key = json_string_value(json_object_get(claims, "iss"));
	const char *secret = key ? secret_of(owner, key) : NULL;
	if (!secret || !*secret)
		return JWT_E_UNKNOWN_KEY;
	return signature_fits(p, secret) ? check_times(claims, now_s) : JWT_E_SIGNATURE;
}

int jwt_verify(json_t **claims, struct span token, jwt_secret_fn *secret_of, void *owner,
	int64_t now_s)
{
	struct parts p;
	if (token.size > JWT_TEXT_MAX || !split(&p, token))
		return JWT_E_MALFORMED;
	uint8_t *scratch = mem_zalloc(token.size + 4);
	if (!scratch)
		return err_new(-ENOMEM);

	json_t *header = load_part(scratch, p.header);
	json_t *body = load_part(scratch, p.claims);
	mem_free(scratch);
	int r = check(&p, header, body, secret_of, owner, now_s);
	json_decref(header);
	if (r == JWT_OK)
		*claims = body;
	else
		json_decref(body);
	return r;
}

/* ---- writing ---- */

static char *sign(struct span body, const char *secret)
{
	static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
	uint8_t mac[EVP_MAX_MD_SIZE];
	size_t size = BASE64_TEXT_SIZE(sizeof header) + BASE64_TEXT_SIZE(body.size) +
		      BASE64_TEXT_SIZE(MAC_SIZE);
	char *out = mem_zalloc(size + 2);
	if (!out)
		return NULL;
	size_t n = base64_encode_url(out, span_text(header));
	out[n++] = '.';
	n += base64_encode_url(out + n, body);
	if (!make_mac(mac, secret, span_of(out, n))) {
		mem_free(out);
		return NULL;
	}
	out[n++] = '.';
	base64_encode_url(out + n, span_of(mac, MAC_SIZE));
	return out;
}

int jwt_sign(char **token, const json_t *claims, const char *secret)
{
	char *body = json_dumps(claims, JSON_COMPACT);
	if (!body)
		return err_new(-ENOMEM);
	char *out = sign(span_text(body), secret);
	/* jansson's memory, not one of ours. */
	json_free_t release;
	json_get_alloc_funcs(NULL, &release);
	release(body);
	if (!out)
		return err_new(-ENOMEM);
	if (strlen(out) > JWT_TEXT_MAX) {
		mem_free(out);
		return JWT_E_MALFORMED;
	}
	*token = out;
	return 0;
}

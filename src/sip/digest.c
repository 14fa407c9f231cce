#include "sip/digest.h"

#include "base/err.h"
#include "wire/sip_write.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>

static const struct {
	const char *name;
	const EVP_MD *(*hash)(void);
	bool session;
} algorithms[SIP_DIGEST__COUNT] = {
	[SIP_DIGEST_UNKNOWN] = {"", NULL, false},
	[SIP_DIGEST_MD5] = {"MD5", EVP_md5, false},
	[SIP_DIGEST_MD5_SESS] = {"MD5-sess", EVP_md5, true},
	[SIP_DIGEST_SHA256] = {"SHA-256", EVP_sha256, false},
	[SIP_DIGEST_SHA256_SESS] = {"SHA-256-sess", EVP_sha256, true},
	[SIP_DIGEST_SHA512_256] = {"SHA-512-256", EVP_sha512_256, false},
	[SIP_DIGEST_SHA512_256_SESS] = {"SHA-512-256-sess", EVP_sha512_256, true},
};

enum sip_digest_algorithm sip_digest_algorithm_of(struct span name)
{
	if (!name.size)
		return SIP_DIGEST_MD5;
	for (int i = SIP_DIGEST_MD5; i < SIP_DIGEST__COUNT; ++i)
		if (span_is_nocase(name, algorithms[i].name))
			return (enum sip_digest_algorithm)i;
	return SIP_DIGEST_UNKNOWN;
}

const char *sip_digest_algorithm_text(enum sip_digest_algorithm a)
{
	return algorithms[a].name;
}

/* hex(hash(parts joined by ':')). */
static int hash_hex(char out[SIP_DIGEST_HEX_SIZE], const EVP_MD *hash, const struct span *parts,
	size_t count)
{
	uint8_t raw[EVP_MAX_MD_SIZE];
	unsigned size = 0;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestInit_ex(ctx, hash, NULL);

	for (size_t i = 0; ok && i < count; ++i) {
		ok = i == 0 || EVP_DigestUpdate(ctx, ":", 1);
		ok = ok && EVP_DigestUpdate(ctx, parts[i].data, parts[i].size);
	}
	ok = ok && EVP_DigestFinal_ex(ctx, raw, &size);
	EVP_MD_CTX_free(ctx);
	/* MD5 is missing where OpenSSL is built for FIPS. */
	if (!ok)
		return err_new(-ENOTSUP);

	static const char digits[] = "0123456789abcdef";
	for (unsigned i = 0; i < size; ++i) {
		out[2 * i] = digits[raw[i] >> 4];
		out[2 * i + 1] = digits[raw[i] & 15];
	}
	out[2 * size] = 0;
	return 0;
}

/* RFC 7616 section 3.4.2: A1. */
static int hash_a1(char out[SIP_DIGEST_HEX_SIZE], const struct sip_digest_input *in)
{
	const EVP_MD *hash = algorithms[in->algorithm].hash();
	struct span parts[] = {in->username, in->realm, in->password};

	int r = hash_hex(out, hash, parts, 3);
	if (r < 0 || !algorithms[in->algorithm].session)
		return r;
	char first[SIP_DIGEST_HEX_SIZE];
	memcpy(first, out, sizeof first);
	struct span session[] = {span_text(first), in->nonce, in->cnonce};
	r = hash_hex(out, hash, session, 3);
	OPENSSL_cleanse(first, sizeof first);
	return r;
}

static const char *const qop_texts[] = {
	[SIP_QOP_NONE] = "", [SIP_QOP_AUTH] = "auth", [SIP_QOP_AUTH_INT] = "auth-int"};

/* RFC 7616 section 3.4.3: A2. */
static int hash_a2(char out[SIP_DIGEST_HEX_SIZE], const struct sip_digest_input *in)
{
	const EVP_MD *hash = algorithms[in->algorithm].hash();
	char body[SIP_DIGEST_HEX_SIZE];
	bool whole = in->qop == SIP_QOP_AUTH_INT;

	int r = whole ? hash_hex(body, hash, &in->body, 1) : 0;
	if (r < 0)
		return r;
	struct span parts[] = {in->method, in->uri, span_text(whole ? body : "")};
	return hash_hex(out, hash, parts, whole ? 3 : 2);
}

int sip_digest_response(char out[SIP_DIGEST_HEX_SIZE], const struct sip_digest_input *in)
{
	assert(in->algorithm != SIP_DIGEST_UNKNOWN);

	const EVP_MD *hash = algorithms[in->algorithm].hash();
	char a1[SIP_DIGEST_HEX_SIZE], a2[SIP_DIGEST_HEX_SIZE];

	int r = hash_a1(a1, in);
	if (r >= 0)
		r = hash_a2(a2, in);
	if (r >= 0 && in->qop != SIP_QOP_NONE) {
		struct span parts[] = {span_text(a1), in->nonce, in->nc, in->cnonce,
			span_text(qop_texts[in->qop]), span_text(a2)};
		r = hash_hex(out, hash, parts, 6);
	} else if (r >= 0) {
		struct span parts[] = {span_text(a1), in->nonce, span_text(a2)};
		r = hash_hex(out, hash, parts, 3);
	}
	OPENSSL_cleanse(a1, sizeof a1);
	return r;
}

/* Whether we can answer: Digest, a known algorithm and qop, and texts that fit. */
static bool can_answer(const struct sip_auth *a)
{
	return span_is_nocase(a->scheme, "Digest") && a->nonce.size &&
		a->realm.size < SIP_REALM_SIZE && a->nonce.size < SIP_NONCE_SIZE &&
		a->opaque.size < SIP_NONCE_SIZE &&
		sip_digest_algorithm_of(a->algorithm) != SIP_DIGEST_UNKNOWN &&
		(!a->qop.size || sip_auth_offers(a, "auth") || sip_auth_offers(a, "auth-int"));
}

static void copy_text(char *out, struct span s)
{
	if (s.size)
		memcpy(out, s.data, s.size);
	out[s.size] = 0;
}

static struct sip_realm *realm_get(struct sip_authorizer *a, bool proxy, struct span name)
{
	for (size_t i = 0; i < a->count; ++i)
		if (a->realms[i].proxy == proxy && span_is(name, a->realms[i].realm))
			return &a->realms[i];
	return NULL;
}

/* Without the body where both will do: gateways on the way may touch it. */
static enum sip_qop choose_qop(const struct sip_auth *c)
{
	if (!c->qop.size)
		return SIP_QOP_NONE;
	return sip_auth_offers(c, "auth") ? SIP_QOP_AUTH : SIP_QOP_AUTH_INT;
}

static void realm_set(struct sip_realm *realm, bool proxy, const struct sip_auth *c)
{
	*realm = (struct sip_realm){.proxy = proxy,
		.algorithm = sip_digest_algorithm_of(c->algorithm),
		.names_algorithm = c->algorithm.size > 0,
		.answered = true,
		.qop = choose_qop(c),
		.has_opaque = c->opaque.data != NULL};
	copy_text(realm->realm, c->realm);
	copy_text(realm->nonce, c->nonce);
	copy_text(realm->opaque, c->opaque);
}

/* Whether what was answered may have been too old only: some carriers never say "stale", so another
 * nonce is taken for that, once. */
static bool worth_a_try(const struct sip_realm *realm, const struct sip_auth *c)
{
	return !span_is(c->nonce, realm->nonce) && (c->stale || !realm->renewed);
}

/* One challenge of this response. `fresh` are the realms that this very response has set: a
 * second challenge of the same realm offers another algorithm, and the stronger one wins. */
static int take_challenge(
	struct sip_authorizer *a, bool proxy, const struct sip_auth *c, unsigned *fresh)
{
	struct sip_realm *realm = realm_get(a, proxy, c->realm);

	if (!realm) {
		if (a->count == SIP_REALMS_MAX)
			return SIP_AUTH_E_UNKNOWN;
		realm = &a->realms[a->count++];
	} else if (*fresh & BIT(realm - a->realms)) {
		if (sip_digest_algorithm_of(c->algorithm) <= realm->algorithm)
			return 0;
	} else if (realm->answered && !worth_a_try(realm, c)) {
		return SIP_AUTH_E_REFUSED;
	}
	bool again = realm->answered;
	realm_set(realm, proxy, c);
	realm->renewed = again && !c->stale;
	*fresh |= BIT(realm - a->realms);
	return 0;
}

void sip_authorizer_begin(struct sip_authorizer *a)
{
	a->tries = 0;
	for (size_t i = 0; i < a->count; ++i)
		a->realms[i].answered = false;
}

/* Which of our realms such a header is about: it does not say; NULL when there are several. */
static struct sip_realm *only_realm(struct sip_authorizer *a, bool proxy)
{
	struct sip_realm *only = NULL;

	for (size_t i = 0; i < a->count; ++i) {
		if (a->realms[i].proxy != proxy)
			continue;
		if (only)
			return NULL;
		only = &a->realms[i];
	}
	return only;
}

void sip_authorizer_renew(struct sip_authorizer *a, const struct sip_message *response)
{
	static const char *const names[] = {"Authentication-Info", "Proxy-Authentication-Info"};
	struct span nonce;

	for (size_t proxy = 0; proxy < COUNT_OF(names); ++proxy) {
		struct sip_realm *realm = only_realm(a, proxy);
		if (!realm || !sip_auth_next_nonce(sip_message_value_named(response, names[proxy]), &nonce) ||
			nonce.size >= sizeof realm->nonce)
			continue;
		copy_text(realm->nonce, nonce);
		realm->nc = 0;
	}
}

/* All challenges of one header line. */
static int take_line(struct sip_authorizer *a, const struct sip_header_line *line, unsigned *fresh)
{
	struct span rest = line->value;
	struct sip_auth c;

	while (sip_auth_next(&rest, &c)) {
		if (!can_answer(&c))
			continue;
		int r = take_challenge(a, line->id == SIP_H_PROXY_AUTHENTICATE, &c, fresh);
		if (r == SIP_AUTH_E_REFUSED)
			return r;
	}
	return 0;
}

int sip_authorizer_challenged(struct sip_authorizer *a, const struct sip_message *response)
{
	unsigned fresh = 0;

	if (++a->tries > SIP_AUTH_TRIES_MAX)
		return SIP_AUTH_E_REFUSED;
	for (size_t i = 0; i < response->header_count; ++i) {
		const struct sip_header_line *line = &response->headers[i];
		if (line->id != SIP_H_PROXY_AUTHENTICATE && line->id != SIP_H_WWW_AUTHENTICATE)
			continue;
		int r = take_line(a, line, &fresh);
		if (r)
			return r;
	}
	return fresh ? 0 : SIP_AUTH_E_UNKNOWN;
}

/* A user name from the configuration may hold quotes. */
static void write_field(struct writer *w, const char *name, struct span value)
{
	write_format(w, ", %s=", name);
	sip_write_quoted(w, value);
}

/* A value that came in quotes goes back as it came, backslashes and all. */
static void write_raw_field(struct writer *w, const char *name, const char *value)
{
	write_format(w, ", %s=\"", name);
	write_text(w, value);
	write_text(w, "\"");
}

static int write_realm(
	struct writer *w, struct sip_realm *realm, const struct sip_digest_input *base)
{
	char nc[9], response[SIP_DIGEST_HEX_SIZE];
	struct sip_digest_input in = *base;
	char line[8192];
	struct writer v = writer_of(line, sizeof line);

	snprintf(nc, sizeof nc, "%08x", ++realm->nc);
	in.algorithm = realm->algorithm;
	in.realm = span_text(realm->realm);
	in.nonce = span_text(realm->nonce);
	in.nc = span_text(nc);
	in.qop = realm->qop;
	int r = sip_digest_response(response, &in);
	if (r < 0)
		return r;

	write_text(&v, "Digest username=");
	sip_write_quoted(&v, in.username);
	write_raw_field(&v, "realm", realm->realm);
	write_raw_field(&v, "nonce", realm->nonce);
	write_field(&v, "uri", in.uri);
	write_raw_field(&v, "response", response);
	if (realm->names_algorithm)
		write_format(&v, ", algorithm=%s", algorithms[realm->algorithm].name);
	if (realm->qop != SIP_QOP_NONE)
		write_format(&v, ", qop=%s, nc=%s", qop_texts[realm->qop], nc);
	/* RFC 7616 section 3.4.2: -sess hashes the cnonce even where no qop was offered. */
	if (realm->qop != SIP_QOP_NONE || algorithms[realm->algorithm].session)
		write_field(&v, "cnonce", in.cnonce);
	if (realm->has_opaque)
		write_raw_field(&v, "opaque", realm->opaque);
	if (v.bad)
		w->bad = true;
	sip_write_copy(w, realm->proxy ? "Proxy-Authorization" : "Authorization", writer_span(&v));
	return 0;
}

int sip_authorizer_write(struct writer *w, struct sip_authorizer *a, const char *username,
	const char *password, struct span method, struct span uri, struct span body,
	const char *cnonce)
{
	struct sip_digest_input in = {.username = span_text(username),
		.password = span_text(password), .cnonce = span_text(cnonce), .method = method,
		.uri = uri, .body = body};

	for (size_t i = 0; i < a->count; ++i) {
		int r = write_realm(w, &a->realms[i], &in);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool same(struct span a, const char *text, size_t size)
{
	return a.size == size && CRYPTO_memcmp(a.data, text, size) == 0;
}

static int verify(const struct sip_auth *c, const struct sip_message *request,
	const char *username, const char *password)
{
	char expected[SIP_DIGEST_HEX_SIZE];
	struct sip_digest_input in = {
		.algorithm = sip_digest_algorithm_of(c->algorithm),
		.username = c->username,
		.password = span_text(password),
		.realm = c->realm,
		.nonce = c->nonce,
		.cnonce = c->cnonce,
		.nc = c->nc,
		.qop = !c->qop.size                         ? SIP_QOP_NONE
			: span_is_nocase(c->qop, "auth-int") ? SIP_QOP_AUTH_INT
							     : SIP_QOP_AUTH,
		.method = request->method_name,
		.uri = c->uri,
		.body = request->content,
	};

	if (!span_is(c->username, username))
		return SIP_VERIFY_E_USER;
	/* The digest-uri is the Request-URI; credentials for another one are not for this. */
	if (c->uri.size != request->uri.size ||
		memcmp(c->uri.data, request->uri.data, c->uri.size))
		return SIP_VERIFY_E_RESPONSE;
	if (in.algorithm == SIP_DIGEST_UNKNOWN || (c->qop.size && !span_is_nocase(c->qop, qop_texts[in.qop])))
		return SIP_VERIFY_E_RESPONSE;
	int r = sip_digest_response(expected, &in);
	if (r < 0)
		return r;
	return same(c->response, expected, strlen(expected)) ? 0 : SIP_VERIFY_E_RESPONSE;
}

int sip_digest_verify(const struct sip_message *request, enum sip_header_id header,
	const char *realm, const char *nonce, const char *username, const char *password)
{
	for (size_t i = 0; i < request->header_count; ++i) {
		struct span rest = request->headers[i].value;
		struct sip_auth c;
		if (request->headers[i].id != header || !sip_auth_next(&rest, &c) ||
			!span_is_nocase(c.scheme, "Digest") || !span_is(c.realm, realm))
			continue;
		if (nonce && !span_is(c.nonce, nonce))
			return SIP_VERIFY_E_NONCE;
		return verify(&c, request, username, password);
	}
	return SIP_VERIFY_E_NONE;
}
